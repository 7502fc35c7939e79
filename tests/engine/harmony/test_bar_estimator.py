"""The chords of a bar that has just been played."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tatumflow.engine.harmony.bar_estimator import Sounding, bar_of, heard_halves
from tatumflow.engine.harmony.changes import parse_bar
from tatumflow.engine.harmony.chords import NO_CHORD, Chord, chord_id, parse_chord
from tatumflow.engine.harmony.live_estimator import LikelyChord

NONE = LikelyChord(NO_CHORD, 0.0)


def sure(symbol: str) -> LikelyChord:
    return LikelyChord(chord_id(parse_chord(symbol)), 0.9)


def struck(*chords: tuple[float, float, str]) -> Sounding:
    """Return chords from one time to another in seconds, with the root below."""
    rows: list[tuple[float, float, int]] = []
    for start, end, symbol in chords:
        chord = parse_chord(symbol)
        assert chord is not None
        pitches = [36 + chord.root, *(54 + (p - 54) % 12 for p in sorted(chord.pitch_classes))]
        rows += [(start, end, pitch) for pitch in pitches]
    return Sounding.of(np.array(rows, np.float64).reshape(-1, 3))


def names(halves: tuple[LikelyChord, LikelyChord]) -> list[str]:
    return [str(Chord.from_id(half.id)) if half.confidence else "" for half in halves]


def test_each_half_of_a_bar_has_its_chord() -> None:
    notes = struck((0, 1, "Cmaj7"), (1, 2, "A7"), (2, 3, "Dm7"), (3, 4, "G7"), (4, 4.5, "Cmaj7"))
    assert names(heard_halves(notes, 2.0, 4.0, 4.5)) == ["Dm7", "G7"]


def test_a_bar_of_one_chord_has_one() -> None:
    notes = struck((0, 2, "Dm7"), (2, 3, "G7"), (3, 4, "G7"), (4, 4.5, "Cmaj7"))
    first, second = heard_halves(notes, 2.0, 4.0, 4.5)
    assert first == second
    assert Chord.from_id(first.id) == parse_chord("G7")


def test_lines_and_silence_have_no_chord() -> None:
    onsets = np.linspace(0, 3.75, 16)
    line = Sounding(onsets, onsets + 0.25, 60 + np.arange(16) % 7)
    assert heard_halves(line, 2.0, 4.0, 4.5) == (NONE, NONE)
    notes = struck((0, 1, "Cmaj7"), (2, 2.9, "Dm7"))
    assert names(heard_halves(notes, 2.0, 4.0, 4.5))[1] == ""


def test_what_is_unsure_stays() -> None:
    before = parse_bar(["Dm7", "G7"], None, 4, "bar 1")
    unsure = LikelyChord(sure("Ebmaj7").id, 0.5)
    assert bar_of((unsure, unsure), before, 4) == before
    assert bar_of((NONE, NONE), before, 4) == before
    assert bar_of((unsure, sure("Db7")), before, 4) == parse_bar(["Dm7", "Db7"], None, 4, "bar 1")
    assert bar_of((sure("Em7"), NONE), before, 4) == parse_bar(["Em7"], None, 4, "bar 1")
    assert bar_of((sure("Em7"), sure("Em7")), before, 4) == parse_bar(["Em7"], None, 4, "bar 1")


@given(
    st.lists(
        st.tuples(st.floats(0, 30), st.one_of(st.floats(0.01, 5), st.just(np.inf)), st.integers(21, 108)),
        max_size=40,
    ),
    st.floats(0, 28),
    st.floats(0.3, 6),
)
def test_any_notes_give_chords_with_confidences(
    rows: list[tuple[float, float, int]], start: float, length: float
) -> None:
    notes = Sounding.of(np.array([(on, on + lasts, p) for on, lasts, p in rows], np.float64).reshape(-1, 3))
    for half in heard_halves(notes, start, start + length, start + length + 0.5):
        assert 0 <= half.confidence <= 1
        assert (half.id == NO_CHORD) == (half.confidence == 0)
