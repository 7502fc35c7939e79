"""The banner: whose turn it is, how the companion plays, and why nothing plays when nothing does."""

from typing import Final, Literal

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content
from textual.widgets import Static

from tatumflow.engine.controls import Controls
from tatumflow.engine.messages import Snapshot, Turn
from tatumflow.live.tui.labels import number, style_name
from tatumflow.live.tui.lettering import Lettering

BannerState = Turn | Literal["starting", "stopped"]

_WORDS: Final[dict[BannerState, str]] = {
    "listening": "YOUR TURN",
    "thinking": "THINKING",
    "playing": "COMPANION",
    "starting": "STARTING",
    "stopped": "STOPPED",
}


class TurnBanner(Horizontal):
    """The top of the screen, readable at two metres."""

    def __init__(self) -> None:
        """Start in the state before the first snapshot."""
        super().__init__()
        self._word = Lettering("STARTING", id="turn")
        self._facts = Static(id="facts")
        self._shown: tuple[BannerState, object] | None = None

    def compose(self) -> ComposeResult:
        """Lay out the large word and the facts beside it."""
        yield self._word
        yield self._facts

    def show(self, snapshot: Snapshot | None, *, alive: bool, failure: str) -> None:
        """Show whose turn it is, or that the engine is starting or stopped, and why."""
        if not alive and (failure or snapshot):
            self._draw("stopped", failure or "The engine has ended.")
        elif snapshot is None:
            self._draw("starting", "Loading the model and opening the ports …")
        else:
            self._draw(snapshot.turn, snapshot.controls)

    def _draw(self, state: BannerState, detail: str | Controls) -> None:
        shown = (state, detail if isinstance(detail, str) else _facts(detail))
        if shown == self._shown:
            return
        self._shown = shown
        self.set_classes(f"-{state}")
        self._word.show(_WORDS[state])
        facts = (
            Content(detail)
            if isinstance(detail, str)
            else Content.from_markup(
                "[b]$mode[/b]\n$style\n[dim]temperature[/dim] [b]$temperature[/b]", **_facts(detail)
            )
        )
        self._facts.update(facts)


def _facts(controls: Controls) -> dict[str, str]:
    style = style_name(controls.style)
    if controls.style_b and controls.style_blend > 0:
        share = round(controls.style_blend * 100)
        style = f"{style} {100 - share} · {style_name(controls.style_b)} {share}"
    return {
        "mode": controls.mode.upper(),
        "style": style,
        "temperature": number(controls.temperature, ""),
    }
