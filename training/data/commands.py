"""The commands `tatumflow data prepare` and `tatumflow data stats`."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final, TypeVar

from rich.console import Console
from rich.table import Table

from tatumflow.training.data.corpora import statistics
from tatumflow.training.data.corpora.piece import Piece
from tatumflow.training.data.corpora.readers import read_sources
from tatumflow.training.data.duplicates import Duplicate, find_duplicates, without_leaks
from tatumflow.training.data.packing import PackReport, check_target, pack
from tatumflow.training.data.prepare.job import JobSettings, open_job
from tatumflow.training.data.prepare.parts import Chunk
from tatumflow.training.data.prepare.processes import write_parts

_SHOWN_BROKEN: Final = 10

_Item = TypeVar("_Item")


def prepare(
    sources: Sequence[Path],
    out: Path,
    player: str | None = None,
    seed: int = 0,
    min_style_notes: int = 1500,
    console: Console | None = None,
    beats: Sequence[Path] = (),
    jobs: int | None = None,
    cluster: str | None = None,
) -> PackReport:
    """Pack corpora for training and print what was packed and what was skipped.

    Where a corpus gives no chords, they are estimated. A quantized solo whose performance is on the other
    side of the split is left out. Interrupted, the same call goes on where it was; neither that nor the
    number of processes changes the result.

    Args:
        sources: As for `read_sources`.
        out: The folder to write; a packed corpus already there is replaced.
        player: As for `read_sources`.
        seed: As for `read_sources`.
        min_style_notes: Fewest training notes for which a player gets a style.
        console: Where to print; by default the terminal.
        beats: Folders or archives of beat tables for PiJAMA; of two tables for one piece, the first counts.
        jobs: Processes that read files; by default this one, and on a cluster as many as it has cores.
        cluster: Address of a Ray cluster to read the files on; see `write_parts_on_cluster`.

    Raises:
        CorpusError: if a source cannot be read or the folder cannot be written.
    """
    console = console or Console()
    check_target(out)
    with open_job(JobSettings(sources, player, seed, beats), out) as job:
        done = job.files_done
        if done:
            console.print(f"going on: {done:,} files were read before")
        with console.status("reading") as status:
            for count in _read(job.waiting, sources, jobs, cluster):
                done += count
                status.update(f"reading: {done:,} files")
            status.update(f"packing {done:,} files")
            report = pack(without_leaks(job.parts), out, job.licences, min_style_notes)
        job.close()
    console.print(_report_table(report))
    console.print(f"{len(report.styles)} styles, {len(report.broken)} broken files, in {report.out}")
    for file in report.broken[:_SHOWN_BROKEN]:
        console.print(f"  skipped {file.path}: {file.reason}", markup=False)
    if len(report.broken) > _SHOWN_BROKEN:
        console.print(f"  and {len(report.broken) - _SHOWN_BROKEN} more, all listed in index.json")
    return report


def _read(
    chunks: Sequence[Chunk], sources: Sequence[Path], jobs: int | None, cluster: str | None
) -> Iterator[int]:
    if cluster is None:
        return write_parts(chunks, jobs or 1)
    from tatumflow.training.data.prepare.cluster import check_shared, write_parts_on_cluster

    check_shared(sources, cluster)
    return write_parts_on_cluster(chunks, cluster, jobs)


def stats(
    sources: Sequence[Path],
    plot: Path | None = None,
    player: str | None = None,
    seed: int = 0,
    console: Console | None = None,
    page: Path | None = None,
) -> statistics.CorpusStatistics:
    """Print statistics of corpora; plot them if `plot` is given, and write a page of them if `page` is.

    Args:
        sources: As for `read_sources`.
        plot: The picture to write; its suffix chooses the format.
        player: As for `read_sources`.
        seed: As for `read_sources`.
        console: Where to print; by default the terminal.
        page: The folder in which `index.html` is written.

    Raises:
        CorpusError: if a source cannot be read, or the picture or page cannot be written.
    """
    console = console or Console()
    counted = statistics.corpus_statistics(_shown(read_sources(sources, player, seed), console))
    console.print(statistics.render_table(counted))
    if plot is not None:
        statistics.plot(counted, plot)
        console.print(f"plotted in {plot}", markup=False)
    if page is not None:
        from tatumflow.training.data.corpora.statistics_page import write_statistics_page

        names = " ".join(source.name for source in map(Path, sources))
        write_statistics_page(counted, page / "index.html", names, f"tatumflow data stats {names}")
        console.print(f"page in {page / 'index.html'}", markup=False)
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
