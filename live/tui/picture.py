"""Draw the screen as an SVG picture: `python -m tatumflow.live.tui.picture docs/screen.svg`.

The picture shows the default model answering the bundled phrase over a chart, with the band.
"""

import asyncio
import re
import sys
from pathlib import Path
from typing import Final

from tatumflow.live.settings import Settings
from tatumflow.live.tui.app import TatumFlowApp
from tatumflow.live.tui.demonstration import StillLink
from tatumflow.live.tui.played_moment import played_moment

# The chart and the tempo of the bundled phrase.
_CONTROLS: Final = {"chords": "rhythm changes in Bb", "tempo": 132.0, "band": 1}

# Geometry of Rich's SVG export, in its own units.
_CELL_WIDTH: Final = 12.2
_HALF_CELL: Final = 12.2
_BASELINE: Final = 18.5
_WEB_FONTS: Final = re.compile(r"@font-face\s*\{[^}]*\}\s*")
_BLOCKS: Final = re.compile(
    r'<text class="(?P<style>[\w-]+)" x="(?P<x>[\d.]+)" y="(?P<y>[\d.]+)"[^>]*>'
    r"(?P<cells>(?:[▀▄]|&#160;)+)</text>"
)


async def draw(path: Path, columns: int = 120, rows: int = 36) -> None:
    """Write a picture of the screen at the given size to `path`."""
    settings = Settings().with_controls(**_CONTROLS)
    app = TatumFlowApp(StillLink(played_moment(settings)))
    async with app.run_test(size=(columns, rows)) as pilot:
        await pilot.pause()
        svg = app.export_screenshot(title="TatumFlow", simplify=True)
    # A picture in a README must not fetch anything; every viewer has a font of equal widths.
    svg = _WEB_FONTS.sub("", svg)
    # Without this attribute some renderers trim the spaces at the start of a run of text.
    svg = svg.replace("<svg ", '<svg xml:space="preserve" ', 1)
    path.write_text(_BLOCKS.sub(_rectangles, svg) + "\n", encoding="utf-8")


def _rectangles(text: re.Match[str]) -> str:
    """Return half-block letters as rectangles, whose edges meet whatever font the picture is seen in."""
    x, top = float(text["x"]), float(text["y"]) - _BASELINE
    return "".join(
        f'<rect class="{text["style"]}" x="{x + index * _CELL_WIDTH:.1f}" '
        f'y="{top + (_HALF_CELL if cell == "▄" else 0):.1f}" '
        f'width="{_CELL_WIDTH}" height="{_HALF_CELL + 0.2}" shape-rendering="crispEdges"/>'
        for index, cell in enumerate(text["cells"].replace("&#160;", " "))
        if cell != " "
    )


def main() -> None:
    """Write the picture to the path given, `docs/screen.svg` if none is."""
    asyncio.run(draw(Path(sys.argv[1] if len(sys.argv) > 1 else "docs/screen.svg")))


if __name__ == "__main__":
    main()
