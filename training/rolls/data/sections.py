"""Sections of pieces on a grid: runs of notes with known beats, or whole pieces in steps of equal seconds."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tatumflow.engine.rolls.conditions import GridKind
from tatumflow.engine.rolls.grid import FREE_STEP, STEPS_PER_BEAT
from tatumflow.training.data.corpora.piece import Split
from tatumflow.training.data.packing import PackedCorpus

_PAUSE: Final = 8.0
"""Beats without an onset that end a section."""

_FEWEST: Final = 8


@dataclass(frozen=True)
class Section:
    """A run of n notes on a grid, with its first step 0.

    Attributes:
        name: Name of its piece.
        style: Id of its player, 0 for none.
        grid: Kind of its grid.
        onset: Steps of the onsets, not rounded, ascending, (n,).
        end: Steps of the ends, (n,).
        pitch: MIDI pitches, (n,).
        velocity: MIDI velocities, 0 for unknown ones, (n,).
        bars: Steps at which bars begin, ascending; empty where that is unknown.
    """

    name: str
    style: int
    grid: GridKind
    onset: NDArray[np.float64]
    end: NDArray[np.float64]
    pitch: NDArray[np.int64]
    velocity: NDArray[np.int64]
    bars: NDArray[np.int64]

    @property
    def length(self) -> int:
        """Steps from its first to beyond its last onset."""
        return int(self.onset[-1]) + 1


def read_sections(
    corpus: PackedCorpus, split: Split, grid: GridKind, corpora: Sequence[str] = ()
) -> list[Section]:
    """Return the sections of a packed corpus on one kind of grid.

    Args:
        corpus: The corpus.
        split: Side of its split.
        grid: "beats" for the runs with known beats, "time" for all pieces in steps of `FREE_STEP`.
        corpora: Names of the corpora to use; all when empty.
    """
    sections: list[Section] = []
    for piece in corpus.pieces(split):
        if corpora and piece.corpus not in corpora:
            continue
        notes = corpus.notes(piece)
        runs = _beat_runs(notes) if grid == "beats" else iter((notes,))
        style = corpus.style_id(piece.player)
        found = (_section(piece.name, style, grid, run) for run in runs if len(run) >= _FEWEST)
        sections.extend(found)
    return sections


def _beat_runs(notes: NDArray[np.void]) -> Iterator[NDArray[np.void]]:
    """Yield the runs of notes whose beats are known and leave no long pause."""
    known = notes["period"] > 0
    beat = notes["beat"]
    breaks = np.flatnonzero(
        np.diff(known.astype(np.int8), prepend=known[:1].astype(np.int8)).astype(bool)
        | (np.abs(np.diff(beat, prepend=beat[:1])) > _PAUSE)
    )
    for run in np.split(notes, breaks):
        if len(run) and run["period"][0] > 0:
            yield run


def _section(name: str, style: int, grid: GridKind, notes: NDArray[np.void]) -> Section:
    duration = notes["duration"].astype(np.float64)
    bars = np.zeros(0, np.int64)
    if grid == "beats":
        beat = notes["beat"].astype(np.float64)
        onset = beat * STEPS_PER_BEAT
        end = onset + duration / notes["period"] * STEPS_PER_BEAT
        placed = notes["bar_beat"] >= 0
        if placed.any():
            downbeats = np.floor(beat[placed]).astype(np.int64) - notes["bar_beat"][placed]
            bars = np.unique(downbeats) * STEPS_PER_BEAT
    else:
        onset = notes["onset"].astype(np.float64) / FREE_STEP
        end = onset + duration / FREE_STEP
    order = np.argsort(onset, kind="stable")
    first = int(np.floor(onset[order[0]] + 0.5))
    bars = bars - first
    return Section(
        name,
        style,
        grid,
        onset[order] - first,
        end[order] - first,
        notes["pitch"].astype(np.int64)[order],
        notes["velocity"].astype(np.int64)[order],
        bars[bars >= 0],
    )
