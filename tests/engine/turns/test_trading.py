"""The companion in tempo: on the bar line, back on a bar line, and the same notes as ever out of it."""

from dataclasses import asdict
from math import floor

import pytest
from rig import Rig, context

from tatumflow.engine.controls import Controls
from tatumflow.engine.messages import BeginBars, SetControl, TakeTurn, TapTempo, YieldTurn
from tatumflow.engine.midi.events import ClockStart, ClockStop, ClockTick, NoteOff, NoteOn
from tatumflow.engine.midi.notes import PITCH_LOWEST, Note, Role
from tatumflow.engine.tempo.metronome import CLICK_CHANNEL, DOWNBEAT_PITCH
from tatumflow.engine.turns.turn_taking import OVERHANG

BEAT = 0.5
BAR = 4 * BEAT


def trading(bars: int = 2, **controls) -> Rig:
    """A companion that trades bars at 120 beats per minute from the first moment on, without counting in."""
    return Rig(**{"trade_bars": bars, "count_in": 0, "tempo": 120.0, **controls})


def trade(rig: Rig, start: float, bars: int = 2) -> None:
    """Play eighths through the human's bars."""
    notes = range(int(bars * BAR / 0.25))
    rig.play(*(start + 0.25 * index for index in notes))


def clicks(rig: Rig) -> list[NoteOn]:
    return [event for event in rig.port.ons if event.channel == CLICK_CHANNEL]


@pytest.mark.parametrize("bars", [1, 2, 4, 8])
def test_every_answer_begins_on_its_bar_line_and_ends_on_one(bars: int):
    rig = trading(bars)
    turn = bars * BAR
    for round_ in range(3):
        start = 2 * turn * round_
        trade(rig, start, bars)
        rig.run_to(start + turn + 0.01)
        assert rig.companion.turn == "playing"
        rig.run_to(start + 2 * turn + 0.001)
        assert rig.companion.turn == "listening"
        assert not rig.port.sounding
    assert [report.first_onset for report in rig.companion.turns] == pytest.approx(
        [turn * (2 * round_ + 1) for round_ in range(3)], abs=1e-6
    )
    assert [report.end for report in rig.companion.turns] == pytest.approx(
        [2 * turn * (round_ + 1) for round_ in range(3)], abs=1e-6
    )
    assert all(report.planned_ahead for report in rig.companion.turns)
    for note in rig.companion_notes:
        assert floor(note.onset / turn + 1e-9) % 2 == 1
        assert note.offset <= 2 * turn * (note.onset // (2 * turn) + 1) + 1e-9


def test_silence_does_not_bring_the_turn_before_its_bar():
    rig = trading(4)
    rig.play(0.0, 0.25, 0.5, 0.75)
    rig.run_to(4 * BAR - 0.01)
    assert rig.companion_notes == []
    rig.run_to(4 * BAR + 0.01)
    assert rig.port.ons


def test_it_plays_its_bars_though_nothing_was_played_to_it():
    rig = trading()
    rig.run_to(8 * BAR)
    assert [report.first_onset for report in rig.companion.turns] == pytest.approx([2 * BAR, 6 * BAR])


def test_held_keys_do_not_hold_the_bar_line():
    rig = trading()
    rig.human(NoteOn(3.0, 60, 80))
    rig.run_to(2 * BAR + 0.001)
    assert rig.port.ons[0].time == pytest.approx(2 * BAR)


def test_notes_up_to_the_line_do_not_delay_the_answer():
    rig = trading()
    rig.play(*(2 * BAR - 1.0 + 0.03 * index for index in range(33)), length=0.02)
    rig.run_to(2 * BAR + 0.001)
    assert rig.port.ons[0].time == pytest.approx(2 * BAR)


def test_a_phrase_that_hangs_over_takes_nothing_back_and_later_notes_do():
    rig = trading()
    trade(rig, 0.0)
    line = 2 * BAR
    rig.human(NoteOn(line + 0.1, 72, 80), NoteOff(line + 0.3, 72))
    assert rig.companion.turn == "playing"
    rig.run_to(line + OVERHANG * BEAT + 0.2)
    assert rig.companion.turn == "playing"
    assert any(note.planned for note in rig.companion.snapshot().notes)
    steps = [step for step in context(rig.session) if step[1] == 72 - PITCH_LOWEST]
    assert any(step[-1] == Role.HUMAN for step in steps)
    rig.human(NoteOn(line + OVERHANG * BEAT + 0.3, 74, 80))
    assert rig.companion.turn == "listening"
    assert not rig.port.sounding
    rig.human(NoteOff(line + 2.0, 74))
    rig.run_to(6 * BAR - 0.01)
    assert rig.companion.turn != "playing" or len(rig.companion.turns) == 1
    rig.run_to(6 * BAR + 0.01)
    assert rig.companion.turn == "playing"


def test_count_in_clicks_and_then_the_humans_bars_begin():
    rig = Rig(trade_bars=2, count_in=2, tempo=120.0)
    rig.run_to(4 * BAR + 0.01)
    assert [click.time for click in clicks(rig)] == pytest.approx([BEAT * beat for beat in range(8)])
    assert [click.pitch == DOWNBEAT_PITCH for click in clicks(rig)] == [True, False, False, False] * 2
    assert rig.companion.turn == "playing"
    assert rig.companion_notes == [] or rig.companion_notes[0].onset >= 4 * BAR


def test_the_metronome_goes_on_through_both_turns():
    rig = trading(metronome=0.5)
    rig.run_to(8 * BAR)
    assert [click.time for click in clicks(rig)] == pytest.approx([BEAT * beat for beat in range(33)])
    rig.companion.command(SetControl("metronome", 0.0))
    rig.run_to(10 * BAR)
    assert len(clicks(rig)) <= 34


def test_the_position_is_that_of_the_bars():
    rig = Rig(trade_bars=2, count_in=1, tempo=120.0, chords="Dm7 | G7")
    rig.run_to(0.6)
    position = rig.companion.snapshot().position
    assert position is not None
    assert (position.bar, position.beat) == (0, 2)
    rig.run_to(BAR + 5 * BEAT + 0.01)
    position = rig.companion.snapshot().position
    assert position is not None
    assert (position.bar, position.beat, position.turn_bars, position.tempo) == (2, 2, 2, 120.0)
    assert (position.chord, position.next_chord) == ("G7", "Dm7")
    assert Rig().companion.snapshot().position is None


def test_a_turn_given_back_is_not_taken_again_in_the_same_bars():
    rig = trading()
    rig.run_to(2 * BAR + 0.5)
    rig.companion.command(YieldTurn())
    rig.run_to(6 * BAR - 0.5)
    assert rig.companion.turn == "listening"
    rig.run_to(6 * BAR + 0.01)
    assert rig.companion.turn == "playing"


def test_a_turn_taken_early_lasts_through_the_companions_bars():
    rig = trading()
    rig.run_to(BAR)
    rig.companion.command(TakeTurn())
    assert rig.companion.turn == "playing"
    rig.run_to(4 * BAR + 0.001)
    (report,) = rig.companion.turns
    assert report.end == pytest.approx(4 * BAR)
    rig.run_to(6 * BAR + 0.01)
    assert rig.companion.turn == "playing"


def test_trading_begins_and_ends_while_playing():
    rig = Rig(tempo=120.0, count_in=1)
    rig.run_to(1.3)
    rig.companion.command(SetControl("trade_bars", 2))
    rig.run_to(1.3 + 3 * BAR + 0.01)
    assert rig.port.ons[-1].time == pytest.approx(1.3 + 3 * BAR)
    rig.companion.command(SetControl("trade_bars", 0))
    assert rig.companion.turn == "listening"
    end = rig.phrase(start=20.0)
    rig.run_until("playing", limit=3.0)
    assert rig.clock.now() < end + 1.0


@pytest.mark.parametrize(("before", "after", "line"), [(1, 4, 4), (2, 8, 8), (4, 2, 6), (8, 1, 9)])
def test_turns_of_other_bars_give_up_the_one_at_hand_and_keep_the_beat(before: int, after: int, line: int):
    rig = trading(before)
    rig.run_to(before * BAR + 0.3)
    assert rig.companion.turn == "playing"
    rig.companion.command(SetControl("trade_bars", after))
    assert rig.companion.turn == "listening"
    assert not rig.port.sounding
    end = (line + after) * BAR
    rig.run_to(end + 0.001)
    assert rig.companion.turns[-1].first_onset == pytest.approx(line * BAR)
    assert rig.companion.turns[-1].end == pytest.approx(end)


@pytest.mark.parametrize("bars", [-1, 9, "fours"])
def test_turns_of_impossible_bars_are_refused(bars: int | str):
    rig = trading(8)
    rig.companion.command(SetControl("trade_bars", bars))
    (notice,) = rig.companion.snapshot().notices
    assert "trade_bars" in notice.text
    assert rig.companion.controls.trade_bars == 8


def test_a_change_of_tempo_keeps_the_beat_and_moves_the_lines():
    rig = trading()
    rig.run_to(BAR)
    rig.companion.command(SetControl("tempo", 240.0))
    rig.run_to(1.5 * BAR + 0.01)
    assert rig.port.ons[0].time == pytest.approx(1.5 * BAR)
    rig.companion.command(SetControl("tempo", 120.0))
    rig.run_to(12 * BAR)
    assert rig.companion.turns[0].end == pytest.approx(1.5 * BAR + 0.01 + (8 - 0.04) * BEAT)


def test_bars_begun_anew_begin_anew():
    rig = trading(count_in=1)
    rig.run_to(5 * BAR + 0.3)
    rig.companion.command(BeginBars())
    now = rig.clock.now()
    assert rig.companion.turn == "listening"
    rig.run_to(now + 3 * BAR + 0.01)
    assert rig.companion.turns[-1].end <= now
    assert [event.time for event in rig.port.ons if event.channel == 0][-1] == pytest.approx(now + 3 * BAR)


def test_taps_set_tempo_and_beat():
    rig = trading(metronome=1.0)
    for tap in (1.05, 1.45, 1.85, 2.25):
        rig.run_to(tap)
        rig.companion.command(TapTempo(tap))
    assert rig.companion.controls.tempo == pytest.approx(150.0)
    rig.run_to(4.0)
    assert [click.time for click in clicks(rig)][-1] == pytest.approx(2.25 + 4 * 0.4)


def daw(rig: Rig, start: float, beats: float, tempo: float = 120.0) -> None:
    """Send ticks of MIDI clock from `start` on, the first being the song's."""
    rig.run_to(start - 0.002)
    rig.companion.handle(ClockStart(start - 0.002))
    for tick in range(int(beats * 24)):
        time = start + tick * 60 / tempo / 24
        rig.run_to(time)
        rig.companion.handle(ClockTick(time))


def test_it_trades_by_the_bars_of_a_clock_outside():
    rig = Rig(trade_bars=2, clock="midi")
    rig.run_to(3.0)
    assert rig.port.ons == []
    daw(rig, 5.3, 33, tempo=100.0)
    line = 5.3 + 8 * 0.6
    assert rig.port.ons[0].time == pytest.approx(line, abs=1e-6)
    report = rig.companion.turns[0]
    assert (report.first_onset, report.end) == (pytest.approx(line), pytest.approx(line + 8 * 0.6))
    assert rig.companion.turn == "playing" or len(rig.companion.turns) == 2
    rig.companion.handle(ClockStop(rig.clock.now()))
    assert not rig.port.sounding
    sent = len(rig.port.ons)
    rig.run_to(rig.clock.now() + 20)
    assert len(rig.port.ons) == sent


def test_the_bars_of_a_clock_outside_are_not_begun_here():
    rig = Rig(trade_bars=2, clock="midi")
    daw(rig, 1.0, 9)
    rig.companion.command(BeginBars())
    assert rig.companion.turn == "playing"
    assert [notice.severity for notice in rig.companion.snapshot().notices] == ["information"]


def test_a_clock_that_vanishes_is_noticed_and_ends_the_turn():
    rig = Rig(trade_bars=2, clock="midi")
    daw(rig, 1.0, 9)
    assert rig.companion.turn == "playing"
    rig.run_to(rig.clock.now() + 4.0)
    assert rig.companion.turn == "listening"
    assert [notice.severity for notice in rig.companion.snapshot().notices] == ["warning"]


def test_an_improvisation_begins_on_a_bar_line_of_the_clock():
    rig = Rig(mode="improvise", chords="Dm7 | G7", clock="midi", tempo=90.0)
    rig.run_to(0.5)
    daw(rig, 2.0, 8)
    notes = [on.time for on in rig.port.ons if on.time >= 2.0]
    assert notes[0] == pytest.approx(2.0 + BAR, abs=1e-3)


def test_clock_that_is_not_followed_changes_nothing():
    plain, clocked = Rig(), Rig()
    plain.phrase()
    plain.run_to(30.0)
    clocked.companion.handle(ClockStart(0.0))
    clocked.phrase()
    for tick in range(200):
        clocked.companion.handle(ClockTick(4.0 + tick / 48))
    clocked.run_to(30.0)
    assert clocked.port.events == plain.port.events


@pytest.mark.parametrize("controls", [{"count_in": 4}, {"tempo": 77.0}, {"swing": 0.0, "grid_pull": 0.0}])
def test_time_that_is_off_changes_nothing(controls: dict):
    plain, other = Rig(), Rig(**controls)
    for rig in (plain, other):
        rig.phrase()
        rig.run_to(30.0)
    assert plain.port.ons
    assert other.port.events == plain.port.events


def test_controls_in_free_time_leave_nothing_to_count():
    controls = Controls(trade_bars=4, metronome=1.0, clock_out=1, clock="midi", swing=0.5).in_free_time()
    rig = Rig(**asdict(controls))
    rig.phrase()
    rig.run_until("playing")
    rig.run_until("listening")
    assert rig.companion.advance() is None
    assert all(isinstance(event, NoteOn | NoteOff) and event.channel == 0 for event in rig.port.events)


def sounded(**controls) -> list[Note]:
    rig = trading(**controls)
    trade(rig, 0.0)
    rig.run_to(4 * BAR + 0.01)
    assert not rig.port.sounding
    return rig.companion_notes


def test_grid_pull_moves_what_sounds_and_not_what_is_drawn():
    drawn, pulled = sounded(), sounded(grid_pull=1.0)
    assert [note.velocity for note in pulled][:4] == [note.velocity for note in drawn][:4]
    for note in pulled:
        within = note.onset / BEAT % 1
        assert min(abs(within - place) for place in (0, 1 / 4, 1 / 3, 1 / 2, 2 / 3, 3 / 4, 1)) < 1e-6
        assert note.duration > 0
    assert all(abs(a.onset - b.onset) <= BEAT / 8 + 1e-6 for a, b in zip(drawn, pulled, strict=False))
    assert [note.onset for note in drawn] != [note.onset for note in pulled]


def test_swing_on_the_way_moves_what_is_still_open():
    rig = trading()
    rig.run_to(2 * BAR + 0.2)
    before = [note for note in rig.companion.snapshot().notes if note.planned]
    rig.companion.command(SetControl("swing", 1.0))
    after = [note for note in rig.companion.snapshot().notes if note.planned]
    assert [note.pitch for note in after] == [note.pitch for note in before]
    assert [note.onset for note in after] != [note.onset for note in before]
    assert all(late.onset >= early.onset - 1e-9 for early, late in zip(before, after, strict=True))
    rig.run_to(4 * BAR + 0.01)
    assert not rig.port.sounding


def test_barge_in_under_a_feel_closes_what_sounds_and_leaves_nothing_due():
    rig = trading(4, grid_pull=1.0, swing=1.0, lookahead=0.4)
    rig.run_to(6 * BAR, until=lambda: rig.clock.now() > 5 * BAR and bool(rig.port.sounding))
    now = rig.clock.now()
    rig.human(NoteOn(now, 50, 90))
    assert rig.companion.turn == "listening"
    assert not rig.port.sounding
    sent = len(rig.port.ons)
    rig.run_to(now + 2.0)
    assert len(rig.port.ons) == sent
