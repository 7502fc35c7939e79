"""Runs shared with a corpus, against a search that tries everything."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from tatumflow.training.data.corpora.note_array import note_array
from tatumflow.training.evaluate.metrics.runs import common_runs, covered

Notes = NDArray[np.void]


def line(pitches: list[int]) -> Notes:
    return note_array(0.25 * np.arange(len(pitches)), [0.2] * len(pitches), pitches, [64] * len(pitches))


def by_trying(stretch: list[int], pieces: list[list[int]], transposed: bool) -> list[int]:
    def same(one: list[int], other: list[int]) -> bool:
        moved = [pitch - one[0] + other[0] for pitch in one] if transposed else one
        return moved == other

    return [
        max(
            (
                length
                for length in range(len(stretch) - i + 1)
                for piece in pieces
                for j in range(len(piece) - length + 1)
                if length and same(stretch[i : i + length], piece[j : j + length])
            ),
            default=0,
        )
        for i in range(len(stretch))
    ]


few_pitches = st.lists(st.integers(60, 63), min_size=1, max_size=9)
few_lines = st.lists(few_pitches, min_size=1, max_size=3)


@settings(deadline=None)
@given(few_lines, few_lines, st.booleans())
def test_runs_are_those_found_by_trying(
    stretches: list[list[int]], pieces: list[list[int]], transposed: bool
) -> None:
    found = common_runs([line(s) for s in stretches], [line(p) for p in pieces], transposed=transposed)
    assert [runs.tolist() for runs in found] == [by_trying(s, pieces, transposed) for s in stretches]


def test_a_copied_passage_is_found_where_it_lies() -> None:
    rng = np.random.default_rng(0)
    piece = rng.integers(40, 90, size=500).tolist()
    stretch = [*rng.integers(40, 90, size=30).tolist(), *piece[100:140]]
    (runs,) = common_runs([line(stretch)], [line(piece)])
    assert runs[30] == 40
    assert runs[:30].max() < 6
    assert covered(runs, 16) == pytest.approx(40 / 70)
    moved = [pitch + 3 for pitch in stretch]
    (runs,) = common_runs([line(moved)], [line(piece)])
    assert runs.max() < 6
    (runs,) = common_runs([line(moved)], [line(piece)], transposed=True)
    assert runs[30] == 40


def test_nothing_is_in_no_corpus() -> None:
    assert common_runs([], [line([60])]) == []
    (runs,) = common_runs([line([60, 62])], [])
    assert runs.tolist() == [0, 0]
    (runs,) = common_runs([line([])], [line([60])])
    assert runs.tolist() == []
