"""MUSDB18 (Rafii et al., 2017; Zenodo record 1117372) through the `musdb` package, with any stems."""

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np

from tatumflow.engine.errors import CorpusError, TatumFlowError
from tatumflow.engine.separation.stems import FOUR_STEMS, StemSet
from tatumflow.training.separation.data.parts import CHANNELS, Parts, stereo
from tatumflow.training.separation.ffmpeg import without_ffmpeg

Subset = Literal["train", "valid", "test"]

SOURCES: Final = FOUR_STEMS.sources


@dataclass(frozen=True)
class MusdbRecording:
    """A track of MUSDB18; a `Recording`.

    Attributes:
        track: The package's `MultiTrack`, whose own annotations are too narrow.
        stems: The stems of its parts.
    """

    track: Any
    stems: StemSet

    @property
    def name(self) -> str:
        """Artist and title."""
        return str(self.track.name)

    @property
    def rate(self) -> int:
        """44,100 in the published corpus."""
        return int(self.track.rate)

    @property
    def length(self) -> int:
        """Samples."""
        return round(self.track.duration * self.rate)

    def read(self, start: int, length: int) -> Parts:
        """Return an excerpt as parts; see `Recording`."""
        parts = np.zeros((len(self.stems) + 1, CHANNELS, length), dtype=np.float32)
        available = min(length, self.length - start)
        if available <= 0:
            return parts
        track = self.track
        track.chunk_start, track.chunk_duration = start / self.rate, available / self.rate
        place = {source: -1 for source in SOURCES}
        place |= {source: number for number, stem in enumerate(self.stems.stems) for source in stem.sources}
        try:
            for source, number in place.items():
                parts[number] += stereo(track.sources[source].audio.astype(np.float32), length)
        except (OSError, RuntimeError, ValueError, KeyError) as error:
            raise CorpusError(f"{self.name}: cannot be read ({error}); download MUSDB18 again") from error
        return parts


def read_musdb(root: Path, subset: Subset, stems: StemSet, wav: bool = False) -> list[MusdbRecording]:
    """Find the tracks of MUSDB18.

    The package's own 14 validation tracks are the "valid" subset; "train" is without them.

    Args:
        root: Its folder, with `train` and `test` in it.
        subset: Which tracks.
        stems: The stems, of the sources vocals, drums, bass and other.
        wav: Whether the corpus is in WAV files, not in MP4 (`.stem.mp4`).

    Raises:
        CorpusError: if the stems have other sources, or there are no tracks.
        TatumFlowError: if the package or ffmpeg is missing.
    """
    unknown = [source for source in stems.sources if source not in SOURCES]
    if unknown:
        raise CorpusError(f"MUSDB18 has no source {unknown[0]!r}; it has {', '.join(SOURCES)}")
    try:
        import musdb
    except ModuleNotFoundError as error:
        raise TatumFlowError(
            f"MUSDB18 needs {error.name}; in TatumFlow's folder, run: pip install -e '.[separation]'"
        ) from None
    except RuntimeError:
        raise without_ffmpeg("reading MUSDB18") from None
    if shutil.which("ffmpeg") is None:
        raise without_ffmpeg("reading MUSDB18")
    side, split = ("test", None) if subset == "test" else ("train", subset)
    try:
        corpus = musdb.DB(root=str(root), subsets=side, split=split, is_wav=wav)
    except (OSError, RuntimeError, ValueError) as error:
        raise CorpusError(f"{root}: is not MUSDB18 ({error}); give the folder with train and test") from error
    if not corpus.tracks:
        raise CorpusError(
            f"{root}: holds no tracks of MUSDB18; give its folder, and wav=True if it is in WAV"
        )
    return [MusdbRecording(track, stems) for track in corpus.tracks]
