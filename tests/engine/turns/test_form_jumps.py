"""Stop, go to a bar or a section, begin again: the beat never moves, and everything follows the form."""

from itertools import pairwise

import pytest
from rig import Rig

from tatumflow.engine.messages import BeginBars, EndTune, GoToBar, GoToSection, SetControl, StopBars
from tatumflow.engine.midi.events import (
    BeatReport,
    ClockContinue,
    ClockStart,
    ClockTick,
    NoteOn,
    SongPosition,
)
from tatumflow.engine.tempo.band_in_time import BAND_CHANNELS
from tatumflow.engine.tempo.metronome import CLICK_CHANNEL

CHART = "[A] C | F | G7 | Am7 | [B] Dm7 | Em7 | Fmaj7 | E7"
BEAT = 0.25
BAR = 4 * BEAT
BASS = BAND_CHANNELS["bass"]


def tune(**controls) -> Rig:
    return Rig(**{"chords": CHART, "count_in": 0, "tempo": 240.0, "metronome": 1.0, **controls})


def place(rig: Rig) -> tuple[int | None, int, str]:
    position = rig.companion.snapshot().position
    assert position is not None
    return position.chart_bar, position.chorus, position.chord


def at(rig: Rig, *bars: float) -> list[tuple[int | None, int, str]]:
    """Return bar, chorus and chord in the middle of each bar of the beat."""
    found = []
    for bar in bars:
        rig.run_to((bar + 0.5) * BAR)
        found.append(place(rig))
    return found


def clicks(rig: Rig) -> list[float]:
    return [event.time for event in rig.port.ons if event.channel == CLICK_CHANNEL]


def texts(rig: Rig) -> list[str]:
    return [notice.text for notice in rig.companion.snapshot().notices]


def bass_roots(rig: Rig, *bars: float) -> list[int]:
    """Return the pitch class of the bass on the first beat of each bar of the beat."""
    ons = [event for event in rig.port.ons if event.channel == BASS]
    return [next(e.pitch % 12 for e in ons if abs(e.time - bar * BAR) < 0.03) for bar in bars]


def test_it_goes_on_from_a_bar_with_the_next_bar_line_and_no_beat_is_lost():
    rig = tune()
    rig.run_to(1.5 * BAR)
    rig.companion.command(GoToBar(7))
    assert place(rig) == (1, 1, "Fmaj7")
    assert at(rig, 2, 3, 4) == [(6, 1, "Fmaj7"), (7, 1, "E7"), (0, 2, "Cmaj7")]
    assert clicks(rig) == pytest.approx([BEAT * beat for beat in range(len(clicks(rig)))])


def test_the_next_chord_is_that_of_the_bar_it_goes_to():
    rig = tune()
    rig.run_to(1.5 * BAR)
    rig.companion.command(GoToBar(5))
    position = rig.companion.snapshot().position
    assert position is not None
    assert (position.chord, position.next_chord) == ("Fmaj7", "Dm7")


@pytest.mark.parametrize(
    ("bar", "steps", "chart_bar", "chorus"),
    [(1, 0, 0, 1), (1, 1, 4, 1), (1, 2, 0, 2), (5, 0, 4, 1), (5, -1, 0, 1), (1, -1, 0, 1), (9, -1, 4, 1)],
)
def test_sections_go_on_into_the_next_chorus_and_back(bar: int, steps: int, chart_bar: int, chorus: int):
    rig = tune()
    rig.run_to((bar + 0.3) * BAR)
    rig.companion.command(GoToSection(steps))
    assert at(rig, bar + 1)[0][:2] == (chart_bar, chorus)


def test_a_section_asked_for_twice_is_the_one_after_the_next():
    rig = tune()
    rig.run_to(0.3 * BAR)
    rig.companion.command(GoToSection(1))
    rig.companion.command(GoToSection(1))
    assert at(rig, 1)[0][:2] == (0, 2)


def test_a_chorus_without_sections_is_one():
    rig = tune(chords="C | F | G7 | Am7", key_step="fourth")
    rig.run_to(1.3 * BAR)
    rig.companion.command(GoToSection(1))
    assert at(rig, 2) == [(4, 2, "Fmaj7")]
    rig.companion.command(GoToSection(0))
    assert at(rig, 3) == [(4, 2, "Fmaj7")]


def test_the_band_plays_the_bars_that_are_gone_to():
    rig = tune(band=1, metronome=0.0, tempo=240.0)
    rig.run_to(1.5 * BAR)
    rig.companion.command(GoToBar(5))
    rig.run_to(5 * BAR)
    assert bass_roots(rig, 0, 1, 2, 3) == [0, 5, 2, 4]
    times = sorted(event.time for event in rig.port.ons if event.channel == BASS)
    assert max(b - a for a, b in pairwise(times)) < 2.2 * BEAT


def test_a_jump_just_before_the_bar_line_comes_with_the_one_after():
    rig = tune(band=1, metronome=0.0)
    rig.run_to(2 * BAR - 0.05)
    rig.companion.command(GoToBar(5))
    assert [found[0] for found in at(rig, 2, 3)] == [2, 4]


def test_bars_outside_the_chart_or_the_loop_are_refused():
    rig = tune(loop_from=5, loop_bars=2)
    rig.run_to(0.3)
    rig.companion.command(GoToBar(3))
    assert texts(rig) == ["bar 3: the loop has bars 1 to 2"]
    rig.companion.command(GoToBar(2))
    assert at(rig, 1, 2) == [(1, 1, "Em7"), (0, 2, "Dm7")]


@pytest.mark.parametrize("command", [GoToBar(1), GoToSection(1), EndTune()])
def test_without_a_chart_there_is_nowhere_to_go(command):
    rig = Rig(metronome=1.0)
    rig.companion.command(command)
    assert "set chords" in texts(rig)[0]


def test_stop_silences_everything_until_the_bars_begin_again():
    rig = tune(band=1, band_style="ballad", trade_bars=1, count_in=1, metronome=1.0)
    rig.run_to(2.6 * BAR)
    assert rig.companion.turn == "playing"
    rig.companion.command(StopBars())
    assert not rig.port.sounding
    sent = len(rig.port.ons)
    rig.run_to(20 * BAR)
    assert len(rig.port.ons) == sent
    position = rig.companion.snapshot().position
    assert position is not None
    assert (position.stopped, position.chart_bar) == (True, 1)
    rig.companion.command(BeginBars())
    rig.run_to(23.5 * BAR)
    assert place(rig)[:2] == (2, 1)
    assert rig.companion.snapshot().position.stopped is False  # pyright: ignore[reportOptionalMemberAccess]
    again = [event for event in rig.port.ons if event.time > 20 * BAR]
    assert {event.channel for event in again} >= {0, *BAND_CHANNELS.values()}


def test_a_bar_gone_to_while_stopped_is_where_the_bars_begin():
    rig = tune(band=1, count_in=1, metronome=0.0)
    rig.run_to(2.5 * BAR)
    rig.companion.command(StopBars())
    rig.companion.command(GoToBar(6))
    assert place(rig)[0] == 5
    rig.run_to(4 * BAR)
    assert not rig.port.sounding
    rig.companion.command(BeginBars())
    assert [found[0] for found in at(rig, 4, 5, 6)] == [None, 5, 6]
    assert bass_roots(rig, 5, 6) == [4, 5]
    rig.companion.command(StopBars())
    rig.companion.command(BeginBars())
    rig.run_to(rig.clock.now() + 1.5 * BAR)
    assert place(rig)[0] == 0


def test_controls_set_while_stopped_do_not_begin_anything():
    rig = tune(band=1, metronome=1.0)
    rig.run_to(2.5 * BAR)
    rig.companion.command(StopBars())
    sent = len(rig.port.ons)
    for name, value in [
        ("tempo", 120.0),
        ("band", 0),
        ("band", 1),
        ("chords", "blues in F"),
        ("loop_bars", 4),
    ]:
        rig.companion.command(SetControl(name, value))
        rig.run_to(rig.clock.now() + BAR)
    rig.phrase(start=rig.clock.now())
    rig.run_to(rig.clock.now() + 3.0)
    assert len(rig.port.ons) == sent


def test_the_companion_does_not_answer_while_stopped_and_answers_after():
    rig = Rig(tempo=120.0)
    rig.companion.command(StopBars())
    end = rig.phrase()
    rig.run_to(end + 5.0)
    assert rig.port.ons == []
    rig.companion.command(BeginBars())
    rig.phrase(start=rig.clock.now())
    rig.run_until("playing", limit=3.0)


def test_turns_go_by_the_place_in_the_form():
    rig = tune(trade_bars=2, metronome=0.0)
    rig.run_to(0.3 * BAR)
    rig.companion.command(GoToBar(3))
    rig.run_to(1.5 * BAR)
    assert rig.companion.turn == "playing", "bars 3 and 4 are the companion's"
    rig.companion.command(GoToBar(1))
    rig.run_to(2.2 * BAR)
    assert rig.companion.turn == "listening"
    assert rig.companion.turns[-1].end == pytest.approx(2 * BAR, abs=1e-6)
    rig.run_to(4 * BAR - 0.2)
    assert rig.companion.turn != "playing"
    rig.run_to(6.1 * BAR)
    assert rig.companion.turns[-1].first_onset == pytest.approx(4 * BAR, abs=0.02)
    for note in rig.companion_notes:
        assert BAR - 1e-6 <= note.onset < 2 * BAR or note.onset >= 4 * BAR - 1e-6


def test_planned_notes_follow_the_chords_that_are_gone_to():
    rig = tune(mode="improvise", metronome=0.0)
    rig.run_to(1.4 * BAR)
    assert rig.companion.turn == "playing"
    rig.companion.command(GoToBar(8))
    rig.run_to(1.5 * BAR)
    assert rig.companion.turn == "playing"
    assert rig.companion.time_in_force.route.place(2) == 7
    assert at(rig, 2)[0][2] == "E7"


def test_the_tempo_steps_once_into_a_chorus_that_is_gone_to():
    rig = tune(tempo_step=12.0)
    rig.run_to(0.3 * BAR)
    rig.companion.command(GoToSection(2))
    rig.run_to(1.2 * BAR)
    assert rig.companion.controls.tempo == 252.0
    rig.companion.command(GoToBar(1))
    rig.run_to(3 * BAR)
    assert rig.companion.controls.tempo == 252.0


def ticks(rig: Rig, start: float, beats: float) -> None:
    for tick in range(int(beats * 24)):
        time = start + tick * BEAT / 24
        rig.run_to(time)
        rig.companion.handle(ClockTick(time))


def test_under_a_clock_outside_the_form_moves_and_the_beat_does_not():
    rig = tune(clock="midi", band=1)
    rig.run_to(1.0)
    rig.companion.command(GoToBar(5))
    assert "clock" in texts(rig)[0]
    rig.companion.handle(ClockStart(1.0))
    ticks(rig, 1.001, 6.0)
    rig.companion.command(StopBars())
    assert "external clock" in texts(rig)[0]
    rig.companion.command(GoToBar(5))
    ticks(rig, rig.clock.now() + BEAT / 24, 4.0)
    assert place(rig)[0] == 4
    # The song position of the other side is the place in the form.
    now = rig.clock.now()
    rig.companion.handle(SongPosition(now, 16))
    rig.companion.handle(ClockContinue(now))
    ticks(rig, now + 0.001, 1.0)
    assert place(rig)[0] == 1


def test_a_correction_of_link_leaves_the_form_where_it_is_and_a_jump_begins_it():
    rig = tune(clock="link")
    for beat in range(7):
        time = beat * BEAT
        rig.run_to(time)
        rig.companion.handle(BeatReport(time, beat + 0.03 * (beat > 4), 240.0))
        if beat == 1:
            rig.companion.command(GoToBar(7))
    rig.run_to(6.5 * BEAT)
    assert place(rig)[0] == 6
    rig.companion.handle(BeatReport(rig.clock.now(), 10.5, 240.0))
    assert place(rig)[0] == 2


def test_the_ending_stays_where_it_is_in_the_form():
    rig = tune(band=1, metronome=1.0)
    rig.run_to(1.4 * BAR)
    rig.companion.command(EndTune())
    rig.companion.command(GoToBar(7))
    rig.run_to(10 * BAR)
    last = 4 * BAR
    struck = [event.time for event in rig.port.ons if event.time > last - 0.03]
    assert all(abs(time - last) < 0.03 for time in struck if time not in clicks(rig))
    assert max(clicks(rig)) < 5 * BAR
    position = rig.companion.snapshot().position
    assert position is not None
    assert position.stopped
    assert not rig.port.sounding
    rig.companion.command(BeginBars())
    now = rig.clock.now()
    rig.run_to(now + 20 * BAR)
    assert {type(e) for e in rig.port.ons if e.channel == BASS and e.time > now + 15 * BAR} == {NoteOn}
