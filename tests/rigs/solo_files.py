"""Solos of even eighths over one form, as files of the Weimar Jazz Database."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

FORM = ("Dm7", "G7", "Cmaj7", "A7", "Dm7", "G7", "Cmaj7", "Cmaj7")
TEMPO = 160.0
BEAT = 60.0 / TEMPO
EIGHTHS = tuple(i / 2 for i in range(128))


def write_solo(folder: Path, name: str, beats: Sequence[float], places: Sequence[float] = EIGHTHS) -> None:
    """Write a solo over `FORM` on beats in seconds, a note at each place in beats, and its beats."""
    for part in ("csv_beats", "csv_melody"):
        (folder / part).mkdir(exist_ok=True)
    bars = ["bar,beat,chord,chorus_id,onset"]
    for i, time in enumerate(beats):
        chord = FORM[i // 4 % 8] if i % 4 == 0 else ""
        bars.append(f"{i // 4 + 1},{i % 4 + 1},{chord},{1 + i // 32},{time}")
    notes = ["bar,beat,onset,duration,pitch,beatdur"]
    for i, place in enumerate(places):
        time = np.interp(place, np.arange(len(beats)), beats)
        notes.append(f"{int(place) // 4 + 1},{int(place) % 4 + 1},{time},0.5,{60 + i % 12},{BEAT}")
    (folder / "csv_beats" / f"{name}.csv").write_text("\n".join(bars))
    (folder / "csv_melody" / f"{name}.csv").write_text("\n".join(notes))


def even(tempo: float = TEMPO, beats: int = 72) -> list[float]:
    return [60.0 / tempo * i for i in range(beats)]
