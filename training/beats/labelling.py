"""Beat labels of PiJAMA by the tracker, with confidences."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tatumflow.engine.beats.features import FRAME_RATE, onset_features
from tatumflow.engine.beats.network import BeatNetwork
from tatumflow.engine.errors import CorpusError, MidiFileError
from tatumflow.engine.midi.midi_file import read_midi
from tatumflow.training.beats.confidence import Calibration, signs
from tatumflow.training.beats.decoding import decode
from tatumflow.training.beats.examples import NoteList, notes_of
from tatumflow.training.data.corpora.beat_tables import Beats, LabelEntry, write_beats, write_index
from tatumflow.training.data.corpora.pijama import read_metadata
from tatumflow.training.data.corpora.source import open_source

TOGETHER: Final = 16
"""Performances decoded in a batch."""

LEVELS: Final = (0.0, 0.2, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
"""Least confidences of the table of amounts."""

_AFTER: Final = 1.0

_Rows = list[dict[str, str]]
_Done = tuple[list[tuple[LabelEntry, Beats]], NDArray[np.float64], list[str]]


@dataclass(frozen=True)
class LabelSettings:
    """Settings of labelling.

    Attributes:
        limit: Most performances; None for all.
        jobs: Parallel processes.
    """

    limit: int | None = None
    jobs: int = 1


@dataclass(frozen=True)
class LabelCount:
    """Amount of music labelled with at least some confidence.

    Attributes:
        confidence: The least confidence.
        hours: Length of these beats.
        notes: Notes in these beats.
        beats: Number of these beats.
    """

    confidence: float
    hours: float
    notes: int
    beats: int


def activations_of(network: BeatNetwork, notes: NoteList) -> NDArray[np.float32]:
    """Return the network's activations, (frames, 2), from second 0 to a second after the last onset."""
    frames = int((notes.onset.max(initial=0) + _AFTER) * FRAME_RATE)
    return network.activations(onset_features(notes.onset, notes.pitch, notes.velocity, frames))


def track(network: BeatNetwork, calibration: Calibration, performances: Sequence[NoteList]) -> list[Beats]:
    """Return the beats of whole performances, from the first onset to the last."""
    activations = [activations_of(network, notes) for notes in performances]
    tracked = []
    for notes, activation, found in zip(performances, activations, decode(activations), strict=True):
        played = (found.onset >= notes.onset.min() - 0.1) & (found.onset <= notes.onset.max() + 0.1)
        onset = found.onset[played]
        sure = calibration.confidence(signs(activation, notes.onset, onset))
        tracked.append(Beats(onset, found.position[played], found.activation[played], sure))
    return tracked


def label(
    pijama: Path,
    out: Path,
    network: BeatNetwork,
    calibration: Calibration,
    settings: LabelSettings | None = None,
    log: Callable[[str], None] = print,
) -> list[LabelCount]:
    """Label the performances of PiJAMA's train and val sides, on the clock of their MIDI files.

    Args:
        pijama: Folder or archive of the corpus.
        out: Folder of the labels; made if missing. Tables already there are replaced.
        network: A network that is not causal.
        calibration: Calibration of the confidence.
        settings: Settings of labelling; the defaults when None.
        log: Called with a line for each batch and each skipped file.

    Returns:
        Amounts of labels by rising confidence.

    Raises:
        CorpusError: if the corpus cannot be read or the labels cannot be written.
    """
    settings = settings or LabelSettings()
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CorpusError(f"{out}: cannot be made ({error.strerror}); choose another folder") from error
    labelled: list[tuple[LabelEntry, Beats]] = []
    sums = np.zeros((len(LEVELS), 3))
    with open_source(pijama) as folder:
        rows = [row for row in read_metadata(folder) if row["split"] in ("train", "val")]
        rows = sorted(rows[: settings.limit], key=lambda row: float(row["performance_end_sec"]))
        batches = [rows[first : first + TOGETHER] for first in range(0, len(rows), TOGETHER)]
        work = partial(_label_batch, folder=folder, out=out, network=network, calibration=calibration)
        for pairs, amounts, skipped in _each(work, batches, settings.jobs):
            labelled += pairs
            sums += amounts
            for line in skipped:
                log(line)
            log(f"{len(labelled)} of {len(rows)} performances")
    labelled.sort(key=lambda pair: int(pair[0].id))
    write_index(out, labelled)
    return [
        LabelCount(level, seconds / 3600, int(notes), int(beats))
        for level, (seconds, notes, beats) in zip(LEVELS, sums.tolist(), strict=True)
    ]


def _each(work: Callable[[_Rows], _Done], batches: Sequence[_Rows], jobs: int) -> Iterator[_Done]:
    if jobs == 1:
        yield from map(work, batches)
        return
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        for future in as_completed([pool.submit(work, batch) for batch in batches]):
            yield future.result()


def _label_batch(
    rows: _Rows, folder: Path, out: Path, network: BeatNetwork, calibration: Calibration
) -> _Done:
    batch: list[tuple[LabelEntry, NoteList]] = []
    skipped: list[str] = []
    for row in rows:
        begin, end = float(row["performance_start_sec"]), float(row["performance_end_sec"])
        try:
            notes = notes_of(read_midi(folder / row["midi_filepath"]).notes)
        except MidiFileError as error:
            skipped.append(str(error))
            continue
        notes = notes.where((notes.onset >= begin) & (notes.onset <= end))
        if not len(notes):
            skipped.append(f"{row['midi_filepath']}: has no notes in its performance")
            continue
        entry = LabelEntry(row["id"], row["artist"], row["title"], row["split"], row["midi_filepath"])
        batch.append((entry, notes))
    tracked = track(network, calibration, [notes for _, notes in batch])
    amounts = np.zeros((len(LEVELS), 3))
    for (entry, notes), beats in zip(batch, tracked, strict=True):
        write_beats(out / f"{entry.id}.csv", beats)
        amounts += _amounts(notes, beats)
    return [(entry, beats) for (entry, _), beats in zip(batch, tracked, strict=True)], amounts, skipped


def _amounts(notes: NoteList, beats: Beats) -> NDArray[np.float64]:
    """Return seconds, notes and beats at each confidence of `LEVELS`, (levels, 3)."""
    amounts = np.zeros((len(LEVELS), 3))
    if len(beats.onset) < 2 or beats.confidence is None:
        return amounts
    lengths = np.diff(beats.onset)
    counts = np.histogram(notes.onset, beats.onset)[0]
    for row, level in enumerate(LEVELS):
        sure = beats.confidence[:-1] >= level
        amounts[row] = lengths[sure].sum(), counts[sure].sum(), sure.sum()
    return amounts
