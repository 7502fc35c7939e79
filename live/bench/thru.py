"""The delay of MIDI thru, while the model decodes beside it."""

import queue
import threading
import time
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tatumflow.engine.clock import SystemClock
from tatumflow.engine.midi.events import InputEvent
from tatumflow.engine.model.bundle import Bundle
from tatumflow.engine.model.constraints import Constraints
from tatumflow.engine.model.decoder import Decoder
from tatumflow.engine.model.sampling import Sampling
from tatumflow.live.bench.note_cost import full_session
from tatumflow.live.bench.report import Figure, Target
from tatumflow.live.midi.input_source import Source
from tatumflow.live.midi.midi_bytes import NOTE_OFF, NOTE_ON, Message
from tatumflow.live.midi.outputs import Outputs

THRU_TARGET: Final = Target(p99=0.5)
"""Milliseconds from the input's callback to the message being sent."""

_SPACING: Final = 0.005
_PITCH: Final = 60


class _NoPort:
    """Stands where RtMidi's port would: the benchmark itself calls the callback."""


class _Stamp:
    """A sink that records when the last message reached it."""

    name = "stamp"

    def __init__(self) -> None:
        self.at = 0.0

    def send(self, message: Message) -> None:
        self.at = time.perf_counter()


def thru(bundle: Bundle, decoder: Decoder, notes: int) -> tuple[Figure, ...]:
    """Measure from entering the callback to the sink, on a thread of its own as RtMidi's is.

    The way through the operating system's ports on either side is not part of it.
    """
    clock, stamp = SystemClock(), _Stamp()
    outputs = Outputs(clock, thru=True)
    outputs.add(stamp)
    inbox: queue.SimpleQueue[InputEvent] = queue.SimpleQueue()
    receive = Source("bench", _NoPort()).receiver(outputs, clock, inbox.put, lambda: None, 1.0)  # pyright: ignore[reportArgumentType]
    samples: NDArray[np.float64] = np.empty(notes)
    done = threading.Event()

    def play() -> None:
        for i in range(notes):
            time.sleep(_SPACING)
            began = time.perf_counter()
            receive(([NOTE_OFF if i % 2 else NOTE_ON, _PITCH, 64], 0.0))
            samples[i] = stamp.at - began
        done.set()

    session, onset = full_session(bundle, decoder)
    rng = np.random.default_rng(0)
    player = threading.Thread(target=play, name="bench player", daemon=True)
    player.start()
    while not done.is_set():
        onset = session.next_note(Sampling(), Constraints(), rng, previous_onset=onset).onset
    player.join()
    return (Figure.of("thru", "ms", samples * 1e3, THRU_TARGET),)
