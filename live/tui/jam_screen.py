"""The main screen: banner, chart, strip, roll, keyboard, controls, stems, ports and health."""

from collections.abc import Callable, Sequence

from textual import events
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Footer

from tatumflow.engine.harmony.instruments import Instrument
from tatumflow.engine.messages import Snapshot
from tatumflow.live.audio.status import AudioStatus
from tatumflow.live.tui.chart.chart_view import ChartView
from tatumflow.live.tui.controls.control_panel import ControlPanel
from tatumflow.live.tui.controls.control_row import ControlRow
from tatumflow.live.tui.health import HealthLine
from tatumflow.live.tui.ports import PortsLine
from tatumflow.live.tui.roll.key_piano import KeyPiano
from tatumflow.live.tui.roll.keyboard import Keyboard
from tatumflow.live.tui.roll.piano_roll import PianoRoll
from tatumflow.live.tui.stems.stem_row import StemRow
from tatumflow.live.tui.stems.stem_strip import StemStrip
from tatumflow.live.tui.strip.music_strip import MusicStrip
from tatumflow.live.tui.turn_banner import TurnBanner


class JamScreen(Screen[None]):
    """Shows snapshots and plays letter keys as notes; dialogs lie over it and keep their own keys."""

    AUTO_FOCUS = "#temperature"

    class PianoKey(Message):
        """A key of the computer-keyboard piano went down."""

        def __init__(self, pitch: int) -> None:
            """Carry the MIDI pitch."""
            super().__init__()
            self.pitch = pitch

    def __init__(self, instrument: Instrument = "C") -> None:
        """Start with the computer-keyboard piano around middle C, for a reader of this instrument."""
        super().__init__()
        self.piano = KeyPiano()
        self._banner = TurnBanner(instrument)
        self._keyboard = Keyboard()
        self._stems = StemStrip()
        self._strip = MusicStrip()
        self._left: Widget | None = None
        self._parts = (
            ChartView(instrument),
            self._strip,
            PianoRoll(instrument),
            ControlPanel(),
            self._keyboard,
            PortsLine(),
            HealthLine(),
        )

    def compose(self) -> ComposeResult:
        """Lay the screen out."""
        chart, strip, roll, controls, keyboard, ports, health = self._parts
        yield self._banner
        yield chart
        yield strip
        with Horizontal(id="middle"):
            yield roll
            yield controls
        yield keyboard
        yield self._stems
        with Vertical(id="status"):
            yield ports
            yield health
        yield Footer()

    def on_mount(self) -> None:
        """Write the piano's letters on the keyboard."""
        self._keyboard.show_letters(self.piano.letters())

    def show(
        self,
        snapshot: Snapshot | None,
        sound: AudioStatus | None,
        *,
        alive: bool,
        failure: str,
        restarting: bool = False,
    ) -> None:
        """Show the engine's state and that of its ears, if any; each part draws only what changed."""
        self.set_class(restarting or not alive, "-stopped")
        self._banner.show(snapshot, alive=alive, failure=failure, restarting=restarting)
        self._stems.show(sound)
        if snapshot is not None:
            for part in self._parts:
                part.show(snapshot)

    def step(self, control: str, steps: int) -> None:
        """Change a control by some steps, where it has a row or a cell."""
        for row in self.query(ControlRow):
            if row.control == control:
                row.action_move(steps)

    def go_to_strip(self) -> None:
        """Focus the strip, or from there the control that had the focus before."""
        self._go(self._strip.cells, self._strip.focus_cells)

    def go_to_stems(self) -> None:
        """Focus the stems, or from there the control that had the focus before."""
        self._go(self._stems.rows, self._stems.focus_stems)

    def _go(self, there: Sequence[Widget], focus: Callable[[], None]) -> None:
        """Focus widgets, or from one of them the control that had the focus before."""
        focused = self.focused
        if focused in there:
            self.set_focus(self._left or self.query_one("#temperature"))
        else:
            if not isinstance(focused, StemRow) and focused not in self._strip.cells:
                self._left = focused
            focus()

    def shift_piano(self, octaves: int) -> None:
        """Move the computer-keyboard piano by some octaves."""
        self.piano = self.piano.shifted(octaves)
        self._keyboard.show_letters(self.piano.letters())

    def on_key(self, event: events.Key) -> None:
        """Play the key if it is one of the piano's."""
        pitch = self.piano.pitch(event.key)
        if pitch is not None:
            event.stop()
            self.post_message(self.PianoKey(pitch))
