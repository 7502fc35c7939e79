"""Folders of recordings with captions, and their split into a training and a held-out side."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from tatumflow.engine.errors import CorpusError
from tatumflow.training.musicgen.sound import SOUND_SUFFIXES

CAPTIONS_FILE: Final = "captions.jsonl"

Side = Literal["train", "val"]


@dataclass(frozen=True)
class Recording:
    """A recording and what it is.

    Attributes:
        path: The sound file.
        name: Its path within the folder.
        caption: What is heard in it.
        piece: The piece it is of: takes of one piece lie on one side of the split.
    """

    path: Path
    name: str
    caption: str
    piece: str


class _CaptionLine(BaseModel):
    """A line of `captions.jsonl`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    file: str = Field(min_length=1)
    caption: str = Field(min_length=1, max_length=2000)
    piece: str | None = None


def read_recordings(folder: Path, side: Side, val_share: float, seed: int) -> list[Recording]:
    """Return the recordings of a side, in the order of their names.

    A folder with folders `train` and `val` in it is split by them, any other one at random by pieces.
    Captions are in a `captions.jsonl` of lines such as {"file": "solo.wav", "caption": "be-bop solo in F"},
    which may also name the "piece", or in a text file of the same name beside each recording: solo.txt.

    Args:
        folder: The folder.
        side: The side of the split.
        val_share: Share of the pieces that are held out: at least one of two or more, none where it is 0.
        seed: Seed of the split.

    Raises:
        CorpusError: if there are no recordings, or a caption is missing or malformed.
    """
    if (folder / "train").is_dir():
        return _with_captions(folder / side) if (folder / side).is_dir() else []
    recordings = _with_captions(folder)
    pieces = sorted({recording.piece for recording in recordings})
    held_out = max(round(val_share * len(pieces)), 1) if val_share and len(pieces) > 1 else 0
    chosen = np.random.default_rng(seed).permutation(len(pieces))[:held_out]
    val = {pieces[number] for number in chosen}
    return [recording for recording in recordings if (recording.piece in val) == (side == "val")]


def _with_captions(folder: Path) -> list[Recording]:
    if not folder.is_dir():
        raise CorpusError(f"{folder}: no such folder; give one of recordings with captions")
    listed = folder / CAPTIONS_FILE
    found = list(_listed(folder, listed) if listed.is_file() else _beside(folder))
    if not found:
        raise CorpusError(f"{folder}: holds no recordings; give a folder of WAV, FLAC, MP3 or Ogg files")
    return sorted(found, key=lambda recording: recording.name)


def _listed(folder: Path, listed: Path) -> Iterator[Recording]:
    root = folder.resolve()
    for number, text in enumerate(_text(listed).splitlines(), 1):
        if not text.strip():
            continue
        try:
            line = _CaptionLine.model_validate(json.loads(text))
        except (ValueError, ValidationError):
            raise CorpusError(
                f'{listed}: line {number} is not {{"file": "solo.wav", "caption": "..."}}; correct it'
            ) from None
        path = folder / line.file
        if not path.resolve().is_relative_to(root) or not path.is_file():
            raise CorpusError(f"{listed}: line {number}: {line.file} is not a file in {folder}")
        yield Recording(path, line.file, line.caption, line.piece or line.file)


def _beside(folder: Path) -> Iterator[Recording]:
    for path in sorted(folder.rglob("*")):
        if path.suffix.casefold() not in SOUND_SUFFIXES or path.name.startswith("."):
            continue
        text = path.with_suffix(".txt")
        caption = " ".join(_text(text).split()) if text.is_file() else ""
        if not caption:
            raise CorpusError(
                f"{path}: has no caption; write one in {text.name} beside it, or all in {CAPTIONS_FILE}"
            )
        name = path.relative_to(folder).as_posix()
        yield Recording(path, name, caption, name)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise CorpusError(f"{path}: cannot be read as UTF-8 text ({error}); correct it") from None
