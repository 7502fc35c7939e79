"""The cost of a note with a full context: one that the companion generates, one that the user plays."""

import time
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tatumflow.engine.controls import Controls
from tatumflow.engine.midi.notes import Note, Role
from tatumflow.engine.model.bundle import Bundle
from tatumflow.engine.model.constraints import Constraints
from tatumflow.engine.model.decoder import Decoder
from tatumflow.engine.model.sampling import Sampling
from tatumflow.engine.model.session import ModelSession
from tatumflow.live.bench.report import Figure, Target

NOTE_COST_TARGET: Final = Target(p50=3.0, p99=6.0)
"""Milliseconds a generated note may cost."""

ABSORB_TARGET: Final = Target(p99=8.0)
"""Milliseconds until a note of the user's is in the key-value cache."""

_SEED: Final = 0
_WARM_UP: Final = 20
_STEP_SECONDS: Final = 0.12
_SYNCED_TOGETHER: Final = 32


def full_session(bundle: Bundle, decoder: Decoder) -> tuple[ModelSession, float]:
    """Return a session whose cache is full of the user's notes, and the last onset in seconds."""
    rng = np.random.default_rng(_SEED)
    session = ModelSession(decoder)
    onset = 0.0
    for i in range(decoder.shape.cache_rows + 1):
        onset += _STEP_SECONDS
        pitch, velocity = int(rng.integers(40, 90)), int(rng.integers(40, 100))
        session.add(Note(onset, _STEP_SECONDS, pitch, velocity), Role.HUMAN)
        if i % _SYNCED_TOGETHER == 0:
            session.sync()
    weights = bundle.style_weights(Controls(style=bundle.styles[-1]))
    session.begin_turn(Role.COMPANION, weights)
    session.sync()
    return session, onset


def note_cost(bundle: Bundle, decoder: Decoder, notes: int) -> tuple[Figure, ...]:
    """Measure generated notes: one decode step, four heads, constraints and sampling."""
    seconds = note_seconds(bundle, decoder, notes)
    return (
        Figure.of("note_cost", "ms", seconds * 1e3, NOTE_COST_TARGET),
        Figure.of("notes_per", "second", 1 / seconds, Target()),
    )


def note_seconds(bundle: Bundle, decoder: Decoder, notes: int) -> NDArray[np.float64]:
    """Return the seconds that each of so many generated notes took, (notes,)."""
    session, onset = full_session(bundle, decoder)
    rng, sampling = np.random.default_rng(_SEED), Sampling()
    constraints = Constraints(repetition=1.0, recent=(60, 62, 64, 65), max_polyphony=10)
    samples: NDArray[np.float64] = np.empty(_WARM_UP + notes)
    for i in range(len(samples)):
        start = time.perf_counter()
        onset = session.next_note(sampling, constraints, rng, previous_onset=onset).onset
        samples[i] = time.perf_counter() - start
    return samples[_WARM_UP:]


def absorb(bundle: Bundle, decoder: Decoder, notes: int) -> tuple[Figure, ...]:
    """Measure the user's notes: from the note-on to its rows in the cache, four keys held at a time."""
    session, onset = full_session(bundle, decoder)
    session.begin_turn(Role.HUMAN, bundle.style_weights(Controls(style="")))
    session.sync()
    samples: NDArray[np.float64] = np.empty(_WARM_UP + notes)
    for i in range(len(samples)):
        onset += _STEP_SECONDS
        start = time.perf_counter()
        session.note_on(onset, 40 + i % 48, 70)
        session.sync()
        samples[i] = time.perf_counter() - start
        session.note_off(onset + _STEP_SECONDS / 2, 40 + (i - 3) % 48)
        session.sync()
    return (Figure.of("absorb", "ms", samples[_WARM_UP:] * 1e3, ABSORB_TARGET),)
