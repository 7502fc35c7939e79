"""The rings between the audio callback and the separation thread."""

import threading
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tatumflow.live.audio.frame_ring import FrameRing
from tatumflow.live.audio.span_ring import SpanRing

MOVES = st.lists(st.tuples(st.sampled_from(["push", "pull", "skip"]), st.integers(0, 40)), max_size=60)


def numbered(first: int, count: int) -> np.ndarray:
    numbers = np.arange(first, first + count, dtype=np.float32)
    return np.stack([numbers, -numbers], axis=1)


@given(capacity=st.integers(1, 30), moves=MOVES)
def test_frames_come_out_in_order_and_none_is_lost(capacity: int, moves: list[tuple[str, int]]):
    ring = FrameRing(capacity, 2)
    pushed = pulled = 0
    for move, count in moves:
        if move == "push":
            taken = ring.push(numbered(pushed, count))
            assert taken == min(count, capacity - (pushed - pulled))
            pushed += taken
        elif move == "pull":
            into = np.full((count, 2), np.nan, dtype=np.float32)
            got = ring.pull(into)
            assert got == min(count, pushed - pulled)
            np.testing.assert_array_equal(into[:got], numbered(pulled, got))
            assert np.isnan(into[got:]).all()
            pulled += got
        else:
            left_out = min(count, pushed - pulled)
            ring.skip(count)
            pulled += left_out
        assert (ring.filled, ring.free) == (pushed - pulled, capacity - (pushed - pulled))


def test_two_threads_lose_and_reorder_nothing():
    ring, total = FrameRing(997, 2), 20_000
    received: list[np.ndarray] = []

    def pull() -> None:
        into, count = np.zeros((401, 2), dtype=np.float32), 0
        while count < total:
            got = ring.pull(into)
            received.append(into[:got].copy())
            count += got
            time.sleep(0 if got else 0.001)

    reader = threading.Thread(target=pull)
    reader.start()
    sent = 0
    while sent < total:
        gone = ring.push(numbered(sent, min(290, total - sent)))
        sent += gone
        time.sleep(0 if gone else 0.001)
    reader.join()
    np.testing.assert_array_equal(np.concatenate(received), numbered(0, total))


@given(
    spans=st.lists(st.tuples(st.integers(0, 20), st.integers(0, 20)), max_size=12),
    start_at=st.integers(0, 300),
    count=st.integers(1, 20),
)
def test_spans_are_read_where_they_were_written_and_nowhere_else(
    spans: list[tuple[int, int]], start_at: int, count: int
):
    ring, end = SpanRing(1000, 2), 0
    there: set[int] = set()
    starts: list[int] = []
    for hole, length in spans:
        if length and (hole or not starts):
            starts.append(end + hole)
        ring.write(end + hole, numbered(end + hole, length))
        there.update(range(end + hole, end + hole + length))
        end += hole + length if length else 0
    ready = 0
    # The oldest spans are forgotten.
    if len(starts) < 5 or start_at >= starts[-4]:
        while start_at + ready in there:
            ready += 1
    assert ring.ready(start_at) == ready
    into = np.zeros((min(count, ready), 2), dtype=np.float32)
    ring.read(start_at, into)
    np.testing.assert_array_equal(into, numbered(start_at, len(into)))


@pytest.mark.parametrize("first", [-3, 5, 998])
def test_a_span_goes_round_the_end(first: int):
    ring = SpanRing(1000, 2)
    ring.write(first, numbered(first, 900))
    into = np.zeros((900, 2), dtype=np.float32)
    ring.read(first, into)
    np.testing.assert_array_equal(into, numbered(first, 900))
