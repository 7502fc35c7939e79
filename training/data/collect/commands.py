"""The commands `tatumflow data collect` and `tatumflow data split`."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from rich.console import Console

from tatumflow.engine.errors import CorpusError
from tatumflow.engine.files.whole_file import write_whole
from tatumflow.training.data.collect.collect import CollectSettings, collect_files, write_metadata
from tatumflow.training.data.collect.split import Shares, with_split
from tatumflow.training.data.corpora.collected import Metadata, read_collected
from tatumflow.training.data.corpora.readers import read_sources
from tatumflow.training.data.corpora.statistics import corpus_statistics

REPORT: Final = "report.txt"
PAGE: Final = "statistics.html"
_SHOWN: Final = 10


def collect(
    sources: Sequence[Path],
    corpus: Path,
    settings: CollectSettings,
    console: Console | None = None,
) -> Metadata:
    """Collect a corpus, print what came of it, and write it into its `report.txt` and `statistics.html`.

    Args:
        sources: As for `collect_files`.
        corpus: The folder of the corpus.
        settings: How it is collected.
        console: Where to print; by default the terminal.

    Raises:
        CorpusError: as `collect_files` does, or if no file is music.
    """
    from tatumflow.training.data.corpora.statistics_page import write_statistics_page

    console = console or Console()
    with console.status("collecting") as status:

        def progress(count: int) -> None:
            if count % 20 == 0:
                status.update(f"collecting: {count:,} files")

        metadata = collect_files(sources, corpus, settings, progress)
        _write_report(corpus, metadata)
        if not metadata.files:
            raise CorpusError(f"{corpus}: none of {len(metadata.broken)} files is music; see its {REPORT}")
        status.update("counting")
        counted = corpus_statistics(read_sources([corpus]))
        write_statistics_page(
            counted, corpus / PAGE, corpus.resolve().name, f"tatumflow data stats {corpus.name}"
        )
    for line in _summary(metadata):
        console.print(line, markup=False, highlight=False)
    for entry in metadata.broken[:_SHOWN]:
        console.print(f"  not taken: {entry.source}: {entry.reason}", markup=False, highlight=False)
    if len(metadata.broken) > _SHOWN:
        console.print(f"  and {len(metadata.broken) - _SHOWN:,} more")
    console.print(f"all of it in {corpus / REPORT} and {corpus / PAGE}", markup=False)
    return metadata


def split(corpus: Path, seed: int, val: float, test: float, console: Console | None = None) -> Metadata:
    """Split a collected corpus anew, and print the sides.

    Raises:
        CorpusError: if it is no collected corpus, cannot be written, or a share is out of range.
    """
    console = console or Console()
    metadata = read_collected(corpus)
    files = with_split(metadata.files, Shares(val, test), seed)
    metadata = metadata.model_copy(update={"files": files, "seed": seed})
    write_metadata(corpus, metadata)
    _write_report(corpus, metadata)
    for line in _sides(metadata):
        console.print(line, markup=False, highlight=False)
    return metadata


def _write_report(corpus: Path, metadata: Metadata) -> None:
    lines = [
        *_summary(metadata),
        "",
        "Left out, since another file has their notes:",
        *(
            f"  {one.source}: {one.kind} as {one.same_as} ({one.semitones:+} semitones, tempo times "
            f"{one.tempo_ratio:g})"
            for one in metadata.duplicates
        ),
        "",
        "Not taken; they were left where they are:",
        *(f"  {one.source}: {one.reason}" for one in metadata.broken),
    ]
    try:
        write_whole(corpus / REPORT, "\n".join(lines) + "\n")
    except OSError as error:
        raise CorpusError(
            f"{corpus}: cannot be written ({error.strerror}); check rights and space"
        ) from error


def _summary(metadata: Metadata) -> list[str]:
    files = metadata.files
    hours = sum(file.seconds for file in files) / 3600
    kinds = Counter(entry.kind for entry in metadata.duplicates)
    named = ", ".join(f"{count:,} {kind}" for kind, count in kinds.most_common())
    return [
        f"{len(files):,} files, {len({file.piece for file in files}):,} pieces of "
        f"{len({file.player for file in files if file.player}):,} players, "
        f"{sum(file.notes for file in files):,} notes, {hours:.1f} hours",
        *_sides(metadata),
        f"{len(metadata.duplicates):,} left out as duplicates" + (f": {named}" if named else ""),
        f"{len(metadata.broken):,} not taken",
    ]


def _sides(metadata: Metadata) -> list[str]:
    total = sum(file.notes for file in metadata.files) or 1
    lines: list[str] = []
    for side in ("train", "val", "test"):
        chosen = [file for file in metadata.files if file.split == side]
        notes = sum(file.notes for file in chosen)
        pieces = len({file.piece for file in chosen})
        lines.append(
            f"{side}: {len(chosen):,} files, {pieces:,} pieces, {notes:,} notes, {notes / total:.1%}"
        )
    return lines
