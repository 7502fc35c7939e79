"""The bass: chord tones where they belong, leading notes between, on the instrument."""

from itertools import pairwise

import pytest
from band_charts import all_named, random_chart

from tatumflow.engine.band.band import Band
from tatumflow.engine.band.band_note import BandNote
from tatumflow.engine.band.form import Form
from tatumflow.engine.band.styles import STYLES
from tatumflow.engine.harmony.chart import Chart, named_chart, parse_chart

LOWEST_E, HIGHEST_G = 28, 55


def line(chart: Chart, style: str = "swing", seed: int = 0, tempo: float = 160.0) -> list[BandNote]:
    form, band = Form(chart), Band(STYLES[style], seed)
    bars = [form.bar(number) for number in range(len(chart.bars))]
    notes = [n for bar in bars if bar for n in band.bar(bar, form.bar(bar.number + 1), tempo)]
    return [note for note in notes if note.part == "bass"]


def strong(chart: Chart, notes: list[BandNote]) -> list[bool]:
    """Whether each note on the first beat, and on the third of four, is a tone of its chord or its bass."""
    places = (0, 2) if chart.beats_per_bar == 4 else (0,)
    found: list[bool] = []
    for note in notes:
        chord = chart.chord_at(note.beat)
        if note.beat % chart.beats_per_bar in places:
            assert chord is not None
            found.append(note.pitch % 12 in {*chord.pitch_classes, chord.bass})
    return found


@pytest.mark.parametrize("style", STYLES)
def test_beats_one_and_three_are_chord_tones_and_every_note_is_on_the_instrument(style: str):
    charts = [*all_named()[::16], *(random_chart(seed) for seed in range(4))]
    found: list[bool] = []
    for seed, chart in enumerate(charts):
        notes = line(chart, style, seed)
        assert all(LOWEST_E <= note.pitch <= HIGHEST_G for note in notes)
        found += strong(chart, notes)
    assert sum(found) >= 0.97 * len(found)


def test_a_walking_line_has_a_note_on_every_beat_and_none_overlaps_the_next():
    notes = line(named_chart("rhythm changes"))
    assert {note.beat for note in notes if note.beat == int(note.beat)} == set(range(128))
    assert all(a.beat + a.length <= b.beat + 1e-9 for a, b in pairwise(notes))


def test_a_new_chord_begins_on_its_root_most_of_the_time_and_on_the_bass_of_a_slash_chord_always():
    chart = parse_chart("Dm7 | G7/B | Cmaj7 | A7/C# | " * 8)
    notes = {note.beat: note for note in line(chart)}
    roots = 0
    for bar in range(len(chart.bars)):
        chord = chart.chord_at(4 * bar)
        assert chord is not None
        pitch_class = notes[4 * bar].pitch % 12
        if chord.bass is not None:
            assert pitch_class == chord.bass
        roots += pitch_class in (chord.root, chord.bass)
    assert roots > 0.8 * len(chart.bars)


def test_the_beat_before_a_change_leads_to_it_by_a_step_or_from_its_fifth():
    led: list[bool] = []
    for seed in range(6):
        notes = {note.beat: note.pitch for note in line(named_chart("blues in F"), seed=seed)}
        for beat in (3, 7, 11, 19, 23, 27, 35, 39, 43):
            move = notes[beat + 1] - notes[beat]
            led.append(abs(move) <= 2 or move in (-7, 5))
    assert sum(led) >= 0.85 * len(led)


def test_lines_are_smooth_and_travel():
    notes = line(parse_chart("F7 | Bb7 | F7 | Cm7 F7 | " * 16))
    pitches = [note.pitch for note in notes if note.beat == int(note.beat)]
    moves = [abs(b - a) for a, b in pairwise(pitches)]
    assert sum(moves) / len(moves) < 4
    assert max(moves) <= 12
    assert sum(move == 0 for move in moves) < 0.05 * len(moves)
    assert max(pitches) - min(pitches) > 12


def test_a_bar_without_a_chord_is_silent():
    notes = line(parse_chart("C7 | N.C. | F7 | F7"))
    assert notes
    assert not [note for note in notes if 4 <= note.beat < 8]


def test_two_feel_walks_on_one_and_three_and_bossa_has_its_rhythm():
    two = {note.beat % 4 for note in line(named_chart("ii-V-I"), "two-feel")}
    assert {0, 2} < two
    assert 1 not in two
    bossa = {note.beat % 4 for note in line(named_chart("ii-V-I"), "bossa")}
    assert bossa == {0, 1.5, 2, 3.5}
