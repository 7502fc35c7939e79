"""What waits for the engine loop: panic first, notes before commands, and the controls before commands."""

import signal
import threading
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tatumflow.engine.messages import (
    BeginBars,
    Command,
    Panic,
    PlayKey,
    SetControl,
    Shutdown,
    TakeTurn,
    YieldTurn,
)
from tatumflow.engine.midi.events import ALL_NOTES_OFF, ControlChange, InputEvent, NoteOff, NoteOn
from tatumflow.live.processes.inbox import MOST_COMMANDS, Inbox
from tatumflow.live.steering.control_surface import ControlSurface

SURFACE = ControlSurface({"temperature": 20, "surprise": 21, "turn": 67, "panic": 70})
NAMES = ("temperature", "surprise", "mode", "style")

notes = st.one_of(
    st.builds(NoteOn, st.floats(0, 9), st.integers(21, 108), st.just(80)),
    st.builds(NoteOff, st.floats(0, 9), st.integers(21, 108)),
    st.builds(ControlChange, st.floats(0, 9), st.sampled_from([1, 64, ALL_NOTES_OFF]), st.integers(0, 127)),
)
values = st.one_of(
    st.builds(SetControl, st.sampled_from(NAMES), st.integers(0, 9)),
    st.builds(ControlChange, st.floats(0, 9), st.sampled_from([20, 21]), st.integers(0, 127)),
)
commands = st.one_of(st.builds(YieldTurn), st.builds(BeginBars), st.builds(TakeTurn))


def drained(inbox: Inbox) -> list[object]:
    """Return what a loop takes, all events of a step before one command."""
    taken: list[object] = []
    while len(inbox):
        while (event := inbox.event()) is not None:
            taken.append(event)
        command = inbox.command()
        if command is not None:
            taken.append(command)
    return taken


def states(items: list[object]) -> tuple[list[tuple[object, dict[object, object]]], dict[object, object]]:
    """Return each command with the newest values before it, and the newest values at the end."""
    newest: dict[object, object] = {}
    seen: list[tuple[object, dict[object, object]]] = []
    for item in items:
        for one in item if isinstance(item, tuple) else (item,):
            if isinstance(one, SetControl):
                newest[one.name] = one
            elif isinstance(one, ControlChange) and one.number in (20, 21):
                newest[one.number] = one
            elif isinstance(one, YieldTurn | BeginBars | TakeTurn):
                seen.append((one, dict(newest)))
    return seen, newest


@given(st.lists(st.one_of(notes, values, commands), max_size=60))
def test_notes_keep_their_order_and_commands_find_the_controls_set_before_them(
    items: list[InputEvent | Command],
) -> None:
    inbox = Inbox(SURFACE.taken)
    for item in items:
        inbox.put(item)
    taken = drained(inbox)
    played = [item for item in items if isinstance(item, NoteOn | NoteOff)]
    assert [item for item in taken if isinstance(item, NoteOn | NoteOff)] == played
    assert states(taken) == states(list(items))
    first_command = next((i for i, item in enumerate(taken) if not isinstance(item, InputEvent)), len(taken))
    assert not any(isinstance(item, NoteOn | NoteOff) for item in taken[first_command:])


@given(st.lists(st.one_of(notes, values, commands), max_size=60), st.integers(0, 60))
def test_panic_overtakes_everything_and_nothing_to_play_is_left(
    items: list[InputEvent | Command], place: int
) -> None:
    inbox = Inbox(SURFACE.taken)
    for item in items[:place]:
        inbox.put(item)
    inbox.put(PlayKey(60))
    inbox.put(Panic())
    assert inbox.event() == Panic()
    left = drained(inbox)
    assert TakeTurn() not in left
    assert not any(isinstance(item, PlayKey) for item in left)
    assert states(left)[1] == states(list(items[:place]))[1]


@given(st.lists(values, min_size=1, max_size=400))
def test_a_flood_of_values_takes_no_more_room_than_there_are_controls(items: list[SetControl]) -> None:
    inbox = Inbox(SURFACE.taken)
    for item in items:
        inbox.put(item)
    assert len(inbox) == 1
    batch = inbox.command()
    assert isinstance(batch, tuple)
    assert len(batch) <= len(NAMES) + 2
    assert batch[-1] is items[-1], "the newest is applied last"


def test_commands_without_end_are_dropped_and_counted() -> None:
    inbox = Inbox()
    for _ in range(3 * MOST_COMMANDS):
        inbox.put(YieldTurn())
        inbox.put(SetControl("temperature", 0.5))
    assert len(inbox) <= MOST_COMMANDS + 1
    assert inbox.dropped > MOST_COMMANDS
    inbox.put(Shutdown())
    assert inbox.event() == Shutdown()


def test_pedals_that_act_keep_every_movement_and_a_panic_pedal_overtakes() -> None:
    inbox = Inbox(SURFACE.taken)
    moves = [ControlChange(0.0, 67, value) for value in (127, 0, 127)]
    for move in moves:
        inbox.put(move)
    inbox.put(NoteOn(0.0, 60, 80))
    inbox.put(ControlChange(0.0, 70, 127))
    assert drained(inbox) == [ControlChange(0.0, 70, 127), NoteOn(0.0, 60, 80), *moves]


def test_a_panic_is_called_before_the_loop_can_take_it() -> None:
    waiting: list[int] = []
    inbox = Inbox(SURFACE.taken, lambda: waiting.append(len(inbox)))
    inbox.put(Panic())
    inbox.put(ControlChange(0.0, ALL_NOTES_OFF, 0))
    inbox.put(ControlChange(0.0, 70, 127))
    assert waiting == [0, 1]


def test_what_arrives_ends_a_wait() -> None:
    inbox = Inbox()
    assert not inbox.wait(0.0)
    threading.Timer(0.05, lambda: inbox.put(NoteOn(0.0, 60, 80))).start()
    assert inbox.wait(60.0)


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="no timer signals here")
def test_a_signal_may_put_while_the_loop_takes() -> None:
    inbox = Inbox()
    before = signal.signal(signal.SIGALRM, lambda number, frame: inbox.put(Shutdown()))
    signal.setitimer(signal.ITIMER_REAL, 1e-3, 1e-3)
    taken = 0
    try:
        end = time.monotonic() + 0.5
        while time.monotonic() < end:
            taken += inbox.event() is not None
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        signal.signal(signal.SIGALRM, before)
    assert taken > 10
