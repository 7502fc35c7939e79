"""A recorded session in bars and beats: its own where it states them, else those that are tracked in it."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Final

import numpy as np

from tatumflow.engine.beats.tracker import bundled_tracker
from tatumflow.engine.errors import ChartError, MidiFileError, SettingError
from tatumflow.engine.files.regular_file import read_regular
from tatumflow.engine.harmony.changes import ChordChange
from tatumflow.engine.midi.midi_file import (
    DRUM_CHANNEL,
    LARGEST_FILE,
    MidiTrack,
    check_length,
    read_tempos,
    read_tracks,
)
from tatumflow.engine.midi.notes import Note
from tatumflow.engine.midi.tempo_map import tempo_seconds
from tatumflow.engine.rolls.beat_grid import GridSource, gathered, tracked_beats
from tatumflow.engine.rolls.grid import STEPS_PER_BEAT, StepGrid
from tatumflow.live.book.midi_markers import MarkedBars, read_bars

_GATHERED: Final = 0.25
"""Least concentration of onsets on the sixteenths of a file's beats, 0 to 1, if they were played to."""

_COMMON_TIME: Final = 4
_QUARTER: Final = Fraction(1)
_MOST_BARS: Final = 4096


@dataclass(frozen=True)
class Measure:
    """A bar.

    Attributes:
        beats: Its beats.
        beat: Length of one in quarters; a beat of three eighths is written as a quarter with triplets.
        changes: Its chords, by beats from its start.
        section: Name of the section that begins with it; None where none does.
    """

    beats: int = _COMMON_TIME
    beat: Fraction = _QUARTER
    changes: tuple[ChordChange, ...] = ()
    section: str | None = None


@dataclass(frozen=True)
class Take:
    """The tracks of a file and its bars.

    Attributes:
        tracks: With notes, drums left out.
        grid: Seconds of the beats.
        measures: From the first beat of the grid on.
        title: Name of the tune; may be empty.
        key: As the file names it; empty where it names none.
        tempo: Beats per minute, the median.
        source: Where the beats come from: "tempo" or "beats".
    """

    tracks: tuple[MidiTrack, ...]
    grid: StepGrid
    measures: tuple[Measure, ...]
    title: str
    key: str
    tempo: float
    source: GridSource

    def beats_of(self, seconds: Sequence[float]) -> list[float]:
        """Return times in seconds as beats since the first of the grid."""
        return (self.grid.steps(seconds) / STEPS_PER_BEAT).tolist()

    def measures_to(self, end: float) -> list[Measure]:
        """Return measures up to this beat, those after the last like it but without chords."""
        measures, reached = [], 0
        while reached < end or not measures:
            i = len(measures)
            last = self.measures[-1]
            measure = self.measures[i] if i < len(self.measures) else Measure(last.beats, last.beat)
            measures.append(measure)
            reached += measure.beats
            if len(measures) > _MOST_BARS:
                raise MidiFileError(f"has over {_MOST_BARS} bars; cut it into parts")
        return measures


def read_take(path: Path, source: GridSource = "auto") -> Take:
    """Read a MIDI file in bars and beats.

    Args:
        path: The file.
        source: "tempo" takes the beats of the file, "beats" those that the tracker finds; "auto" the
            file's where it names chords or its notes lie on its beats, else the tracker's.

    Raises:
        MidiFileError: if it cannot be read, has no notes, or is too long.
        SettingError: if no beat is found.
    """
    tracks = tuple(track for track in read_tracks(path) if track.channel != DRUM_CHANNEL)
    notes = sorted((n for track in tracks for n in track.notes), key=lambda note: note.onset)
    if not notes:
        raise MidiFileError(f"{path.name}: has no notes outside drum tracks; there is nothing to write")
    check_length(path, notes)
    try:
        marked = read_bars(read_regular(path, LARGEST_FILE))
    except ChartError as error:
        raise MidiFileError(f"{path.name}: {error}") from None
    stated = _stated(path, marked)
    if source == "tempo" or (source == "auto" and _fits(notes, stated, marked)):
        return _take(tracks, stated, _measures(marked), marked, "tempo")
    beats = tracked_beats(notes, bundled_tracker())
    if len(beats) <= _COMMON_TIME:
        raise SettingError(f"{path.name}: no beat is found in its notes; --grid tempo takes that of the file")
    grid = StepGrid.of_beats(beats)
    return _take(tracks, grid, (Measure(),), marked, "beats")


def _take(
    tracks: tuple[MidiTrack, ...],
    grid: StepGrid,
    measures: tuple[Measure, ...],
    marked: MarkedBars,
    source: GridSource,
) -> Take:
    onsets = [note.onset for track in tracks for note in track.notes]
    first, last = (float(at) / STEPS_PER_BEAT for at in grid.steps([min(onsets), max(onsets)]))
    inside = np.arange(max(first, 0.0), max(last, first + 1.0) + 1.0)
    tempo = 60.0 / float(np.median(np.diff(grid.seconds(inside * STEPS_PER_BEAT))))
    title = marked.title if marked.has_chords else ""
    return Take(tracks, grid, measures, title, marked.key, tempo, source)


def _fits(notes: Sequence[Note], grid: StepGrid, marked: MarkedBars) -> bool:
    """Return whether notes were played to the beats of their file."""
    return marked.has_chords or (marked.has_metre and gathered(notes, grid) >= _GATHERED)


def _stated(path: Path, marked: MarkedBars) -> StepGrid:
    """Return the grid of the beats that a file states."""
    ticks = [float(start + i * beat) for start, beats, beat in marked.starts for i in range(beats)]
    last, beats, beat = marked.starts[-1]
    ticks.append(float(last + beats * beat))
    return StepGrid.of_beats(tempo_seconds(ticks, read_tempos(path), marked.ticks_per_quarter))


def _measures(marked: MarkedBars) -> tuple[Measure, ...]:
    per_quarter = marked.ticks_per_quarter
    measures: list[Measure] = []
    for bar, (_, beats, ticks) in zip(marked.bars, marked.starts, strict=True):
        beat = ticks / per_quarter
        simple = beat.numerator == 1 or beat.denominator == 1
        measures.append(Measure(beats, beat if simple else _QUARTER, bar.changes, bar.section))
    return tuple(measures)
