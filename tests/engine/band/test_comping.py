"""Comping: voicings with guide tones, led by small movements; rhythms that leave room."""

from itertools import pairwise
from random import Random

import pytest
from band_charts import all_named, random_chart
from hypothesis import given
from hypothesis import strategies as st

from tatumflow.engine.band.band import Band
from tatumflow.engine.band.band_note import RANGES, BandNote
from tatumflow.engine.band.comping import room
from tatumflow.engine.band.form import Form
from tatumflow.engine.band.heard import NOTHING, Heard
from tatumflow.engine.band.styles import STYLES
from tatumflow.engine.band.voicings import movement, next_voicing, realizations
from tatumflow.engine.harmony.chart import Chart, named_chart, parse_chart
from tatumflow.engine.harmony.chords import QUALITIES, Chord

CHORDS = st.builds(Chord, st.integers(0, 11), st.sampled_from(QUALITIES))
THIRDS = {3, 4, 5}
OUTSIDE_THE_CLASS = {"maj7": {3, 10}, "7": {3, 11}, "m7": {4, 11}, "m6": {4, 10}, "m7b5": {4, 7, 11}}


def struck(
    chart: Chart, style: str = "swing", heard: Heard = NOTHING, seed: int = 0, tempo: float = 160.0
) -> dict[float, list[BandNote]]:
    form, band = Form(chart), Band(STYLES[style], seed)
    chords: dict[float, list[BandNote]] = {}
    for number in range(len(chart.bars)):
        bar = form.bar(number)
        assert bar is not None
        for note in band.bar(bar, form.bar(number + 1), tempo, heard):
            if note.part == "comping":
                chords.setdefault(note.beat, []).append(note)
    return chords


@given(chord=CHORDS, altered=st.booleans(), shell=st.booleans())
def test_every_voicing_has_the_third_or_fourth_no_foreign_guide_tone_and_lies_in_range(chord, altered, shell):
    choices = realizations(chord, altered=altered, shell=shell)
    assert len(choices) >= 3
    lowest, highest = RANGES["comping"]
    for voicing in choices:
        above = {(pitch - chord.root) % 12 for pitch in voicing}
        assert above & THIRDS
        if not altered:
            assert not above & OUTSIDE_THE_CLASS.get(chord.quality, set())
        assert list(voicing) == sorted(set(voicing))
        assert lowest <= voicing[0] <= voicing[-1] <= highest
        assert 2 <= len(voicing) <= 4


def test_a_two_five_one_alternates_the_positions_and_keeps_its_common_tones():
    before = next_voicing(Chord(2, "m7"), None, Random(0))
    for seed in range(10):
        five = next_voicing(Chord(7, "7"), before, Random(seed))
        one = next_voicing(Chord(0, "maj7"), five, Random(seed))
        assert movement(before, five) <= 1.5
        assert movement(five, one) <= 1.5
        assert len(set(before) & set(five)) >= 1


def test_movement_is_the_mean_over_the_voices():
    assert movement((60, 64, 67), (60, 65, 69)) == 1.0
    assert movement((60, 64), (60, 64, 67)) == 1.0


@pytest.mark.parametrize("style", STYLES)
def test_voices_move_three_semitones_at_most_on_average_whatever_the_chords(style: str):
    moves: list[float] = []
    for seed, chart in enumerate([*all_named()[::16], *(random_chart(seed) for seed in range(4))]):
        chords = struck(chart, style, seed=seed)
        voicings = [sorted(note.pitch for note in chords[beat]) for beat in sorted(chords)]
        moves += [movement(a, b) for a, b in pairwise(voicings)]
    assert sum(moves) / len(moves) <= 1.5
    assert max(moves) <= 6


def test_an_off_beat_before_a_change_anticipates_the_chord_and_others_state_the_one_in_force():
    chart = named_chart("rhythm changes")
    for seed in range(4):
        for beat, notes in struck(chart, seed=seed).items():
            place = beat if beat == int(beat) else int(beat) + 1
            chord = chart.chord_at(place)
            assert chord is not None
            found = [
                voicing
                for altered in (False, True)
                for shell in (False, True)
                for voicing in realizations(chord, altered=altered, shell=shell)
            ]
            assert tuple(sorted(note.pitch for note in notes)) in found


def test_a_chord_ends_before_the_next_chord_of_the_chart_begins():
    chart = parse_chart("Dm7 G7 | Cmaj7 A7 | " * 8)
    for beat, notes in struck(chart, "ballad").items():
        place = beat if beat == int(beat) else int(beat) + 1
        change = chart.next_change(place)
        assert change is not None
        assert all(note.beat + note.length <= float(change.beat) for note in notes)


CROWDED = Heard(density=2.0, loudness=80.0, crowding=1.0, silence=0.1)
LINE = Heard(density=3.0, loudness=80.0, crowding=0.0, silence=0.1)
GAP = Heard(density=1.0, loudness=80.0, crowding=0.0, silence=1.5)


@pytest.mark.parametrize("style", STYLES)
def test_comping_thins_beside_a_pianist_and_answers_gaps(style: str):
    chart = parse_chart("F7 | Bb7 | F7 | Cm7 F7 | " * 8)
    counts = {name: len(struck(chart, style, heard)) for name, heard in
              (("alone", NOTHING), ("crowded", CROWDED), ("line", LINE), ("gap", GAP))}  # fmt: skip
    assert counts["crowded"] < 0.65 * counts["alone"]
    assert counts["crowded"] < counts["line"] <= counts["alone"]
    assert counts["gap"] > 1.1 * counts["alone"]


@given(density=st.floats(0, 10), crowding=st.floats(0, 1), silence=st.floats(0, 10))
def test_room_is_bounded_and_shrinks_with_crowding(density: float, crowding: float, silence: float):
    more = Heard(density, 80.0, crowding, silence)
    assert 0.15 <= room(more) <= 1.6
    assert room(Heard(density, 80.0, 0.0, silence)) >= room(more)


def test_comping_follows_the_players_loudness():
    chart = named_chart("blues in F")

    def mean(loudness: float) -> float:
        notes = [n for c in struck(chart, heard=Heard(1.0, loudness, 0.0, 0.1)).values() for n in c]
        return sum(note.velocity for note in notes) / len(notes)

    assert mean(40) + 8 < mean(72) < mean(110) - 5
