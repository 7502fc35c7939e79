"""Copying frames into and out of an array that begins again at its end."""

from typing import Any

from numpy.typing import NDArray


def put(circle: NDArray[Any], at: int, frames: NDArray[Any]) -> None:
    """Copy frames, (n, c) with n <= capacity, to number `at` of a circle, (capacity, c), and on from there.

    Negative numbers lie before frame 0.
    """
    first = at % len(circle)
    before_end = min(len(frames), len(circle) - first)
    circle[first : first + before_end] = frames[:before_end]
    if before_end < len(frames):
        circle[: len(frames) - before_end] = frames[before_end:]


def take(circle: NDArray[Any], at: int, into: NDArray[Any]) -> None:
    """Fill `into`, (n, c) with n <= capacity, from number `at` of a circle, (capacity, c), on.

    Negative numbers lie before frame 0.
    """
    first = at % len(circle)
    before_end = min(len(into), len(circle) - first)
    into[:before_end] = circle[first : first + before_end]
    if before_end < len(into):
        into[before_end:] = circle[: len(into) - before_end]
