"""Copying frames into and out of an array that begins again at its end."""

from typing import Any

from numpy.typing import NDArray


def put(circle: NDArray[Any], at: int, frames: NDArray[Any]) -> None:
    """Copy frames to where number `at` lies, and on from there.

    Args:
        circle: Shape (capacity, c).
        at: Number of the first frame; negative ones lie before 0.
        frames: Shape (n, c), n <= capacity.
    """
    first = at % len(circle)
    before_end = min(len(frames), len(circle) - first)
    circle[first : first + before_end] = frames[:before_end]
    if before_end < len(frames):
        circle[: len(frames) - before_end] = frames[before_end:]


def take(circle: NDArray[Any], at: int, into: NDArray[Any]) -> None:
    """Copy the frames from number `at` on.

    Args:
        circle: Shape (capacity, c).
        at: Number of the first frame; negative ones lie before 0.
        into: Shape (n, c), n <= capacity; filled.
    """
    first = at % len(circle)
    before_end = min(len(into), len(circle) - first)
    into[:before_end] = circle[first : first + before_end]
    if before_end < len(into):
        into[before_end:] = circle[: len(into) - before_end]
