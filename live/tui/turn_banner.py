"""The banner: whose turn it is, bar and chord, mode and style; or why the engine does not run."""

from typing import Final, Literal

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content
from textual.widgets import Static

from tatumflow.engine.controls import Controls
from tatumflow.engine.harmony.instruments import Instrument
from tatumflow.engine.messages import HeardBeat, HeardChord, Position, Snapshot, Turn
from tatumflow.live.tui.controls.control_table import ACTION_LABELS, LABELS
from tatumflow.live.tui.labels import number, style_name
from tatumflow.live.tui.lettering import Lettering
from tatumflow.live.tui.written import written_chord

BannerState = Turn | Literal["starting", "restarting", "stopped"]

_WORDS: Final[dict[BannerState, str]] = {
    "listening": "YOUR TURN",
    "thinking": "THINKING",
    "playing": "COMPANION",
    "starting": "STARTING",
    "restarting": "RESTART",
    "stopped": "STOPPED",
}


class TurnBanner(Horizontal):
    """The top of the screen, readable at two metres."""

    def __init__(self, instrument: Instrument = "C") -> None:
        """Start in the state before the first snapshot; chords are written for an instrument in this key."""
        super().__init__()
        self._instrument: Instrument = instrument
        self._word = Lettering("STARTING", id="turn")
        self._beat = Lettering(id="beat")
        self._facts = Static(id="facts")
        self._shown: tuple[object, ...] | None = None

    def compose(self) -> ComposeResult:
        """Lay out the large word, bar and beat as large, and the facts beside them."""
        yield self._word
        yield self._beat
        yield self._facts

    def show(self, snapshot: Snapshot | None, *, alive: bool, failure: str, restarting: bool = False) -> None:
        """Show whose turn it is, or that the engine is starting, restarting or stopped, and why."""
        if restarting:
            self._draw("restarting", f"{failure}. All is silenced; the engine is started again …")
        elif not alive and (failure or snapshot):
            self._draw("stopped", failure or "The engine has ended.")
        elif snapshot is None:
            self._draw("starting", "Loading the model and opening the ports …")
        else:
            detail = learning_text(snapshot.learning) if snapshot.learning else snapshot.controls
            self._draw(snapshot.turn, detail, snapshot.position, snapshot.heard, snapshot.heard_chord)

    def _draw(
        self,
        state: BannerState,
        detail: str | Content | Controls,
        position: Position | None = None,
        heard: HeardBeat | None = None,
        chord: HeardChord | None = None,
    ) -> None:
        shown = (state, _facts(detail) if isinstance(detail, Controls) else detail, position, heard, chord)
        if shown == self._shown:
            return
        self._shown = shown
        self.set_classes(f"-{state}")
        self.set_class(position is not None, "-counted")
        if position is not None:
            self._beat.show(f"{position.bar}.{position.beat}")
        self._word.show(_WORDS[state])
        if not isinstance(detail, Controls):
            facts = Content(detail) if isinstance(detail, str) else detail
        elif position is None:
            facts = Content.from_markup("[b]$mode[/b]\n$style\n", **_facts(detail))
            if chord is not None:
                facts += Content.from_markup("[dim]chord[/dim] ") + chord_text(chord, self._instrument)
            if heard is not None:
                facts += Content.from_markup("  [dim]beat[/dim] " if chord else "[dim]beat[/dim] ")
                facts += heard_text(heard)
            elif chord is None:
                facts += Content.from_markup("[dim]temperature[/dim] [b]$temperature[/b]", **_facts(detail))
        else:
            mode = Content.from_markup("[b]$mode[/b]\n", mode=detail.mode.upper())
            facts = mode + position_text(position, heard, chord, self._instrument)
        self._facts.update(facts)


def learning_text(target: str) -> Content:
    """Return three lines of MIDI learn: what a controller will steer, what to do, how to cancel."""
    return Content.from_markup(
        "[b]MIDI LEARN: $label[/b]\nmove a knob or pedal\n[dim]Esc cancels[/dim]",
        label={**LABELS, **ACTION_LABELS}[target],
    )


def position_text(
    position: Position,
    heard: HeardBeat | None = None,
    chord: HeardChord | None = None,
    instrument: Instrument = "C",
) -> Content:
    """Return two lines: bar and beat, with the bar of the turn where turns are traded; chords and tempo.

    Chords are written for an instrument in this key.

    Beside the tempo of a beat that is heard stands how sure it is; "free" in its place while none is. So it
    is with a chord that is heard, and a dash while none is.
    """
    count_in = position.bar < 1
    bars = position.turn_bars
    turn = f" ({(position.bar - 1) % bars + 1} of {bars})" if bars and not count_in else ""
    dots = "".join("●" if beat < position.beat else "○" for beat in range(position.beats_per_bar))
    where = "count-in" if count_in else f"bar {position.bar}{turn}"
    if position.stopped:
        where = "stopped"
    text = Content.from_markup("[b]$where  $dots[/b]\n", where=where, dots=dots)
    if chord is None:
        now, following = (written_chord(name, instrument) for name in (position.chord, position.next_chord))
        chords = f"{now or '–'} → {following}" if following else now
        text += Content.from_markup("[b]$chords[/b]", chords=chords)
    else:
        text += chord_text(chord, instrument)
    text += Content("  ")
    return text + (_tempo_text(position.tempo) if heard is None else heard_text(heard))


def chord_text(heard: HeardChord, instrument: Instrument = "C") -> Content:
    """Return the chord that is heard, or a dash, and the confidence in it, in steps of 5 %."""
    share = f"{5 * round(20 * heard.confidence)}%"
    chord = written_chord(heard.chord, instrument) or "–"
    return Content.from_markup("[b]$chord[/b] [dim]$share[/dim]", chord=chord, share=share)


def heard_text(heard: HeardBeat) -> Content:
    """Return the tempo of the beat that is heard, or "free", and the confidence in it, in steps of 5 %."""
    share = f"{5 * round(20 * heard.confidence)}%"
    if heard.tempo is None:
        return Content.from_markup("[b]free[/b] [dim]$share[/dim]", share=share)
    return _tempo_text(heard.tempo) + Content.from_markup(" [b]$share[/b]", share=share)


def _tempo_text(tempo: float) -> Content:
    return Content.from_markup("[dim]$tempo bpm[/dim]", tempo=number(tempo, "").removesuffix("0"))


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
