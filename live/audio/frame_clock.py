"""The time of each input frame, from the times at which the audio callback was called."""

import math
from typing import Final

_BANDWIDTH: Final = 0.5
"""Hertz: how fast the clock follows; slower smooths more of the callback's jitter."""

_LOST_SECONDS: Final = 0.05


class FrameClock:
    """A delay-locked loop between frames and seconds.

    It follows the device's true rate and smooths out how late each callback was (Adriaensen, "Using a DLL to
    filter time", Linux Audio Conference 2005).
    """

    def __init__(self, rate: float) -> None:
        """Begin with the nominal rate of the device, frames a second."""
        self._rate = rate
        self._seconds_per_frame = 1 / rate
        self._frame = 0
        self._time: float | None = None

    def observe(self, frame: int, time: float) -> None:
        """Take the time of a frame, later than those before."""
        if self._time is None or abs(time - self.time_of(frame)) > _LOST_SECONDS:
            # Frames were lost, or this is the first.
            self._frame, self._time = frame, time
            self._seconds_per_frame = 1 / self._rate
            return
        frames = frame - self._frame
        if frames <= 0:
            return
        predicted = self.time_of(frame)
        error = time - predicted
        speed = min(2 * math.pi * _BANDWIDTH * frames / self._rate, 0.5)
        self._frame, self._time = frame, predicted + math.sqrt(2) * speed * error
        self._seconds_per_frame += speed**2 * error / frames

    def time_of(self, frame: float) -> float:
        """Return the time of a past or future frame, in seconds; 0 before anything was observed."""
        return 0.0 if self._time is None else self._time + (frame - self._frame) * self._seconds_per_frame
