"""The `separate` command: a sound file into files of its stems, of any length in the same memory."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from tatumflow.engine.errors import AudioFileError, SettingError
from tatumflow.engine.files.whole_file import whole_file
from tatumflow.engine.separation.bundle import load_separator, separator_path
from tatumflow.engine.separation.onnx_separator import OnnxBlockModel
from tatumflow.engine.separation.stems import StemSet, parse_stems
from tatumflow.engine.separation.streaming import BlockModel, StreamingSeparator

_SIDES: Final = 2
_PIECE: Final = 1 << 16
_QUALITY: Final = "HQ"

Frames = NDArray[np.float32]


@dataclass(frozen=True)
class SeparateOptions:
    """What to separate.

    Attributes:
        source: A sound file, of any rate and length; of more than two channels the first two count.
        out: Folder of the stems' files, `NAME.flac` each at the source's rate and length.
        stems: Which to write, such as "horn" or "horn,band=piano+bass+drums"; all when empty.
        model: Separator: a name or a folder; the first that is found when empty.
    """

    source: Path
    out: Path
    stems: str = ""
    model: str = ""


def separate(options: SeparateOptions, console: Console | None = None) -> list[Path]:
    """Separate a file.

    Args:
        options: What to separate.
        console: Where progress is shown; by default the terminal.

    Returns:
        The files, in the order of the stems.

    Raises:
        AudioFileError: if the source cannot be read, or the stems cannot be written.
        BundleError: if there is no such separator, or it is damaged.
        SettingError: if the separator has no such stems.
    """
    model = OnnxBlockModel(load_separator(separator_path(options.model)))
    return separate_with(model, options, console)


def separate_with(model: BlockModel, options: SeparateOptions, console: Console | None = None) -> list[Path]:
    """Separate a file with an opened model; see `separate`."""
    requested = parse_stems(options.stems or ",".join(model.stems.names))
    sums = _sums(model.stems, requested)
    columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn())
    with ExitStack() as files, Progress(*columns, console=console or Console(stderr=True)) as progress:
        source = files.enter_context(_opened(options.source))
        try:
            options.out.mkdir(parents=True, exist_ok=True)
            paths = [options.out / f"{name}.flac" for name in requested.names]
            # The stack closes every stem's file before it takes its place.
            with ExitStack() as whole:
                parts = [whole.enter_context(whole_file(path)) for path in paths]
                targets = [
                    whole.enter_context(
                        soundfile.SoundFile(
                            part, "w", source.samplerate, _SIDES, format="FLAC", subtype="PCM_24"
                        )
                    )
                    for part in parts
                ]
                task = progress.add_task(options.source.name, total=source.frames)
                written = 0
                for stems in _stems(source, model, sums):
                    stems = stems[:, : source.frames - written]
                    for target, stem in zip(targets, stems, strict=True):
                        target.write(stem)
                    written += stems.shape[1]
                    progress.update(task, completed=written)
                for target in targets:
                    target.write(np.zeros((source.frames - written, _SIDES), dtype=np.float32))
        except (OSError, soundfile.SoundFileError) as error:
            raise AudioFileError(
                f"{options.source} into {options.out}: {error}; check the file, the folder and the disk"
            ) from error
    return paths


def _opened(path: Path) -> soundfile.SoundFile:
    try:
        source = soundfile.SoundFile(path)
    except (OSError, soundfile.SoundFileError) as error:
        reason = "no such file" if not path.exists() else f"is no sound file ({error})"
        raise AudioFileError(f"{path}: {reason}; give a WAV, FLAC, Ogg or MP3 file") from error
    if not source.frames:
        source.close()
        raise AudioFileError(f"{path}: holds no sound; give a file that does")
    return source


def _sums(known: StemSet, requested: StemSet) -> NDArray[np.float32]:
    """Return which of the model's stems sound in each requested one, (requested, known), 0 or 1."""
    for name in requested.sources:
        if name not in known.names:
            raise SettingError(f"stems: the separator has no {name!r}; choose from {', '.join(known.names)}")
    rows = [[float(name in stem.sources) for name in known.names] for stem in requested.stems]
    return np.array(rows, dtype=np.float32)


def _stems(
    source: soundfile.SoundFile, model: BlockModel, sums: NDArray[np.float32]
) -> Iterator[NDArray[np.float32]]:
    """Yield the requested stems of a file piece by piece, (requested, n, 2) at its rate."""
    count = len(sums)
    into = _Resampler(source.samplerate, model.rate, _SIDES)
    back = _Resampler(model.rate, source.samplerate, count * _SIDES)
    separator = StreamingSeparator(model)
    for piece in _pieces(source):
        yield _by_stem(back.push(_mixed(separator.push(into.push(piece).T), sums)), count)
    last = [separator.push(into.finish().T), separator.finish()]
    yield _by_stem(back.push(_mixed(np.concatenate(last, axis=-1), sums)), count)
    yield _by_stem(back.finish(), count)


def _pieces(source: soundfile.SoundFile) -> Iterator[Frames]:
    """Yield a file's frames in stereo, (n, 2); samples that are not finite become silence."""
    while True:
        frames = source.read(_PIECE, dtype="float32", always_2d=True)
        if not len(frames):
            return
        sides: Sequence[int] = (0, 0) if frames.shape[1] == 1 else (0, 1)
        yield np.nan_to_num(np.asarray(frames, dtype=np.float32)[:, sides], nan=0.0, posinf=0.0, neginf=0.0)


def _mixed(stems: NDArray[np.float32], sums: NDArray[np.float32]) -> Frames:
    """Return the sums of stems (s, 2, n) as frames (n, 2 requested)."""
    mixed = np.tensordot(sums, stems, axes=1)
    return np.ascontiguousarray(mixed.reshape(len(sums) * _SIDES, stems.shape[-1]).T)


def _by_stem(frames: Frames, count: int) -> NDArray[np.float32]:
    return frames.reshape(len(frames), count, _SIDES).swapaxes(0, 1)


class _Resampler:
    """Frames (n, channels) at one rate into frames at another, for quality rather than low latency."""

    def __init__(self, source: int, target: int, channels: int) -> None:
        self._none = np.zeros((0, channels), dtype=np.float32)
        self._stream = (
            None if source == target else soxr.ResampleStream(source, target, channels, quality=_QUALITY)
        )

    def push(self, frames: Frames) -> Frames:
        return frames if self._stream is None else self._stream.resample_chunk(frames)

    def finish(self) -> Frames:
        return self._none if self._stream is None else self._stream.resample_chunk(self._none, last=True)
