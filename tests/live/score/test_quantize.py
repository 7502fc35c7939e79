"""Quantizing: what is played with swing and jitter comes back as written, and nothing is lost."""

from fractions import Fraction
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tatumflow.live.score.notation import written_measures
from tatumflow.live.score.quantize import STRAIGHT, BeatNote, WrittenNote, in_one_voice, quantize

F = Fraction
FIGURES = (
    (F(1),),
    (F(1, 2), F(1, 2)),
    (F(1, 3), F(1, 3), F(1, 3)),
    (F(1, 4), F(1, 4), F(1, 4), F(1, 4)),
    (F(1, 4), F(1, 4), F(1, 2)),
    (F(-1, 2), F(1, 2)),
    (F(1, 2), F(-1, 2)),
    (F(-1),),
    (F(1, 2), F(3, 2)),
    (F(2),),
)
"""Lengths in beats; rests are negative."""

EIGHTHS = ((F(1, 2), F(1, 2)),) * 4


def melody(figures):
    """Return the notes of figures, a new pitch each."""
    at, notes = F(0), []
    for figure in figures:
        for length in figure:
            if length > 0:
                notes.append(WrittenNote(at, at + length, (48 + len(notes) * 7 % 36,)))
            at += abs(length)
    return notes


def played(notes, swing, tempo, seed, jitter=0.012):
    """Return notes as a player swings them: only off-beats of eighths are late."""
    random = Random(seed)

    def place(beat):
        return beat // 1 + swing if beat % 1 == F(1, 2) else beat

    sixteenths = {int(n.start) for n in notes if n.start.denominator == 4}
    result = []
    for note in notes:
        plain = int(note.start) in sixteenths
        start = float(note.start if plain else place(note.start))
        start += random.uniform(-jitter, jitter) * tempo / 60
        length = float(note.end if note.end.denominator == 4 or plain else place(note.end)) - start
        start = max(start, 0.0)
        result.append(BeatNote(start, start + 0.92 * length, note.pitches[0], start * 60 / tempo))
    return result


@given(
    figures=st.lists(st.sampled_from(FIGURES), min_size=4, max_size=24),
    swing=st.sampled_from([0.5, 0.58, 0.62, 0.667]),
    tempo=st.sampled_from([80, 120, 160]),
    seed=st.integers(0, 1000),
)
@settings(max_examples=120, deadline=None)
def test_a_score_played_with_swing_and_jitter_comes_back_as_written(figures, swing, tempo, seed):
    notes = melody([*EIGHTHS, *figures])
    assert list(quantize(played(notes, swing, tempo, seed)).notes) == notes


def test_the_swing_is_found_and_triplets_are_kept_beside_it():
    notes = melody([*EIGHTHS, (F(1, 3),) * 3, *EIGHTHS, (F(1, 4),) * 4])
    found = quantize(played(notes, 0.65, 140, 1))
    assert found.swing == pytest.approx(0.65, abs=0.03)
    assert list(found.notes) == notes
    assert quantize(played(notes, 0.5, 140, 1)).swing == pytest.approx(STRAIGHT, abs=0.03)


played_notes = st.lists(
    st.builds(
        lambda start, length, pitch: BeatNote(start, start + length, pitch, start / 2),
        st.floats(0, 24),
        st.floats(0.001, 6),
        st.integers(21, 108),
    ),
    min_size=1,
    max_size=40,
)


@given(notes=played_notes, metres=st.lists(st.integers(1, 7), min_size=1, max_size=4))
@settings(max_examples=150, deadline=None)
def test_values_fill_every_measure_and_no_pitch_is_lost(notes, metres):
    found = quantize(notes)
    assert len(found.notes) == len(notes)
    assert sorted(n.pitches[0] for n in found.notes) == sorted(n.pitch for n in notes)
    voice = in_one_voice(found.notes)
    places = {(n.start, p) for n in found.notes for p in n.pitches}
    assert {(n.start, p) for n in voice for p in n.pitches} == places
    beats = []
    while sum(beats) < max(n.end for n in voice):
        beats.append(metres[len(beats) % len(metres)])
    measures = written_measures(voice, beats)
    lines = [sum(beats[:i]) for i in range(len(beats))]
    heads, onsets = [], set()
    for line, length, measure in zip(lines, beats, measures, strict=True):
        assert sum(piece.length for piece in measure) == length
        at = F(0)
        for piece in measure:
            assert piece.start == at
            at += piece.length
            assert not piece.tied_back or (heads and heads[-1].tied_on and heads[-1].pitches == piece.pitches)
            heads.append(piece)
            if piece.pitches and not piece.tied_back:
                onsets |= {(line + piece.start, pitch) for pitch in piece.pitches}
    assert onsets == places
    assert not heads[-1].tied_on


@pytest.mark.parametrize(
    ("start", "end", "beats", "lengths"),
    [
        (F(0), F(4), 4, [4]),
        (F(1, 2), F(2), 4, [F(1, 2), 1]),
        (F(3), F(5), 4, [1, 1]),
        (F(0), F(5, 6), 4, [F(1, 2), F(1, 3)]),
        (F(1, 3), F(1), 3, [F(2, 3)]),
        (F(1, 4), F(1), 3, [F(3, 4)]),
        (F(0), F(7, 8), 4, [F(1, 2), F(3, 8)]),
        (F(0), F(6), 6, [4, 2]),
    ],
)
def test_each_piece_has_a_note_value(start, end, beats, lengths):
    measures = written_measures([WrittenNote(start, end, (60,))], [beats, beats])
    assert [piece.length for measure in measures for piece in measure if piece.pitches] == lengths
