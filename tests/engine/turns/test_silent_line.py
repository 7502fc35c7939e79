"""The silent line: beside the human's chords the context has a line that does not sound."""

from collections.abc import Callable

import pytest
from rig import Rig, context, new_session

from tatumflow.engine.controls import Controls, chart_named
from tatumflow.engine.midi.events import NoteOff, NoteOn
from tatumflow.engine.midi.notes import Role
from tatumflow.engine.tempo.chart_clock import ChartClock
from tatumflow.engine.turns.silent_line import COMPING_BEATS, SilentLine

CHART = ChartClock(chart_named("blues in F"), 120.0, 0.0)
CONTROLS = Controls(chords="blues in F", tempo=120.0)


class Comping:
    """A silent line and its context, on a beat of half a second."""

    def __init__(self) -> None:
        self.session = new_session()
        self.line = SilentLine(self.session)

    def strike(self, onset: float, *pitches: int) -> None:
        for i, pitch in enumerate(pitches):
            self.session.note_on(onset + 0.01 * i, pitch, 80)
            self.line.strike(onset + 0.01 * i)

    def advance(self, begin: float, end: float) -> list[float]:
        """Go from one due time to the next; return the onsets that were added."""
        onsets: list[float] = []
        now: float | None = begin
        while now is not None and now < end:
            added, due = self.line.advance(now, CHART, CONTROLS, (0, 0))
            onsets += [] if added is None else [added]
            assert due is None or due > now, "it would be called at one time for ever"
            now = due
        return onsets

    @property
    def notes(self) -> int:
        return sum(row[-1] == Role.COMPANION for row in context(self.session))


def test_after_a_chord_a_line_goes_on_in_time_until_it_is_long_ago():
    comping = Comping()
    assert comping.advance(0.0, 2.0) == []
    comping.strike(2.0, 53, 57, 60)
    onsets = comping.advance(2.02, 20.0)
    assert len(onsets) == comping.notes > 4
    assert all(2.0 <= onset <= 2.0 + COMPING_BEATS / 2 + 0.5 for onset in onsets)
    assert all(onset == pytest.approx(round(onset * 24) / 24, abs=0.06) for onset in onsets)
    assert comping.advance(20.0, 22.0) == []


def test_beside_a_line_and_after_one_there_is_none():
    comping = Comping()
    for i in range(8):
        comping.strike(2.0 + 0.25 * i, 60 + i)
        assert comping.advance(2.1 + 0.25 * i, 2.2 + 0.25 * i) == []
    comping.strike(4.0, 53, 57, 60)
    assert comping.advance(4.05, 5.0)
    comping.strike(5.0, 70)
    assert comping.advance(5.05, 7.0) == []


def test_a_note_due_before_the_last_chord_has_no_place_any_more():
    comping = Comping()
    comping.strike(2.0, 53, 57)
    comping.advance(2.0, 2.1)
    comping.strike(4.0, 53, 57)
    before = comping.notes
    added, due = comping.line.advance(4.02, CHART, CONTROLS, (0, 0))
    assert added is None or added >= 4.0
    assert comping.notes <= before + 1
    assert due is not None


def trade(strike: Callable[[Rig, float], None], lines: tuple[str, ...] = ("art-tatum",)) -> tuple[Rig, int]:
    """Trade fours over a blues; return the rig near the end of the human's, and how many notes sounded."""
    rig = Rig(chords="blues in F", tempo=120.0, trade_bars=4, count_in=0, style="art-tatum", lines=lines)
    rig.run_to(0.05)
    start = rig.companion.form_begins
    for beat in range(0, 12, 2):
        strike(rig, start + 0.5 * beat)
    rig.run_to(start + 7.0)
    return rig, len(rig.port.ons)


def chord(rig: Rig, time: float) -> None:
    for pitch in (53, 57, 60):
        rig.human(NoteOn(time, pitch, 80))
    for pitch in (53, 57, 60):
        rig.human(NoteOff(time + 0.4, pitch))


def note(rig: Rig, time: float) -> None:
    rig.human(NoteOn(time, 65, 80), NoteOff(time + 0.4, 65))


def own_after_the_first_human_note(rig: Rig) -> int:
    rows = [row for row in context(rig.session) if row[1] < 88]
    first = next(i for i, row in enumerate(rows) if row[-1] == Role.HUMAN)
    return sum(row[-1] == Role.COMPANION for row in rows[first:])


def test_a_line_player_reads_a_line_beside_your_chords_and_is_silent():
    rig, sounded = trade(chord)
    assert own_after_the_first_human_note(rig) > 8
    assert sounded == 0


def test_beside_your_line_it_reads_none():
    rig, sounded = trade(note)
    assert own_after_the_first_human_note(rig) == sounded == 0


def test_a_pianist_reads_none():
    rig, sounded = trade(chord, lines=())
    assert own_after_the_first_human_note(rig) == sounded == 0
