"""The protocol of pitch trackers, from a stem's samples to note events."""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from tatumflow.engine.midi.events import NoteOff, NoteOn

Samples = NDArray[np.float32]


class NoteTracker(Protocol):
    """A transcriber of audio to note events."""

    @property
    def rate(self) -> int:
        """Sample rate of its input in hertz."""
        ...

    @property
    def latency(self) -> float:
        """Usual longest delay in seconds from a note's onset to its event; repeated notes take longer."""
        ...

    def push(self, samples: Samples, time: float) -> list[NoteOn | NoteOff]:
        """Add the next samples and return the events that they confirm.

        Args:
            samples: Mono, shape (n,), n >= 0, full scale 1; values that are not finite count as silence.
            time: Seconds of the first sample on the clock in use.

        Returns:
            Events by time, none earlier than one returned before, each at the true onset or end of its note.
        """
        ...

    def finish(self, time: float) -> list[NoteOn | NoteOff]:
        """End the sounding notes by `time` seconds, and begin anew with the next samples."""
        ...
