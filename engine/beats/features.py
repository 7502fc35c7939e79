"""Input features of the beat network: note onsets in frames of 20 ms."""

from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

FRAME_RATE: Final = 50
"""Frames a second."""

FEATURES: Final = 35
"""Values of a frame: 22 bands of four semitones from A0, 12 pitch classes, and one for all notes."""

SPREAD: Final = 2
"""Frames that one onset affects: the one it falls in and the next."""

_BANDS: Final = 22
_LOWEST: Final = 21
_SEMITONES: Final = 4
_UNKNOWN_LOUDNESS: Final = 0.7


def onset_features(
    onset: ArrayLike, pitch: ArrayLike, velocity: ArrayLike, frames: int, first: int = 0
) -> NDArray[np.float32]:
    """Return the features of consecutive frames.

    An onset is shared between the frame it falls in and the next, by how far it lies from each, so that its
    place within a frame is kept. A frame is complete once no further onset can come before its end.

    Args:
        onset: Seconds, shape (n,), in any order.
        pitch: MIDI pitches 0 to 127, shape (n,); those off the piano go to the outermost band.
        velocity: MIDI velocities 1 to 127, shape (n,); 0 for unknown.
        frames: Number of frames.
        first: Number of the first of them; frame f begins at f / `FRAME_RATE` seconds.

    Returns:
        Shape (frames, `FEATURES`), at least 0.
    """
    place = np.asarray(onset, dtype=np.float64) * FRAME_RATE - first
    pitches = np.asarray(pitch, dtype=np.int64)
    velocities = np.asarray(velocity, dtype=np.float32)
    loudness = np.where(velocities > 0, 0.4 + 0.6 * velocities / 127, _UNKNOWN_LOUDNESS)
    band = np.clip((pitches - _LOWEST) // _SEMITONES, 0, _BANDS - 1)
    frame = np.floor(place).astype(np.int64)
    later = place - frame
    features = np.zeros(frames * FEATURES, dtype=np.float32)
    for offset, share in ((0, 1 - later), (1, later)):
        row = frame + offset
        inside = (row >= 0) & (row < frames)
        start, value = row[inside] * FEATURES, (loudness * share)[inside].astype(np.float32)
        np.add.at(features, start + band[inside], value)
        np.add.at(features, start + _BANDS + pitches[inside] % 12, value)
        np.add.at(features, start + FEATURES - 1, value)
    return np.sqrt(features).reshape(frames, FEATURES)
