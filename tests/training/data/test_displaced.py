"""Notes read off their places in the beat, and predicted on them."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tatumflow.engine.model.metre import BEAT_TICKS, PHASE
from tatumflow.engine.model.tokens import TIME_SHIFT, TIME_SHIFT_TICKS
from tatumflow.training.data.corpora.piece import NOTE_DTYPE, Piece
from tatumflow.training.data.packing import PackedCorpus, pack
from tatumflow.training.data.stretches import displaced_ticks
from tatumflow.training.data.windows import TurnSettings, Window, Windows

PERIOD = 0.4
PHASES = {0, 30}
"""Places of the eighths in ticks: swung."""


def swung_eighths(count: int) -> np.ndarray:
    notes = np.zeros(count, dtype=NOTE_DTYPE)
    beat = np.arange(count) // 2 + np.where(np.arange(count) % 2, 0.6, 0.0)
    notes["onset"], notes["beat"], notes["period"] = beat * PERIOD, beat, PERIOD
    notes["bar_beat"] = (np.arange(count) // 2) % 4
    notes["duration"], notes["velocity"] = 0.1, 64
    notes["pitch"] = 60 + np.arange(count) % 7
    return notes


def windows(folder: Path, displaced: float) -> list[Window]:
    if not folder.exists():
        pack([Piece("line", "horns", "Lee Konitz", "Line", "train", swung_eighths(400))], folder)
    turns = TurnSettings(metre=1.0, displaced=displaced, without=1.0)
    epoch = Windows(PackedCorpus.open(folder), "train", 128, 0, turns=turns).epoch(0)
    return [epoch.window(i) for i in range(len(epoch))]


@given(st.lists(st.integers(0, 60), min_size=1, max_size=80), st.integers(0, 2**32 - 1))
@settings(max_examples=200, deadline=None)
def test_no_note_passes_another(gaps: list[int], seed: int) -> None:
    ticks = np.cumsum(gaps)
    moved = displaced_ticks(ticks, np.random.default_rng(seed))
    assert (np.diff(moved) >= 0).all()
    assert (moved[:-1] <= ticks[1:])[np.diff(ticks) > 0].all()
    assert (np.diff(moved)[np.diff(ticks) == 0] == 0).all()


def test_displaced_notes_are_read_off_the_beat_and_predicted_on_it(tmp_path: Path) -> None:
    off = 0
    for window in windows(tmp_path / "packed", 1.0):
        steps = np.flatnonzero(window.scored[:, TIME_SHIFT])
        read, landing = window.metre[steps, PHASE], window.next_metre[steps, PHASE]
        shift = TIME_SHIFT_TICKS[window.target[steps, TIME_SHIFT]]
        assert set(landing.tolist()) <= PHASES
        np.testing.assert_array_equal((read + shift)[1:] % BEAT_TICKS, landing[1:])
        off += int(np.isin(read, list(PHASES), invert=True).sum())
    assert off > 200


def test_what_is_read_is_one_line(tmp_path: Path) -> None:
    for window in windows(tmp_path / "packed", 1.0):
        notes = np.flatnonzero(window.scored[:-1, TIME_SHIFT])[:-1] + 1
        shift = TIME_SHIFT_TICKS[window.fields[notes, TIME_SHIFT]]
        phase = window.metre[notes, PHASE]
        np.testing.assert_array_equal((phase[:-1] + shift[1:]) % BEAT_TICKS, phase[1:])


def test_without_displacement_what_is_read_is_what_was_predicted(tmp_path: Path) -> None:
    for window in windows(tmp_path / "packed", 0.0):
        steps = np.flatnonzero(window.scored[:-1, TIME_SHIFT])
        np.testing.assert_array_equal(window.fields[steps + 1, TIME_SHIFT], window.target[steps, TIME_SHIFT])
        np.testing.assert_array_equal(window.metre[steps + 1], window.next_metre[steps])


@pytest.mark.parametrize("displaced", [0.0, 1.0])
def test_the_same_window_can_be_built_again(tmp_path: Path, displaced: float) -> None:
    first, again = (windows(tmp_path / "packed", displaced) for _ in range(2))
    for one, other in zip(first, again, strict=True):
        np.testing.assert_array_equal(one.fields, other.fields)
        np.testing.assert_array_equal(one.metre, other.metre)
