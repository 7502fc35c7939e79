"""Solos of the Weimar Jazz Database with beats, chords and the transcribed bass."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from tatumflow.engine.errors import CorpusError
from tatumflow.training.data.corpora.annotated_solo import AnnotatedSolo, Line, read_annotated_solos
from tatumflow.training.data.corpora.piece import Split
from tatumflow.training.data.corpora.source import open_source
from tatumflow.training.data.corpora.wjazzd import BEATS
from tatumflow.training.data.corpora.wjazzd_beats import Beat, read_beats

_FEWEST_BEATS: Final = 16
_LONGEST_BEAT: Final = 2.0
_LONGEST_SECONDS: Final = 300.0
"""Longest excerpt of a solo: a recording is rendered in memory."""


@dataclass(frozen=True)
class QuartetSolo:
    """A solo from the bar line before it to the bar line after it, at most five minutes.

    Attributes:
        name: The file's name without its ending.
        tune: The tune's key, the same for every solo on it.
        split: The side of the split the tune is on.
        horn: The solo.
        bass: The transcribed bass; most solos have a chorus of it or none.
        beats: At least two, on the clock of the lines.
    """

    name: str
    tune: str
    split: Split
    horn: Line
    bass: Line
    beats: tuple[Beat, ...]


def read_quartet_solos(source: Path, seed: int = 0) -> list[QuartetSolo]:
    """Read the solos that can be accompanied, in the order of their names.

    Those with few beats, without chords, or with a gap among their beats are skipped.

    Args:
        source: The folder that holds `csv_melody` and `csv_beats`, or the archive of it.
        seed: Seed of the choice of validation tunes.

    Raises:
        CorpusError: if the source cannot be read, or holds no such solo.
    """
    solos: list[QuartetSolo] = []
    with open_source(source) as folder:
        for annotated in read_annotated_solos(folder, seed):
            if isinstance(annotated, AnnotatedSolo) and len(annotated.melody):
                solo = cut_solo(annotated, tuple(read_beats(folder / BEATS / annotated.name)))
                if solo is not None:
                    solos.append(solo)
    if not solos:
        raise CorpusError(
            f"{Path(source).name}: has no solos with beats and chords; give the Weimar Jazz Database"
        )
    return solos


def cut_solo(solo: AnnotatedSolo, beats: tuple[Beat, ...]) -> QuartetSolo | None:
    """Return a solo with its beats from bar line to bar line; None where it cannot be accompanied."""
    first, last = float(solo.melody.onset[0]), float((solo.melody.onset + solo.melody.duration).max())
    last = min(last, first + _LONGEST_SECONDS)
    starts = [i for i, beat in enumerate(beats) if beat.beat == 1 and beat.time <= first + 0.05]
    ends = [i for i, beat in enumerate(beats) if beat.beat == 1 and beat.time >= last]
    kept = beats[starts[-1] if starts else 0 : ends[0] + 1 if ends else len(beats)]
    times = np.array([beat.time for beat in kept])
    if len(kept) < _FEWEST_BEATS or not any(beat.chord for beat in kept):
        return None
    if (np.diff(times) <= 0).any() or np.diff(times).max() > _LONGEST_BEAT:
        return None
    return QuartetSolo(
        name=Path(solo.name).stem,
        tune=solo.tune,
        split=solo.split,
        horn=_within(solo.melody, -np.inf, times[-1]),
        bass=_within(solo.walking_bass, times[0], times[-1]),
        beats=kept,
    )


def _within(line: Line, start: float, end: float) -> Line:
    """Return the notes of a line that begin in [start, end)."""
    kept = (line.onset >= start) & (line.onset < end)
    return Line(line.onset[kept], line.duration[kept], line.pitch[kept])
