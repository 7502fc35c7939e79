"""A tiny solo of the tests' own, as notes and as the Weimar Jazz Database lays it out."""

import csv
from collections.abc import Sequence
from importlib import resources
from pathlib import Path

import numpy as np

from tatumflow.engine.harmony.chords import parse_chord
from tatumflow.training.data.corpora.annotated_solo import Line
from tatumflow.training.data.corpora.wjazzd_beats import Beat
from tatumflow.training.separation.quartet.solos import QuartetSolo

BARS = ("Dm7", "G7", "Cmaj7", "Cmaj7", "Em7b5", "A7", "Dm6", "Dm6", "Ddim7", "G7/B", "C7sus4", "Caug")
EMPTY = Line(np.zeros(0), np.zeros(0), np.zeros(0, np.int64))


def soundfont() -> Path:
    """Return the SoundFont that pretty_midi ships."""
    return Path(str(resources.files("pretty_midi"))) / "TimGM6mb.sf2"


def beats(
    symbols: Sequence[str] = BARS, beat: float = 0.4, start: float = 3.0, bar: int = 4
) -> tuple[Beat, ...]:
    """Return the beats of a chord a bar; a chorus is four bars."""
    return tuple(
        Beat(start + beat * (bar * number + place), place + 1, 1 + number // 4, parse_chord(symbol))
        for number, symbol in enumerate(symbols)
        for place in range(bar)
    )


def solo(
    symbols: Sequence[str] = BARS, beat: float = 0.4, bass: Line = EMPTY, name: str = "A_Tune_Solo"
) -> QuartetSolo:
    """Return a solo of an eighth-note line over the chords."""
    grid = beats(symbols, beat)
    onset = np.array([b.time + part for b in grid[:-1] for part in (0.0, 0.6 * beat)])
    pitch = 62 + (np.arange(len(onset)) * 5) % 17
    return QuartetSolo(name, "tune", "train", Line(onset, np.full(len(onset), 0.15), pitch), bass, grid)


def write_weimar(folder: Path, names: Sequence[str], bars: int = 4) -> Path:
    """Lay out solos of so many bars, a beat being 0.25 s, each bar with a chord; then a last bar line."""
    for table in ("csv_melody", "csv_beats", "csv_bass"):
        (folder / table).mkdir(parents=True, exist_ok=True)
    for name in names:
        with (folder / "csv_beats" / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["bar", "bass_pitch", "beat", "chord", "chorus_id", "form", "onset", "signature"])
            for number in range(4 * bars + 1):
                bar, place = divmod(number, 4)
                chord = BARS[bar % len(BARS)] if place == 0 else ""
                writer.writerow([bar + 1, "", place + 1, chord, 1, "", 1.0 + 0.25 * number, "4/4"])
        with (folder / "csv_melody" / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["bar", "beat", "beatdur", "onset", "duration", "pitch"])
            for number in range(4 * bars):
                bar, place = divmod(number, 4)
                writer.writerow([bar + 1, place + 1, 0.25, 1.0 + 0.25 * number, 0.2, 62 + number % 9])
        with (folder / "csv_bass" / f"{name}_bass.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            for number in range(8):
                writer.writerow([1.0 + 0.25 * number, 40 + number, 0.22, 0.8, "New Point"])
    return folder
