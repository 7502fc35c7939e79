"""A session without ports: bytes in at the input's callback, messages out at a sink, on a virtual clock."""

import queue
from collections.abc import Sequence
from typing import Final

from tatumflow.engine.clock import VirtualClock
from tatumflow.engine.controls import Controls
from tatumflow.engine.messages import (
    Command,
    ConnectPorts,
    ForgetController,
    LearnController,
    Panic,
    SetControl,
    Shutdown,
    UseModel,
    YieldTurn,
)
from tatumflow.engine.midi.events import (
    ALL_NOTES_OFF,
    ALL_SOUND_OFF,
    ControlChange,
    InputEvent,
    NoteEvent,
    OutputEvent,
)
from tatumflow.engine.midi.midi_file import DRUM_CHANNEL
from tatumflow.engine.midi.scheduler import Scheduler
from tatumflow.engine.model.bundle import Bundle
from tatumflow.engine.model.decoder import Decoder
from tatumflow.engine.model.onnx_phrase_model import OnnxPhraseModel
from tatumflow.engine.model.session import ModelSession
from tatumflow.engine.offline import VirtualLoop
from tatumflow.engine.tempo.band_in_time import BAND_CHANNELS
from tatumflow.engine.tempo.metronome import CLICK_CHANNEL
from tatumflow.engine.turns.companion import KEYS_CHANNEL, Companion
from tatumflow.engine.turns.planner import COMPANION_CHANNEL
from tatumflow.live.midi.input_source import Source
from tatumflow.live.midi.midi_bytes import Message
from tatumflow.live.midi.outputs import Outputs, Sink

COMPANION_MIDI_CHANNEL: Final = 1
"""MIDI channel of the companion at the sink, 0 to 15."""

_CHANNELS: Final = {
    COMPANION_CHANNEL: COMPANION_MIDI_CHANNEL,
    KEYS_CHANNEL: 0,
    CLICK_CHANNEL: CLICK_CHANNEL,
    BAND_CHANNELS["bass"]: 2,
    BAND_CHANNELS["comping"]: 3,
    BAND_CHANNELS["drums"]: DRUM_CHANNEL,
}
_QUIET: Final = 1.0
_TO_THE_END: Final = 30.0


class _NoPort:
    """Stands in for RtMidi's port: messages go straight to the callback."""


class VirtualJam:
    """The path of a note from the input's callback to the outputs, without threads, ports and a screen.

    Attributes:
        clock: The session's.
        companion: Plays.
        source: The keyboard.
    """

    def __init__(self, bundle: Bundle, decoder: Decoder, controls: Controls, sink: Sink) -> None:
        """Begin to listen.

        Args:
            bundle: The model.
            decoder: Its decoder.
            controls: Initial controls.
            sink: Receives the messages of both players.

        Raises:
            SettingError: if the model has not the style of the controls.
        """
        self.clock = VirtualClock()
        self._outputs = Outputs(self.clock, thru=True)
        self._outputs.add(sink)
        self._inbox: queue.SimpleQueue[InputEvent] = queue.SimpleQueue()
        scheduler = Scheduler(self._send, self.clock)
        session, phrases = ModelSession(decoder), OnnxPhraseModel(bundle)
        self.companion = Companion(session, scheduler, self.clock, controls, bundle, phrases)
        self._loop = VirtualLoop(self.clock, scheduler, self.companion)
        self.source = Source("keyboard", _NoPort())  # pyright: ignore[reportArgumentType]
        self._arrived = self.source.receiver(self._outputs, self.clock, self._inbox.put, lambda: None, _QUIET)

    def receive(self, packet: Sequence[int]) -> None:
        """Let bytes arrive now, as RtMidi delivers them; the companion handles them in `run_to`."""
        self._arrived((list(packet), 0.0))

    def unplug(self) -> None:
        """Let the keyboard vanish now."""
        self.source.release(self._outputs, self.clock, self._inbox.put)

    def command(self, command: Command) -> None:
        """Run a command of the user's, where it needs no ports, knobs or other model."""
        if isinstance(command, ConnectPorts | LearnController | ForgetController | UseModel | Shutdown):
            return
        self.companion.command(command)
        if isinstance(command, Panic):
            self._outputs.silence()

    def do(self, what: Message | Command) -> None:
        """Let a message of the keyboard's arrive, or run a command."""
        if isinstance(what, tuple):
            self.receive(what)
        else:
            self.command(what)

    def run_to(self, time: float) -> None:
        """Handle what has arrived, then do everything due up to `time` seconds."""
        while not self._inbox.empty():
            event = self._inbox.get()
            self.companion.handle(event)
            if isinstance(event, ControlChange) and event.number in (ALL_SOUND_OFF, ALL_NOTES_OFF):
                self.command(Panic())
        self._loop.run_to(time)

    def end(self) -> None:
        """Unplug the keyboard and let the companion stop by itself: what sounds after that is a hung note."""
        self.unplug()
        for name, value in (("band", 0), ("trade_bars", 0), ("mode", "answer")):
            self.command(SetControl(name, value))
        self.command(YieldTurn())
        self.run_to(self.clock.now() + _TO_THE_END)

    def _send(self, event: OutputEvent) -> None:
        if isinstance(event, NoteEvent):
            self._outputs.play(event, _CHANNELS[event.channel])
        else:
            self._outputs.send_clock(event)
