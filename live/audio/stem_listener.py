"""Transcription of the chosen stem on a thread of its own."""

import queue
import threading
from collections.abc import Callable, Sequence
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from tatumflow.engine.midi.events import InputLost, NoteOff, NoteOn
from tatumflow.engine.note_tracking.tracker import NoteTracker
from tatumflow.live.audio.quick_resampler import QuickResampler
from tatumflow.live.notices import Notify

_PATIENCE: Final = 5.0
_MOST_WAITING: Final = 200


class StemListener(Protocol):
    """Takes one stem, on the separation thread; may not keep it waiting."""

    def hear(self, samples: NDArray[np.float32], time: float) -> None:
        """Take samples (n,), mono, at the rate of the separator's model, that follow on those before.

        Args:
            samples: Shape (n,), n >= 1.
            time: When the first one arrived, in seconds of the session's clock.
        """

    def lose(self, time: float) -> None:
        """End the stem at a time: the samples that come next do not follow on it."""


class NoteThread:
    """A `StemListener` that runs a note tracker on a thread of its own, beside the separation.

    Where the tracker cannot keep up, the samples that wait are dropped, with one notice: notes that come
    seconds late are of no use.
    """

    def __init__(
        self,
        tracker: NoteTracker,
        rate: int,
        emit: Callable[[NoteOn | NoteOff | InputLost], None],
        notify: Notify,
    ) -> None:
        """Start.

        Args:
            tracker: Transcribes; called by this thread only.
            rate: Samples a second of the stem; the tracker is given them at its own rate.
            emit: Takes the notes, from this thread; may not raise.
            notify: Takes notices for the user.
        """
        self._tracker = tracker
        self._rate = rate
        self._emit = emit
        self._notify = notify
        self._notified = False
        self._begin()
        # None for the end; samples are None where the stem breaks off.
        self._queue: queue.SimpleQueue[tuple[NDArray[np.float32] | None, float] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="stem notes", daemon=True)
        self._thread.start()

    def hear(self, samples: NDArray[np.float32], time: float) -> None:
        """Queue samples."""
        self._queue.put((samples, time))

    def lose(self, time: float) -> None:
        """Queue a break: notes that sound end there."""
        self._queue.put((None, time))

    def close(self) -> None:
        """Transcribe what waits, and stop."""
        self._queue.put(None)
        self._thread.join(_PATIENCE)

    def _begin(self) -> None:
        self._resampler = QuickResampler(self._rate, self._tracker.rate)
        self._taken = self._given = 0
        """Samples since the beginning, at the one rate and at the other."""

    def _run(self) -> None:
        while (item := self._queue.get()) is not None:
            if self._queue.qsize() > _MOST_WAITING:
                self._notify_once(
                    "notes from the stem come too late, some are left out; close other programs"
                )
                while self._queue.qsize() > 1:
                    item = self._queue.get()
                    if item is None:
                        return
                item = (None, item[1])
            try:
                events = self._events(*item)
            except Exception as error:
                # A tracker may raise anything; the thread goes on.
                self._notify_once(
                    f"no notes from the stem: {type(error).__name__}: {error}; choose another tracker"
                )
                self._begin()
                events = [InputLost(item[1])]
            for event in events:
                self._emit(event)

    def _events(self, samples: NDArray[np.float32] | None, time: float) -> Sequence[NoteOn | NoteOff]:
        if samples is None:
            self._begin()
            return self._tracker.finish(time)
        resampled = self._resampler.push(samples)
        # The resampler holds samples back: what comes out now may be older than these.
        first = time - self._taken / self._rate + self._given / self._tracker.rate
        self._taken += len(samples)
        self._given += len(resampled)
        return self._tracker.push(resampled, first) if len(resampled) else ()

    def _notify_once(self, text: str) -> None:
        if not self._notified:
            self._notified = True
            self._notify(" ".join(text.split()), "warning")
