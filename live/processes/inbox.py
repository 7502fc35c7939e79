"""The queue of the engine loop, the most urgent first: panic, then notes, then commands and controls."""

import threading
from collections import deque
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Final, get_args

from tatumflow.engine.messages import Command, Panic, PassTurn, PlayKey, SetControl, Shutdown, TakeTurn
from tatumflow.engine.midi.events import (
    ALL_NOTES_OFF,
    ALL_SOUND_OFF,
    ControlChange,
    InputEvent,
    InputLost,
    NoteOff,
    NoteOn,
    TimeEvent,
)
from tatumflow.live.audio.commands import AudioCommand
from tatumflow.live.midi.input_source import NO_STEERING
from tatumflow.live.steering.control_surface import STEERS_ACTION, STEERS_PANIC

PANIC_CONTROLS: Final = (ALL_SOUND_OFF, ALL_NOTES_OFF)
"""Controllers of a keyboard or DAW that silence everything."""

MOST_COMMANDS: Final = 256
"""Commands, and groups of values between them, that wait at most; a command beyond them is dropped."""

_EVENTS: Final = frozenset({NoteOn, NoteOff, InputLost, PlayKey, *get_args(TimeEvent)})
_STARTS_PLAYING: Final = (TakeTurn, PassTurn, PlayKey)

Event = InputEvent | PlayKey | Panic | Shutdown
"""What is taken first."""

Steered = SetControl | ControlChange
"""A new value of a control, or the position of a controller that steers one."""

Controls = tuple[Steered, ...]
"""The newest values of controls that arrived together, in the order of their arrival."""


class Inbox:
    """Takes what arrives from any thread and gives the engine loop the most urgent of it.

    1. `Panic`, `Shutdown` and a controller that steers panic overtake everything. Commands to play that wait
       when a panic arrives are dropped.
    2. Notes, pedals and clock messages follow, in the order of their arrival.
    3. Commands and control values come last, in the order of their arrival. Of values that arrive between two
       commands only the newest of each control or controller is kept: so a command finds the controls as they
       were set before it, and a flood of values takes no more room than there are controls.

    `put` takes constant time and never blocks for longer than another `put`; a signal handler may call it.

    Attributes:
        dropped: Commands dropped because `MOST_COMMANDS` waited.
    """

    def __init__(
        self, steering: bytes | bytearray = NO_STEERING, panicked: Callable[[], None] | None = None
    ) -> None:
        """Hold nothing yet.

        `steering`, what each controller number steers as in `ControlSurface.taken`, is read anew each time.
        `panicked` is called on the thread that puts a panic, before the loop can take it; it may not block.
        """
        self.dropped = 0
        self._steering = steering
        self._panicked = panicked
        # Reentrant, since a signal handler may interrupt the loop while it holds the lock.
        self._arrived = threading.Condition(threading.RLock())
        self._urgent: deque[Event] = deque()
        self._events: deque[Event] = deque()
        self._commands: deque[Command | AudioCommand | ControlChange | dict[object, Steered]] = deque()

    def __len__(self) -> int:
        """Return how many items wait; control values that arrived together count as one."""
        return len(self._urgent) + len(self._events) + len(self._commands)

    def put(self, item: InputEvent | Command | AudioCommand) -> None:
        """Take an item, from any thread."""
        if type(item) in _EVENTS:
            self._append(self._events, item)  # pyright: ignore[reportArgumentType]
        elif isinstance(item, ControlChange):
            self._put_controller(item)
        elif isinstance(item, SetControl):
            self._put_value(item.name, item)
        elif isinstance(item, Panic):
            self._put_panic(item)
        elif isinstance(item, Shutdown):
            self._append(self._urgent, item)
        else:
            self._put_command(item)  # pyright: ignore[reportArgumentType]

    def read(self, connection: Connection) -> None:
        """Put the commands of a pipe, on a thread of its own; a `Shutdown` once its other end is closed."""

        def read() -> None:
            try:
                while True:
                    self.put(connection.recv())
            except (EOFError, OSError):
                self.put(Shutdown())

        threading.Thread(target=read, name="command reader", daemon=True).start()

    def wait(self, timeout: float) -> bool:
        """Wait until something is there, for `timeout` seconds at most; return whether it is."""
        with self._arrived:
            if not len(self):
                self._arrived.wait(timeout)
            return len(self) > 0

    def event(self) -> Event | None:
        """Return what is most urgent, then notes, pedals and clocks by arrival; None if none waits."""
        with self._arrived:
            if self._urgent:
                return self._urgent.popleft()
            return self._events.popleft() if self._events else None

    def command(self) -> Command | AudioCommand | ControlChange | Controls | None:
        """Return the next command, or the values of controls that come before it; None if none waits.

        A `ControlChange` is that of a controller that steers an action.
        """
        with self._arrived:
            if not self._commands:
                return None
            item = self._commands.popleft()
            return tuple(item.values()) if isinstance(item, dict) else item

    def _append(self, lane: deque[Event], item: Event) -> None:
        with self._arrived:
            lane.append(item)
            self._arrived.notify()

    def _put_controller(self, item: ControlChange) -> None:
        steers = self._steering[item.number]
        if not steers:
            if item.number in PANIC_CONTROLS and self._panicked is not None:
                self._panicked()
            self._append(self._events, item)
        elif steers == STEERS_PANIC:
            self._append(self._urgent, item)
        elif steers == STEERS_ACTION:
            self._put_command(item)
        else:
            self._put_value(item.number, item)

    def _put_value(self, key: str | int, item: Steered) -> None:
        with self._arrived:
            last = self._commands[-1] if self._commands else None
            if isinstance(last, dict):
                # To the end, so that the newest value is also the last to be applied.
                last.pop(key, None)
                last[key] = item
            else:
                self._commands.append({key: item})
            self._arrived.notify()

    def _put_command(self, item: Command | AudioCommand | ControlChange) -> None:
        with self._arrived:
            if len(self._commands) >= MOST_COMMANDS:
                self.dropped += 1
                return
            self._commands.append(item)
            self._arrived.notify()

    def _put_panic(self, item: Panic) -> None:
        if self._panicked is not None:
            self._panicked()
        with self._arrived:
            self._commands = deque(
                waiting for waiting in self._commands if not isinstance(waiting, _STARTS_PLAYING)
            )
            self._events = deque(waiting for waiting in self._events if not isinstance(waiting, PlayKey))
            if item not in self._urgent:
                self._urgent.append(item)
            self._arrived.notify()
