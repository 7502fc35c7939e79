"""Chords heard while they are played: only of what was played so far, the same live as in one go."""

import numpy as np
import pytest
from chord_tunes import Rows, ids, played
from hypothesis import given, settings
from hypothesis import strategies as st

from tatumflow.engine.harmony.chords import NO_CHORD, transpose_ids
from tatumflow.engine.harmony.estimator import FRAME
from tatumflow.engine.harmony.live_estimator import (
    FORGET,
    SURE,
    LikelyChord,
    LiveChords,
    LiveEstimate,
    estimate_live,
)


def estimate(rows: Rows) -> LiveEstimate:
    return estimate_live([r[0] for r in rows], [r[1] for r in rows], [r[2] for r in rows])


def hear(rows: Rows, until: float) -> list[LikelyChord]:
    """Play notes to `LiveChords` in the order of their events; return the chord after each frame."""
    live = LiveChords()
    events = sorted(
        [(onset, 1, pitch) for onset, _, pitch in rows]
        + [(onset + duration, 0, pitch) for onset, duration, pitch in rows]
    )
    heard: list[LikelyChord] = []

    def advance_to(time: float) -> None:
        while (look := live.next_look) is not None and look <= time:
            live.advance(look)
            assert live.likely is not None
            heard.append(live.likely)

    for time, on, pitch in events:
        advance_to(time)
        if on:
            live.note_on(time, pitch)
        else:
            live.note_off(time, pitch)
    advance_to(until)
    return heard


TUNE = ["Dm7", "G7", "Cmaj7", "A7", "Dm7", "G7", "Em7b5", "A7", "Dm7", "Db7", "Cmaj7", "Cmaj7"]

lines: st.SearchStrategy[Rows] = st.lists(
    st.tuples(
        st.integers(0, 300).map(lambda n: 0.1 * n + 0.013),
        st.sampled_from([0.08, 0.3, 1.1, 4.0]),
        st.integers(36, 84),
    ),
    min_size=1,
    max_size=60,
    unique_by=lambda row: (row[0], row[2]),
)


def test_plain_chords_are_named_and_sure_a_second_after_they_begin() -> None:
    found = estimate(played(TUNE))
    late = 2.0 * np.arange(len(TUNE)) + 1.6
    assert found.chords.at(late).tolist() == ids(TUNE)
    assert (found.sure.at(late) != NO_CHORD).mean() > 0.7


def test_a_single_note_and_chromatic_noise_are_unsure() -> None:
    assert (estimate([(0.0, 0.2, 60)]).sure.ids == NO_CHORD).all()
    rng = np.random.default_rng(0)
    noise = [(0.1 * i, 0.1, int(p)) for i, p in enumerate(rng.integers(48, 84, 150))]
    assert (estimate(noise).sure.ids == NO_CHORD).mean() > 0.8


@settings(max_examples=20, deadline=None)
@given(lines, st.floats(1.0, 20.0))
def test_later_notes_do_not_change_an_earlier_estimate(rows: Rows, time: float) -> None:
    whole = estimate(rows)
    start = min(row[0] for row in rows)
    before = [(onset, duration, pitch) for onset, duration, pitch in rows if onset < start + time]
    part = estimate(before)
    frames = min(int(time / FRAME), len(part.confidence))
    assert part.chords.ids[:frames].tolist() == whole.chords.ids[:frames].tolist()
    np.testing.assert_allclose(part.confidence[:frames], whole.confidence[:frames], atol=1e-4)


@settings(max_examples=10, deadline=None)
@given(lines)
def test_live_is_the_same_as_in_one_go(rows: Rows) -> None:
    # One key at a time: a key that is struck again ends there.
    rows = [(onset, 0.3, 36 + i % 40) for i, (onset, _, _) in enumerate(sorted(rows))]
    gaps = np.diff([row[0] for row in rows])
    if len(gaps) and gaps.max() > FORGET - 2:
        return
    whole = estimate(rows)
    heard = hear(rows, rows[-1][0] + 0.3)
    # The last frame is not over when the last note has been heard.
    frames = len(whole.confidence) - 1
    assert len(heard) >= frames
    confidence = np.array([chord.confidence for chord in heard[:frames]])
    np.testing.assert_allclose(confidence, whole.confidence[:frames], atol=1e-3)


@settings(max_examples=15, deadline=None)
@given(lines, st.integers(-5, 6))
def test_transposed_music_has_transposed_chords(rows: Rows, semitones: int) -> None:
    # Registers are bounds of pitch, which a transposition crosses: notes here stay within them.
    rows = [
        (onset, duration, 42 + pitch % 12 if pitch < 60 else 70 + pitch % 8)
        for onset, duration, pitch in rows
    ]
    here = estimate(rows)
    moved = estimate([(onset, duration, pitch + semitones) for onset, duration, pitch in rows])
    np.testing.assert_allclose(moved.confidence, here.confidence, atol=2e-2)
    clear = here.confidence > SURE
    np.testing.assert_array_equal(moved.chords.ids[clear], transpose_ids(here.chords.ids, semitones)[clear])


def test_a_frame_is_read_at_most_once_and_one_a_call() -> None:
    live = LiveChords()
    assert live.next_look is None
    live.note_on(10.0, 60)
    looks = [live.next_look]
    for now in (10.1, 10.2, 10.26, 10.27, 11.5, 11.5):
        live.advance(now)
        looks.append(live.next_look)
    assert looks == pytest.approx([10.25, 10.25, 10.25, 10.5, 10.5, 10.75, 11.0])


def test_after_a_long_rest_the_music_is_new() -> None:
    live = LiveChords()
    live.note_on(0.0, 60)
    live.advance(0.25)
    live.advance(FORGET + 0.1)
    assert (live.likely, live.next_look) == (None, None)
    live.note_on(100.0, 62)
    assert live.next_look == pytest.approx(100.25)


def test_nothing_has_no_chords() -> None:
    assert len(estimate([]).chords.ids) == 0
    assert LikelyChord(5, SURE - 0.01).sure_id == NO_CHORD
    assert LikelyChord(5, SURE).sure_id == 5
