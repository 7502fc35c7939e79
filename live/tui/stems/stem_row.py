"""One stem of the sound: its level, mute, solo and gain, and whether the companion hears it."""

from dataclasses import replace
from typing import ClassVar, Final

from rich.cells import set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.strip import Strip

from tatumflow.live.audio.commands import SetStem
from tatumflow.live.audio.levels import Level
from tatumflow.live.audio.stem_mixer import LEAST_GAIN_DB, MOST_GAIN_DB, StemMix
from tatumflow.live.steering.control_range import ControlRange
from tatumflow.live.tui.controls.patience import PatientValue
from tatumflow.live.tui.controls.pointing import Dragged, Wheeled
from tatumflow.live.tui.controls.track import TrackStyles, draw_track, value_at
from tatumflow.live.tui.palette import YOU_GLYPH
from tatumflow.live.tui.stems.metered import Metered
from tatumflow.live.tui.stems.stem_layout import StemLayout, stem_layout

GAIN: Final = ControlRange("gain_db", LEAST_GAIN_DB, MOST_GAIN_DB, "dB", StemMix().gain_db, whole=False)

_SILENT_GLYPH: Final = "○"


class StemRow(Metered, Wheeled, Dragged, can_focus=True):
    """One row; a switch that is on is a filled M or S between half blocks.

    The letters of its keys are capitals, since the small ones play the computer-keyboard piano.
    """

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "stem--off",
        "stem--mute",
        "stem--solo",
        "control--value",
        "slider--filled",
        "slider--empty",
        "slider--thumb",
    }
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "enter",
            "choose",
            "Play from",
            key_display="Enter",
            tooltip="the companion hears this stem, or none",
            show=False,
        ),
        Binding("M,shift+m", "mute", "Mute", key_display="Shift+M", tooltip="mute", show=False),
        Binding("S,shift+s", "solo", "Solo", key_display="Shift+S", tooltip="solo", show=False),
    ]

    class Mixed(Message):
        """The user changed the mix of a stem."""

        def __init__(self, command: SetStem) -> None:
            """Carry the change."""
            super().__init__()
            self.command = command

    class Chosen(Message):
        """The user chose this stem for the companion, or chose it no longer."""

        def __init__(self, stem: str) -> None:
            """Carry the stem's name."""
            super().__init__()
            self.stem = stem

    def __init__(self, stem: str, name_cells: int) -> None:
        """Show a stem in silence, with some cells for its name."""
        super().__init__()
        self.stem = stem
        self._name_cells = name_cells
        self._mix = PatientValue(StemMix())
        self._heard = True
        self._plays = False

    @property
    def mix(self) -> StemMix:
        """Gain, mute and solo, as shown."""
        return self._mix.value

    @property
    def plays(self) -> bool:
        """Whether it is marked as the one that the companion hears."""
        return self._plays

    @property
    def meter_columns(self) -> range:
        """The columns of the meter."""
        return self._layout.meter

    def report(self, mix: StemMix) -> None:
        """Take the engine's mix."""
        if self._mix.report(mix):
            self.refresh()

    def show(self, level: Level, *, heard: bool, plays: bool) -> None:
        """Show the level, whether it is heard in the monitor, and whether the companion hears the stem."""
        self.show_level(level)
        if (heard, plays) != (self._heard, self._plays):
            self._heard, self._plays = heard, plays
            self.set_class(plays, "-plays")
            self.refresh()

    def action_choose(self) -> None:
        """Request this stem for the companion, or none if it is this one."""
        self.post_message(self.Chosen(self.stem))

    def action_mute(self) -> None:
        """Mute, or no longer."""
        muted = not self.mix.muted
        self._set(replace(self.mix, muted=muted), SetStem(self.stem, muted=muted))

    def action_solo(self) -> None:
        """Solo, or no longer."""
        soloed = not self.mix.soloed
        self._set(replace(self.mix, soloed=soloed), SetStem(self.stem, soloed=soloed))

    def action_move(self, steps: int) -> None:
        """Change the gain by some decibels."""
        self._set_gain(GAIN.moved(self.mix.gain_db, steps))

    def action_reset(self) -> None:
        """Go back to the gain of a fresh session."""
        self._set_gain(GAIN.default)

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """Turn the switch that is there, or follow the mouse along the track."""
        layout = self._layout
        if event.x in layout.label:
            self.action_choose()
        elif event.x in layout.mute:
            self.action_mute()
        elif event.x in layout.solo:
            self.action_solo()
        elif event.x in layout.track:
            self.capture_mouse()
            self.follow(event)

    def render_line(self, y: int) -> Strip:
        """Draw the row."""
        width = self.content_size.width
        if y > 0:
            return Strip.blank(width, self.rich_style)
        layout, mix, style = self._layout, self.mix, self.component_style
        mark = YOU_GLYPH if self._plays else _SILENT_GLYPH
        gap = Segment(" ", style("stem--name"))
        segments = [
            Segment(set_cell_size(f"{mark} {self.stem}", len(layout.label)), style("stem--name")),
            gap,
            *self.draw_meter(heard=self._heard),
            gap,
            *_switch("M", style("stem--mute" if mix.muted else "stem--off"), mix.muted),
            gap,
            *_switch("S", style("stem--solo" if mix.soloed else "stem--off"), mix.soloed),
            gap,
        ]
        if layout.track:
            styles = TrackStyles(style("slider--filled"), style("slider--empty"), style("slider--thumb"))
            segments += draw_track(GAIN, mix.gain_db, len(layout.track), styles)
        text = f"{mix.gain_db:{'+' if mix.gain_db else ''}.1f} {GAIN.unit}"
        segments.append(Segment(f"{text:>{len(layout.gain)}}", style("control--value")))
        return Strip(segments).adjust_cell_length(width, style("stem--name"))

    @property
    def _layout(self) -> StemLayout:
        return stem_layout(self.content_size.width, self._name_cells)

    def follow(self, event: events.MouseEvent) -> None:
        """Take the gain that lies where the mouse is."""
        track = self._layout.track
        self._set_gain(value_at(GAIN, event.x - track.start, len(track)))

    def _set_gain(self, gain: float) -> None:
        self._set(replace(self.mix, gain_db=gain), SetStem(self.stem, gain_db=gain))

    def _set(self, mix: StemMix, command: SetStem) -> None:
        if self._mix.set(mix):
            self.refresh()
            self.post_message(self.Mixed(command))


def _switch(letter: str, style: Style, on: bool) -> list[Segment]:
    if not on:
        return [Segment(f" {letter} ", style)]
    filled = style + Style.from_color(style.bgcolor, style.color)
    return [Segment("▐", style), Segment(letter, filled), Segment("▌", style)]
