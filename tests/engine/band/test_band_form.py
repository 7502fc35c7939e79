"""The form: count-in, introduction, stops, sections, the ending; swing, styles by name, and what is heard."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tatumflow.engine.band.band import Band
from tatumflow.engine.band.band_note import PARTS, BandNote
from tatumflow.engine.band.drum_keys import SIDE_STICK
from tatumflow.engine.band.form import CHORUS, NOTHING, PHRASE, SECTION, Form, closing_chord
from tatumflow.engine.band.heard import NOTHING as SILENCE
from tatumflow.engine.band.heard import BandEars
from tatumflow.engine.band.styles import STYLE_NAMES, STYLES, style_for
from tatumflow.engine.band.swing import offbeat, swing_ratio
from tatumflow.engine.harmony.chart import Chart, Section, named_chart, parse_chart

BLUES = named_chart("blues in F")


def in_bar(form: Form, number: int, style: str = "swing") -> list[BandNote]:
    bar = form.bar(number)
    assert bar is not None
    return Band(STYLES[style], 0).bar(bar, form.bar(number + 1), 120.0)


def test_the_drummer_alone_counts_in_halves_and_then_every_beat():
    form = Form(BLUES, count_in=2)
    notes = [*in_bar(form, -2), *in_bar(form, -1)]
    assert [(n.part, n.pitch, n.beat) for n in notes] == [
        ("drums", SIDE_STICK, beat) for beat in (-8, -6, -4, -3, -2, -1)
    ]
    assert form.bar(-3) is None


def test_an_introduction_is_the_end_of_the_chart_after_the_count():
    form = Form(BLUES, count_in=1, intro=4)
    kinds = [bar.kind for number in range(-5, 1) if (bar := form.bar(number))]
    assert kinds == ["count-in", "time", "time", "time", "time", "time"]
    intro = form.bar(-4)
    assert intro is not None
    assert intro.chords == BLUES.bars[8]
    assert {note.part for note in in_bar(form, -4)} == set(PARTS)


def test_stop_time_is_one_stroke_at_the_beginning_of_each_chorus():
    form = Form(BLUES, stop_bars=4)
    for number in (0, 3, 12, 15):
        notes = in_bar(form, number)
        assert {note.beat - 4 * number for note in notes} == {0.0}
        assert {note.part for note in notes} == set(PARTS)
        assert max(note.length for note in notes) < 1
    assert len({note.beat for note in in_bar(form, 4)}) > 3


def test_the_ending_is_one_long_chord_on_the_tonic_and_then_nothing():
    form = Form(BLUES, last=12)
    notes = in_bar(form, 12)
    assert {note.beat for note in notes} == {48.0}
    bass = [note for note in notes if note.part == "bass"]
    assert [note.pitch % 12 for note in bass] == [5]
    assert bass[0].length > 3
    assert form.bar(13) is None


@pytest.mark.parametrize(
    ("text", "closing"),
    [
        ("Dm7 | G7 | Cmaj7 | Cmaj7", "Cmaj7"),
        ("Cmaj7 | Am7 | Dm7 | G7", "Cmaj7"),
        ("Cm7 | F7 | Am7b5 | Gm6", "Gm6"),
    ],
)
def test_a_tune_closes_on_its_tonic(text: str, closing: str):
    assert str(closing_chord(parse_chart(text))) == closing


def test_sections_and_phrases_come_from_the_chart_or_from_eight_bars():
    plain = Form(Chart(BLUES.bars * 4, 4))
    opens = [bar.opens for number in range(16) if (bar := plain.bar(number))]
    assert opens == [CHORUS, 0, 0, 0, PHRASE, 0, 0, 0, SECTION, 0, 0, 0, PHRASE, 0, 0, 0]
    named = Form(Chart(BLUES.bars, 4, "", (Section("A", 0), Section("B", 5))))
    closes = [bar.closes for number in range(12) if (bar := named.bar(number))]
    assert closes == [0, 0, 0, PHRASE, SECTION, NOTHING, 0, 0, PHRASE, 0, 0, CHORUS]


@given(tempo=st.floats(30, 400))
def test_swing_falls_with_the_tempo_from_three_and_a_half_to_even(tempo: float):
    assert 1 <= swing_ratio(tempo) <= 3.5
    assert swing_ratio(tempo) >= swing_ratio(tempo + 10)
    assert 0.5 <= offbeat(tempo) <= 7 / 9
    assert offbeat(tempo, 1.0) == 0.5


def test_swing_ratios_are_those_that_drummers_play():
    assert swing_ratio(120) == 3.5
    assert swing_ratio(200) == pytest.approx(2.0)
    assert swing_ratio(300) == pytest.approx(1.0)
    assert swing_ratio(60, most=2.0) == 2.0


@pytest.mark.parametrize(
    ("own", "beats", "tempo", "style"),
    [
        ("Bossa Nova", 4, 140, "bossa"),
        ("Medium Swing", 4, 140, "swing"),
        ("Medium Up Swing", 4, 180, "swing"),
        ("Up Tempo Swing", 4, 260, "up-tempo"),
        ("Ballad", 4, 120, "ballad"),
        ("Jazz Waltz", 3, 150, "jazz waltz"),
        ("Even 8ths", 4, 150, "even eighths"),
        ("", 3, 150, "jazz waltz"),
        ("", 4, 60, "ballad"),
        ("", 4, 250, "up-tempo"),
        ("unheard of", 4, 150, "swing"),
    ],
)
def test_the_style_is_the_charts_own_else_by_metre_and_tempo(own: str, beats: int, tempo: float, style: str):
    assert style_for(own, beats, tempo).name == style


def test_the_names_of_the_control_are_those_of_the_table():
    assert ("auto", *STYLES) == STYLE_NAMES


def test_the_ears_hear_density_loudness_crowding_and_gaps():
    ears = BandEars()
    assert ears.heard(0.0) == SILENCE
    for beat in range(8):
        for pitch in (52, 57, 60):
            ears.add(float(beat), pitch, 90)
    heard = ears.heard(7.5)
    assert heard.density == 1.0
    assert heard.loudness == 90
    assert heard.crowding == 1.0
    assert not heard.gap
    later = ears.heard(9.0)
    assert later.gap
    assert later.crowding == 0
    assert ears.heard(40.0).loudness is None
    for beat in range(40, 44):
        ears.add(float(beat), 76, 60)
    assert ears.heard(43.0).crowding == 0, "a line above the chords leaves their register free"
