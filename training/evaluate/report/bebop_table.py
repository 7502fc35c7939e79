"""The figures of `bebop` as lines of text."""

from collections.abc import Iterator
from typing import Final

from tatumflow.training.evaluate.comparison import Figures

_SIDES: Final = ("companion", "held_out", "player", "control", "ratio")


def bebop_lines(figures: Figures) -> Iterator[str]:
    """Write the figures of `bebop` as lines of text, with 95 % intervals; none where there are none."""
    if "bebop" not in figures:
        return
    found = figures["bebop"]
    yield (
        f"bebop: {found['takes']} takes over {len(found['tunes'])} tunes, {len(found['held_out'])} held out, "
        f"in the style of {found['player']}; {found['solos']} real solos; control {found['control_player']}"
    )
    yield f"{'':<18}" + "".join(f"{side:>26}" for side in _SIDES)
    for name, row in found["figures"].items():
        yield f"{name:<18}" + "".join(f"{_cell(row[side]):>26}" for side in _SIDES)
        if "player_shuffled" in row:
            cells = (_cell(row["companion_shuffled"]), "", _cell(row["player_shuffled"]))
            yield f"{'  shuffled chords':<18}" + "".join(f"{cell:>26}" for cell in cells)
    distance = found["distance"]
    yield f"{'distance':<18}{distance['companion']:>24.3f}{'':>52}{distance['control']:>24.3f}"
    judged = found.get("classifier", {})
    if "companion" in judged:
        for label, rows in (
            ("classifier", judged),
            ("  log odds", {side: judged[side]["log_odds"] for side in _SIDES if side in judged}),
        ):
            cells = (_cell(rows[side]) if side in rows else "" for side in _SIDES[:-1])
            yield f"{label:<18}" + "".join(f"{cell:>26}" for cell in cells)
    elif judged:
        yield f"classifier: {judged['unavailable']}"


def _cell(figure: Figures) -> str:
    low, high = figure["interval"]
    return f"{figure['value']:.3f} [{low:.3f}, {high:.3f}]"
