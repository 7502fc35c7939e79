"""The lateness of notes sent by the scheduler, while the model decodes beside it."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from tatumflow.engine.clock import SystemClock
from tatumflow.engine.midi.events import NoteOn, OutputEvent
from tatumflow.engine.midi.notes import PITCH_HIGHEST, PITCH_LOWEST, Note
from tatumflow.engine.midi.scheduler import LATE_LIMIT, Scheduler
from tatumflow.engine.midi.scheduler_thread import SchedulerThread
from tatumflow.engine.model.bundle import Bundle
from tatumflow.engine.model.constraints import Constraints
from tatumflow.engine.model.decoder import Decoder
from tatumflow.engine.model.sampling import Sampling
from tatumflow.live.bench.note_cost import full_session
from tatumflow.live.bench.report import Figure, Target

JITTER_TARGET: Final = Target(p99=1.0, max=5.0)
"""Milliseconds a note-on may leave after its time."""

_SPACING: Final = 0.01
_HEAD_START: Final = 0.2
_LENGTH: Final = 0.005
_PITCHES: Final = PITCH_HIGHEST - PITCH_LOWEST + 1
_VELOCITIES: Final = 127


def jitter(bundle: Bundle, decoder: Decoder, notes: int) -> tuple[Figure, ...]:
    """Measure the lateness of note-ons, with the model generating all the while."""
    session, onset = full_session(bundle, decoder)
    clock = SystemClock()
    count = min(notes, _PITCHES * _VELOCITIES)
    sent: NDArray[np.float64] = np.full(count, np.nan)

    def send(event: OutputEvent) -> None:
        if isinstance(event, NoteOn):
            sent[(event.velocity - 1) * _PITCHES + event.pitch - PITCH_LOWEST] = clock.now()

    scheduler = Scheduler(send, clock)
    thread = SchedulerThread(scheduler, clock)
    thread.start()
    try:
        first = clock.now() + _HEAD_START
        due = first + _SPACING * np.arange(count)
        for i in range(count):
            velocity, pitch = divmod(i, _PITCHES)
            scheduler.note(Note(float(due[i]), _LENGTH, PITCH_LOWEST + pitch, velocity + 1))
        rng = np.random.default_rng(0)
        while clock.now() < due[-1] + LATE_LIMIT:
            onset = session.next_note(Sampling(), Constraints(), rng, previous_onset=onset).onset
    finally:
        thread.stop()
    # A note that was skipped for being late counts as late as the limit.
    lateness = np.where(np.isnan(sent), LATE_LIMIT, sent - due)
    return (Figure.of("jitter", "ms", lateness * 1e3, JITTER_TARGET),)
