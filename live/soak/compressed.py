"""Hours of playing on a virtual clock."""

import gc
from typing import Final

import psutil

from tatumflow.engine.controls import Controls
from tatumflow.engine.model.bundle import Bundle
from tatumflow.engine.model.decoder import Decoder
from tatumflow.live.bench.report import Figure
from tatumflow.live.soak.musician import WITH_BAND, gestures, until
from tatumflow.live.soak.report import soak_figures
from tatumflow.live.soak.tally import Tally
from tatumflow.live.soak.virtual_jam import VirtualJam

_SAMPLES: Final = 100
_SETTLED: Final = 0.1


def compressed_soak(
    bundle: Bundle, decoder: Decoder, minutes: float, seed: int = 0, *, band: bool = False
) -> list[Figure]:
    """Play minutes of virtual time with a random musician, under them the band if asked; return the figures.

    Memory counts from a tenth of the time on: until then caches and rings fill that are bounded.
    """
    seconds, tally = 60 * minutes, Tally()
    session = WITH_BAND if band else {}
    controls = Controls(style=bundle.styles[-1]).with_all(session)
    jam = VirtualJam(bundle, decoder, controls, tally)
    costs: list[float] = []
    memory: list[int] = []
    sample_at = 0.0
    for gesture in until(gestures(seed, bundle.styles[1:], session), seconds):
        jam.run_to(gesture.time)
        jam.do(gesture.what)
        if gesture.time < sample_at:
            continue
        sample_at += seconds / _SAMPLES
        # No screen takes snapshots here, and only a snapshot drops old notes from the roll.
        cost = jam.companion.snapshot().health.note_cost_p50_ms
        if cost > 0:
            costs.append(cost)
        if not memory and gesture.time >= _SETTLED * seconds:
            memory.append(_resident())
    jam.end()
    memory.append(_resident())
    return soak_figures(tally, costs or [0.0], memory)


def _resident() -> int:
    gc.collect()
    return psutil.Process().memory_info().rss
