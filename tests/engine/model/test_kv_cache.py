"""The ring of key-value rows against a plain list of rows."""

import tracemalloc
from time import perf_counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mock_decoder import mock_shape

from tatumflow.engine.model.kv_cache import MASKED, KVCache
from tatumflow.engine.model.rope import RotaryAngles

quick = settings(max_examples=60, deadline=None)
SHAPE = mock_shape(cache_rows=16, window=11)


def rows_for(cache: KVCache, steps: int, stamp: float = 0.0) -> np.ndarray:
    """Rows that carry their absolute position and a stamp of when they were written."""
    s = cache.shape
    rows = np.empty((s.num_layers, s.num_kv_heads, steps, s.head_dim), np.float32)
    rows[:] = (cache.length + np.arange(steps))[:, None]
    rows[..., 1] = stamp
    return rows


def feed(cache: KVCache, steps: int, stamp: float = 0.0) -> None:
    rows = rows_for(cache, steps, stamp)
    cache.append(rows, -rows)


def visible_positions(cache: KVCache, first: int, steps: int) -> list[set[int]]:
    """What each new step may look at, own steps included, read back from the mask and the rows."""
    mask = cache.attention_mask(first, steps)
    assert set(np.unique(mask)) <= {0.0, np.float32(MASKED)}
    seen = []
    for row in mask:
        open_slots = np.flatnonzero(row[: SHAPE.cache_rows] == 0)
        past = {int(p) for p in cache.keys[0, 0, open_slots, 0]}
        own = {first + int(j) for j in np.flatnonzero(row[SHAPE.cache_rows :] == 0)}
        seen.append(past | own)
    return seen


def test_rows_land_in_their_slots_and_values_beside_them() -> None:
    cache = KVCache(SHAPE)
    for steps in (5, 7, 6, 3):
        feed(cache, steps)
    assert cache.length == 21
    assert cache.oldest == 5
    np.testing.assert_array_equal(np.sort(cache.positions), np.arange(5, 21))
    for slot, position in enumerate(cache.positions):
        assert position % SHAPE.cache_rows == slot
        assert (cache.keys[:, :, slot, 0] == position).all()
        assert (cache.values[:, :, slot, 0] == -position).all()


@given(st.lists(st.one_of(st.integers(1, 16), st.integers(-24, -1)), max_size=30), st.integers(1, 16))
@quick
def test_bias_shows_exactly_the_steps_a_list_would(moves: list[int], ahead: int) -> None:
    cache = KVCache(SHAPE)
    written: dict[int, int] = {}
    stamps: dict[int, float] = {}
    length = 0
    for stamp, move in enumerate(moves):
        if move > 0:
            feed(cache, move, stamp)
            for position in range(length, length + move):
                written[position % SHAPE.cache_rows] = position
                stamps[position] = stamp
            length += move
        else:
            length = max(0, length + move)
            cache.rollback(length)
            # A row is lost once its slot was taken, or a rollback went below everything still held.
            written = {slot: p for slot, p in written.items() if p < length}
    held = set(written.values())
    contiguous = {p for p in held if all(q in held for q in range(p, length))}
    for step, seen in enumerate(visible_positions(cache, cache.length, ahead)):
        position = length + step
        expected = {p for p in contiguous if p >= position - SHAPE.window}
        own = {p for p in range(length, position + 1) if p >= position - SHAPE.window}
        assert seen == expected | own
    for slot in np.flatnonzero(cache.positions >= 0):
        assert cache.keys[0, 0, slot, 1] == stamps[int(cache.positions[slot])]


def test_rollback_within_the_spare_rows_is_exact_and_deeper_shortens_the_context() -> None:
    cache = KVCache(SHAPE)
    for _ in range(5):
        feed(cache, 8)
    spare = SHAPE.cache_rows - SHAPE.window
    assert cache.exact_from == cache.length - spare
    cache.rollback(40 - spare)
    assert visible_positions(cache, cache.length, 1)[0] == set(range(cache.length - SHAPE.window, 36))
    cache.rollback(30)
    assert visible_positions(cache, 30, 1)[0] == set(range(24, 31))
    cache.rollback(10)
    assert visible_positions(cache, 10, 1)[0] == {10}
    feed(cache, 3)
    assert visible_positions(cache, 13, 1)[0] == {10, 11, 12, 13}


def test_rollback_copies_nothing_and_restores_the_same_bias() -> None:
    cache = KVCache(SHAPE)
    feed(cache, 9)
    before, keys = cache.attention_mask(9, 1).copy(), cache.keys.copy()
    feed(cache, 4)
    cache.rollback(9)
    np.testing.assert_array_equal(cache.attention_mask(9, 1), before)
    np.testing.assert_array_equal(cache.keys[:, :, :9], keys[:, :, :9])


def test_impossible_moves_are_refused() -> None:
    cache = KVCache(SHAPE)
    feed(cache, 4)
    with pytest.raises(ValueError, match="4 steps back to 5"):
        cache.rollback(5)
    with pytest.raises(ValueError, match="no mask"):
        cache.attention_mask(5, 1)
    with pytest.raises(ValueError, match="no mask"):
        cache.attention_mask(4, cache.max_steps + 1)


def test_a_single_step_allocates_nothing_that_grows_and_late_steps_cost_as_early_ones() -> None:
    cache = KVCache(mock_shape(cache_rows=1024, window=896))
    angles = RotaryAngles(4, 100.0, cache.max_steps)
    row = np.zeros((2, 2, 1, 4), np.float32)

    def step() -> None:
        cache.attention_mask(cache.length, 1)
        angles.rows(cache.length, 1)
        cache.append(row, row)

    def cost(length: int) -> float:
        cache.length, cache.oldest = length, length - 1024
        start = perf_counter()
        for _ in range(50):
            step()
        return perf_counter() - start

    for _ in range(1200):
        step()
    # In turns, and the best of many, so that whatever else the machine does slows both or neither.
    early, late = np.array([(cost(1200), cost(100_000)) for _ in range(40)]).min(axis=0)
    assert late < 2 * early
    tracemalloc.start()
    for _ in range(100):
        step()
    tracemalloc.reset_peak()
    held = tracemalloc.get_traced_memory()[0]
    for _ in range(1000):
        step()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak - held < 1024 * 4


@given(st.integers(0, 10**6), st.integers(1, 8))
@quick
def test_rotary_angles_are_those_of_float64(first: int, steps: int) -> None:
    cos, sin = RotaryAngles(8, 10_000.0, 8).rows(first, steps)
    position = np.arange(first, first + steps, dtype=np.float64)[:, None]
    angle = position * 10_000.0 ** (-np.arange(0, 8, 2) / 8)
    np.testing.assert_allclose(cos, np.cos(angle), atol=1e-6)
    np.testing.assert_allclose(sin, np.sin(angle), atol=1e-6)
    assert cos.dtype == sin.dtype == np.float32
