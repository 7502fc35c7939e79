"""Recordings in stems that tests write themselves."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile

RATE = 8000


def tones(length: int, *frequencies: float, rate: int = RATE) -> np.ndarray:
    """Return a stereo sum of sines, (length, 2), the right side at half the level."""
    time = np.arange(length) / rate
    wave = sum(np.sin(2 * np.pi * f * time) for f in frequencies) * (0.2 / len(frequencies))
    return np.stack([wave, 0.5 * np.asarray(wave)], axis=1).astype(np.float32)


def write_recording(
    folder: Path, files: dict[str, np.ndarray], rate: int = RATE, suffix: str = ".flac"
) -> Path:
    """Write sound files of 16 bits into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, samples in files.items():
        soundfile.write(folder / f"{name}{suffix}", samples, rate, subtype="PCM_16")
    return folder


@dataclass(frozen=True)
class Ramp:
    """A recording whose samples encode their places: part p at sample i is p + 1 + i / 1,000,000."""

    name: str = "ramp"
    rate: int = RATE
    length: int = 10_000
    parts: int = 3

    def read(self, start: int, length: int) -> np.ndarray:
        places = np.arange(start, start + length)
        values = np.arange(1, self.parts + 1)[:, None] + places / 1e6
        values = np.where(places < self.length, values, 0)
        return np.repeat(values[:, None], 2, axis=1).astype(np.float32)
