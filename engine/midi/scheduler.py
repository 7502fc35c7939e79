"""When notes are sent: a heap of due times that loses no note-off, and the thread that empties it on time."""

import heapq
import os
import threading
import traceback
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from tatumflow.engine.clock import Clock
from tatumflow.engine.errors import SchedulerError
from tatumflow.engine.midi.events import (
    ALL_NOTES_OFF,
    SUSTAIN,
    ClockEvent,
    ControlChange,
    NoteOff,
    NoteOn,
    OutputEvent,
)
from tatumflow.engine.midi.notes import Note
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


@dataclass(frozen=True, slots=True)
class _Strike:
    """A note-on to send, that was due at `due` seconds."""

    due: float
    channel: int
    note: Note


@dataclass(frozen=True, slots=True)
class _Lift:
    """A note-off to send."""

    key: _Key


@dataclass(frozen=True, slots=True)
class _Quiet:
    """The end of a panic: offs that were refused before, then pedals and All Notes Off, then all else."""

    channels: tuple[int, ...]


class Scheduler:
    """Sends notes at their times; safe to call from any thread.

    Offs go before ons that are due together. Overlapping notes of one pitch and channel are counted: a
    re-strike sends an off before its on, and the key is released when the last of the notes ends, so that
    every on sent is followed by exactly one off. A note's off comes into being when its on is sent, so a note
    that is withdrawn or skipped leaves nothing behind. An error of `send` is counted, never raised; an off
    that could not be sent is sent again before the pitch is struck the next time, and at a panic.

    What MIDI clock says goes before notes that are due together, and is neither skipped nor withdrawn: those
    who follow count it.

    Nothing is sent while the lock is held. What is to be sent is put in a line under the lock, so that the
    order is that of the decisions, and one thread at a time sends what stands there. Once `lead_by` has named
    a thread, only that one sends, and all others hand over: a driver that does not return stops no one else.
    Without one, whoever calls sends before the call returns.

    Attributes:
        lateness: Seconds from due time to sending of the last 1,000 note-ons.
        late_notes: Note-ons skipped because they came more than `LATE_LIMIT` late.
        send_errors: Events that `send` refused.
        sending_since: When the `send` that has not returned yet was called (seconds); None outside of one.
    """

    def __init__(
        self,
        send: Callable[[OutputEvent], None],
        clock: Clock,
        silence: Callable[[], None] | None = None,
    ) -> None:
        """Schedule nothing yet.

        Args:
            send: Plays an event at once.
            clock: The session's.
            silence: Ends what sounds besides, after the offs of a panic; called where `send` is.
        """
        self.lateness = Ring()
        self.late_notes = 0
        self.send_errors = 0
        self.sending_since: float | None = None
        self._send = send
        self._silence = silence
        self._clock = clock
        self._changed = threading.Condition()
        self._heap: list[_Entry] = []
        self._sequence = 0
        self._sounding: dict[_Key, int] = {}
        self._channels: set[int] = set()
        self._hushed: list[_Entry] | None = None
        self._leader: threading.Thread | None = None
        # What is decided and not yet sent, in order; and what only the thread that sends touches.
        self._line: deque[_Strike | _Lift | _Quiet | ClockEvent] = deque()
        self._sender = threading.Lock()
        self._unsent_offs: set[_Key] = set()

    def lead_by(self, thread: threading.Thread | None) -> None:
        """Let only this thread send from now on, by `run_due`; None lets every caller send."""
        self._leader = thread

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
            waiting = self._heap + (self._hushed or [])
            withdrawn = [e for e in waiting if e[1] == _ON and channel in (None, e[3])]
            kept = [e for e in self._heap if e[1] == _CLOCK or channel not in (None, e[3])]
            heapq.heapify(kept)
            self._heap = kept
            if self._hushed is not None:
                self._hushed = [e for e in self._hushed if channel not in (None, e[3])]
            for key in sorted(self._sounding):
                if channel in (None, key[0]):
                    self._close(key)
            self._changed.notify()
        self._hand_over()
        withdrawn.sort(key=lambda entry: entry[:3])
        return tuple(entry[4] for entry in withdrawn if isinstance(entry[4], Note))

    def panic(self) -> None:
        """Silence everything: offs for all that sounds; sustain up, all notes off on used channels."""
        with self._changed:
            self._heap = [entry for entry in self._heap if entry[1] == _CLOCK]
            heapq.heapify(self._heap)
            self._hushed = None
            self._quiet()
        self._hand_over()

    def hush(self) -> None:
        """Silence everything as `panic` does, and strike nothing until `panic` is called.

        What is still to come is kept until then, so that `release_all` can tell which notes never sounded.
        For threads that learn of a panic before the one that plans the notes does.
        """
        with self._changed:
            notes = [entry for entry in self._heap if entry[1] == _ON]
            self._heap = [entry for entry in self._heap if entry[1] == _CLOCK]
            heapq.heapify(self._heap)
            self._hushed = notes + (self._hushed or [])
            self._quiet()
        self._hand_over()

    def run_due(self, now: float) -> None:
        """Send everything due at `now` seconds or before."""
        self._send_line()
        while True:
            with self._changed:
                if not self._heap or self._heap[0][0] > now:
                    break
                due, kind, _, channel, what = heapq.heappop(self._heap)
                if not isinstance(what, Note):
                    self._line.append(what)
                elif kind == _OFF:
                    self._release((channel, what.pitch))
                elif max(now, self._clock.now()) - due > LATE_LIMIT:
                    self.late_notes += 1
                else:
                    self._strike(due, now, channel, what)
            # One at a time: what stands in line can no longer be withdrawn.
            self._send_line()

    def next_due(self) -> float | None:
        """Return when the next event is due, None while there is none."""
        with self._changed:
            return self._heap[0][0] if self._heap else None

    def await_due(self, early: float, timeout: float) -> float | None:
        """Wait until the next event is at most `early` seconds away, or something stands in line.

        Returns:
            Its due time, that of what stands in line being past; None when the wait was cut short by a change
            or after `timeout` seconds.
        """
        with self._changed:
            if self._line:
                return self._clock.now()
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
            return tuple(sorted(self._unsent_offs.copy().union(self._sounding)))

    def _push(self, due: float, kind: int, channel: int, what: Note | ClockEvent) -> None:
        self._sequence += 1
        entry = (due, kind, self._sequence, channel, what)
        if kind == _ON and self._hushed is not None:
            self._hushed.append(entry)
        else:
            heapq.heappush(self._heap, entry)

    def _strike(self, due: float, now: float, channel: int, note: Note) -> None:
        key = (channel, note.pitch)
        references = self._sounding.get(key, 0)
        if references:
            self._line.append(_Lift(key))
        self._channels.add(channel)
        self._sounding[key] = references + 1
        self._line.append(_Strike(due, channel, note))
        self._push(max(note.offset, now + SHORTEST_SOUND), _OFF, channel, note)

    def _release(self, key: _Key) -> None:
        references = self._sounding[key] - 1
        if references:
            self._sounding[key] = references
        else:
            self._close(key)

    def _close(self, key: _Key) -> None:
        self._sounding.pop(key, None)
        self._line.append(_Lift(key))

    def _quiet(self) -> None:
        """Put in line what silences everything; the heap holds no off of a sounding key any more."""
        for key in sorted(self._sounding):
            self._close(key)
        self._line.append(_Quiet(tuple(sorted(self._channels))))
        self._changed.notify()

    def _hand_over(self) -> None:
        """Let what stands in line be sent: by the thread that leads, which was woken, or at once."""
        leader = self._leader
        if leader is None or not leader.is_alive():
            self._send_line()

    def _send_line(self) -> None:
        """Send what stands in line, unless a thread is at it: it will send this too."""
        # Looked at again after the lock is given back: whoever has put something in line meanwhile and found
        # the lock taken has gone away.
        while self._line and self._sender.acquire(blocking=False):
            try:
                while self._line:
                    self._send_one(self._line.popleft())
            finally:
                self._sender.release()

    def _send_one(self, what: _Strike | _Lift | _Quiet | ClockEvent) -> None:
        now = self._clock.now
        if isinstance(what, _Strike):
            note, channel = what.note, what.channel
            key = (channel, note.pitch)
            if key in self._unsent_offs:
                self._send_off(key)
            sent_at = now()
            self._try_send(NoteOn(sent_at, note.pitch, note.velocity, channel))
            self.lateness.add(max(0.0, sent_at - what.due))
        elif isinstance(what, _Lift):
            self._send_off(what.key)
        elif isinstance(what, _Quiet):
            for key in sorted(self._unsent_offs):
                self._send_off(key)
            for channel in what.channels:
                self._try_send(ControlChange(now(), SUSTAIN, 0, channel))
                self._try_send(ControlChange(now(), ALL_NOTES_OFF, 0, channel))
            if self._silence is not None:
                self._try(self._silence)
        else:
            self._try_send(replace(what, time=now()))

    def _send_off(self, key: _Key) -> None:
        channel, pitch = key
        if self._try_send(NoteOff(self._clock.now(), pitch, channel)):
            self._unsent_offs.discard(key)
        else:
            self._unsent_offs.add(key)

    def _try_send(self, event: OutputEvent) -> bool:
        return self._try(self._send, event)

    def _try(self, send: Callable[..., None], *what: OutputEvent) -> bool:
        self.sending_since = self._clock.now()
        try:
            send(*what)
        except Exception:
            self.send_errors += 1
            return False
        finally:
            self.sending_since = None
        return True


class SchedulerThread:
    """Runs a scheduler on its own thread: a condition wait, then a short spin up to the due time.

    Where the system offers and grants it (Linux, with a real-time limit as audio users have it), the thread
    runs at real-time priority, so that other work on a busy machine does not delay notes.

    Attributes:
        real_time: Whether that was granted; False before `start`.
        restarts: How often `revive` has started the thread again.
    """

    SPIN: Final = 0.0005
    """Seconds before a due time at which waiting turns into spinning."""

    IDLE: Final = 0.25
    """Seconds after which an idle wait looks whether it should stop."""

    MOST_RESTARTS: Final = 3
    """How often a thread that died is started again."""

    def __init__(self, scheduler: Scheduler, clock: Clock) -> None:
        self.real_time = False
        self.restarts = 0
        self._scheduler = scheduler
        self._clock = clock
        self._stopping = threading.Event()
        self._thread = self._new_thread()

    def start(self) -> None:
        """Begin sending. A thread can be started once."""
        self._scheduler.lead_by(self._thread)
        self._thread.start()

    def hush(self) -> None:
        """Silence everything at once, before the loop that plans the notes hears of it; see `Scheduler`."""
        self._scheduler.hush()

    def stuck(self, now: float) -> float:
        """Return for how many seconds an output has not returned from taking an event, 0 if it has."""
        since = self._scheduler.sending_since
        return 0.0 if since is None else max(now - since, 0.0)

    def revive(self) -> bool:
        """Start the thread again if it has died; return whether it had.

        Raises:
            SchedulerError: if it has died `MOST_RESTARTS` times before.
        """
        if self._stopping.is_set() or self._thread.ident is None or self._thread.is_alive():
            return False
        if self.restarts >= self.MOST_RESTARTS:
            raise SchedulerError("notes cannot be sent: the thread that sends them keeps dying; see the log")
        self.restarts += 1
        self._thread = self._new_thread()
        self.start()
        return True

    def stop(self) -> None:
        """End the thread; whatever sounds is silenced. Does nothing the second time.

        If an output does not return, this does after two seconds, and the offs wait for the output.
        """
        self._stopping.set()
        self._scheduler.wake()
        if self._thread.is_alive():
            self._thread.join(timeout=2.0)
        self._scheduler.panic()

    def _new_thread(self) -> threading.Thread:
        return threading.Thread(target=self._run, name="scheduler", daemon=True)

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
        except Exception:
            # Into the log; whoever plans the notes finds the thread dead and starts another.
            traceback.print_exc()
        finally:
            self._scheduler.lead_by(None)
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
