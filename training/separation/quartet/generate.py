"""The command `tatumflow data quartet`: hours of synthetic mixes, reproducible from a seed."""

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Final

import numpy as np
import soundfile
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from tatumflow.engine.errors import CorpusError, SettingError
from tatumflow.engine.files.whole_file import whole_folder, write_whole
from tatumflow.engine.separation.stems import QUARTET
from tatumflow.training.data.corpora.piece import Split
from tatumflow.training.separation.data.stem_folder import MIXTURE
from tatumflow.training.separation.quartet.arrangement import Arrangement, arrange
from tatumflow.training.separation.quartet.fluid import RATE, Room, Voice, render
from tatumflow.training.separation.quartet.index import (
    INDEX_FILE,
    ITEM_FILE,
    Index,
    Item,
    RoomEntry,
    SoundFontEntry,
    StemEntry,
    read_index,
    read_item,
)
from tatumflow.training.separation.quartet.instruments import INSTRUMENTS, choose_instrument
from tatumflow.training.separation.quartet.mixing import Balance, mix
from tatumflow.training.separation.quartet.solos import QuartetSolo, read_quartet_solos
from tatumflow.training.separation.quartet.soundfonts import (
    SoundFont,
    check_families,
    installed_soundfonts,
    open_soundfont,
)

_LEVELS_DB: Final = {"horn": -20.0, "piano": -23.0, "bass": -22.0, "drums": -22.0}
_WIDEST_PAN: Final = {"horn": 0.4, "piano": 0.5, "bass": 0.25, "drums": 0.3}
_REVERB: Final = {"horn": (20, 90), "piano": (10, 70), "bass": (0, 30), "drums": (5, 60)}
_LEVEL_SPREAD_DB: Final = 5.0
_DRY: Final = 0.25
"""Share of the recordings without a room."""

_MOST_TRANSPOSITION: Final = 3
_TEMPOS: Final = (0.92, 1.08)
_PEAKS_DB: Final = (-7.0, -1.0)
_TUNE_SEED: Final = 0
"""Seed of the split of tunes, the same as everywhere else."""


@dataclass(frozen=True)
class QuartetSettings:
    """What to generate.

    Attributes:
        split: The side: its tunes, and SoundFonts of families that the opposite side lacks.
        hours: Least hours, greater than 0; the last recording is whole.
        seed: Seed of everything random.
        soundfonts: Files; empty for the installed ones of the side.
        jobs: Number of processes, at least 1.

    Raises:
        SettingError: if hours or jobs are out of range.
    """

    split: Split
    hours: float
    seed: int = 0
    soundfonts: tuple[Path, ...] = ()
    jobs: int = 1

    def __post_init__(self) -> None:
        if not 0 < self.hours <= 10_000:
            raise SettingError(f"{self.hours:g} hours are not more than 0 and at most 10,000")
        if self.jobs < 1:
            raise SettingError(f"{self.jobs} jobs are not at least 1")


def generate_quartets(
    source: Path, out: Path, settings: QuartetSettings, console: Console | None = None
) -> Index:
    """Write recordings into a folder for each below `out/SPLIT`: FLAC files of the stems and the mixture.

    A complete recording is kept, so that an interrupted run continues.

    Args:
        source: The Weimar Jazz Database, folder or archive.
        out: The folder of both sides.
        settings: What to generate.
        console: Where to print; by default the terminal.

    Returns:
        The content of `out/SPLIT/index.json`.

    Raises:
        CorpusError: if the source cannot be read or has no solos on this side, or the folder cannot be
            written or holds recordings of other settings.
        SettingError: if SoundFonts do not fit, or are on the opposite side too.
        DeviceError: if FluidSynth is missing or cannot read a SoundFont.
    """
    console = console or Console()
    folder = out / settings.split
    paths = settings.soundfonts or tuple(installed_soundfonts(settings.split))
    fonts = [open_soundfont(path) for path in paths]
    _check_other_side(out, settings.split, fonts)
    solos = [s for s in read_quartet_solos(source, _TUNE_SEED) if s.split == settings.split]
    if not solos:
        raise CorpusError(f"{source}: has no solos on the {settings.split} side; give the whole database")
    items = plan_items(solos, fonts, settings.hours, settings.seed)
    missing = [item for item in items if not _is_whole(folder, item)]
    by_name = {solo.name: solo for solo in solos}
    work = [(item, by_name[item.solo]) for item in missing]
    files = {font.path.name: font.path for font in fonts}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.completed:.2f} of {task.total:.2f} h"),
            TimeRemainingColumn(),
        )
        with Progress(*columns, console=console) as progress:
            task = progress.add_task(settings.split, total=_hours(items))
            progress.advance(task, _hours(items) - _hours(missing))
            for item in _made(work, partial(make_item, folder, files, settings.seed), settings.jobs):
                progress.advance(task, _hours([item]))
        index = Index(
            split=settings.split,
            seed=settings.seed,
            rate=RATE,
            soundfonts=tuple(
                SoundFontEntry(name=f.path.name, family=f.family, licence=f.licence, sha256=f.sha256)
                for f in fonts
            ),
            items=tuple(items),
        )
        write_whole(folder / INDEX_FILE, index.model_dump_json(indent=1))
    except OSError as error:
        raise CorpusError(
            f"{folder}: cannot be written ({error.strerror or error}); check the folder and the disk"
        ) from error
    console.print(
        f"{len(items)} quartets, {_hours(items):.2f} h, {len({i.tune for i in items})} tunes, in {folder}",
        markup=False,
    )
    return index


def plan_items(
    solos: Sequence[QuartetSolo], fonts: Sequence[SoundFont], hours: float, seed: int
) -> list[Item]:
    """Draw the recordings: every solo once in random order, then all again, until there are enough hours.

    A recording depends on the seed and its number alone, so that more hours begin with the same recordings.

    Args:
        solos: At least one.
        fonts: At least one.
        hours: Least hours.
        seed: Seed of everything random.
    """
    items: list[Item] = []
    seconds = 0.0
    order: list[int] = []
    while seconds < hours * 3600:
        number = len(items)
        if number % len(solos) == 0:
            order = np.random.default_rng([seed, 0, number]).permutation(len(solos)).tolist()
        items.append(_draw_item(number, solos[order[number % len(solos)]], fonts, seed))
        seconds += items[-1].seconds
    return items


def arrangement_of(item: Item, solo: QuartetSolo, seed: int) -> Arrangement:
    """Return the notes of a recording."""
    return _arrange(item.number, solo, seed, item.transposition, item.tempo)


def make_item(folder: Path, soundfonts: Mapping[str, Path], seed: int, item: Item, solo: QuartetSolo) -> Item:
    """Render a recording into its folder, atomically.

    Args:
        folder: Parent of its folder.
        soundfonts: Paths of the SoundFonts by their file names.
        seed: Seed of everything random.
        item: The recording.
        solo: Its solo.

    Raises:
        DeviceError: if FluidSynth is missing or cannot read a SoundFont.
        OSError: if it cannot be written.
    """
    arrangement = arrangement_of(item, solo, seed)
    room = Room(**item.room.model_dump())
    stems = {
        name: render(arrangement.notes[name], _voice(entry, name, soundfonts), room, item.seconds)
        for name, entry in item.stems.items()
    }
    balances = {name: Balance(entry.level_db, entry.pan) for name, entry in item.stems.items()}
    mixed = mix(stems, balances, item.peak)
    with whole_folder(folder / item.name) as new:
        for name, samples in {**mixed.stems, MIXTURE: mixed.mixture}.items():
            soundfile.write(new / f"{name}.flac", samples, RATE, subtype="PCM_16")
        (new / ITEM_FILE).write_text(item.model_dump_json(indent=1), encoding="utf-8")
    return item


def _draw_item(number: int, solo: QuartetSolo, fonts: Sequence[SoundFont], seed: int) -> Item:
    rng = np.random.default_rng([seed, 2, number])
    transposition = int(rng.integers(-_MOST_TRANSPOSITION, _MOST_TRANSPOSITION + 1))
    tempo = round(float(rng.uniform(*_TEMPOS)), 4)
    arrangement = _arrange(number, solo, seed, transposition, tempo)
    stems = {name: _draw_stem(name, arrangement, fonts, rng) for name in QUARTET.names}
    return Item(
        name=f"{number:05d}-{solo.name}",
        number=number,
        solo=solo.name,
        tune=solo.tune,
        seconds=round(arrangement.seconds, 3),
        transposition=transposition,
        tempo=tempo,
        real_bass=round(arrangement.real_bass, 3),
        peak=round(float(10 ** (rng.uniform(*_PEAKS_DB) / 20)), 4),
        room=_draw_room(rng),
        stems=stems,
    )


def _draw_stem(
    name: str, arrangement: Arrangement, fonts: Sequence[SoundFont], rng: np.random.Generator
) -> StemEntry:
    font = fonts[int(rng.integers(len(fonts)))]
    instrument = choose_instrument(font.instruments(name), arrangement.notes[name], rng)
    least, most = _REVERB[name]
    return StemEntry(
        soundfont=font.path.name,
        instrument=instrument.name,
        bank=instrument.bank,
        program=instrument.program,
        level_db=round(_LEVELS_DB[name] + float(rng.uniform(-1, 1)) * _LEVEL_SPREAD_DB, 2),
        pan=round(float(rng.uniform(-1, 1)) * _WIDEST_PAN[name], 3),
        reverb=int(rng.integers(least, most + 1)),
        modulation=int(rng.integers(0, 40)) if name == "horn" else 0,
    )


def _draw_room(rng: np.random.Generator) -> RoomEntry:
    dry = rng.random() < _DRY
    size, damping, width, level = rng.uniform((0.1, 0.0, 20, 0.1), (0.85, 0.7, 100, 0.9)).round(3).tolist()
    return RoomEntry(size=size, damping=damping, width=width, level=0.0 if dry else level)


def _arrange(number: int, solo: QuartetSolo, seed: int, transposition: int, tempo: float) -> Arrangement:
    return arrange(solo, np.random.default_rng([seed, 1, number]), transposition, tempo)


def _voice(entry: StemEntry, stem: str, soundfonts: Mapping[str, Path]) -> Voice:
    instrument = next(
        one for one in INSTRUMENTS[stem] if (one.bank, one.program) == (entry.bank, entry.program)
    )
    return Voice(soundfonts[entry.soundfont], instrument, entry.reverb, entry.modulation)


def _check_other_side(out: Path, split: Split, fonts: Sequence[SoundFont]) -> None:
    other: Split = "val" if split == "train" else "train"
    index = read_index(out / other / INDEX_FILE)
    if index is not None:
        check_families(fonts, [font.family for font in index.soundfonts], other)


def _is_whole(folder: Path, item: Item) -> bool:
    """Return whether a recording is complete; raise `CorpusError` for one of other settings."""
    if not (folder / item.name).exists():
        return False
    if read_item(folder / item.name) != item:
        raise CorpusError(
            f"{folder / item.name}: was made with other settings or is damaged; "
            "delete it, or generate into another folder"
        )
    return True


def _made(work: Sequence[tuple[Item, QuartetSolo]], make: "partial[Item]", jobs: int) -> Iterator[Item]:
    if jobs == 1 or len(work) < 2:
        for item, solo in work:
            yield make(item, solo)
        return
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        yield from pool.map(make, *zip(*work, strict=True))


def _hours(items: Sequence[Item]) -> float:
    return sum(item.seconds for item in items) / 3600
