"""Small corpora laid out as their publishers lay them out."""

import csv
import tarfile
from pathlib import Path

from symusic.core import NoteTick, ScoreTick, TempoTick, TrackTick

NoteRow = tuple[float, float, int, int]
"""Onset and duration in seconds, pitch, velocity."""

PIJAMA_TICKS_PER_SECOND = 440
SCALE: list[NoteRow] = [(0.5 * i, 0.4, 60 + i, 50 + i) for i in range(8)]

_PIJAMA_COLUMNS = (
    *("id", "artist", "album", "title", "recording_condition", "midi_filepath", "duration_sec"),
    *("performance_start_sec", "performance_end_sec", "split", "agreement"),
)
_MELODY_COLUMNS = (
    *("bar", "beat", "beatdur", "denom", "division", "duration"),
    *("num", "onset", "period", "pitch", "subtatum", "tatum"),
)


def write_pijama_midi(path: Path, notes: list[NoteRow]) -> None:
    """Write one track at 220 ticks per quarter and 120 bpm."""
    path.parent.mkdir(parents=True, exist_ok=True)
    score = ScoreTick(220)
    score.tempos.append(TempoTick(0, 120.0))
    track = TrackTick("piano")
    for onset, duration, pitch, velocity in notes:
        start, length = (round(seconds * PIJAMA_TICKS_PER_SECOND) for seconds in (onset, duration))
        track.notes.append(NoteTick(start, length, pitch, velocity))
    score.tracks.append(track)
    score.dump_midi(str(path))


def make_pijama(folder: Path) -> Path:
    """Lay out six performances: one is trimmed, one missing, one cut short and one in the test split."""
    rows = [
        ("Art Tatum", "Tiger Rag", "midi/studio/Art Tatum/Solo/Tiger Rag.midi", "0", "60", "train"),
        ("Art Tatum", "Elegie", "midi/studio/Art Tatum/Solo/Elegie.midi", "0", "60", "val"),
        ("Ray Bryant", "Slow, Freight", "midi/live/Ray Bryant/Live/Slow, Freight.midi", "1", "2", "train"),
        ("Ray Bryant", "Gone", "midi/live/Ray Bryant/Live/Gone.midi", "0", "60", "train"),
        ("Ray Bryant", "Cut", "midi/live/Ray Bryant/Live/Cut.midi", "0", "60", "val"),
        ("Ray Bryant", "Kept Aside", "midi/live/Ray Bryant/Live/Kept Aside.midi", "0", "60", "test"),
    ]
    folder.mkdir(parents=True)
    with (folder / "pijama.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(_PIJAMA_COLUMNS)
        for number, (artist, title, path, start, end, split) in enumerate(rows):
            writer.writerow([number, artist, "album", title, "x", path, "60", start, end, split, "0.9"])
            if title != "Gone":
                write_pijama_midi(folder / path, SCALE)
    cut = folder / "midi/live/Ray Bryant/Live/Cut.midi"
    cut.write_bytes(cut.read_bytes()[:60])
    return folder


def write_solo(path: Path, notes: list[tuple[float, float, float]], beat: float = 0.3) -> None:
    """Write a melody of (onset, duration, pitch) as Weimar's CSV."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, _MELODY_COLUMNS, restval=1)
        writer.writeheader()
        for onset, duration, pitch in notes:
            writer.writerow({"onset": onset, "duration": duration, "pitch": pitch, "beatdur": beat})


def make_wjazzd(folder: Path, stems: list[str]) -> Path:
    """Lay out a solo for each file name without ".csv", and a table with "CharlieParker_Ko=Ko"."""
    for stem in stems:
        write_solo(
            folder / "csv_melody" / f"{stem}.csv", [(5.0 + 0.2 * i, 0.15, 60.0 + i) for i in range(10)]
        )
    table = (
        ",avgtempo,base_name,filename_sv,instrument,performer,recording_year,title\n"
        "x,303.5,CharlieParker_Ko=Ko_FINAL,x.sv,as,Charlie Parker,1945,Ko-Ko\n"
        "x,,JJJohnson_Teapot_FINAL,x.sv,tb,J.J. Johnson,1949,Teapot\n"
    )
    (folder / "df_solos_v1_2.csv").write_text(table, encoding="utf-8")
    return folder


def archive(folder: Path) -> Path:
    """Pack a folder as its publisher would, beside it."""
    path = folder.with_name(f"{folder.name}.tar.xz")
    with tarfile.open(path, "w:xz", preset=0) as file:
        file.add(folder, arcname=folder.name)
    return path
