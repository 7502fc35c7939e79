"""Codes of recordings, made once by the audio encoder and kept in safetensors files."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from tatumflow.engine.errors import AudioFileError, CorpusError, SettingError
from tatumflow.engine.files.whole_file import whole_file
from tatumflow.training.models.musicgen.codec import Codec
from tatumflow.training.musicgen.recordings import Recording
from tatumflow.training.musicgen.sound import read_sound

Codes = NDArray[np.int16]
"""Codes of a recording, (K, T)."""

_CODES = "codes"


@dataclass(frozen=True)
class CodedRecording:
    """A recording and its codes, (K, T)."""

    recording: Recording
    codes: Codes


class TokenCache:
    """Codes by the hash of a recording's file and of the audio encoder's weights."""

    def __init__(self, folder: Path, codec: Codec) -> None:
        """Use a folder, which is made when the first codes are written.

        Args:
            folder: The folder.
            codec: The audio encoder.
        """
        self._codec = codec
        self._folder = folder / f"{codec.fingerprint()[:16]}-{codec.channels}"

    def coded(
        self, recordings: Sequence[Recording], report: Callable[[str], None] = print
    ) -> list[CodedRecording]:
        """Return recordings with their codes, in their order; unreadable ones are reported and left out.

        Raises:
            CorpusError: if there are recordings, and none of them can be read.
            SettingError: if the folder cannot be written to.
        """
        found: list[CodedRecording] = []
        made = 0
        with self._codec.accelerated():
            for recording in recordings:
                try:
                    file = self._file(recording)
                    if (codes := self._read(file)) is None:
                        codes = self._encoded(recording)
                        self._write(file, codes)
                        made += 1
                except AudioFileError as error:
                    report(f"left out: {error}")
                    continue
                found.append(CodedRecording(recording, codes))
        if recordings and not found:
            raise CorpusError("none of the recordings can be read; give others")
        if made:
            report(f"{made} of {len(found)} recordings encoded, in {self._folder}")
        return found

    def _file(self, recording: Recording) -> Path:
        try:
            with recording.path.open("rb") as content:
                digest = hashlib.file_digest(content, "sha256").hexdigest()
        except OSError as error:
            raise AudioFileError(f"{recording.path}: cannot be read ({error.strerror})") from None
        return self._folder / f"{digest}.safetensors"

    def _read(self, file: Path) -> Codes | None:
        """Return the codes of a file; None if it is missing or damaged."""
        try:
            codes = load_file(file)[_CODES]
        except (OSError, SafetensorError, KeyError):
            return None
        fits = codes.ndim == 2 and codes.shape[0] == self._codec.codebooks and codes.dtype == np.int16
        return codes if fits and codes.size and codes.min() >= 0 and codes.max() < self._codec.codes else None

    def _encoded(self, recording: Recording) -> Codes:
        samples = read_sound(recording.path, self._codec.rate, self._codec.channels)
        return self._codec.encode(torch.from_numpy(samples)).numpy().astype(np.int16)

    def _write(self, file: Path, codes: Codes) -> None:
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            with whole_file(file) as partial:
                save_file({_CODES: np.ascontiguousarray(codes)}, partial)
        except OSError as error:
            raise SettingError(
                f"data.tokens: {file.parent} cannot be written to ({error.strerror}); give another folder"
            ) from None
