"""Property: whatever happens, every note-on sent gets exactly one note-off, and silence is reached."""

import threading
import time
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rig import Port

from tatumflow.engine.clock import SystemClock, VirtualClock
from tatumflow.engine.errors import SchedulerError
from tatumflow.engine.midi.events import ALL_NOTES_OFF, SUSTAIN, ControlChange, NoteOff, NoteOn, OutputEvent
from tatumflow.engine.midi.notes import Note
from tatumflow.engine.midi.scheduler import LATE_LIMIT, Scheduler
from tatumflow.engine.midi.scheduler_thread import SchedulerThread


def make() -> tuple[Scheduler, Port, VirtualClock]:
    clock, port = VirtualClock(), Port()
    return Scheduler(port.send, clock), port, clock


def run_to(scheduler: Scheduler, clock: VirtualClock, end: float) -> None:
    while (due := scheduler.next_due()) is not None and due <= end:
        clock.advance_to(max(due, clock.now()))
        scheduler.run_due(clock.now())
    clock.advance_to(end)


def await_true(condition: Callable[[], bool]) -> None:
    patience = time.monotonic() + 60.0
    while not condition():
        assert time.monotonic() < patience
        time.sleep(0.01)


def test_note_is_sent_at_its_times():
    scheduler, port, clock = make()
    scheduler.note(Note(1.0, 0.5, 60, 80), channel=2)
    run_to(scheduler, clock, 3.0)
    assert port.events == [NoteOn(1.0, 60, 80, 2), NoteOff(1.5, 60, 2)]


def test_off_goes_before_an_on_due_together():
    scheduler, port, clock = make()
    scheduler.note(Note(1.0, 1.0, 60, 80))
    scheduler.note(Note(0.0, 1.0, 60, 80))
    run_to(scheduler, clock, 3.0)
    assert [type(event) for event in port.events] == [NoteOn, NoteOff, NoteOn, NoteOff]


def test_overlapping_notes_of_a_pitch_restrike_and_end_with_the_last():
    scheduler, port, clock = make()
    scheduler.note(Note(0.0, 3.0, 60, 80))
    scheduler.note(Note(1.0, 1.0, 60, 70))
    run_to(scheduler, clock, 4.0)
    assert port.events == [NoteOn(0.0, 60, 80), NoteOff(1.0, 60), NoteOn(1.0, 60, 70), NoteOff(3.0, 60)]


def test_late_note_is_skipped_with_its_off_and_counted():
    scheduler, port, clock = make()
    scheduler.note(Note(0.0, 1.0, 60, 80))
    scheduler.note(Note(0.2, 1.0, 62, 80))
    clock.advance_to(0.2 + LATE_LIMIT)
    scheduler.run_due(clock.now())
    run_to(scheduler, clock, 3.0)
    assert scheduler.late_notes == 1
    assert [event.pitch for event in port.events if isinstance(event, NoteOn | NoteOff)] == [62, 62]
    assert scheduler.lateness.percentile(50) == pytest.approx(LATE_LIMIT)


def test_release_all_returns_what_never_sounded():
    scheduler, port, clock = make()
    scheduler.note(Note(2.0, 1.0, 64, 80))
    scheduler.note(Note(0.0, 5.0, 60, 80))
    run_to(scheduler, clock, 1.0)
    assert [note.pitch for note in scheduler.release_all()] == [64]
    assert scheduler.next_due() is None
    assert port.events[-1] == NoteOff(1.0, 60)


def test_release_all_of_one_channel_leaves_the_other():
    scheduler, port, clock = make()
    scheduler.note(Note(0.0, 2.0, 60, 80), channel=0)
    scheduler.note(Note(0.0, 2.0, 60, 80), channel=1)
    run_to(scheduler, clock, 1.0)
    scheduler.release_all(0)
    assert port.sounding == {(1, 60)}
    run_to(scheduler, clock, 3.0)
    assert not port.sounding


def test_panic_ends_with_sustain_and_all_notes_off_on_used_channels():
    scheduler, port, clock = make()
    scheduler.note(Note(0.0, 2.0, 60, 80), channel=3)
    scheduler.note(Note(9.0, 2.0, 60, 80), channel=4)
    run_to(scheduler, clock, 1.0)
    scheduler.panic()
    assert port.events[1:] == [
        NoteOff(1.0, 60, 3),
        ControlChange(1.0, SUSTAIN, 0, 3),
        ControlChange(1.0, ALL_NOTES_OFF, 0, 3),
    ]
    assert scheduler.next_due() is None


def test_off_that_a_broken_port_refused_is_sent_at_panic():
    scheduler, port, clock = make()
    scheduler.note(Note(0.0, 1.0, 60, 80))
    run_to(scheduler, clock, 0.5)
    port.broken = True
    run_to(scheduler, clock, 2.0)
    assert scheduler.send_errors == 1
    scheduler.panic()
    assert scheduler.sounding == ((0, 60),)
    port.broken = False
    scheduler.panic()
    assert not port.sounding
    assert scheduler.sounding == ()


def test_unsent_off_goes_before_the_next_on_of_its_pitch():
    scheduler, port, clock = make()
    scheduler.note(Note(0.0, 1.0, 60, 80))
    scheduler.note(Note(3.0, 1.0, 60, 80))
    run_to(scheduler, clock, 0.5)
    port.broken = True
    run_to(scheduler, clock, 2.0)
    port.broken = False
    run_to(scheduler, clock, 5.0)
    assert [type(event) for event in port.events] == [NoteOn, NoteOff, NoteOn, NoteOff]


ACTIONS = st.one_of(
    st.tuples(
        st.just("note"), st.floats(-0.2, 2.0), st.floats(0.01, 3.0), st.integers(60, 63), st.integers(0, 1)
    ),
    st.tuples(st.just("run"), st.floats(0.0, 1.0)),
    st.tuples(st.just("jump"), st.floats(0.0, 1.0)),
    st.tuples(st.just("release")),
    st.tuples(st.just("panic")),
    st.tuples(st.just("hush")),
    st.tuples(st.just("break")),
    st.tuples(st.just("mend")),
)


@settings(max_examples=150, deadline=None)
@given(st.lists(ACTIONS, max_size=40))
def test_any_sequence_ends_in_silence(actions: list[tuple]):
    scheduler, port, clock = make()
    for action in actions:
        match action:
            case ("note", ahead, duration, pitch, channel):
                scheduler.note(Note(clock.now() + ahead, duration, pitch, 80), channel)
            case ("run", seconds):
                run_to(scheduler, clock, clock.now() + seconds)
            case ("jump", seconds):
                clock.advance_to(clock.now() + seconds)
                scheduler.run_due(clock.now())
            case ("release",):
                scheduler.release_all()
                assert port.broken or port.sounding <= set(scheduler.sounding)
            case ("hush",):
                scheduler.hush()
                assert port.broken or not port.sounding
            case ("panic",):
                scheduler.panic()
                assert port.broken or not port.sounding
            case ("break",):
                port.broken = True
            case ("mend",):
                port.broken = False
    port.broken = False
    run_to(scheduler, clock, clock.now() + 10.0)
    assert port.sounding <= set(scheduler.sounding), "no key may sound without its off to come"
    scheduler.panic()
    assert not port.sounding
    assert scheduler.sounding == ()


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.floats(0.0, 2.0), st.floats(0.01, 3.0), st.integers(60, 62)), max_size=30))
def test_every_on_has_its_off_without_help(notes: list[tuple[float, float, int]]):
    scheduler, port, clock = make()
    for onset, duration, pitch in notes:
        scheduler.note(Note(onset, duration, pitch, 80))
    run_to(scheduler, clock, 10.0)
    assert len(port.ons) == len(port.offs) == len(notes)
    assert scheduler.sounding == ()


def test_thread_sends_in_order_and_leaves_nothing_at_stop():
    port, clock = Port(), SystemClock()
    scheduler = Scheduler(port.send, clock)
    thread = SchedulerThread(scheduler, clock)
    thread.start()
    start = clock.now() + 0.05
    for index in range(40):
        scheduler.note(Note(start + index * 0.01, 0.004 if index % 2 else 0.03, 40 + index, 80))
    scheduler.note(Note(start, 60.0, 30, 80))
    await_true(lambda: len(port.ons) + scheduler.late_notes == 41)
    await_true(lambda: (scheduler.next_due() or start + 1.0) >= start + 1.0)
    # A loaded machine may skip notes that came too late; what it sends stays in order.
    sent = [event.pitch for event in port.ons]
    assert sent == [pitch for pitch in (40, 30, *range(41, 80)) if pitch in sent]
    assert len(sent) + scheduler.late_notes == 41
    times = [event.time for event in port.events]
    assert times == sorted(times)
    assert port.sounding == {(0, 30)} & {(0, pitch) for pitch in sent}
    thread.stop()
    thread.stop()
    assert not port.sounding
    assert not any(worker.name == "scheduler" for worker in threading.enumerate())


def test_refused_real_time_priority_only_means_none(monkeypatch: pytest.MonkeyPatch):
    def refuse(*_: object) -> None:
        raise PermissionError("not allowed")

    monkeypatch.setattr("os.sched_setscheduler", refuse, raising=False)
    port, clock = Port(), SystemClock()
    scheduler = Scheduler(port.send, clock)
    thread = SchedulerThread(scheduler, clock)
    thread.start()
    scheduler.note(Note(clock.now(), 0.01, 60, 80))
    # A loaded machine may find it too late for the note, but finds it.
    await_true(lambda: len(port.ons) + scheduler.late_notes == 1)
    thread.stop()
    assert not thread.real_time


def test_panics_and_releases_from_other_threads_lose_no_off():
    port, clock = Port(), SystemClock()
    scheduler = Scheduler(port.send, clock)
    thread = SchedulerThread(scheduler, clock)
    thread.start()

    def play(first_pitch: int) -> None:
        for index in range(100):
            scheduler.note(Note(clock.now(), 0.02, first_pitch + index % 5, 80), channel=first_pitch % 2)
            scheduler.run_due(clock.now())
            if index % 20 == 19:
                scheduler.panic()
            elif index % 20 == 18:
                scheduler.hush()
            elif index % 7 == 6:
                scheduler.release_all(channel=0)

    players = [threading.Thread(target=play, args=(pitch,)) for pitch in (40, 43, 61)]
    for player in players:
        player.start()
    for player in players:
        player.join()
    thread.stop()
    assert scheduler.send_errors == 0, "no on was sent to a key that sounds"
    assert len(port.ons) == len(port.offs) > 0
    assert not port.sounding


class StuckPort(Port):
    """Does not return from the first event of a kind until it is let go."""

    def __init__(self, kind: type) -> None:
        super().__init__()
        self.kind = kind
        self.reached, self.let_go = threading.Event(), threading.Event()

    def send(self, event: OutputEvent) -> None:
        if isinstance(event, self.kind) and not self.let_go.is_set():
            self.reached.set()
            assert self.let_go.wait(60.0)
        super().send(event)


@pytest.mark.parametrize("kind", [NoteOn, NoteOff])
def test_an_output_that_hangs_blocks_no_other_thread_and_gets_every_off_in_the_end(kind: type):
    port, clock, silenced = StuckPort(kind), SystemClock(), list[bool]()
    scheduler = Scheduler(port.send, clock, lambda: silenced.append(True))
    thread = SchedulerThread(scheduler, clock)
    thread.start()
    scheduler.note(Note(clock.now(), 0.01, 60, 80))
    scheduler.note(Note(clock.now() + 60.0, 1.0, 64, 80))
    assert port.reached.wait(60.0)
    done = threading.Event()

    def loop() -> None:
        scheduler.note(Note(clock.now() + 0.01, 1.0, 62, 80))
        assert {note.pitch for note in scheduler.release_all()} == {62, 64}
        scheduler.panic()
        scheduler.hush()
        scheduler.panic()
        done.set()

    threading.Thread(target=loop, daemon=True).start()
    assert done.wait(30.0), "the loop waits for the output"
    assert not silenced
    await_true(lambda: thread.stuck(clock.now()) > 0.02)
    port.let_go.set()
    await_true(lambda: len(silenced) == 3)
    assert not port.sounding
    assert len(port.ons) == len(port.offs) == 1
    assert thread.stuck(clock.now()) == 0.0
    thread.stop()


def test_a_thread_that_died_is_started_again_a_few_times(monkeypatch: pytest.MonkeyPatch):
    port, clock = Port(), SystemClock()
    scheduler = Scheduler(port.send, clock)
    thread = SchedulerThread(scheduler, clock)
    assert not thread.revive(), "it has not begun"
    thread.start()
    assert not thread.revive()
    scheduler.note(Note(clock.now(), 60.0, 60, 80))
    await_true(lambda: len(port.ons) + scheduler.late_notes == 1)
    wait = scheduler.await_due

    def fail(early: float, timeout: float) -> float | None:
        raise MemoryError

    for restart in range(SchedulerThread.MOST_RESTARTS + 1):
        monkeypatch.setattr(scheduler, "await_due", fail)
        scheduler.wake()
        await_true(lambda: not any(worker.name == "scheduler" for worker in threading.enumerate()))
        assert not port.sounding, "what sounded was ended"
        scheduler.panic()
        monkeypatch.setattr(scheduler, "await_due", wait)
        if restart < SchedulerThread.MOST_RESTARTS:
            assert thread.revive()
    scheduler.note(Note(clock.now() + 60.0, 1.0, 62, 80))
    with pytest.raises(SchedulerError):
        thread.revive()
    thread.stop()
    assert not thread.revive(), "it was stopped"


def test_a_hush_silences_at_once_and_strikes_nothing_until_the_panic():
    scheduler, port, clock = make()
    scheduler.note(Note(0.0, 9.0, 60, 80))
    scheduler.note(Note(2.0, 1.0, 62, 80))
    run_to(scheduler, clock, 1.0)
    scheduler.hush()
    assert not port.sounding
    scheduler.note(Note(2.5, 1.0, 64, 80))
    run_to(scheduler, clock, 3.0)
    assert len(port.ons) == 1
    assert [note.pitch for note in scheduler.release_all()] == [62, 64], "known never to sound"
    scheduler.panic()
    scheduler.note(Note(4.0, 1.0, 66, 80))
    run_to(scheduler, clock, 6.0)
    assert [event.pitch for event in port.ons] == [60, 66]
    assert not port.sounding


def test_a_panic_ends_what_else_sounds_after_its_own_offs():
    port, clock = Port(), VirtualClock()
    scheduler = Scheduler(port.send, clock, lambda: port.events.append(NoteOff(0.0, 99)))
    scheduler.note(Note(0.0, 9.0, 60, 80))
    run_to(scheduler, clock, 1.0)
    scheduler.panic()
    assert [event.pitch for event in port.events if isinstance(event, NoteOff)] == [60, 99]
    assert port.events[-1] == NoteOff(0.0, 99)
