"""The terminal app: draws the engine's snapshots and sends it commands."""

import asyncio
import signal
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import ClassVar, Final

from textual.binding import Binding, BindingType
from textual.command import CommandPalette

from tatumflow.engine.clock import SystemClock
from tatumflow.engine.controls import MODES
from tatumflow.engine.harmony.instruments import Instrument
from tatumflow.engine.messages import (
    LearnController,
    Panic,
    PassTurn,
    PlayKey,
    SetControl,
    Shutdown,
    Snapshot,
    TapTempo,
)
from tatumflow.live.audio.commands import BypassSeparation
from tatumflow.live.audio.status import AudioStatus
from tatumflow.live.processes.engine_link import EngineLink
from tatumflow.live.steering.control_choices import options_of
from tatumflow.live.tui.chart.chart_view import ChartView
from tatumflow.live.tui.commands import PaletteCommands
from tatumflow.live.tui.controls.control_panel import option_name
from tatumflow.live.tui.controls.control_row import ControlChanged, ControlRow
from tatumflow.live.tui.controls.control_table import LABELS
from tatumflow.live.tui.dialogs.chooser import Chooser
from tatumflow.live.tui.dialogs.help import Help
from tatumflow.live.tui.dialogs.port_picker import PortPicker
from tatumflow.live.tui.dialogs.value_dialog import ValueDialog
from tatumflow.live.tui.jam_screen import JamScreen
from tatumflow.live.tui.palette import EXTRA_COLOURS, THEME
from tatumflow.live.tui.stems.stem_strip import StemStrip
from tatumflow.live.tui.tune_app import TuneApp

POLL_SECONDS: Final = 1 / 30

_FOR_EARS: Final = ("stems", "bypass")


class TatumFlowApp(TuneApp):
    """The screen of a session.

    It polls its link at 30 Hz and never waits for the engine. Panic is a priority binding, so it works inside
    every dialog, field and the command palette.
    """

    TITLE = "TatumFlow"
    CSS_PATH = Path(__file__).with_name("app.tcss")
    COMMANDS = {PaletteCommands}  # noqa: RUF012
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (110, "-wide")]  # noqa: RUF012
    VERTICAL_BREAKPOINTS = [(0, "-short"), (32, "-tall")]  # noqa: RUF012
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f1", "help", "Help", key_display="F1", tooltip="this page"),
        Binding("f2", "mode", "Mode", key_display="F2", tooltip="next mode"),
        Binding("f3", "choose('style')", show=False, tooltip="choose whose style it plays"),
        Binding("ctrl+t", "tune", "Tune", key_display="^t", tooltip="find a tune of your book, or a form"),
        Binding("f4", "ports", "Ports", key_display="F4", tooltip="choose the MIDI ports, try a note"),
        Binding("space", "turn", "Turn", key_display="Space", tooltip="pass the turn, or take it back"),
        Binding("f6", "tap", show=False, tooltip="tap the tempo, on every beat"),
        Binding("f7", "stems", show=False, tooltip="go to the stems, and back"),
        Binding("f10", "strip", show=False, tooltip="go to the strip of transport and band, and back"),
        Binding("f8", "bypass", show=False, tooltip="hear the dry signal, or the stems again"),
        Binding(
            "f9,ctrl+x",
            "panic",
            "Panic",
            key_display="F9",
            priority=True,
            tooltip="panic: silence everything, inside dialogs too",
        ),
        Binding("ctrl+l", "learn", show=False, tooltip="let a knob steer this control: then move it"),
        Binding("escape", "end_learning", show=False, tooltip="close a dialog, end MIDI learn"),
        Binding("left_square_bracket,pagedown", "octave(-1)", show=False, tooltip="piano octave down"),
        Binding("right_square_bracket,pageup", "octave(1)", show=False, tooltip="piano octave up"),
        Binding(
            "ctrl+p", "command_palette", "More", show=False, priority=True, tooltip="every command by name"
        ),
        Binding("ctrl+q", "quit", "Quit", priority=True, tooltip="save the recording and leave"),
        Binding("ctrl+c", "help_quit", show=False, system=True),
    ]

    def __init__(self, link: EngineLink, *, pick_ports: bool = False, instrument: Instrument = "C") -> None:
        """Show the engine behind `link`.

        Args:
            link: The engine.
            pick_ports: Whether to start with the port picker, as on a first run.
            instrument: Key of the instrument for which chords and pitches are written.
        """
        super().__init__()
        self.link = link
        self.snapshot: Snapshot | None = None
        self.sound: AudioStatus | None = None
        self.jam = JamScreen(instrument)
        self._clock = SystemClock()
        self._pick_ports = pick_ports

    def get_default_screen(self) -> JamScreen:
        """Return the main screen."""
        return self.jam

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """Return the colours that only this program's theme has, for other themes."""
        return EXTRA_COLOURS

    def on_mount(self) -> None:
        """Set the colours and start to poll."""
        self._end_in_order()
        self.register_theme(THEME)
        self.theme = THEME.name
        self.poll()
        self.set_interval(POLL_SECONDS, self.poll)
        if self._pick_ports:
            self.action_ports()

    def _end_in_order(self) -> None:
        """Quit on SIGTERM, as at a shutdown of the system."""
        # A session in a thread, or on a system without such signals, is ended by other means.
        with suppress(NotImplementedError, RuntimeError, ValueError):
            asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, self._quit)

    def _quit(self) -> None:
        self.link.send(Shutdown())
        self.exit()

    def poll(self) -> None:
        """Show the newest state of the engine and of its audio input."""
        # The timer goes on for a while when the app is going down and has no screen left.
        if not self.is_running:
            return
        self.snapshot = self.link.latest()
        self.sound = self.link.audio()
        link = self.link
        self.jam.show(
            self.snapshot, self.sound, alive=link.alive, failure=link.failure, restarting=link.restarting
        )
        if self.snapshot is None:
            return
        if isinstance(self.screen, PortPicker):
            self.screen.show(self.snapshot)
        for notice in self.snapshot.notices:
            self.notify(notice.text, severity=notice.severity, markup=False)

    def on_control_changed(self, message: ControlChanged) -> None:
        """Send the engine the value a row was set to."""
        self.link.send(SetControl(message.name, message.value))

    def on_chart_view_bar_clicked(self, message: ChartView.BarClicked) -> None:
        """Go to a bar of the chart."""
        self.go_to_bar(message.bar)

    def on_jam_screen_piano_key(self, message: JamScreen.PianoKey) -> None:
        """Play a note."""
        self.link.send(PlayKey(message.pitch))

    def on_stem_strip_requested(self, message: StemStrip.Requested) -> None:
        """Send the ears a command."""
        self.link.send(message.command)

    def on_port_picker_chosen(self, message: PortPicker.Chosen) -> None:
        """Connect a port or play the test note."""
        self.link.send(message.command)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Return whether an action can be done; those of the stems need an audio input."""
        return self.sound is not None if action in _FOR_EARS else True

    def action_panic(self) -> None:
        """Silence everything."""
        self.link.send(Panic())

    def action_turn(self) -> None:
        """Pass the turn, or take it back while the companion plays."""
        self.link.send(PassTurn())

    def action_learn(self) -> None:
        """Begin MIDI learn for the control that has the focus, or end it."""
        row = self.jam.focused
        if self.screen is not self.jam or self.snapshot is None or not isinstance(row, ControlRow):
            return
        self.learn("" if self.snapshot.learning == row.control else row.control)

    def learn(self, target: str) -> None:
        """Let the next MIDI controller that moves steer a control or an action; empty ends MIDI learn."""
        self.link.send(LearnController(target))

    def action_end_learning(self) -> None:
        """End MIDI learn."""
        if self.snapshot is not None and self.snapshot.learning:
            self.learn("")

    def on_command_palette_closed(self, event: CommandPalette.Closed) -> None:
        """End MIDI learn with the palette, as with any dialog, unless a command was taken."""
        if not event.option_selected:
            self.action_end_learning()

    def action_tap(self) -> None:
        """Send the engine a tap of the tempo, now."""
        self.link.send(TapTempo(self._clock.now()))

    def action_strip(self) -> None:
        """Go to the strip, or back."""
        if self.screen is self.jam:
            self.jam.go_to_strip()

    def action_stems(self) -> None:
        """Go to the stems, or back."""
        if self.screen is self.jam:
            self.jam.go_to_stems()

    def action_bypass(self) -> None:
        """Change between the dry signal and the stems."""
        if self.sound is not None:
            self.link.send(BypassSeparation(not self.sound.bypass))

    def action_mode(self) -> None:
        """Go on to the next mode."""
        if self.snapshot is not None:
            at = MODES.index(self.snapshot.controls.mode)
            self.link.send(SetControl("mode", MODES[(at + 1) % len(MODES)]))

    def action_choose(self, control: str) -> None:
        """Open the list of a control's values."""
        if self.snapshot is None:
            return
        if control == "chords":
            self.action_tune()
            return
        options = {value: option_name(control, value) for value in options_of(control, self.snapshot.styles)}
        current = getattr(self.snapshot.controls, control)
        self.push_screen(Chooser(LABELS[control], options, current), partial(self._set, control))

    def action_step(self, control: str, steps: int) -> None:
        """Change a control by some steps, as its row or cell does."""
        self.jam.step(control, steps)

    def action_number(self, control: str) -> None:
        """Open the dialog for a control's value as a number."""
        if self.snapshot is not None:
            controls = self.snapshot.controls
            dialog = ValueDialog(control, getattr(controls, control), partial(controls.changed, control))
            self.push_screen(dialog, partial(self._set, control))

    def _set(self, control: str, value: str | None) -> None:
        if value is not None:
            self.link.send(SetControl(control, value))

    def action_octave(self, octaves: int) -> None:
        """Move the computer-keyboard piano."""
        self.jam.shift_piano(octaves)

    def action_ports(self) -> None:
        """Open the port picker."""
        self.push_screen(PortPicker(self.snapshot))

    def action_help(self) -> None:
        """Open the help page."""
        bindings = [
            binding
            for binding in (*TatumFlowApp.BINDINGS, *TuneApp.BINDINGS)
            if isinstance(binding, Binding) and self.check_action(binding.action, ())
        ]
        keys = [key for binding in bindings for key in binding.key.split(",")]
        names = {key: self.get_key_display(Binding(key, "")) for key in keys}
        controllers = () if self.snapshot is None else self.snapshot.controllers
        self.push_screen(Help(bindings, names, controllers, stems=self.sound is not None))

    async def action_quit(self) -> None:
        """End the engine and the screen."""
        self._quit()
