"""The commands `tatumflow data prepare` and `tatumflow data stats`."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final, TypeVar

from rich.console import Console
from rich.table import Table

from tatumflow.engine.errors import CorpusError
from tatumflow.training.data.corpora import improvisor, midi_folder, pijama, statistics, wjazzd
from tatumflow.training.data.corpora.beats import BeatTable, read_beat_tables, with_beats
from tatumflow.training.data.corpora.estimated_chords import with_chords
from tatumflow.training.data.corpora.piece import BrokenFile, Piece
from tatumflow.training.data.corpora.source import open_source
from tatumflow.training.data.duplicates import Duplicate, find_duplicates, without_leaks
from tatumflow.training.data.packing import PackReport, pack

LICENCES: Final = {
    pijama.CORPUS: pijama.LICENCE,
    wjazzd.CORPUS: wjazzd.LICENCE,
    improvisor.CORPUS: improvisor.LICENCE,
}
"""Licence of each known corpus. A folder of MIDI files states none."""

_SHOWN_BROKEN: Final = 10

_Item = TypeVar("_Item")


def read_sources(
    sources: Sequence[Path], player: str | None = None, seed: int = 0
) -> Iterator[Piece | BrokenFile]:
    """Read corpora one after the other; the files in a source decide its reader.

    Args:
        sources: Folders or archives: PiJAMA (with `pijama.csv`), the Weimar Jazz Database (with
            `csv_melody`), Impro-Visor's lead sheets (`.ls`), or any folder with MIDI files.
        player: Player of the MIDI files of plain folders; by default the name of each file's folder.
        seed: Seed of the validation split of corpora that come without a split.

    Raises:
        CorpusError: if a source cannot be opened or is none of these.
    """
    for source in map(Path, sources):
        with open_source(source) as folder:
            if (folder / pijama.METADATA).is_file():
                yield from pijama.read_pijama(folder)
            elif (folder / wjazzd.MELODIES).is_dir():
                yield from wjazzd.read_wjazzd(folder, seed)
            elif improvisor.has_leadsheets(folder):
                yield from improvisor.read_improvisor(folder, seed)
            elif midi_folder.midi_files(folder):
                yield from midi_folder.read_midi_folder(folder, player, seed, _corpus_name(source))
            else:
                raise CorpusError(
                    f"{source}: holds neither {pijama.METADATA}, {wjazzd.MELODIES}, lead "
                    f"sheets ({improvisor.SUFFIX}) nor MIDI files; give the folder or archive of a corpus"
                )


def prepare(
    sources: Sequence[Path],
    out: Path,
    player: str | None = None,
    seed: int = 0,
    min_style_notes: int = 1500,
    console: Console | None = None,
    beats: Sequence[Path] = (),
) -> PackReport:
    """Pack corpora for training and print what was packed and what was skipped.

    Where a corpus gives no chords, they are estimated. A quantized solo whose performance is on the other
    side of the split is left out.

    Args:
        sources: As for `read_sources`.
        out: The folder to write; a packed corpus already there is replaced.
        player: As for `read_sources`.
        seed: As for `read_sources`.
        min_style_notes: Fewest training notes for which a player gets a style.
        console: Where to print; by default the terminal.
        beats: Folders or archives of beat tables for PiJAMA; of two tables for one piece, the first counts.

    Raises:
        CorpusError: if a source cannot be read or the folder cannot be written.
    """
    console = console or Console()
    tables = {name: table for source in reversed(beats) for name, table in read_beat_tables(Path(source))}
    pieces = (
        _completed(item, tables) if isinstance(item, Piece) else item
        for item in without_leaks(_shown(read_sources(sources, player, seed), console))
    )
    report = pack(pieces, out, LICENCES, min_style_notes)
    console.print(_report_table(report))
    console.print(f"{len(report.styles)} styles, {len(report.broken)} broken files, in {report.out}")
    for file in report.broken[:_SHOWN_BROKEN]:
        console.print(f"  skipped {file.path}: {file.reason}", markup=False)
    if len(report.broken) > _SHOWN_BROKEN:
        console.print(f"  and {len(report.broken) - _SHOWN_BROKEN} more, all listed in index.json")
    return report


def _completed(piece: Piece, tables: Mapping[str, BeatTable]) -> Piece:
    """Return the piece with estimated chords, where it has none, and the beats of its table, if any."""
    table = tables.get(piece.name) if piece.corpus == pijama.CORPUS else None
    piece = with_chords(piece)
    return piece if table is None else with_beats(piece, table, piece.start)


def stats(
    sources: Sequence[Path],
    plot: Path | None = None,
    player: str | None = None,
    seed: int = 0,
    console: Console | None = None,
) -> statistics.CorpusStatistics:
    """Print statistics of corpora, and plot them if `plot` is given.

    Args:
        sources: As for `read_sources`.
        plot: The picture to write; its suffix chooses the format.
        player: As for `read_sources`.
        seed: As for `read_sources`.
        console: Where to print; by default the terminal.

    Raises:
        CorpusError: if a source cannot be read or the picture cannot be written.
    """
    console = console or Console()
    counted = statistics.corpus_statistics(_shown(read_sources(sources, player, seed), console))
    console.print(statistics.render_table(counted))
    if plot is not None:
        statistics.plot(counted, plot)
        console.print(f"plotted in {plot}", markup=False)
    return counted


def duplicates(
    sources: Sequence[Path], seed: int = 0, console: Console | None = None
) -> tuple[Duplicate, ...]:
    """Print and return the quantized solos that played pieces hold too, the longest shared run first.

    Args:
        sources: As for `read_sources`.
        seed: As for `read_sources`.
        console: Where to print; by default the terminal.

    Raises:
        CorpusError: if a source cannot be read.
    """
    console = console or Console()
    pieces = [item for item in _shown(read_sources(sources, None, seed), console) if isinstance(item, Piece)]
    quantized = [piece for piece in pieces if piece.quantized]
    played = [piece for piece in pieces if not piece.quantized]
    found = tuple(sorted(find_duplicates(quantized, played), key=lambda pair: -pair.shared))
    console.print(_duplicate_table(found))
    several = len({pair.quantized.name for pair in found})
    console.print(f"{several} of {len(quantized)} quantized pieces are among {len(played)} played ones")
    return found


def _corpus_name(source: Path) -> str:
    return source.resolve().name.split(".tar")[0]


def _shown(items: Iterable[_Item], console: Console) -> Iterator[_Item]:
    """Yield items, showing their number so far."""
    with console.status("reading") as status:
        for count, item in enumerate(items, start=1):
            if count % 50 == 0:
                status.update(f"reading: {count:,} files")
            yield item


def _report_table(report: PackReport) -> Table:
    table = Table(title="Packed")
    for heading in ("corpus", "split"):
        table.add_column(heading)
    for heading in ("pieces", "notes", "hours"):
        table.add_column(heading, justify="right")
    for count in report.counts:
        table.add_row(
            count.corpus, count.split, f"{count.pieces:,}", f"{count.notes:,}", f"{count.hours:.1f}"
        )
    return table


def _duplicate_table(found: Sequence[Duplicate]) -> Table:
    table = Table(title="Solos in two transcriptions")
    for heading in ("quantized", "side", "played", "side"):
        table.add_column(heading, overflow="fold")
    table.add_column("shared notes", justify="right")
    for pair in found:
        shared = str(pair.shared) if pair.shared else "none, same title and player"
        one, other = pair.quantized, pair.played
        table.add_row(one.name, one.split, other.name, other.split, shared)
    return table
