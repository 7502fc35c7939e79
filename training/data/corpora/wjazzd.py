"""The Weimar Jazz Database (Pfleiderer et al., Jazzomat): monophonic solos, in the CSV form of JazzTube."""

import csv
import math
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median
from typing import Final

import numpy as np

from tatumflow.engine.errors import ChordError, CorpusError
from tatumflow.engine.harmony.chords import NO_CHORD, chord_id, parse_chord
from tatumflow.training.data.corpora.beats import BeatTable, beat_table, with_beats
from tatumflow.training.data.corpora.note_array import note_array
from tatumflow.training.data.corpora.piece import UNKNOWN_VELOCITY, BrokenFile, Piece
from tatumflow.training.data.corpora.source import CorpusFiles, open_source, seeded_split

CORPUS: Final = "wjazzd"
LICENCE: Final = "ODbL 1.0"
MELODIES: Final = "csv_melody"
BEATS: Final = "csv_beats"
_SOLOS: Final = "df_solos_v1_2.csv"

_TAKE: Final = re.compile(r"-\d+$|(?<=[a-z])I{2,3}$")
_WORD_STARTS: Final = re.compile(r"(?<=[a-z.'])(?=[A-Z0-9])|(?<=[A-Z])(?=[A-Z][a-z])|(?<=[,)])(?=\w)")
_INITIALS: Final = re.compile(r"^([A-Z]{2,3})(?=[A-Z][a-z])")


@dataclass(frozen=True)
class _Solo:
    """A row of the table of solos."""

    player: str
    title: str
    tempo: float | None


def read_wjazzd(source: Path, seed: int = 0) -> Iterator[Piece | BrokenFile]:
    """Read the Weimar solos, split by tune: all solos on one tune are on one side, about a tenth in val.

    Each note has the lead sheet's chord of its beat in `csv_beats`, and its place between the beats
    annotated there; neither where that table is missing.

    Args:
        source: The folder that holds `csv_melody`, or the archive of it.
        seed: Seed of the validation split.

    Raises:
        CorpusError: if the source cannot be read or holds no solos.
    """
    with open_source(source) as folder:
        yield from wjazzd_files(folder, seed)


def wjazzd_files(folder: Path, seed: int = 0) -> CorpusFiles:
    """List the solos of an extracted Weimar Jazz Database; see `read_wjazzd`.

    Raises:
        CorpusError: if it holds no solos.
    """
    files = sorted((folder / MELODIES).glob("*.csv"))
    if not files:
        raise CorpusError(f"{folder.name}: has no solos in {MELODIES}; give its folder")
    solos = _read_solos(folder / _SOLOS)
    players = {_key(solo.player): solo.player for solo in solos.values()}
    read = partial(_read_solo, solos=solos, players=players, seed=seed)
    return CorpusFiles(CORPUS, LICENCE, [path.name for path in files], files, read)


def tune_of(stem: str) -> str:
    """Return the tune of a solo from its file's stem, the same for every take and spelling.

    "WyntonMarsalis_CherokeeII_Solo" and "A_Cherokee-2_Solo" are both on "cherokee".
    """
    return _key(_TAKE.sub("", _parts(stem)[1]))


def player_of(stem: str) -> str:
    """Return the player's full name from a solo's file name, such as "J.J. Johnson"."""
    joined = _parts(stem)[0]
    initials = _INITIALS.match(joined)
    if initials:
        return "".join(f"{letter}." for letter in initials[1]) + " " + _spaced(joined[initials.end() :])
    return _spaced(joined)


def _parts(stem: str) -> list[str]:
    parts = [part for part in stem.split("_") if part.lower() != "solo"]
    return [*parts, "", ""]


def _key(name: str) -> str:
    return "".join(letter for letter in name.casefold() if letter.isalnum())


def _spaced(joined: str) -> str:
    return " ".join(_WORD_STARTS.sub(" ", joined.replace("=", "-")).split())


def _read_solos(path: Path) -> dict[str, _Solo]:
    """Read the table of solos, which lists some of them only, by the key of the file name."""
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise CorpusError(f"{path.name}: cannot be read ({error}); download it again") from error
    return {
        _key(row["base_name"].removesuffix("_FINAL")): _Solo(
            row["performer"], row["title"], _positive(row.get("avgtempo"))
        )
        for row in rows
        if row.get("base_name") and row.get("performer") and row.get("title")
    }


def _positive(text: str | None) -> float | None:
    try:
        value = float(text or "nan")
    except ValueError:
        return None
    return value if math.isfinite(value) and value > 0 else None


def _read_solo(path: Path, solos: dict[str, _Solo], players: dict[str, str], seed: int) -> Piece | BrokenFile:
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = [
                (
                    *(
                        float(row["onset"]),
                        float(row["duration"]),
                        float(row["pitch"]),
                        float(row["beatdur"]),
                    ),
                    (row["bar"], row["beat"]),
                )
                for row in csv.DictReader(file)
            ]
        chords, beats = _read_beats(path.parent.parent / BEATS / path.name)
    except ChordError as error:
        return BrokenFile(path.name, str(error))
    except KeyError as error:
        return BrokenFile(path.name, f"lacks the column {error.args[0]}")
    except (OSError, TypeError, ValueError, csv.Error) as error:
        return BrokenFile(path.name, f"is not a table of numbers ({error})")
    rows = [row for row in rows if math.isfinite(row[0]) and row[1] > 0 and math.isfinite(row[2])]
    notes = note_array(
        [row[0] for row in rows],
        [row[1] for row in rows],
        [round(row[2]) for row in rows],
        [UNKNOWN_VELOCITY] * len(rows),
        [chords.get(row[4], NO_CHORD) for row in rows],
    )
    if not len(notes):
        return BrokenFile(path.name, "has no notes on the piano's range")
    stem = path.stem
    solo = solos.get(_key("".join(part for part in _parts(stem))))
    beat_seconds = [row[3] for row in rows if row[3] > 0]
    player = player_of(stem)
    start = min(row[0] for row in rows)
    piece = Piece(
        name=path.name,
        corpus=CORPUS,
        player=solo.player if solo else players.get(_key(player), player),
        title=solo.title if solo else _spaced(_TAKE.sub("", _parts(stem)[1])),
        split=seeded_split(tune_of(stem), seed),
        notes=notes,
        tempo=solo.tempo if solo and solo.tempo else (60.0 / median(beat_seconds) if beat_seconds else None),
        chords="annotated",
        start=start,
    )
    return piece if beats is None else with_beats(piece, beats, start)


def _read_beats(path: Path) -> tuple[dict[tuple[str, str], int], BeatTable | None]:
    """Read the chord id of each (bar, beat), and the beats; a beat without a chord keeps the one before."""
    if not path.is_file():
        return {}, None
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    places = [(row["bar"], row["beat"]) for row in rows]
    chords = dict(zip(places, chords_in_force([row["chord"] for row in rows]), strict=True))
    time = np.array([float(row["onset"]) for row in rows])
    bar_beat = np.array([int(float(row["beat"])) - 1 for row in rows], np.int64)
    rising = np.diff(time, prepend=-np.inf) > 0
    return chords, beat_table(time[rising], bar_beat[rising])


def chords_in_force(symbols: Iterable[str]) -> list[int]:
    """Return the chord id of each beat from its symbol; an empty one keeps the chord before.

    Raises:
        ChordError: if a symbol is not understood.
    """
    ids: list[int] = []
    for symbol in symbols:
        held = ids[-1] if ids else NO_CHORD
        ids.append(chord_id(parse_chord(symbol)) if symbol else held)
    return ids
