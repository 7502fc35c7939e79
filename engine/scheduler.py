"""When notes are sent: a heap of due times that loses no note-off, and the thread that empties it on time."""

import heapq
import os
import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from tatumflow.engine.clock import Clock
from tatumflow.engine.events import (
    ALL_NOTES_OFF,
    SUSTAIN,
    ClockEvent,
    ControlChange,
    NoteOff,
    NoteOn,
    OutputEvent,
)
from tatumflow.engine.notes import Note
from tatumflow.engine.ring import Ring

LATE_LIMIT: Final = 0.05
"""Seconds after its due time beyond which a note-on is skipped, together with its off."""

SHORTEST_SOUND: Final = 0.01
"""Seconds a note sounds at least, even when its on was sent late."""

# Below the audio servers, which ask for more.
_REAL_TIME_PRIORITY: Final = 10
_CLOCK, _OFF, _ON = -1, 0, 1
_NO_CHANNEL: Final = -1
_Key = tuple[int, int]
_Entry = tuple[float, int, int, int, Note | ClockEvent]


class Scheduler:
    """Sends notes at their times; safe to call from any thread.

    Offs go before ons that are due together. Overlapping notes of one pitch and channel are counted: a
    re-strike sends an off before its on, and the key is released when the last of the notes ends, so that
    every on sent is followed by exactly one off. A note's off comes into being when its on is sent, so a note
    that is withdrawn or skipped leaves nothing behind. An error of `send` is counted, never raised; an off
    that could not be sent is sent again before the pitch is struck the next time, and at a panic.

    What MIDI clock says goes before notes that are due together, and is neither skipped nor withdrawn: those
    who follow count it.

    Attributes:
        lateness: Seconds from due time to sending of the last 1,000 note-ons.
        late_notes: Note-ons skipped because they came more than `LATE_LIMIT` late.
        send_errors: Events that `send` refused.
    """

    def __init__(self, send: Callable[[OutputEvent], None], clock: Clock) -> None:
        self.lateness = Ring()
        self.late_notes = 0
        self.send_errors = 0
        self._send = send
        self._clock = clock
        self._changed = threading.Condition()
        self._heap: list[_Entry] = []
        self._sequence = 0
        self._sounding: dict[_Key, int] = {}
        self._unsent_offs: set[_Key] = set()
        self._channels: set[int] = set()

    def note(self, note: Note, channel: int = 0) -> None:
        """Send `note` when it is due: its on at the onset, its off when it ends."""
        with self._changed:
            self._push(note.onset, _ON, channel, note)
            self._changed.notify()

    def tell(self, event: ClockEvent) -> None:
        """Send what MIDI clock says when it is due, at its time."""
        with self._changed:
            self._push(event.time, _CLOCK, _NO_CHANNEL, event)
            self._changed.notify()

    def release_all(self, channel: int | None = None) -> tuple[Note, ...]:
        """End every sounding note now and withdraw those still to come, of one channel or of all.

        Returns:
            The withdrawn notes, which never sounded, by onset.
        """
        with self._changed:
            kept = [e for e in self._heap if e[1] == _CLOCK or channel not in (None, e[3])]
            withdrawn = [e for e in self._heap if e[1] == _ON and channel in (None, e[3])]
            heapq.heapify(kept)
            self._heap = kept
            for key in sorted(self._sounding):
                if channel in (None, key[0]):
                    self._close(key)
            self._changed.notify()
        withdrawn.sort(key=lambda entry: entry[:3])
        return tuple(entry[4] for entry in withdrawn if isinstance(entry[4], Note))

    def panic(self) -> None:
        """Silence everything: offs for all that sounds; sustain up, all notes off on used channels."""
        with self._changed:
            self._heap = [entry for entry in self._heap if entry[1] == _CLOCK]
            heapq.heapify(self._heap)
            for key in sorted(self._unsent_offs.union(self._sounding)):
                self._close(key)
            for channel in sorted(self._channels):
                self._try_send(ControlChange(self._clock.now(), SUSTAIN, 0, channel))
                self._try_send(ControlChange(self._clock.now(), ALL_NOTES_OFF, 0, channel))
            self._changed.notify()

    def run_due(self, now: float) -> None:
        """Send everything due at `now` seconds or before."""
        with self._changed:
            while self._heap and self._heap[0][0] <= now:
                due, kind, _, channel, what = heapq.heappop(self._heap)
                if not isinstance(what, Note):
                    self._try_send(replace(what, time=self._clock.now()))
                elif kind == _OFF:
                    self._release((channel, what.pitch))
                elif now - due > LATE_LIMIT:
                    self.late_notes += 1
                else:
                    self._strike(due, now, channel, what)

    def next_due(self) -> float | None:
        """Return when the next event is due, None while there is none."""
        with self._changed:
            return self._heap[0][0] if self._heap else None

    def await_due(self, early: float, timeout: float) -> float | None:
        """Wait until the next event is at most `early` seconds away.

        Returns:
            Its due time; None when the wait was cut short by a change or after `timeout` seconds.
        """
        with self._changed:
            due = self._heap[0][0] if self._heap else None
            wait = timeout if due is None else due - early - self._clock.now()
            if due is not None and wait <= 0:
                return due
            self._changed.wait(min(wait, timeout))
            return None

    def wake(self) -> None:
        """Cut a wait in `await_due` short."""
        with self._changed:
            self._changed.notify_all()

    @property
    def sounding(self) -> tuple[_Key, ...]:
        """Channel and pitch of every key whose off is still to be sent, failed offs included."""
        with self._changed:
            return tuple(sorted(self._unsent_offs.union(self._sounding)))

    def _push(self, due: float, kind: int, channel: int, what: Note | ClockEvent) -> None:
        self._sequence += 1
        heapq.heappush(self._heap, (due, kind, self._sequence, channel, what))

    def _strike(self, due: float, now: float, channel: int, note: Note) -> None:
        key = (channel, note.pitch)
        references = self._sounding.get(key, 0)
        if references or key in self._unsent_offs:
            self._send_off(key)
        self._channels.add(channel)
        self._sounding[key] = references + 1
        sent_at = self._clock.now()
        self._try_send(NoteOn(sent_at, note.pitch, note.velocity, channel))
        self.lateness.add(max(0.0, sent_at - due))
        self._push(max(note.offset, now + SHORTEST_SOUND), _OFF, channel, note)

    def _release(self, key: _Key) -> None:
        references = self._sounding[key] - 1
        if references:
            self._sounding[key] = references
        else:
            self._close(key)

    def _close(self, key: _Key) -> None:
        self._sounding.pop(key, None)
        self._send_off(key)

    def _send_off(self, key: _Key) -> None:
        channel, pitch = key
        if self._try_send(NoteOff(self._clock.now(), pitch, channel)):
            self._unsent_offs.discard(key)
        else:
            self._unsent_offs.add(key)

    def _try_send(self, event: OutputEvent) -> bool:
        try:
            self._send(event)
        except Exception:
            self.send_errors += 1
            return False
        return True


class SchedulerThread:
    """Runs a scheduler on its own thread: a condition wait, then a short spin up to the due time.

    Where the system offers and grants it (Linux, with a real-time limit as audio users have it), the thread
    runs at real-time priority, so that other work on a busy machine does not delay notes.

    Attributes:
        real_time: Whether that was granted; False before `start`.
    """

    SPIN: Final = 0.0005
    """Seconds before a due time at which waiting turns into spinning."""

    IDLE: Final = 0.25
    """Seconds after which an idle wait looks whether it should stop."""

    def __init__(self, scheduler: Scheduler, clock: Clock) -> None:
        self.real_time = False
        self._scheduler = scheduler
        self._clock = clock
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="scheduler", daemon=True)

    def start(self) -> None:
        """Begin sending. A thread can be started once."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread; whatever sounds is silenced. Does nothing the second time."""
        self._stopping.set()
        self._scheduler.wake()
        if self._thread.is_alive():
            self._thread.join(timeout=2.0)
        self._scheduler.panic()

    def _run(self) -> None:
        self.real_time = ask_for_real_time()
        try:
            while not self._stopping.is_set():
                due = self._scheduler.await_due(self.SPIN, self.IDLE)
                if due is None:
                    continue
                while self._clock.now() < due:
                    pass
                self._scheduler.run_due(self._clock.now())
        finally:
            self._scheduler.panic()


def ask_for_real_time() -> bool:
    """Ask for real-time priority for this thread and return whether it was granted."""
    if not hasattr(os, "sched_setscheduler"):
        return False
    try:
        os.sched_setscheduler(threading.get_native_id(), os.SCHED_FIFO, os.sched_param(_REAL_TIME_PRIORITY))
    except OSError:
        return False
    return True
