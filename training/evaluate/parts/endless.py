"""NLL and cost of a step over hours of playing.

Held-out windows are read in succession into one endless context, and each into a fresh context too.
The target: the NLL of the second half of a window, of which both contexts hold the first, is no higher in the
endless context than in the fresh one, and does not rise over time, and neither does the cost of a step.
"""

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tatumflow.engine.model.decoder import Decoder
from tatumflow.engine.model.kv_cache import KVCache
from tatumflow.training.data.windows import Epoch, Window
from tatumflow.training.evaluate.comparison import Figures
from tatumflow.training.evaluate.likelihood.bundle_nll import (
    Steps,
    stream_states,
    window_logits,
    window_steps,
)
from tatumflow.training.evaluate.likelihood.piece_sums import COUNTS, empty_sums, nats_per_note, tally

STRETCHES: Final = 10
"""Successive parts of the whole that are compared."""

_SINGLE_STEPS: Final = 16
"""Timed decode steps of each window."""


def endless_figures(
    decoder: Decoder, epoch: Epoch, notes: int, progress: Callable[[str], None] | None = None
) -> Figures:
    """Return `endless`: by stretch of the whole, likelihoods in both contexts and the cost of a step.

    Args:
        decoder: The decoder.
        epoch: Held-out windows, repeated if there are too few.
        notes: Number of steps, at least ten windows of them.
        progress: Called with the number of steps.
    """
    report = progress or (lambda _: None)
    length = len(epoch.window(0).role)
    count = max(notes // length, STRETCHES)
    cache = KVCache(decoder.shape)
    gains: list[NDArray[np.float64]] = []
    costs: list[float] = []
    for i in range(count):
        report(f"step {cache.length:,} of {count * length:,}")
        window = epoch.window(i % len(epoch))
        steps = window_steps(decoder, window)
        states, seconds = _read(decoder, steps, cache)
        costs.append(float(np.median(seconds)))
        late = _second_half(window)
        fresh = stream_states(decoder, steps)
        gains.append(np.concatenate([_scored(decoder, late, states), _scored(decoder, late, fresh)]))
    parts = np.array_split(np.arange(count), STRETCHES)
    rows = [np.sum([gains[i] for i in part], axis=0) for part in parts]
    width = len(rows[0]) // 2
    nll = [[float(nats_per_note(row[None, half])[0]) for row in rows] for half in _halves(width)]
    cost = [1000 * float(np.median([costs[i] for i in part])) for part in parts]
    return {
        "endless": {
            "steps": count * length,
            "notes_scored": int(sum(row[COUNTS].max() for row in rows)),
            "nll_endless": nll[0],
            "nll_fresh": nll[1],
            "difference": [a - b for a, b in zip(*nll, strict=True)],
            "step_ms": cost,
            "last_over_first_ms": cost[-1] / cost[0],
        }
    }


def _read(decoder: Decoder, steps: Steps, cache: KVCache) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """Read steps into a context, the last ones singly; return all states, and the seconds of those."""
    total = len(steps.role)
    whole = total - _SINGLE_STEPS
    states = [stream_states(decoder, steps.part(slice(whole)), cache=cache)]
    seconds = np.empty(_SINGLE_STEPS)
    for i in range(whole, total):
        began = time.perf_counter()
        states.append(stream_states(decoder, steps.part(slice(i, i + 1)), cache=cache))
        seconds[i - whole] = time.perf_counter() - began
    return np.concatenate(states), seconds


def _second_half(window: Window) -> Window:
    half = len(window.role) // 2
    later = np.arange(len(window.role)) >= half
    return replace(window, scored=window.scored & later[:, None], piece=np.zeros_like(window.piece))


def _scored(decoder: Decoder, window: Window, states: NDArray[np.float32]) -> NDArray[np.float64]:
    sums = empty_sums(1)
    logits = window_logits(decoder, window, states)
    tally(sums, window, logits)
    return sums[0]


def _halves(width: int) -> tuple[slice, slice]:
    return slice(0, width), slice(width, 2 * width)
