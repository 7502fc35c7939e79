"""The scheduler: a heap of due times that sends notes on time and loses no note-off."""

import heapq
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from tatumflow.engine.clock import Clock
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

_CLOCK, _OFF, _ON = -1, 0, 1
_NO_CHANNEL: Final = -1
_Key = tuple[int, int]
_Entry = tuple[float, int, int, int, Note | ClockEvent]


@dataclass(frozen=True, slots=True)
class _Strike:
    """A note-on to send, due at `due` seconds."""

    due: float
    channel: int
    note: Note


@dataclass(frozen=True, slots=True)
class _Release:
    """A note-off to send."""

    key: _Key


@dataclass(frozen=True, slots=True)
class _Quiet:
    """The end of a panic: unsent offs, then sustain up and All Notes Off, then `silence`."""

    channels: tuple[int, ...]


class Scheduler:
    """Sends notes at their times; safe to call from any thread.

    Offs go before ons that are due together. Overlapping notes of one pitch and channel are counted: a
    re-strike sends an off before its on, and the key is released when the last of the notes ends, so that
    every on sent is followed by exactly one off. A note's off is scheduled when its on is sent, so a note
    that is withdrawn or skipped leaves no off behind. An error of `send` is counted, never raised; an off
    that could not be sent is sent again before the next note of its pitch, and at a panic.

    MIDI clock goes before notes that are due together, and is neither skipped nor withdrawn: followers count
    its ticks.

    Nothing is sent while the lock is held. Events are queued under the lock, so that their order is that of
    the decisions, and one thread at a time sends the queue. Once `lead_by` has named a thread, only that one
    sends, so that a driver that does not return blocks no other thread. Without one, each call sends before
    it returns.

    Attributes:
        lateness: Seconds from due time to sending of the last 1,000 note-ons.
        late_notes: Note-ons skipped because they came more than `LATE_LIMIT` late.
        send_errors: Events on which `send` raised.
        sending_since: Seconds at which the `send` in progress was called; None outside of one.
    """

    def __init__(
        self,
        send: Callable[[OutputEvent], None],
        clock: Clock,
        silence: Callable[[], None] | None = None,
    ) -> None:
        """Schedule nothing yet.

        Args:
            send: Sends an event at once.
            clock: The session's.
            silence: Ends all other sound after the offs of a panic; called on the thread that sends.
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
        # Events to send, in order; the other two belong to the thread that sends.
        self._queue: deque[_Strike | _Release | _Quiet | ClockEvent] = deque()
        self._sender = threading.Lock()
        self._unsent_offs: set[_Key] = set()

    def lead_by(self, thread: threading.Thread | None) -> None:
        """Let only this thread send from now on, in `run_due`; None lets every caller send."""
        self._leader = thread

    def note(self, note: Note, channel: int = 0) -> None:
        """Schedule a note: its on at the onset, its off at its end."""
        with self._changed:
            self._push(note.onset, _ON, channel, note)
            self._changed.notify()

    def clock_event(self, event: ClockEvent) -> None:
        """Schedule an event of MIDI clock at its time."""
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
        self._flush()
        withdrawn.sort(key=lambda entry: entry[:3])
        return tuple(entry[4] for entry in withdrawn if isinstance(entry[4], Note))

    def panic(self) -> None:
        """Silence everything: offs of all sounding notes; sustain up and all notes off on used channels."""
        with self._changed:
            self._heap = [entry for entry in self._heap if entry[1] == _CLOCK]
            heapq.heapify(self._heap)
            self._hushed = None
            self._quiet()
        self._flush()

    def hush(self) -> None:
        """Silence everything as `panic` does, and send no note until `panic` is called.

        Scheduled notes are kept until then, so that `release_all` can return those that never sounded. For
        threads that receive a panic before the planning thread does.
        """
        with self._changed:
            notes = [entry for entry in self._heap if entry[1] == _ON]
            self._heap = [entry for entry in self._heap if entry[1] == _CLOCK]
            heapq.heapify(self._heap)
            self._hushed = notes + (self._hushed or [])
            self._quiet()
        self._flush()

    def run_due(self, now: float) -> None:
        """Send everything due at `now` seconds or before."""
        self._send_queue()
        while True:
            with self._changed:
                if not self._heap or self._heap[0][0] > now:
                    break
                due, kind, _, channel, what = heapq.heappop(self._heap)
                if not isinstance(what, Note):
                    self._queue.append(what)
                elif kind == _OFF:
                    self._release((channel, what.pitch))
                elif max(now, self._clock.now()) - due > LATE_LIMIT:
                    self.late_notes += 1
                else:
                    self._strike(due, now, channel, what)
            # One at a time: a queued event can no longer be withdrawn.
            self._send_queue()

    def next_due(self) -> float | None:
        """Return when the next event is due, None while there is none."""
        with self._changed:
            return self._heap[0][0] if self._heap else None

    def await_due(self, early: float, timeout: float) -> float | None:
        """Wait until the next event is at most `early` seconds away, or the queue holds one.

        Returns:
            Its due time, in the past for a queued event; None after a change or after `timeout` seconds.
        """
        with self._changed:
            if self._queue:
                return self._clock.now()
            due = self._heap[0][0] if self._heap else None
            wait = timeout if due is None else due - early - self._clock.now()
            if due is not None and wait <= 0:
                return due
            self._changed.wait(min(wait, timeout))
            return None

    def wake(self) -> None:
        """End a wait in `await_due`."""
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
            self._queue.append(_Release(key))
        self._channels.add(channel)
        self._sounding[key] = references + 1
        self._queue.append(_Strike(due, channel, note))
        self._push(max(note.offset, now + SHORTEST_SOUND), _OFF, channel, note)

    def _release(self, key: _Key) -> None:
        references = self._sounding[key] - 1
        if references:
            self._sounding[key] = references
        else:
            self._close(key)

    def _close(self, key: _Key) -> None:
        self._sounding.pop(key, None)
        self._queue.append(_Release(key))

    def _quiet(self) -> None:
        """Queue what silences everything; the heap holds no off of a sounding key any more."""
        for key in sorted(self._sounding):
            self._close(key)
        self._queue.append(_Quiet(tuple(sorted(self._channels))))
        self._changed.notify()

    def _flush(self) -> None:
        """Send the queue: on the leading thread, which was woken, or at once."""
        leader = self._leader
        if leader is None or not leader.is_alive():
            self._send_queue()

    def _send_queue(self) -> None:
        """Send the queue, unless another thread is sending it."""
        # The queue is checked again after the lock is released: a thread that queued an event meanwhile and
        # found the lock held has returned.
        while self._queue and self._sender.acquire(blocking=False):
            try:
                while self._queue:
                    self._send_one(self._queue.popleft())
            finally:
                self._sender.release()

    def _send_one(self, what: _Strike | _Release | _Quiet | ClockEvent) -> None:
        now = self._clock.now
        if isinstance(what, _Strike):
            note, channel = what.note, what.channel
            key = (channel, note.pitch)
            if key in self._unsent_offs:
                self._send_off(key)
            sent_at = now()
            self._try_send(NoteOn(sent_at, note.pitch, note.velocity, channel))
            self.lateness.add(max(0.0, sent_at - what.due))
        elif isinstance(what, _Release):
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
