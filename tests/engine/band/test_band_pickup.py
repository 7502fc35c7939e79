"""The band under a pick-up: in the count-in, at the end of an introduction, and nowhere else."""

import pytest

from tatumflow.engine.band.band import Band
from tatumflow.engine.band.band_note import BandNote
from tatumflow.engine.band.drum_keys import SIDE_STICK
from tatumflow.engine.band.form import Form
from tatumflow.engine.band.styles import STYLES
from tatumflow.engine.harmony.chart import Chart, parse_chart
from tatumflow.engine.harmony.route import Route

TEXT = "Cmaj7 | Fmaj7 | Dm7 | Am7"
PLAIN = parse_chart(TEXT)
LED = parse_chart(f"{{pickup: N.C. N.C. N.C. G7}}\n{TEXT}")
G7 = {7, 11, 2, 5}


def in_bar(form: Form, number: int, style: str = "swing", seed: int = 0) -> list[BandNote]:
    bar = form.bar(number)
    assert bar is not None
    return Band(STYLES[style], seed).bar(bar, form.bar(number + 1), 120.0)


def chords(form: Form, number: int) -> list[str]:
    bar = form.bar(number)
    assert bar is not None
    return [change.symbol for change in bar.chords]


@pytest.mark.parametrize("style", sorted(STYLES))
@pytest.mark.parametrize("seed", range(4))
def test_in_the_count_in_bass_and_comping_play_it_while_the_drummer_counts(style: str, seed: int) -> None:
    notes = in_bar(Form(LED, count_in=1), -1, style, seed)
    count = [(note.pitch, note.beat) for note in notes if note.part == "drums"]
    assert count == [(SIDE_STICK, beat) for beat in (-4, -3, -2, -1)]
    bass = [note for note in notes if note.part == "bass"]
    assert bass[0].beat == -1
    assert bass[0].pitch % 12 in G7
    comping = [note for note in notes if note.part == "comping"]
    assert {note.beat for note in comping} == {-1}
    assert {note.pitch % 12 for note in comping} & G7
    assert all(note.beat + note.length <= 0 for note in comping)


def test_chords_off_the_beat_are_struck_there() -> None:
    chart = parse_chart(f"{{pickup: N.C. . . . . . Dbm7 Dm7}}\n{TEXT}")
    notes = [note for note in in_bar(Form(chart, count_in=1), -1) if note.part == "comping"]
    last = {note.pitch % 12 for note in notes if note.beat > -1}
    assert {note.beat for note in notes if note.beat <= -1} == {-1}
    assert {0, 5} <= last, "Dm7 itself, not the chord of the first bar"


def test_only_the_last_bar_of_the_count_in_has_it() -> None:
    form = Form(LED, count_in=2)
    assert {note.part for note in in_bar(form, -2)} == {"drums"}
    assert chords(form, -1) == ["N.C.", "N.C.", "N.C.", "G7"]


def test_the_last_bar_of_an_introduction_has_its_chords_from_where_they_begin() -> None:
    form = Form(LED, count_in=1, intro=1)
    assert chords(form, -1) == ["Am7", "G7"]
    assert {note.part for note in in_bar(form, -2)} == {"drums"}
    notes = [note for note in in_bar(form, -1) if note.part == "bass"]
    assert notes[0].beat == -4
    assert any(note.beat == -1 and note.pitch % 12 in G7 for note in notes)
    assert chords(Form(LED, intro=2), -2) == ["Dm7"]


def test_it_comes_once() -> None:
    form, plain = Form(LED, count_in=1), Form(PLAIN, count_in=1)
    assert [form.bar(number) for number in range(40)] == [plain.bar(number) for number in range(40)]
    assert Form(LED).bar(-1) is None


def test_a_form_that_begins_elsewhere_has_none() -> None:
    for place in (2, 4):
        form = Form(LED, count_in=1, route=Route().jumped(0, place))
        assert chords(form, -1) == ["N.C."]
        assert chords(Form(LED, intro=1, route=form.route), -1) == chords(
            Form(PLAIN, intro=1, route=form.route), -1
        )
    again = Form(LED, count_in=1, route=Route().jumped(3, 0))
    assert chords(again, 2) == ["Dm7"]
    assert chords(again, 3) == ["Cmaj7"]


def test_a_chart_without_one_is_counted_in_as_before() -> None:
    assert {note.part for note in in_bar(Form(PLAIN, count_in=1), -1)} == {"drums"}
    silent = Chart(PLAIN.bars, pickup=parse_chart("{pickup: N.C.} C").pickup)
    assert {note.part for note in in_bar(Form(silent, count_in=1), -1)} == {"drums"}
