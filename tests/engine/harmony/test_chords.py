import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tatumflow.engine.errors import ChordError
from tatumflow.engine.harmony.chords import (
    CHORD_TONES,
    NO_CHORD,
    NUM_CHORDS,
    QUALITIES,
    Chord,
    chord_id,
    parse_chord,
    transpose_ids,
)

chords = st.builds(
    Chord, st.integers(0, 11), st.sampled_from(QUALITIES), st.one_of(st.none(), st.integers(0, 11))
)


@settings(deadline=None)
@given(st.integers(0, NUM_CHORDS - 1))
def test_ids_come_back(number: int) -> None:
    assert chord_id(Chord.from_id(number)) == number


@settings(deadline=None)
@given(chords, st.integers(-30, 30))
def test_transposing_moves_every_tone_and_comes_back(chord: Chord, semitones: int) -> None:
    moved = chord.transposed(semitones)
    assert moved.pitch_classes == {(p + semitones) % 12 for p in chord.pitch_classes}
    assert moved.quality == chord.quality
    assert moved.transposed(-semitones) == chord
    assert transpose_ids([chord.id, NO_CHORD], semitones).tolist() == [moved.id, NO_CHORD]


@settings(deadline=None)
@given(chords)
def test_symbols_are_read_as_the_chord_that_wrote_them(chord: Chord) -> None:
    read = parse_chord(chord.symbol)
    assert read is not None
    assert (read.id, read.bass) == (chord.id, None if chord.bass == chord.root else chord.bass)


def test_the_table_of_tones_is_that_of_the_chords() -> None:
    assert not CHORD_TONES[NO_CHORD].any()
    for number in range(1, NUM_CHORDS):
        chord = Chord.from_id(number)
        assert chord is not None
        assert set(np.flatnonzero(CHORD_TONES[number])) == chord.pitch_classes


@pytest.mark.parametrize(
    ("quality", "symbols"),
    [
        ("maj7", "C Cmaj7 CM7 CΔ CΔ7 Cj7 C6 C69 C6/9 Cmaj9 Cj7911# C6911# Cmaj7#11 Cadd9 C(b5) C△"),
        ("7", "C7 C9 C13 C7alt Calt C79# C79b13b C7911# C7913b C+7 C+79# C7#5 C7+ C7b5 C7(b9,#11) C13b9"),
        ("m7", "Cm7 C-7 Cmin7 Cmi7 Cm9 C-79 C-7911 Cm11"),
        ("m7b5", "Cm7b5 Cø Cø7 C-7b5 Cm7(b5) Cm11b5"),
        ("dim7", "Co Co7 C° C°7 Cdim Cdim7"),
        ("m6", "Cm C- Cmin C-6 Cm6 C-69 Cm69 C-j7 CmM7 Cm(maj7) C-Δ7 Cmmaj7 C-j7911#"),
        ("7sus4", "Csus Csus7 Csus79 Csus7913 C7sus4 C9sus Csus4 C7sus"),
        ("aug", "C+ Caug C+j7 Cmaj7#5 C+/Ab"),
    ],
)
def test_spellings_of_each_class(quality: str, symbols: str) -> None:
    read = {symbol: parse_chord(symbol) for symbol in symbols.split()}
    assert {symbol: chord and (chord.root, chord.quality) for symbol, chord in read.items()} == dict.fromkeys(
        read, (0, quality)
    )


@pytest.mark.parametrize(
    ("symbol", "root", "bass"),
    [("Bb7", 10, None), ("F#m7", 6, None), ("B♭-7", 10, None), ("Cb7", 11, None), ("D7/F#", 2, 6),
     ("G/G", 7, None), ("Ebb7", 2, None), ("Bbsus7913", 10, None), ("A-/C", 9, 0)],
)  # fmt: skip
def test_roots_and_basses(symbol: str, root: int, bass: int | None) -> None:
    chord = parse_chord(symbol)
    assert chord is not None
    assert (chord.root, chord.bass) == (root, bass)


@pytest.mark.parametrize("symbol", ["NC", "N.C.", "n.c.", "N"])
def test_no_chord_is_none(symbol: str) -> None:
    assert parse_chord(symbol) is None


@pytest.mark.parametrize(
    ("symbol", "part"),
    [("H7", "H7"), ("", "''"), ("C7x", "'7x'"), ("C/9", "'/9'"), ("D7/H", "'7/H'"), ("c7", "c7"),
     ("Cj7j", "j7j")],
)  # fmt: skip
def test_what_is_no_chord_is_refused_by_name(symbol: str, part: str) -> None:
    with pytest.raises(ChordError, match="chord") as caught:
        parse_chord(symbol)
    assert part in str(caught.value)
    assert "\n" not in str(caught.value)


def test_values_out_of_range_are_refused() -> None:
    for make in (lambda: Chord(12, "7"), lambda: Chord(0, "7", 12), lambda: Chord.from_id(97)):
        with pytest.raises(ChordError):
            make()
