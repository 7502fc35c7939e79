"""Recordings in stems from any folder: a folder for each recording, a sound file for each source in it."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import soundfile
from numpy.typing import NDArray

from tatumflow.engine.errors import CorpusError
from tatumflow.engine.separation.stems import StemSet
from tatumflow.training.separation.data.parts import CHANNELS, Parts, stereo

MIXTURE: Final = "mixture"
"""Name of the file, without its ending, that holds the mixture where there is one."""

SUFFIXES: Final = (".flac", ".wav", ".ogg", ".mp3")


@dataclass(frozen=True)
class FolderRecording:
    """A recording in a folder; a `Recording`.

    Attributes:
        name: The folder's path below the root.
        rate: Samples a second of all its files.
        length: Samples of the longest.
        stems: The stems of its parts.
        files: Sound file of each source, with those of no stem, and of the mixture if there is one.
    """

    name: str
    rate: int
    length: int
    stems: StemSet
    files: Mapping[str, Path]

    def read(self, start: int, length: int) -> Parts:
        """Return an excerpt as parts; see `Recording`.

        The rest is the sum of the remaining sources; where there are none, it is the mixture less the stems.
        """
        parts = np.zeros((len(self.stems) + 1, CHANNELS, length), dtype=np.float32)
        for number, stem in enumerate(self.stems.stems):
            for source in stem.sources:
                parts[number] += self._excerpt(source, start, length)
        held = set(self.stems.sources)
        remaining = [source for source in self.files if source not in held and source != MIXTURE]
        for source in remaining:
            parts[-1] += self._excerpt(source, start, length)
        if not remaining and MIXTURE in self.files:
            parts[-1] = self._excerpt(MIXTURE, start, length) - parts.sum(axis=0)
        return parts

    def _excerpt(self, source: str, start: int, length: int) -> NDArray[np.float32]:
        path = self.files[source]
        try:
            with soundfile.SoundFile(path) as file:
                file.seek(min(start, file.frames))
                samples = file.read(length, dtype="float32", always_2d=True)
        except (OSError, soundfile.SoundFileError) as error:
            raise CorpusError(
                f"{path}: cannot be read ({error}); make or copy the recording again"
            ) from error
        return stereo(np.asarray(samples, dtype=np.float32), length)


def read_stem_folder(root: Path, stems: StemSet) -> list[FolderRecording]:
    """Find the recordings of a folder, in the order of their names.

    Each folder below the root that holds a file named as every source, such as `bass.flac`, is a recording;
    the endings are those of `SUFFIXES`. All further folders are skipped.

    Args:
        root: The folder.
        stems: The stems.

    Raises:
        CorpusError: if there are no recordings, or the files of one differ in sample rate or cannot be read.
    """
    root = Path(root)
    if not root.is_dir():
        raise CorpusError(f"{root}: no such folder; give one with a folder for each recording")
    recordings: list[FolderRecording] = []
    for folder in [root, *sorted(path for path in root.rglob("*") if path.is_dir())]:
        files = _sound_files(folder)
        if all(source in files for source in stems.sources):
            name = folder.relative_to(root).as_posix()
            recordings.append(_recording(name if folder != root else root.name, stems, files))
    if not recordings:
        required = ", ".join(f"{source}{SUFFIXES[0]}" for source in stems.sources)
        raise CorpusError(f"{root}: no folder in it holds {required}; check the names, or choose other stems")
    return recordings


def _sound_files(folder: Path) -> dict[str, Path]:
    """Return the sound files of a folder by lower-case name, one each; FLAC is preferred."""
    found = [path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES and path.is_file()]
    found.sort(key=lambda path: (path.stem.lower(), SUFFIXES.index(path.suffix.lower())), reverse=True)
    return {path.stem.lower(): path for path in found}


def _recording(name: str, stems: StemSet, files: Mapping[str, Path]) -> FolderRecording:
    rates: dict[int, str] = {}
    longest = 0
    for path in files.values():
        try:
            info = soundfile.info(path)
        except (OSError, soundfile.SoundFileError) as error:
            raise CorpusError(f"{path}: is no sound file ({error}); make or copy it again") from error
        rates.setdefault(info.samplerate, path.name)
        longest = max(longest, info.frames)
    if len(rates) > 1:
        listed = ", ".join(f"{file} at {rate} Hz" for rate, file in rates.items())
        raise CorpusError(f"{name}: its files differ in sample rate ({listed}); resample them to one")
    return FolderRecording(name, next(iter(rates)), longest, stems, files)
