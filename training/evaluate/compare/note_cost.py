"""The cost of a generated note with a full context."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray

from tatumflow.engine.midi.notes import Note, Role
from tatumflow.engine.model.sampling import Sampling
from tatumflow.training.models import NoteStream

_WARM_UP: Final = 8
_STEP_SECONDS: Final = 0.12


@dataclass(frozen=True)
class NoteCost:
    """Milliseconds of processor time of a generated note, on one thread; other work does not count.

    Attributes:
        notes: Number of timed notes.
        p50: Median.
        p99: 99th percentile.
    """

    notes: int
    p50: float
    p99: float


def note_cost(stream: NoteStream, context: int, notes: int = 64) -> NoteCost:
    """Time notes that a model samples on an empty stream, after `context` steps of random notes."""
    rng, sampling = np.random.default_rng(0), Sampling()
    samples: NDArray[np.float64] = np.empty(_WARM_UP + notes)
    with _one_thread():
        stream.turn(Role.HUMAN, 0)
        for i in range(context):
            pitch, velocity = int(rng.integers(40, 90)), int(rng.integers(40, 100))
            stream.add(Note(i * _STEP_SECONDS, _STEP_SECONDS, pitch, velocity))
        stream.turn(Role.COMPANION, 0)
        for i in range(len(samples)):
            start = time.process_time()
            stream.next_note(sampling, rng)
            samples[i] = time.process_time() - start
    p50, p99 = np.percentile(samples[_WARM_UP:] * 1e3, [50, 99])
    return NoteCost(notes, float(p50), float(p99))


@contextmanager
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
