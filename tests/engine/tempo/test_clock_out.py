"""MIDI clock for others: every tick at its time, and transport messages that a follower understands."""

from itertools import pairwise

import pytest
from rig import Rig

from tatumflow.engine.messages import BeginBars, Panic, SetControl
from tatumflow.engine.midi.events import (
    ClockContinue,
    ClockEvent,
    ClockStart,
    ClockStop,
    ClockTick,
    SongPosition,
)
from tatumflow.engine.tempo.beat_clock import BeatClock
from tatumflow.engine.tempo.clock_out import LEAD, ClockOut
from tatumflow.engine.tempo.midi_clock import MidiClock

CLOCK_EVENTS = (ClockTick, ClockStart, ClockContinue, ClockStop, SongPosition)


def events_of(clock_out: ClockOut, clock: BeatClock, start: float, end: float) -> list[ClockEvent]:
    """Every event of a clock, polled every 50 ms."""
    events: list[ClockEvent] = []
    for step in range(round((end - start) / 0.05) + 1):
        now = start + step * 0.05
        events += clock_out.due(clock, now, now + 0.1)
    return events


def ticks(events: list[ClockEvent]) -> list[float]:
    return [event.time for event in events if isinstance(event, ClockTick)]


def sent(rig: Rig) -> list[ClockEvent]:
    return [event for event in rig.port.events if isinstance(event, CLOCK_EVENTS)]


def test_ticks_come_24_to_the_beat_and_once_each():
    events = events_of(ClockOut(), BeatClock(120.0, 1.0), 0.0, 5.0)
    times = ticks(events)
    assert times == pytest.approx([times[0] + index / 48 for index in range(len(times))])
    assert times[-1] == pytest.approx(5.1, abs=1 / 48)


def test_a_song_that_is_counted_in_starts_with_its_first_tick():
    events = events_of(ClockOut(), BeatClock(120.0, 1.0), 0.0, 2.0)
    (start,) = [event for event in events if not isinstance(event, ClockTick)]
    assert isinstance(start, ClockStart)
    assert start.time == pytest.approx(1.0 - LEAD)
    assert isinstance(events[events.index(start) + 1], ClockTick)
    assert events[events.index(start) + 1].time == pytest.approx(1.0)


def test_a_song_that_runs_is_joined_at_a_sixteenth():
    clock = BeatClock(120.0, 1.0)
    events = events_of(ClockOut(), clock, 7.23, 9.0)
    position, proceed = [event for event in events if not isinstance(event, ClockTick)]
    assert isinstance(position, SongPosition)
    assert isinstance(proceed, ClockContinue)
    tick = events[events.index(proceed) + 1]
    assert clock.beat(tick.time) == pytest.approx(position.sixteenths / 4)
    assert tick.time - 7.23 < 0.13 + LEAD


def test_a_change_of_tempo_neither_loses_nor_repeats_a_tick():
    clock_out, slow = ClockOut(), BeatClock(100.0, 1.0)
    events = events_of(clock_out, slow, 0.0, 3.0)
    fast = slow.at_tempo(140.0, 3.05)
    events += events_of(clock_out, fast, 3.05, 5.0)
    times = ticks(events)
    assert all(before <= after for before, after in pairwise(times))
    running = [time for time in times if time >= 1.0 - 1e-9]
    assert (len(running) - 1) / 24 == pytest.approx(fast.beat(running[-1]), abs=1e-6)


def test_a_follower_ends_on_the_same_beat():
    clock = BeatClock(133.0, 2.0)
    clock_out, follower = ClockOut(), MidiClock()
    for event in events_of(clock_out, clock, 0.0, 20.0):
        follower.handle(event)
    assert follower.running
    assert follower.clock is not None
    assert follower.clock.beat(20.0) == pytest.approx(clock.beat(20.0), abs=1e-6)
    clock_out.restart()
    for event in events_of(clock_out, BeatClock(90.0, 21.0), 20.0, 40.0):
        follower.handle(event)
    assert follower.clock.beat(40.0) == pytest.approx(19 * 1.5, abs=1e-6)
    for event in clock_out.stop(40.05):
        follower.handle(event)
    assert not follower.running
    assert clock_out.stop(40.1) == ()


def test_the_companion_sends_it_on_time_and_a_panic_takes_no_tick_away():
    rig = Rig(clock_out=1, tempo=125.0)
    rig.run_to(2.0)
    rig.companion.command(Panic())
    rig.run_to(4.0)
    times = ticks(sent(rig))
    assert len(times) == pytest.approx(200, abs=1)
    assert all(after - before == pytest.approx(60 / 125 / 24, abs=1e-9) for before, after in pairwise(times))
    rig.companion.command(SetControl("clock_out", 0))
    rig.run_to(6.0)
    assert isinstance(sent(rig)[-1], ClockStop)
    assert times[-1] + 0.2 > ticks(sent(rig))[-1]


def test_beginning_anew_stops_and_starts_those_who_follow():
    rig = Rig(clock_out=1, tempo=120.0, count_in=1)
    rig.run_to(3.0)
    rig.companion.command(BeginBars())
    rig.run_to(8.0)
    kinds = [type(event) for event in sent(rig) if not isinstance(event, ClockTick)]
    assert kinds == [SongPosition, ClockContinue, ClockStop, ClockStart]
    start = next(event for event in sent(rig) if isinstance(event, ClockStart))
    assert start.time == pytest.approx(3.0 + 2.0 - LEAD)


def test_without_it_nothing_of_the_kind_is_sent():
    rig = Rig(trade_bars=2, metronome=1.0)
    rig.run_to(10.0)
    assert sent(rig) == []
