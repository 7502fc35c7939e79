"""Features of phrases: what they measure, and what leaves which part alone."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tatumflow.engine.harmony.chords import Chord
from tatumflow.engine.midi.notes import Note
from tatumflow.engine.theory.edits import with_chords, with_dynamics, with_pace
from tatumflow.engine.theory.features import (
    NUM_FEATURES,
    PARTS,
    note_columns,
    notes_features,
    phrase_features,
)

HARMONY, MELODY, RHYTHM, DYNAMICS = (part.slice for part in PARTS)
LINE = [Note(0.25 * i, 0.2, pitch, 60 + i) for i, pitch in enumerate((60, 62, 64, 67, 64, 62, 60, 55))]

notes = st.lists(
    st.builds(
        Note,
        onset=st.floats(0, 8).map(lambda x: round(x, 2)),
        duration=st.floats(0.01, 4).map(lambda x: round(x, 2)),
        pitch=st.integers(21, 108),
        velocity=st.integers(1, 127),
    ),
    min_size=1,
    max_size=40,
)


@given(notes)
@settings(max_examples=60, deadline=None)
def test_any_phrase_has_finite_features_of_a_modest_size(phrase: list[Note]) -> None:
    features = notes_features(phrase)
    assert features.shape == (NUM_FEATURES,)
    assert np.isfinite(features).all()
    assert np.abs(features).max() < 10


@given(notes, notes)
@settings(max_examples=40, deadline=None)
def test_phrases_do_not_hear_each_other(one: list[Note], other: list[Note]) -> None:
    ordered = [sorted(phrase, key=lambda n: (n.onset, n.pitch)) for phrase in (one, other)]
    columns = [np.concatenate(pair) for pair in zip(*map(note_columns, ordered), strict=True)]
    which = np.repeat([0, 2], [len(one), len(other)])
    together = phrase_features(*columns, which, 3)  # type: ignore[arg-type]
    assert np.allclose(together[0], notes_features(one), atol=1e-6)
    assert np.allclose(together[2], notes_features(other), atol=1e-6)
    assert not together[1].any()


def test_a_transposition_turns_the_pitch_classes_and_leaves_rhythm_and_dynamics() -> None:
    plain, moved = (notes_features([replace(n, pitch=n.pitch + up) for n in LINE]) for up in (0, 3))
    assert np.allclose(np.roll(plain[:12], 3), moved[:12])
    assert np.allclose(plain[RHYTHM], moved[RHYTHM])
    assert np.allclose(plain[DYNAMICS], moved[DYNAMICS])
    intervals = slice(MELODY.start, MELODY.start + 25)
    assert np.allclose(plain[intervals], moved[intervals])


def test_the_harmony_finds_root_and_class() -> None:
    chord = [Note(0.0, 1.0, pitch, 64) for pitch in (43, 59, 62, 65)]
    harmony = notes_features(chord)[HARMONY]
    assert harmony[:12].argmax() in (7, 11, 2, 5)
    assert np.flatnonzero(harmony[12:24]).tolist() == [7]
    assert harmony[24:36].argmax() == 7
    assert harmony[36:].argmax() == 1, "a dominant"


def test_rhythm_separates_straight_from_swung_and_slow_from_fast() -> None:
    straight = [Note(0.25 * i, 0.1, 60, 64) for i in range(16)]
    swung = [Note(0.5 * (i // 2) + 0.33 * (i % 2), 0.1, 60, 64) for i in range(16)]
    swing = RHYTHM.stop - 2
    assert notes_features(straight)[swing] == 0
    assert notes_features(swung)[swing] > 0.4
    density = RHYTHM.start + 16 + 8 + 4 + 8
    fast = [replace(n, onset=n.onset / 2) for n in straight]
    assert notes_features(fast)[density] > notes_features(straight)[density]


def test_unknown_velocities_leave_the_dynamics_empty() -> None:
    onset, duration, pitch, velocity = note_columns(LINE)
    features = phrase_features(onset, duration, pitch, 0 * velocity, 0 * velocity, 1)[0]
    assert not features[DYNAMICS].any()
    assert np.allclose(features[: DYNAMICS.start], notes_features(LINE)[: DYNAMICS.start])


@pytest.mark.parametrize("edited", ["harmony", "rhythm", "dynamics"])
def test_an_edit_leaves_the_other_parts_alone(edited: str) -> None:
    features = notes_features(LINE)
    changed = {
        "harmony": lambda: with_chords(features, [Chord(1, "7")]),
        "rhythm": lambda: with_pace(features, LINE, 2.0),
        "dynamics": lambda: with_dynamics(features, LINE, 20),
    }[edited]()
    for part in PARTS:
        assert np.array_equal(changed[part.slice], features[part.slice]) == (part.name != edited)


def test_no_chords_no_edit() -> None:
    assert np.array_equal(with_chords(notes_features(LINE), []), notes_features(LINE))
