"""Performances with beats: Weimar solos with annotated beats, and PiJAMA with a teacher's labels."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from tatumflow.engine.errors import CorpusError
from tatumflow.engine.midi.midi_file import read_midi
from tatumflow.engine.midi.notes import Note
from tatumflow.training.data.corpora.annotated_solo import Line, read_annotated_solos
from tatumflow.training.data.corpora.beat_tables import read_labels
from tatumflow.training.data.corpora.piece import BrokenFile, Split
from tatumflow.training.data.corpora.source import open_source
from tatumflow.training.data.corpora.wjazzd import BEATS

Kind = Literal["solo", "piano"]

_UNSURE: Final = 0.08
_SURE: Final = 0.26
_SPAN: Final = 9
"""Beats over which the teacher's activations are averaged."""


@dataclass(frozen=True)
class NoteList:
    """Notes as input of the tracker, n of them, in the order of their onsets.

    Attributes:
        onset: Seconds, (n,) float64.
        pitch: MIDI pitches, (n,) int64.
        velocity: MIDI velocities, (n,) int64; 0 for unknown.
    """

    onset: NDArray[np.float64]
    pitch: NDArray[np.int64]
    velocity: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.onset)

    def where(self, chosen: NDArray[np.bool_]) -> "NoteList":
        """Return the notes at which `chosen`, shape (n,), is true."""
        return NoteList(self.onset[chosen], self.pitch[chosen], self.velocity[chosen])


@dataclass(frozen=True)
class BeatExample:
    """A performance with its beats, all on one clock.

    Attributes:
        name: The file's name or the performance's id.
        kind: A solo line or a piano.
        split: Its side of the split.
        notes: The notes.
        bass: Walking bass or estimated bass of a solo line; empty without one.
        beats: Seconds of each beat, (b,) float64, ascending.
        position: Beat of the bar from 1, (b,) int64; 0 where unknown.
        certainty: Certainty of each beat, (b,) float64, 0 to 1.
    """

    name: str
    kind: Kind
    split: Split
    notes: NoteList
    bass: NoteList
    beats: NDArray[np.float64]
    position: NDArray[np.int64]
    certainty: NDArray[np.float64]


def read_solos(weimar: Path, seed: int = 0) -> list[BeatExample]:
    """Read the Weimar solos with their annotated beats, split by tune.

    Raises:
        CorpusError: if the source cannot be read or has no tables of beats.
    """
    examples: list[BeatExample] = []
    with open_source(weimar) as folder:
        for solo in read_annotated_solos(folder, seed):
            if isinstance(solo, BrokenFile) or len(solo.beats) < _SPAN or not len(solo.melody):
                continue
            position = _positions(folder / BEATS / solo.name)
            bass = solo.walking_bass if len(solo.walking_bass) else solo.beat_bass
            examples.append(
                BeatExample(
                    name=solo.name,
                    kind="solo",
                    split=solo.split,
                    notes=_of_line(solo.melody),
                    bass=_of_line(bass),
                    beats=solo.beats,
                    position=position,
                    certainty=np.ones(len(solo.beats)),
                )
            )
    return examples


def read_piano(pijama: Path, labels: Path) -> list[BeatExample]:
    """Read the performances of PiJAMA in a folder or archive of labels, with these labels.

    Raises:
        CorpusError: if a source cannot be read.
    """
    examples: list[BeatExample] = []
    with open_source(pijama) as corpus, open_source(labels) as folder:
        for entry, beats in read_labels(folder):
            notes = read_midi(corpus / entry.midi_filepath).notes
            if len(beats.onset) < _SPAN:
                continue
            examples.append(
                BeatExample(
                    name=entry.id,
                    kind="piano",
                    split="val" if entry.split == "val" else "train",
                    notes=notes_of(notes),
                    bass=NoteList(np.empty(0), np.empty(0, np.int64), np.empty(0, np.int64)),
                    beats=beats.onset,
                    position=beats.position,
                    certainty=_certainty(
                        beats.activation if beats.confidence is None else None, beats.confidence
                    ),
                )
            )
    return examples


def notes_of(notes: Sequence[Note]) -> NoteList:
    """Return notes as input of the tracker."""
    return NoteList(
        np.array([note.onset for note in notes], dtype=np.float64),
        np.array([note.pitch for note in notes], dtype=np.int64),
        np.array([note.velocity for note in notes], dtype=np.int64),
    )


def of_side(examples: Sequence[BeatExample], split: Split) -> list[BeatExample]:
    """Return the examples on one side of the split."""
    return [example for example in examples if example.split == split]


def _certainty(
    activation: NDArray[np.float64] | None, confidence: NDArray[np.float64] | None
) -> NDArray[np.float64]:
    if confidence is not None:
        return np.clip(2 * confidence - 1, 0, 1)
    assert activation is not None
    mean = np.convolve(np.pad(activation, _SPAN // 2, mode="edge"), np.full(_SPAN, 1 / _SPAN), "valid")
    return np.clip((mean - _UNSURE) / (_SURE - _UNSURE), 0, 1)


def _positions(path: Path) -> NDArray[np.int64]:
    """Read each beat's number in the bar; all 0 where the table counts fewer than three beats a bar."""
    try:
        with path.open(encoding="utf-8", newline="") as file:
            position = np.array([int(float(row["beat"])) for row in csv.DictReader(file)], dtype=np.int64)
    except (OSError, KeyError, TypeError, ValueError, csv.Error) as error:
        raise CorpusError(f"{path.name}: is not a table of beats ({error}); download it again") from error
    return position if position.max(initial=0) > 2 else np.zeros_like(position)


def _of_line(line: Line) -> NoteList:
    return NoteList(line.onset, line.pitch, np.zeros(len(line), dtype=np.int64))
