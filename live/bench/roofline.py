"""How far a generated note is from what this machine's memory allows.

A decoder that makes one note at a time reads every weight and every cached row once a note and computes
little with each (the memory-bound side of the roofline, Williams et al. 2009), so bytes over bandwidth is the
least it can take.
"""

import time
from typing import Final

import numpy as np

from tatumflow.engine.model.bundle import DECODER_GRAPH, HEAD_GRAPHS, Bundle
from tatumflow.engine.model.decoder import Decoder, DecoderShape
from tatumflow.live.bench.note_cost import note_seconds
from tatumflow.live.bench.report import Figure, Target

_FLOAT_BYTES: Final = 4
_READINGS: Final = 50


def bytes_per_note(bundle: Bundle) -> int:
    """Return the bytes that a note reads: the graphs' weights, and the keys and values of a full cache.

    Embedding tables are counted whole though a note reads a few of their rows; they are a few per cent.
    """
    graphs = bundle.manifest.graphs
    weights = sum(graphs[name].bytes for name in (DECODER_GRAPH, *HEAD_GRAPHS))
    return weights + cache_bytes(bundle.shape)


def cache_bytes(shape: DecoderShape) -> int:
    """Return the bytes of the keys and values of a full cache."""
    values = shape.num_layers * shape.num_kv_heads * shape.cache_rows * shape.head_dim
    return 2 * values * _FLOAT_BYTES


def read_bandwidth(size: int, readings: int = _READINGS) -> float:
    """Return the bytes per second at which one thread reads `size` bytes again and again, the median reading.

    As much is read as a note reads, so that what fits into a processor's caches counts as it does there. The
    reading is a search for the greatest value: one thread, vectorized, nothing written.
    """
    values = np.ones(max(size // _FLOAT_BYTES, 1), np.float32)
    seconds = np.empty(readings)
    for i in range(readings):
        start = time.perf_counter()
        values.max()
        seconds[i] = time.perf_counter() - start
    return float(values.nbytes / np.median(seconds))


def roofline(bundle: Bundle, decoder: Decoder, notes: int) -> tuple[Figure, ...]:
    """Measure the ratio of a note's time to the memory-bandwidth bound: reading its bytes once."""
    size = bytes_per_note(bundle)
    least = size / read_bandwidth(size)
    return (Figure.of("roofline", "ratio", note_seconds(bundle, decoder, notes) / least, Target()),)
