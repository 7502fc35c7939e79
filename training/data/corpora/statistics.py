"""Statistics of a corpus, as numbers, a table and a plot."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from rich.table import Table

from tatumflow.engine.errors import CorpusError
from tatumflow.engine.midi.notes import PITCH_HIGHEST, PITCH_LOWEST
from tatumflow.training.data.corpora.piece import BrokenFile, Piece

_TOP_PLAYERS: Final = 20
_SHOWN_PLAYERS: Final = 10
_TOGETHER_SECONDS: Final = 0.03
_INTERVAL_EDGES: Final = np.concatenate([[0.0], np.geomspace(0.01, 10.0, 61)])
_PITCH_NAMES: Final = ("C", "C♯", "D", "E♭", "E", "F", "F♯", "G", "A♭", "A", "B♭", "B")


@dataclass(frozen=True)
class CorpusStatistics:
    """Statistics of all pieces together.

    Attributes:
        files: Files read, the broken ones included.
        broken: Files that could not be read.
        hours: Playing time, from each piece's first onset to its last note's end.
        notes: Notes of all pieces.
        pitch_range: Lowest and highest MIDI pitch.
        notes_per_second: Notes by playing time.
        polyphony: Mean number of sounding notes, over the time in which any sounds.
        tempo_range: Slowest and fastest tempo in beats per minute; None when no piece has a tempo.
        split_notes: Notes of each (corpus, split).
        player_notes: Notes of each player, most first.
        pitch_counts: Notes of each pitch from 21 to 108, shape (88,).
        interval_edges: Edges of the inter-onset histogram in seconds, shape (k + 1,).
        interval_counts: Times between one onset and the next that fall between two edges, shape (k,).
        piece_notes: Notes of each of p pieces, shape (p,).
        piece_seconds: Playing time of each, shape (p,).
        piece_pitches: Lowest and highest MIDI pitch of each, shape (p, 2).
        tempos: Tempo of each piece that has one, in beats per minute.
        player_pieces: Pieces of each player.
        broken_files: The files that could not be read.
    """

    files: int
    broken: int
    hours: float
    notes: int
    pitch_range: tuple[int, int]
    notes_per_second: float
    polyphony: float
    tempo_range: tuple[float, float] | None
    split_notes: dict[tuple[str, str], int]
    player_notes: dict[str, int]
    pitch_counts: NDArray[np.int64]
    interval_edges: NDArray[np.float64]
    interval_counts: NDArray[np.int64]
    piece_notes: NDArray[np.int64]
    piece_seconds: NDArray[np.float64]
    piece_pitches: NDArray[np.int64]
    tempos: NDArray[np.float64]
    player_pieces: dict[str, int]
    broken_files: tuple[BrokenFile, ...]

    @property
    def players(self) -> int:
        """Number of named players."""
        return len(self.player_notes)


def corpus_statistics(pieces: Iterable[Piece | BrokenFile]) -> CorpusStatistics:
    """Compute the statistics, reading each piece once.

    Raises:
        CorpusError: if there is no piece with notes.
    """
    files = 0
    broken: list[BrokenFile] = []
    lengths: list[tuple[int, float]] = []
    ranges: list[tuple[int, int]] = []
    player_pieces: Counter[str] = Counter()
    sounding = sounded = 0.0
    tempos: list[float] = []
    splits: Counter[tuple[str, str]] = Counter()
    players: Counter[str] = Counter()
    pitches = np.zeros(PITCH_HIGHEST - PITCH_LOWEST + 1, dtype=np.int64)
    intervals = np.zeros(len(_INTERVAL_EDGES) - 1, dtype=np.int64)
    for piece in pieces:
        files += 1
        if isinstance(piece, BrokenFile):
            broken.append(piece)
            continue
        if not len(piece.notes):
            broken.append(BrokenFile(piece.name, "has no notes"))
            continue
        count = len(piece.notes)
        splits[piece.corpus, piece.split] += count
        if piece.player:
            players[piece.player] += count
            player_pieces[piece.player] += 1
        if piece.tempo is not None:
            tempos.append(piece.tempo)
        onset = np.sort(piece.notes["onset"].astype(np.float64))
        lengths.append((count, float((piece.notes["onset"] + piece.notes["duration"]).max())))
        ranges.append((int(piece.notes["pitch"].min()), int(piece.notes["pitch"].max())))
        sounded += float(piece.notes["duration"].sum(dtype=np.float64))
        sounding += _sounding_seconds(piece.notes)
        pitches += np.bincount(piece.notes["pitch"] - PITCH_LOWEST, minlength=len(pitches))
        intervals += np.histogram(np.diff(onset), _INTERVAL_EDGES)[0]
    if not splits:
        raise CorpusError(f"none of the {files} files holds a piece that can be read; check the sources")
    played = np.flatnonzero(pitches) + PITCH_LOWEST
    notes = splits.total()
    piece_notes, piece_seconds = (np.array(column) for column in zip(*lengths, strict=True))
    seconds = float(piece_seconds.sum())
    return CorpusStatistics(
        files=files,
        broken=len(broken),
        hours=seconds / 3600,
        notes=notes,
        pitch_range=(int(played[0]), int(played[-1])),
        notes_per_second=notes / seconds,
        polyphony=sounded / sounding,
        tempo_range=(min(tempos), max(tempos)) if tempos else None,
        split_notes=dict(sorted(splits.items())),
        player_notes=dict(players.most_common()),
        pitch_counts=pitches,
        interval_edges=_INTERVAL_EDGES,
        interval_counts=intervals,
        piece_notes=piece_notes,
        piece_seconds=piece_seconds,
        piece_pitches=np.array(ranges),
        tempos=np.array(tempos),
        player_pieces=dict(player_pieces),
        broken_files=tuple(broken),
    )


def totals(statistics: CorpusStatistics) -> list[tuple[str, str]]:
    """Return names and values of what is known of all pieces together."""
    low, high = statistics.pitch_range
    return [
        ("files", f"{statistics.files:,} ({statistics.broken:,} broken)"),
        ("players", f"{statistics.players:,}"),
        ("hours", f"{statistics.hours:.2f}"),
        ("notes", f"{statistics.notes:,}"),
        ("pitches", f"{_pitch_name(low)} to {_pitch_name(high)} ({low} to {high})"),
        ("notes per second", f"{statistics.notes_per_second:.2f}"),
        ("mean polyphony", f"{statistics.polyphony:.2f}"),
        (
            "tempo",
            "unknown"
            if statistics.tempo_range is None
            else "{:.0f} to {:.0f} bpm".format(*statistics.tempo_range),
        ),
    ]


def render_table(statistics: CorpusStatistics) -> Table:
    """Return the statistics as a table for the terminal."""
    table = Table(show_header=False, title="Corpus")
    table.add_column("what", style="bold")
    table.add_column("value", justify="right")
    for name, value in totals(statistics):
        table.add_row(name, value)
    table.add_section()
    for (corpus, split), count in statistics.split_notes.items():
        table.add_row(f"notes in {corpus}, {split}", f"{count:,}")
    table.add_section()
    for player, count in list(statistics.player_notes.items())[:_SHOWN_PLAYERS]:
        table.add_row(player, f"{count:,}")
    return table


def plot(statistics: CorpusStatistics, path: Path) -> None:
    """Plot the pitches, the inter-onset times and the players with the most notes.

    The suffix of the path chooses the format, such as ".png" or ".pdf".

    Raises:
        CorpusError: if the picture cannot be written.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 9), layout="constrained")
    FigureCanvasAgg(figure)
    grid = figure.add_gridspec(2, 2)
    pitch = figure.add_subplot(grid[0, 0])
    pitch.bar(np.arange(PITCH_LOWEST, PITCH_HIGHEST + 1), statistics.pitch_counts, width=1.0)
    pitch.set(title="Pitch", xlabel="MIDI pitch", ylabel="notes")
    interval = figure.add_subplot(grid[1, 0])
    apart = statistics.interval_edges[:-1] >= _TOGETHER_SECONDS
    together = int(statistics.interval_counts[~apart].sum())
    interval.stairs(
        statistics.interval_counts[apart],
        statistics.interval_edges[np.flatnonzero(apart)[0] :],
        fill=True,
    )
    interval.set(
        title="Time between onsets",
        xlabel=f"seconds ({together:,} shorter than 30 ms left out)",
        ylabel="onsets",
        xscale="log",
    )
    top = list(statistics.player_notes.items())[:_TOP_PLAYERS][::-1]
    players = figure.add_subplot(grid[:, 1])
    players.barh([name for name, _ in top], [count for _, count in top])
    players.set(title=f"The {len(top)} players with the most notes", xlabel="notes")
    players.margins(y=0.01)
    try:
        figure.savefig(path, dpi=120)
    except (OSError, ValueError) as error:
        raise CorpusError(f"{path}: cannot be written ({error}); choose another place or ending") from error


def _sounding_seconds(notes: NDArray[np.void]) -> float:
    """Return the seconds in which any note sounds."""
    onset = notes["onset"].astype(np.float64)
    order = np.argsort(onset, kind="stable")
    onset, end = onset[order], np.maximum.accumulate((onset + notes["duration"])[order])
    covered = end - np.maximum(onset, np.concatenate([[0.0], end[:-1]]))
    return float(np.maximum(covered, 0.0).sum())


def _pitch_name(pitch: int) -> str:
    return f"{_PITCH_NAMES[pitch % 12]}{pitch // 12 - 1}"
