"""Stems of synthetic mixes, with their notes."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import soundfile
from numpy.typing import NDArray
from scipy.signal import resample_poly

from tatumflow.engine.errors import CorpusError, SettingError
from tatumflow.engine.midi.notes import Note
from tatumflow.engine.separation.stems import QUARTET
from tatumflow.training.separation.quartet.generate import arrangement_of
from tatumflow.training.separation.quartet.index import INDEX_FILE, read_index
from tatumflow.training.separation.quartet.solos import read_quartet_solos

_FORMATS: Final = (".flac", ".wav")


@dataclass(frozen=True)
class NotedRecording:
    """A stem whose notes are known.

    Attributes:
        name: Name of the mix.
        instrument: Its instrument.
        path: The sound file.
        notes: By onset; seconds from the file's beginning.
    """

    name: str
    instrument: str
    path: Path
    notes: tuple[Note, ...]

    def read(self, rate: int, seconds: float) -> NDArray[np.float32]:
        """Return its first seconds, mixed to mono, (n,), at `rate` samples a second.

        Raises:
            CorpusError: if the file cannot be read.
        """
        try:
            with soundfile.SoundFile(self.path) as file:
                own_rate = file.samplerate
                samples = file.read(round(seconds * own_rate), dtype="float32", always_2d=True)
        except (soundfile.SoundFileError, OSError) as error:
            raise CorpusError(f"{self.path}: cannot be read as sound ({error})") from None
        divisor = int(np.gcd(rate, own_rate))
        return resample_poly(samples.mean(axis=1), rate // divisor, own_rate // divisor).astype(np.float32)


def read_noted_stems(
    quartets: Path, weimar: Path, stem: str = "horn", stems: Path | None = None
) -> Iterator[NotedRecording]:
    """Yield a stem of each synthetic mix, in the order of their numbers.

    Args:
        quartets: A side of the mixes of `tatumflow data quartet`.
        weimar: The Weimar Jazz Database, their source.
        stem: One of `QUARTET`.
        stems: Folder with folders of the same names, for separated stems in place of the clean ones.

    Raises:
        CorpusError: if something cannot be read or does not fit.
        SettingError: if there is no such stem.
    """
    if stem not in QUARTET.names:
        raise SettingError(f"stem {stem!r}: quartets have {', '.join(QUARTET.names)}; give one of them")
    index = read_index(quartets / INDEX_FILE)
    if index is None:
        raise CorpusError(
            f"{quartets}: holds no {INDEX_FILE}; give a side of the mixes of `tatumflow data quartet`"
        )
    solos = {solo.name: solo for solo in read_quartet_solos(weimar)}
    for item in index.items:
        if item.solo not in solos:
            raise CorpusError(f"{weimar}: has no solo {item.solo}; give the database of {quartets}")
        entry = item.stems[stem]
        yield NotedRecording(
            name=item.name,
            instrument=f"{entry.instrument}, {Path(entry.soundfont).stem}",
            path=_sound_file((stems or quartets) / item.name, stem),
            notes=arrangement_of(item, solos[item.solo], index.seed).notes[stem],
        )


def _sound_file(folder: Path, stem: str) -> Path:
    for ending in _FORMATS:
        if (path := folder / f"{stem}{ending}").is_file():
            return path
    raise CorpusError(f"{folder}: holds no {stem}{_FORMATS[0]} or {stem}{_FORMATS[1]}; make it first")
