"""Following MIDI clock through jitter, gaps, changes of tempo, stops and jumps; all on made-up times."""

import random
from collections.abc import Callable, Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tatumflow.engine.midi.events import (
    BeatReport,
    ClockContinue,
    ClockStart,
    ClockStop,
    ClockTick,
    SongPosition,
)
from tatumflow.engine.tempo.beat_clock import BeatClock
from tatumflow.engine.tempo.midi_clock import TICKS_PER_BEAT, MidiClock
from tatumflow.engine.tempo.transport import LOST, Transport

HOUR = 3600.0
START = 10.0


class Sender:
    """Sends ticks at a tempo, each late or early at random, to a clock that follows."""

    def __init__(self, jitter: float = 0.0, tempo: float = 120.0, seed: int = 0) -> None:
        self.follower = MidiClock()
        self.tempo = tempo
        self.time = START
        self.tick = 0
        self._jitter = jitter
        self._random = random.Random(seed)

    @property
    def period(self) -> float:
        return 60 / self.tempo / TICKS_PER_BEAT

    def send(self, ticks: int, *, lost: Callable[[int], int] = lambda tick: 1) -> Iterator[float]:
        """Send ticks, each as often as `lost` states, and yield the error after each in seconds."""
        for _ in range(ticks):
            for _ in range(lost(self.tick)):
                self.follower.handle(ClockTick(self.time + self._random.gauss(0, self._jitter)))
            yield self.error()
            self.time += self.period
            self.tick += 1

    def error(self) -> float:
        """Seconds by which the follower is late about the beat of the present tick."""
        clock = self.follower.clock
        return 0.0 if clock is None else clock.time(self.tick / TICKS_PER_BEAT) - self.time

    def settle(self, beats: int = 32) -> None:
        for _ in self.send(beats * TICKS_PER_BEAT):
            pass


@pytest.mark.parametrize("jitter", [0.001, 0.002, 0.003])
def test_an_hour_of_jitter_leaves_phase_and_drift_under_a_millisecond(jitter: float):
    sender = Sender(jitter)
    errors = list(sender.send(round(HOUR / sender.period)))
    settled = errors[16 * TICKS_PER_BEAT :]
    assert max(map(abs, settled)) < 1e-3
    last_minute = errors[-round(60 / sender.period) :]
    assert abs(sum(last_minute) / len(last_minute)) < 1e-4
    assert sender.follower.jumps == 0


def test_it_has_the_tempo_after_a_beat():
    sender = Sender(0.001, tempo=97.0)
    sender.settle(beats=1)
    clock = sender.follower.clock
    assert clock is not None
    assert clock.tempo == pytest.approx(97.0, rel=0.01)


@pytest.mark.parametrize("jitter", [0.0, 0.001, 0.003])
@pytest.mark.parametrize(("before", "after"), [(120, 124), (120, 130), (90, 180), (180, 90), (200, 60)])
def test_a_change_of_tempo_settles_within_four_beats(before: float, after: float, jitter: float):
    sender = Sender(jitter, tempo=before)
    sender.settle()
    sender.tempo = after
    errors = list(sender.send(16 * TICKS_PER_BEAT))
    assert max(map(abs, errors[4 * TICKS_PER_BEAT :])) < 1e-3 + jitter
    clock = sender.follower.clock
    assert clock is not None
    assert clock.tempo == pytest.approx(after, rel=0.002)


def test_a_slow_accelerando_is_followed():
    sender = Sender(0.001)
    sender.settle()
    worst = 0.0
    for _ in range(64):
        sender.tempo *= 1.005
        worst = max(worst, *map(abs, sender.send(TICKS_PER_BEAT)))
    assert worst < 0.004


@settings(max_examples=30, deadline=None)
@given(
    odd=st.dictionaries(st.integers(800, 1000), st.sampled_from([0, 2]), max_size=6),
    seed=st.integers(0, 99),
)
def test_lost_and_doubled_ticks_do_not_move_the_song(odd: dict[int, int], seed: int):
    sender = Sender(0.001, seed=seed)
    errors = list(sender.send(1500, lost=lambda tick: odd.get(tick, 1)))
    assert max(map(abs, errors[768:])) < 2e-3
    assert sender.follower.jumps == 0


def test_several_ticks_lost_at_once_do_not_move_the_song():
    sender = Sender(0.001)
    sender.settle()
    gap = range(sender.tick, sender.tick + 5)
    errors = list(sender.send(96, lost=lambda tick: tick not in gap))
    assert max(map(abs, errors)) < 1e-3


def test_start_begins_the_song_with_the_next_tick():
    sender = Sender(0.001)
    sender.settle()
    sender.follower.handle(ClockStart(sender.time - 0.003))
    sender.tick = 0
    errors = list(sender.send(200))
    assert max(map(abs, errors)) < 1e-3


def test_a_sender_that_is_silent_until_it_starts():
    follower = MidiClock()
    follower.handle(ClockStart(START - 0.001))
    for tick in range(100):
        follower.handle(ClockTick(START + tick / 48))
    assert follower.clock is not None
    assert follower.clock.beat(START + 4.0) == pytest.approx(8.0)


@pytest.mark.parametrize("ticks_while_stopped", [0, 100])
def test_continue_goes_on_where_it_stopped(ticks_while_stopped: int):
    sender = Sender()
    sender.settle(beats=5)
    sender.follower.handle(ClockStop(sender.time - 0.01))
    assert not sender.follower.running
    stopped_at = sender.tick
    for _ in range(ticks_while_stopped):
        sender.follower.handle(ClockTick(sender.time))
        sender.time += sender.period
    if not ticks_while_stopped:
        sender.time += 20.3
    sender.follower.handle(ClockContinue(sender.time - 0.002))
    assert sender.follower.running
    sender.tick = stopped_at
    assert max(map(abs, sender.send(200))) < 1e-6


def test_song_position_puts_the_next_tick():
    sender = Sender()
    sender.settle(beats=5)
    sender.follower.handle(ClockStop(sender.time - 0.01))
    sender.follower.handle(SongPosition(sender.time - 0.008, 64))
    sender.follower.handle(ClockContinue(sender.time - 0.006))
    sender.tick = 64 * 6
    assert max(map(abs, sender.send(200))) < 1e-6
    assert sender.follower.clock is not None
    assert sender.follower.clock.beat(sender.time) == pytest.approx(16 + 200 / TICKS_PER_BEAT)


@given(
    st.lists(
        st.one_of(
            st.builds(ClockTick, st.floats(0, 100)),
            st.builds(ClockStart, st.floats(0, 100)),
            st.builds(ClockStop, st.floats(0, 100)),
            st.builds(ClockContinue, st.floats(0, 100)),
            st.builds(SongPosition, st.floats(0, 100), st.integers(0, 16383)),
        ),
        max_size=80,
    ),
    st.booleans(),
)
def test_any_events_whatever_leave_a_usable_clock(events: list, in_order: bool):
    follower = MidiClock()
    for event in sorted(events, key=lambda event: event.time) if in_order else events:
        follower.handle(event)
        if follower.clock is not None:
            assert follower.clock.tempo > 0


def test_transport_follows_the_input_that_starts_and_no_other():
    transport = Transport(100.0, 0.0)
    transport.use_source("midi")
    assert not transport.running
    for tick in range(100):
        transport.handle(ClockTick(tick / 40, port="keyboard"))
        if tick == 50:
            transport.handle(ClockStart(tick / 40 + 0.01, port="daw"))
        if tick > 50:
            transport.handle(ClockTick(tick / 40 + 0.02, port="daw"))
    assert transport.running
    assert transport.clock.tempo == pytest.approx(100.0)
    assert transport.beat(51 / 40 + 0.02) == pytest.approx(0.0, abs=1e-6)


def test_transport_stands_when_a_clock_vanishes_and_goes_on_when_it_is_back():
    transport = Transport(100.0, 0.0)
    transport.use_source("midi")
    for tick in range(100):
        transport.handle(ClockTick(tick / 48))
    end = 99 / 48
    assert not transport.lose(end + LOST - 0.01)
    assert transport.lose(end + LOST)
    assert not transport.running
    assert not transport.lose(end + LOST + 1)
    jumps = transport.jumps
    for tick in range(20):
        transport.handle(ClockTick(end + 10 + tick / 48))
    assert transport.running
    assert transport.jumps > jumps


def test_our_own_clock_goes_on_where_the_last_one_was():
    transport = Transport(100.0, 0.0)
    transport.use_source("midi")
    for tick in range(100):
        transport.handle(ClockTick(tick / 48))
    before = transport.beat(5.0)
    transport.use_source("internal")
    assert transport.beat(5.0) == before


def test_reports_are_taken_at_their_word_and_only_a_leap_is_a_jump():
    transport = Transport(100.0, 0.0)
    transport.use_source("link")
    assert not transport.running
    link = BeatClock(128.0, 3.0)
    transport.handle(BeatReport(4.0, link.beat(4.0), 128.0))
    jumps = transport.jumps
    transport.handle(BeatReport(4.1, link.beat(4.1) + 0.001, 128.0))
    assert transport.jumps == jumps
    assert transport.beat(5.0) == pytest.approx(link.beat(5.0) + 0.001)
    transport.handle(BeatReport(4.2, 0.0, 128.0))
    assert transport.jumps == jumps + 1
