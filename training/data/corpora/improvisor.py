"""Impro-Visor's transcribed solos (Keller et al., Harvey Mudd College): quantized lines over their chords."""

import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tatumflow.engine.errors import CorpusError
from tatumflow.engine.harmony.chords import NO_CHORD, chord_id
from tatumflow.training.data.corpora.leadsheet import Leadsheet, SheetNote, parse_leadsheet
from tatumflow.training.data.corpora.note_array import note_array
from tatumflow.training.data.corpora.piece import UNKNOWN_VELOCITY, BrokenFile, Piece
from tatumflow.training.data.corpora.source import CorpusFiles, open_source, seeded_split

CORPUS: Final = "improvisor"
LICENCE: Final = "GPL-2"
SUFFIX: Final = ".ls"
_SOLOS: Final = "transcriptions"
"""Folder of the solos in the published corpus; the chord charts beside it have no solos."""

_HEADS: Final = "TunesWithHeads"
"""Folder of solos that stand elsewhere too, here with the composed theme before them."""

_GRID: Final = 480
"""Steps of a quarter that written onsets are rounded to: Impro-Visor's own 120 divide it."""

_WORD_STARTS: Final = re.compile(r"(?<=[a-z.'])(?<!Mc)(?=[A-Z0-9])|(?<=[A-Z])(?=[A-Z][a-z])")
_BRACKETS: Final = re.compile(r"\([^)]*\)?")
_OF_A_SOLO: Final = re.compile(r"^.* solo - | solo( by .*)?$", re.IGNORECASE)


def has_leadsheets(folder: Path) -> bool:
    """Return whether a folder holds lead sheets at any depth."""
    return next(folder.rglob(f"*{SUFFIX}"), None) is not None


def read_improvisor(source: Path, seed: int = 0) -> Iterator[Piece | BrokenFile]:
    """Read transcribed solos, split by tune as the Weimar solos are: a tune of both is on one side of both.

    Each melody part lasts a chorus of the chart, and the parts of a sheet follow each other. Onsets and
    durations are those of the notation at the sheet's tempo, eighths straight; `Piece.quantized` says so.
    Each note has the chord of its place, and its beat.

    Args:
        source: A folder that holds lead sheets (`.ls`) at any depth, or the archive of it. If it holds
            `transcriptions`, only those are read. The folder of a sheet names its player.
        seed: Seed of the validation split.

    Raises:
        CorpusError: if the source cannot be read or holds no lead sheets.
    """
    with open_source(source) as folder:
        yield from improvisor_files(folder, seed)


def improvisor_files(folder: Path, seed: int = 0) -> CorpusFiles:
    """List the lead sheets of a folder; see `read_improvisor`.

    Raises:
        CorpusError: if it holds none.
    """
    root = folder / _SOLOS if (folder / _SOLOS).is_dir() else folder
    names = [path.relative_to(root).as_posix() for path in sorted(root.rglob(f"*{SUFFIX}"))]
    if not names:
        raise CorpusError(f"{folder.name}: has no lead sheets ({SUFFIX}); give their folder")
    elsewhere = {Path(name).name: name for name in names if not _with_head(name)}
    # Each with the sheet that it repeats, if any.
    items = [(name, elsewhere.get(Path(name).name, "") if _with_head(name) else "") for name in names]
    return CorpusFiles(CORPUS, LICENCE, names, items, partial(_read_sheet, root, seed))


def _with_head(name: str) -> bool:
    return Path(name).parent.name == _HEADS


def _read_sheet(root: Path, seed: int, item: tuple[str, str]) -> Piece | BrokenFile:
    name, repeated = item
    if repeated:
        return BrokenFile(name, f"repeats {repeated}, with the tune's theme")
    path = root / name
    try:
        sheet = parse_leadsheet(path.read_text(encoding="utf-8", errors="replace"))
    except (OSError, CorpusError) as error:
        return BrokenFile(name, str(error))
    player = player_of(path.parent.name) if path.parent != root else _named_player(sheet)
    return _piece(name, sheet, player, title_of(sheet, path.stem), seed)


def player_of(folder: str) -> str:
    """Return the player that a folder is named after, such as "Tom Harrell" of "TomHarrell-Waltzes"."""
    return " ".join(_WORD_STARTS.sub(" ", folder.partition("-")[0]).split())


def title_of(sheet: Leadsheet, stem: str) -> str:
    """Return the tune's title, without the player and what stands in brackets; of the file if it has none."""
    return _BRACKETS.sub("", _OF_A_SOLO.sub("", sheet.title)).strip() or _WORD_STARTS.sub(" ", stem)


def tune_key(title: str) -> str:
    """Return the key of a tune, the same for every spelling, and the same as the Weimar reader's."""
    return "".join(letter for letter in title.casefold() if letter.isalnum())


def _named_player(sheet: Leadsheet) -> str:
    """Return the composer of the first melody that names one, else the tune's."""
    return next((melody.composer for melody in sheet.melodies if melody.composer), sheet.composer)


def _piece(name: str, sheet: Leadsheet, player: str, title: str, seed: int) -> Piece | BrokenFile:
    solo = _solo(sheet)
    if not solo:
        return BrokenFile(name, "has no melody")
    if sheet.tempo <= 0:
        return BrokenFile(name, f"has the tempo {sheet.tempo:g}, which is not above 0")
    quarter = 60.0 / sheet.tempo
    notes = note_array(
        [float(note.onset) * quarter for note in solo],
        [float(note.duration) * quarter for note in solo],
        [note.pitch for note in solo],
        [UNKNOWN_VELOCITY] * len(solo),
        [_chord_at(sheet, note) for note in solo],
    )
    if not len(notes):
        return BrokenFile(name, "has no notes on the piano's range")
    first = min(note.onset for note in solo)
    return Piece(
        name=name,
        corpus=CORPUS,
        player=player,
        title=title,
        split=seeded_split(tune_key(title), seed),
        notes=_with_places(notes, sheet, float(first)),
        tempo=sheet.tempo / float(sheet.beat),
        chords="annotated",
        start=float(first) * quarter,
        quantized=True,
    )


def _solo(sheet: Leadsheet) -> list[SheetNote]:
    """Return the sounding notes of all melody parts, on the clock of the first."""
    chorus = len(sheet.bars) * sheet.bar
    start = 0 * chorus
    notes: list[SheetNote] = []
    for melody in sheet.melodies:
        notes += [
            SheetNote(start + note.onset, note.duration, note.pitch + sheet.transposition)
            for note in melody.notes
        ]
        start += max(chorus, melody.length)
    return notes


def _chord_at(sheet: Leadsheet, note: SheetNote) -> int:
    """Return the chord id in force at a note's onset."""
    if not sheet.bars:
        return NO_CHORD
    bar, within = divmod(note.onset, sheet.bar)
    chords = sheet.bars[int(bar) % len(sheet.bars)]
    chord = chords[int(within / sheet.bar * len(chords))]
    return chord_id(chord.transposed(sheet.transposition) if chord else None)


def _with_places(notes: NDArray[np.void], sheet: Leadsheet, first: float) -> NDArray[np.void]:
    """Write the metrical places of notes; the first one begins `first` quarters after the sheet's first bar.

    Onsets in seconds are rounded back to the written grid, so that a note on the beat is exactly on it.
    """
    quarters = np.rint((notes["onset"].astype(np.float64) * sheet.tempo / 60.0 + first) * _GRID) / _GRID
    beats = quarters / float(sheet.beat)
    notes["beat"] = beats
    notes["bar_beat"] = np.floor(beats).astype(np.int64) % sheet.metre[0]
    notes["period"] = 60.0 / sheet.tempo * float(sheet.beat)
    return notes
