"""The cost of a live morph: two melodies encoded, one between them decoded."""

import time
from typing import Final

import numpy as np

from tatumflow.engine.melodies.bundle import find_melody_models
from tatumflow.engine.melodies.interpolation import interpolated
from tatumflow.engine.melodies.melody import STEPS_PER_BAR, GridNote, Melody, melody_of
from tatumflow.engine.model.bundle import Bundle
from tatumflow.engine.model.decoder import Decoder
from tatumflow.live.bench.report import Figure, Target
from tatumflow.live.processes.session import open_melodies

MORPH_TARGET: Final = Target(p99=25.0)
"""Milliseconds of a morph, which the first note of a turn waits for."""

_NOTES_A_MORPH: Final = 5
_WARM_UP: Final = 5
_PITCHES: Final = (55, 80)


def morph(bundle: Bundle, decoder: Decoder, notes: int) -> tuple[Figure, ...]:
    """Measure morphs by the model of melodies that a jam takes; no figure where there is none.

    Raises:
        BundleError: if it is damaged.
    """
    if not find_melody_models():
        return ()
    model, rng = open_melodies(), np.random.default_rng(0)
    samples = np.empty(_WARM_UP + max(notes // _NOTES_A_MORPH, 1))
    for i in range(len(samples)):
        melodies = [_eighths(rng, model.bars) for _ in range(2)]
        start = time.perf_counter()
        ends = model.encode(melodies).mean
        model.decode(interpolated(ends[:1], ends[1:], rng.random()))
        samples[i] = time.perf_counter() - start
    return (Figure.of("morph", "ms", samples[_WARM_UP:] * 1e3, MORPH_TARGET),)


def _eighths(rng: np.random.Generator, bars: int) -> Melody:
    steps = range(0, bars * STEPS_PER_BAR, 2)
    return melody_of([GridNote(step, 2, int(rng.integers(*_PITCHES))) for step in steps], bars)
