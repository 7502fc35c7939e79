"""Readiness of answers at their turn: planned already, or the time that the first note takes."""

import time
from typing import Final

import numpy as np

from tatumflow.engine.clock import VirtualClock
from tatumflow.engine.controls import Controls
from tatumflow.engine.midi.events import NoteOff, NoteOn
from tatumflow.engine.midi.scheduler import Scheduler
from tatumflow.engine.model.bundle import Bundle
from tatumflow.engine.model.decoder import Decoder
from tatumflow.engine.model.onnx_phrase_model import OnnxPhraseModel
from tatumflow.engine.model.session import ModelSession
from tatumflow.engine.offline import VirtualLoop
from tatumflow.engine.turns.companion import Companion
from tatumflow.engine.turns.turn_report import TurnReport
from tatumflow.live.bench.report import Figure, Target

FIRST_NOTE_TARGET: Final = Target(p99=25.0)
"""Milliseconds that the first note of an answer may take where it was not planned by the turn."""

READY_TARGET: Final = Target(least_mean=0.95)
"""Share of turns at which the answer's first note is planned already."""

_NOTES_A_TURN: Final = 20
_PHRASE_NOTES: Final = (5, 16)
_SPACING: Final = (0.09, 0.25)
_PITCHES: Final = (48, 84)
_LISTENED: Final = 0.5
_PATIENCE: Final = 10.0


class WorkClock(VirtualClock):
    """A clock on which waiting takes no time and work takes the time it takes."""

    def __init__(self) -> None:
        super().__init__()
        self._since = time.perf_counter()

    def now(self) -> float:
        """Return seconds, of waiting and of work."""
        return super().now() + time.perf_counter() - self._since

    def advance_to(self, when: float) -> None:
        """Wait until `when`; a time that work has passed already is now."""
        super().advance_to(max(when, self.now()))
        self._since = time.perf_counter()


def turns(bundle: Bundle, decoder: Decoder, notes: int) -> tuple[Figure, ...]:
    """Measure turns of the real companion: phrases are played to it, and its answers played over.

    Returns:
        `turn_ready`, 1 for each turn at which the first note was planned already, and `first_note`, the
        milliseconds of computing until there was one, 0 where it was ready.
    """
    reports = _reports(bundle, decoder, max(notes // _NOTES_A_TURN, 1))
    ready = [report.planned_ahead for report in reports]
    waits = [0.0 if report.planned_ahead else report.compute_ms or np.inf for report in reports]
    return (
        Figure.of("turn_ready", "ratio", ready, READY_TARGET),
        Figure.of("first_note", "ms", waits, FIRST_NOTE_TARGET),
    )


def _reports(bundle: Bundle, decoder: Decoder, count: int) -> list[TurnReport]:
    rng = np.random.default_rng(0)
    clock = WorkClock()
    scheduler = Scheduler(lambda _: None, clock)
    controls = Controls(style=bundle.styles[-1])
    session, phrases = ModelSession(decoder), OnnxPhraseModel(bundle)
    companion = Companion(session, scheduler, clock, controls, bundle, phrases)
    loop = VirtualLoop(clock, scheduler, companion)
    for number in range(count):
        onset = clock.now() + _SPACING[0]
        for _ in range(int(rng.integers(*_PHRASE_NOTES))):
            pitch, length = int(rng.integers(*_PITCHES)), float(rng.uniform(*_SPACING))
            for event in (NoteOn(onset, pitch, 70), NoteOff(onset + 0.8 * length, pitch)):
                loop.run_to(event.time)
                companion.handle(event)
            onset += length
        loop.run_to(onset + _PATIENCE, until=lambda: companion.turn == "playing")
        # The next phrase is played over the answer, which ends the turn.
        loop.run_to(clock.now() + _LISTENED, until=lambda n=number: len(companion.turns) > n)
        companion.handle(NoteOn(clock.now(), _PITCHES[0], 70))
        companion.handle(NoteOff(clock.now(), _PITCHES[0]))
    return list(companion.turns)
