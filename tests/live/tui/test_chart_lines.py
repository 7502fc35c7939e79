"""The lead sheet of a tune: lines, chords over their beats, and where the music is."""

from itertools import chain

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tatumflow.engine.controls import Controls
from tatumflow.engine.harmony.chart import parse_chart
from tatumflow.engine.messages import Position
from tatumflow.engine.tempo.tune import Tune, tune_of
from tatumflow.live.tui.chart.chart_lines import bar_cells, beat_cells, lead_sheet, where_text
from tatumflow.live.tui.strip.section_loop import loop_text, moved_loop, section_loop


def sheet_of(chords: str, **controls: object):
    tune = tune_of(Controls(chords=chords, **controls))  # pyright: ignore[reportArgumentType]
    assert tune is not None
    return lead_sheet(tune)


def at(chart_bar: int, **changes: object) -> Position:
    return Position(bar=chart_bar + 1, beat=1, beats_per_bar=4, tempo=120.0, chart_bar=chart_bar, chorus=1)


def test_sections_and_choruses_begin_lines() -> None:
    sheet = sheet_of("[A] C | C | C | C | C | C | [B] F | F")
    assert [tuple(line) for line in sheet.lines] == [(0, 1, 2, 3), (4, 5), (6, 7)]
    assert sheet.sections == ("A",) * 6 + ("B",) * 2
    twelve = sheet_of("C | F | G", key_step="fourth")
    assert [line.start for line in twelve.lines] == [3 * chorus for chorus in range(12)]


def test_the_first_line_follows_the_last() -> None:
    sheet = sheet_of("blues in F")
    assert sheet.lines_from(9, 3) == (range(8, 12), range(0, 4), range(4, 8))


@given(bars=st.integers(1, 40), starts=st.sets(st.integers(0, 39)), chorus=st.integers(1, 4))
def test_every_bar_lies_in_one_line(bars: int, starts: set[int], chorus: int) -> None:
    text = " | ".join(f"{f'[S{bar}] ' if bar in starts else ''}C" for bar in range(bars * chorus))
    sheet = lead_sheet(Tune(parse_chart(text), bars))
    assert list(chain.from_iterable(sheet.lines)) == list(range(bars * chorus))
    assert all(1 <= len(line) <= 4 for line in sheet.lines)


def test_chords_stand_where_their_beats_begin() -> None:
    bars = parse_chart("Dm7 G7 | Dm7 . . G7 | F7 | Bbmaj7 Gm7b5 C7b9 F7").bars
    assert bar_cells(bars[0], 4, 12) == "Dm7   G7    "
    assert bar_cells(bars[1], 4, 12) == "Dm7      G7 "
    assert bar_cells(bars[2], 4, 12) == "F7          "
    assert bar_cells(bars[3], 4, 12) == "Bbmaj7 Gm7b…"


@given(beats=st.integers(1, 16), cells=st.integers(1, 40))
def test_beats_divide_a_bar_without_gap(beats: int, cells: int) -> None:
    assert list(chain.from_iterable(beat_cells(beat + 1, beats, cells) for beat in range(beats))) == list(
        range(cells)
    )


def test_a_chord_keeps_how_it_is_written_in_the_readers_key() -> None:
    tune = tune_of(Controls(chords="G7b9 | Cm7"))
    assert tune is not None
    assert lead_sheet(tune).chord_at(0, 4) == "G7b9"
    assert lead_sheet(tune, "Bb").chord_at(0, 1) == "A7b9"
    assert lead_sheet(tune, "Bb").chord_after(0, 1) == "Dm7"


@pytest.mark.parametrize(
    ("position", "first", "choruses", "expected"),
    [
        (None, 1, 0, ("", "")),
        (Position(0, 2, 4, 120.0), 1, 0, ("count-in", "")),
        (Position(14, 2, 4, 120.0, chart_bar=1, chorus=2), 1, 0, ("bar 2 of 12", "chorus 2")),
        (Position(14, 2, 4, 120.0, chart_bar=1, chorus=2), 1, 5, ("bar 2 of 12", "chorus 2 of 5")),
        (Position(14, 2, 4, 120.0, chart_bar=1, chorus=2), 5, 0, ("bar 6 of 16", "chorus 2")),
        (Position(14, 2, 4, 120.0, chart_bar=1, chorus=2, stopped=True), 1, 0, ("stopped", "")),
    ],
)
def test_where_the_music_is(
    position: Position | None, first: int, choruses: int, expected: tuple[str, str]
) -> None:
    assert where_text(sheet_of("blues in F"), position, first, choruses) == expected


def test_the_section_in_progress_is_looped_and_the_loop_moves_and_ends() -> None:
    controls = Controls(chords="rhythm changes in Bb")
    assert section_loop(controls, at(17)) == {"loop_from": 17, "loop_bars": 8}
    assert section_loop(controls, None) == {"loop_from": 1, "loop_bars": 8}
    looped = controls.with_all({"loop_from": 17, "loop_bars": 8})
    assert loop_text(looped) == "17–24"
    assert section_loop(looped, at(3)) == {"loop_bars": 0}
    assert moved_loop(looped, 1) == {"loop_from": 25}
    assert moved_loop(looped, 2) == {}
    assert moved_loop(controls, 1) == {}


def test_without_sections_the_line_is_looped_and_without_a_chart_nothing() -> None:
    assert section_loop(Controls(chords="blues in F"), at(6)) == {"loop_from": 5, "loop_bars": 4}
    assert section_loop(Controls(chords="C | F | G | C | F | [B] G"), at(4)) == {
        "loop_from": 5,
        "loop_bars": 1,
    }
    assert section_loop(Controls(), None) == {}
    assert loop_text(Controls()) == "off"
