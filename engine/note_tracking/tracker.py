"""What turns a stem's samples into the events of a keyboard."""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from tatumflow.engine.midi.events import NoteOff, NoteOn

Samples = NDArray[np.float32]


class NoteTracker(Protocol):
    """Hears samples, says notes."""

    @property
    def rate(self) -> int:
        """Samples a second of what it hears."""
        ...

    @property
    def latency(self) -> float:
        """Seconds from a note's onset to its event, as a rule at most; repeated notes take longer."""
        ...

    def push(self, samples: Samples, time: float) -> list[NoteOn | NoteOff]:
        """Take the next samples and return the events that they decide.

        Args:
            samples: Mono, shape (n,), n >= 0, full scale 1; what is not finite counts as silence.
            time: Seconds of the first sample on the clock in use.

        Returns:
            Events in the order of their times, none earlier than one returned before; each at the time its
            note really began or ended.
        """
        ...

    def finish(self, time: float) -> list[NoteOn | NoteOff]:
        """End what sounds, at `time` seconds at the latest, and begin anew with the next samples."""
        ...
