"""Sound files: read at the rate and channels of a model, and written whole or not at all."""

from pathlib import Path
from typing import Final

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

from tatumflow.engine.errors import AudioFileError, SettingError
from tatumflow.engine.files.whole_file import whole_file

SOUND_SUFFIXES: Final = frozenset({".wav", ".flac", ".mp3", ".ogg", ".aif", ".aiff"})
"""Suffixes of the recordings of a folder."""

_FORMATS: Final = {".wav": ("WAV", "PCM_16"), ".flac": ("FLAC", "PCM_16"), ".mp3": ("MP3", "MPEG_LAYER_III")}


def read_sound(path: Path, rate: int, channels: int) -> NDArray[np.float32]:
    """Return a sound file's samples, (channels, n), resampled.

    More channels than asked for are mixed; a mono file fills them all.

    Raises:
        AudioFileError: if it cannot be read or is empty.
    """
    try:
        samples, own_rate = soundfile.read(path, dtype="float32", always_2d=True)
    except (OSError, soundfile.SoundFileError) as error:
        raise AudioFileError(f"{path}: cannot be read ({error}); give a WAV, FLAC, MP3 or Ogg file") from None
    if not len(samples):
        raise AudioFileError(f"{path}: is empty; give a recording")
    if not np.isfinite(samples).all():
        raise AudioFileError(f"{path}: holds samples that are no numbers; convert it again")
    if samples.shape[1] != channels:
        samples = np.repeat(samples.mean(axis=1, keepdims=True), channels, axis=1)
    resampled = soxr.resample(samples, own_rate, rate) if own_rate != rate else samples
    return np.ascontiguousarray(resampled.T, dtype=np.float32)


def seconds_of(path: Path) -> float:
    """Return the length of a sound file in seconds; 0 if it cannot be read."""
    try:
        return float(soundfile.info(path).duration)
    except (OSError, soundfile.SoundFileError):
        return 0.0


def check_suffix(path: Path) -> None:
    """Refuse the name of a sound file to write whose format is not known.

    Raises:
        SettingError: if its suffix is none of .wav, .flac and .mp3.
    """
    if path.suffix.casefold() not in _FORMATS:
        raise SettingError(f"{path}: is not the name of a sound file; end it in {', '.join(_FORMATS)}")


def write_sound(path: Path, samples: NDArray[np.float32], rate: int) -> None:
    """Write samples, (channels, n), clipped to -1 to 1, in the format of the name.

    Raises:
        SettingError: if the name's suffix is not known.
        AudioFileError: if the file cannot be written.
    """
    check_suffix(path)
    kind, subtype = _FORMATS[path.suffix.casefold()]
    try:
        with whole_file(path) as partial:
            soundfile.write(partial, samples.T.clip(-1, 1), rate, format=kind, subtype=subtype)
    except (OSError, soundfile.SoundFileError) as error:
        raise AudioFileError(f"{path}: cannot be written ({error}); check the folder and the disk") from None
