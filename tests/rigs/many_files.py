"""Folders of many small MIDI files, some of them broken."""

from pathlib import Path

import numpy as np
from symusic.core import NoteTick, ScoreTick, TrackTick

BROKEN_EVERY = 97
_IN_FOLDER = 500


def write_many(folder: Path, count: int, notes: int = 40) -> Path:
    """Write `count` files of about `notes` notes each, every 97th of them cut short."""
    for number in range(count):
        rng = np.random.default_rng(number)
        length = notes + number % 7
        onset = np.cumsum(rng.integers(60, 480, length)).tolist()
        pitch = (60 + np.cumsum(rng.integers(-4, 5, length)) % 24).tolist()
        track = TrackTick("piano")
        for start, key in zip(onset, pitch, strict=True):
            track.notes.append(NoteTick(start, 110, key, 64))
        score = ScoreTick(480)
        score.tracks.append(track)
        path = folder / f"player {number // _IN_FOLDER}" / f"{number:05d}.mid"
        path.parent.mkdir(parents=True, exist_ok=True)
        score.dump_midi(str(path))
        if number % BROKEN_EVERY == 0:
            path.write_bytes(path.read_bytes()[:60])
    return folder
