"""Arrangement of a synthetic mix: the notes of a solo with its accompaniment."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from tatumflow.engine.midi.notes import Note
from tatumflow.training.data.corpora.annotated_solo import Line
from tatumflow.training.separation.quartet.accompaniment import accompaniment
from tatumflow.training.separation.quartet.beat_notes import draw_touch, play
from tatumflow.training.separation.quartet.solos import QuartetSolo

_LEAD_IN: Final = 0.25
"""Seconds before the first beat."""

_LEAST_DURATION: Final = 0.03

_REST_SECONDS: Final = 1.5
"""Longest silence of the transcribed bass before the synthetic one plays."""


@dataclass(frozen=True)
class Arrangement:
    """The notes of a quartet.

    Attributes:
        notes: Of each stem of `QUARTET`, by onset; seconds from the start of the recording.
        seconds: End of the last note.
        real_bass: Share of the bass notes that were transcribed, 0 to 1.
    """

    notes: Mapping[str, tuple[Note, ...]]
    seconds: float
    real_bass: float


def arrange(
    solo: QuartetSolo, rng: np.random.Generator, transposition: int = 0, tempo: float = 1.0
) -> Arrangement:
    """Accompany a solo; the bass is the real one where it was transcribed.

    `transposition` in semitones moves all stems but the drums; `tempo` is a factor above 0.
    """
    band = accompaniment(solo.beats, rng)
    piano, made, drums = (
        play([note for note in band if note.part == part], solo.beats, draw_touch(rng), rng)
        for part in ("comping", "bass", "drums")
    )
    real = _with_velocities(solo.bass, rng, loud=84, swell=3)
    bass = [*real, *_away_from(made, solo.bass)]
    horn = _with_velocities(solo.horn, rng, loud=88, swell=9)
    start = solo.beats[0].time
    notes = {
        stem: _moved(played, start, 0 if stem == "drums" else transposition, tempo)
        for stem, played in (("horn", horn), ("piano", piano), ("bass", bass), ("drums", drums))
    }
    end = max(note.offset for played in notes.values() for note in played)
    return Arrangement(notes, end, len(real) / max(len(bass), 1))


def _away_from(notes: list[Note], line: Line) -> list[Note]:
    """Return the notes that begin in long rests of a line."""
    if not len(line):
        return notes
    return [note for note in notes if np.abs(line.onset - note.onset).min() > _REST_SECONDS]


def _with_velocities(line: Line, rng: np.random.Generator, loud: int, swell: float) -> list[Note]:
    """Add velocities to a line: a wandering level, louder high notes, softer short ones."""
    level = 0.0
    middle = float(np.median(line.pitch)) if len(line) else 0.0
    notes: list[Note] = []
    for onset, duration, pitch in zip(
        line.onset.tolist(), line.duration.tolist(), line.pitch.tolist(), strict=True
    ):
        level = 0.9 * level + rng.normal(0, swell * 0.45)
        contour = 0.5 * min(max(pitch - middle, -12), 12) - (5 if duration < 0.1 else 0)
        velocity = round(loud + level + contour + rng.normal(0, 4))
        notes.append(Note(onset, duration, pitch, int(min(max(velocity, 25), 127))))
    return notes


def _moved(notes: list[Note], start: float, transposition: int, tempo: float) -> tuple[Note, ...]:
    moved = (
        replace(
            note,
            onset=max((note.onset - start) / tempo + _LEAD_IN, 0.0),
            duration=max(note.duration / tempo, _LEAST_DURATION),
            pitch=min(max(note.pitch + transposition, 0), 127),
        )
        for note in notes
    )
    return tuple(sorted(moved, key=lambda note: (note.onset, note.pitch)))
