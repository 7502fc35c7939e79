"""A corpus made of the MIDI files of any sources: checked, without duplicates, split and described."""

import hashlib
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final, TypeVar

from tatumflow.engine.errors import CorpusError, MidiFileError
from tatumflow.engine.files.whole_file import whole_file, write_whole
from tatumflow.engine.midi.midi_file import read_midi
from tatumflow.training.data.collect.checks import Limits, playing_seconds, refusal
from tatumflow.training.data.collect.gather import Found, gather
from tatumflow.training.data.collect.names import piece_key, safe_path
from tatumflow.training.data.collect.similarity import Similarity, Sketch, find_similar, sketch
from tatumflow.training.data.collect.split import Shares, with_split
from tatumflow.training.data.corpora.collected import (
    METADATA,
    Broken,
    CollectedFile,
    LeftOut,
    Metadata,
    read_collected,
)
from tatumflow.training.data.corpora.note_array import from_notes
from tatumflow.training.data.corpora.piece import Split

_Entry = TypeVar("_Entry", LeftOut, Broken)

DOWNLOADS: Final = "downloads"
_SAME_BYTES: Final = "the same file"
_SAME_NOTES: Final = "the same notes"
_SIMILAR: Final = "nearly all notes"
_TRANSPOSED: Final = "transposed or at another tempo"
_TEMPO_TOLERANCE: Final = 0.01


@dataclass(frozen=True)
class CollectSettings:
    """How a corpus is collected.

    Attributes:
        player: Player of the files for which none is stated; by default the name of each file's folder.
        licence: Licence of the files for which none is stated.
        limits: What is taken.
        shares: Shares of the sides of the split.
        seed: Seed of the split.
        most_bytes: Largest download.
        keep_duplicates: Whether files with the notes of another are taken too.
    """

    player: str | None = None
    licence: str = ""
    limits: Limits = Limits()  # noqa: RUF009 (frozen)
    shares: Shares = Shares()  # noqa: RUF009 (frozen)
    seed: int = 0
    most_bytes: int = 2 << 30
    keep_duplicates: bool = False


@dataclass(frozen=True)
class _Taken:
    """A file that passed the checks, and the sketch of its notes."""

    file: CollectedFile
    sketch: Sketch


def collect_files(
    sources: Sequence[Path],
    corpus: Path,
    settings: CollectSettings = CollectSettings(),
    progress: Callable[[int], None] = lambda _: None,
) -> Metadata:
    """Collect MIDI files into a corpus, or add them to one; sources are only read.

    Interrupted, the same call goes on: downloads where they were, and files that were copied are found again.

    Args:
        sources: As for `gather`.
        corpus: The folder of the corpus.
        settings: How.
        progress: Called with the number of files seen so far.

    Raises:
        CorpusError: if a source cannot be read, or the corpus is something else or cannot be written.
    """
    before = _opened(corpus)
    taken = [_again(corpus, file) for file in before.files]
    known = {one.file.sha256: one.file.file for one in taken}
    there = {one.file.source for one in taken}
    same: list[LeftOut] = []
    broken: list[Broken] = []
    seen: set[str] = set()
    found = gather(sources, corpus / DOWNLOADS, settings.most_bytes, settings.player, settings.licence)
    for count, item in enumerate(found, 1):
        progress(count)
        if item.source in seen:
            continue
        seen.add(item.source)
        if isinstance(item, Broken):
            broken.append(item)
            continue
        result = _taken(item, corpus, settings.limits, known)
        if isinstance(result, _Taken):
            taken.append(result)
            known[result.file.sha256] = result.file.file
        elif isinstance(result, Broken):
            broken.append(result)
        elif item.source not in there:
            same.append(result)
    files, similar = _without_duplicates(taken, len(before.files), corpus, settings.keep_duplicates)
    kept: dict[str, Split] = {file.piece: file.split for file in before.files}
    metadata = Metadata(
        seed=settings.seed,
        files=with_split(files, settings.shares, settings.seed, kept),
        duplicates=_merged(before.duplicates, [*same, *similar], seen),
        broken=_merged(before.broken, broken, seen),
    )
    write_metadata(corpus, metadata)
    return metadata


def write_metadata(corpus: Path, metadata: Metadata) -> None:
    """Write what is known of a corpus, whole or not at all.

    Raises:
        CorpusError: if it cannot be written.
    """
    try:
        write_whole(corpus / METADATA, metadata.model_dump_json(indent=1))
    except OSError as error:
        raise CorpusError(
            f"{corpus}: cannot be written ({error.strerror}); check rights and space"
        ) from error


def _opened(corpus: Path) -> Metadata:
    if (corpus / METADATA).is_file():
        return read_collected(corpus)
    if corpus.exists() and (not corpus.is_dir() or any(corpus.iterdir())):
        raise CorpusError(f"{corpus}: exists and is no collected corpus; choose another folder")
    try:
        corpus.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CorpusError(f"{corpus}: cannot be made ({error.strerror}); choose another folder") from error
    # An interrupted run is known by it.
    write_metadata(corpus, Metadata())
    return Metadata()


def _again(corpus: Path, file: CollectedFile) -> _Taken:
    try:
        return _Taken(file, sketch(from_notes(read_midi(corpus / file.file).notes)))
    except MidiFileError as error:
        raise CorpusError(f"{corpus / METADATA}: {error}; put it back, or take its entry out") from error


def _taken(item: Found, corpus: Path, limits: Limits, known: dict[str, str]) -> _Taken | LeftOut | Broken:
    """Check a file and copy it into the corpus, unless its bytes are there."""
    try:
        with item.path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        if digest in known:
            return LeftOut(source=item.source, same_as=known[digest], kind=_SAME_BYTES)
        performance = read_midi(item.path)
    except MidiFileError as error:
        return Broken(source=item.source, reason=str(error).removeprefix(f"{item.path.name}: "))
    except OSError as error:
        return Broken(source=item.source, reason=f"cannot be read ({error.strerror})")
    notes = from_notes(performance.notes)
    reason = refusal(notes, limits)
    if reason:
        return Broken(source=item.source, reason=reason)
    place = _copied(item, corpus, digest)
    file = CollectedFile(
        file=place,
        source=item.source,
        sha256=digest,
        title=item.title,
        player=item.player,
        licence=item.licence,
        notes=len(notes),
        seconds=round(playing_seconds(notes), 3),
        lowest=int(notes["pitch"].min()),
        highest=int(notes["pitch"].max()),
        tempo=performance.tempo,
        piece=piece_key(item.title) or f"file {digest[:16]}",
    )
    return _Taken(file, sketch(notes))


def _copied(item: Found, corpus: Path, digest: str) -> str:
    """Copy a file to a free place of the corpus, or to where an interrupted run has copied it."""
    plain = PurePosixPath(safe_path(item.player, item.title))
    number = 1
    while True:
        place = plain if number == 1 else plain.with_name(f"{plain.stem} ({number}){plain.suffix}")
        target = corpus / place
        try:
            if target.is_file() and hashlib.sha256(target.read_bytes()).hexdigest() == digest:
                return str(place)
            # Names that differ in case alone are one file on some systems; there `exists` says so.
            if not target.exists():
                target.parent.mkdir(parents=True, exist_ok=True)
                with whole_file(target) as partial:
                    shutil.copyfile(item.path, partial)
                return str(place)
        except OSError as error:
            raise CorpusError(
                f"{target}: cannot be written ({error.strerror}); check rights and space"
            ) from error
        number += 1


def _without_duplicates(
    taken: Sequence[_Taken], old: int, corpus: Path, keep: bool
) -> tuple[list[CollectedFile], list[LeftOut]]:
    """Leave out, or mark, the files that have the notes of another; the first `old` of them stay.

    Returns:
        The files, and what was left out.
    """
    found = {pair.other: pair for pair in find_similar([one.sketch for one in taken])}
    files: list[CollectedFile] = []
    left_out: list[LeftOut] = []
    for number, one in enumerate(taken):
        pair = found.get(number)
        if pair is None or number < old:
            files.append(one.file)
            continue
        original = taken[pair.one].file
        if keep:
            same = {"duplicate_of": original.file, "piece": original.piece}
            files.append(one.file.model_copy(update=same))
            continue
        left_out.append(
            LeftOut(
                source=one.file.source,
                same_as=original.file,
                kind=_kind(pair),
                semitones=pair.semitones,
                tempo_ratio=pair.tempo_ratio,
            )
        )
        # The copy in the corpus; the file itself is where it was found.
        (corpus / one.file.file).unlink(missing_ok=True)
    return files, left_out


def _kind(pair: Similarity) -> str:
    if pair.exact:
        return _SAME_NOTES
    moved = pair.semitones or abs(pair.tempo_ratio - 1) > _TEMPO_TOLERANCE
    return _TRANSPOSED if moved else _SIMILAR


def _merged(before: Sequence[_Entry], now: Sequence[_Entry], seen: set[str]) -> tuple[_Entry, ...]:
    """Return the entries of earlier runs whose files were not seen again, and those of this one."""
    return (*(entry for entry in before if entry.source not in seen), *now)
