"""Accuracy, delay and sureness of the chords heard while a solo is played, against its lead sheet."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from tatumflow.engine.harmony.chords import NO_CHORD
from tatumflow.engine.harmony.estimator import ChordEstimate
from tatumflow.engine.harmony.live_estimator import LiveEstimate, estimate_live
from tatumflow.engine.turns.heard_harmony import HOLD
from tatumflow.training.data.corpora.annotated_solo import AnnotatedSolo
from tatumflow.training.data.corpora.piece import Split
from tatumflow.training.evaluate.bootstrap import Interval, bootstrap, ratio
from tatumflow.training.harmony.accuracy import (
    LINES,
    MEASURES,
    Lines,
    agreement,
    chord_spans,
    right_seconds,
    solo_notes,
    with_lines,
)


@dataclass(frozen=True)
class LiveAccuracy:
    """Figures on some solos.

    Attributes:
        source: Lines that the estimator reads.
        split: The side of the split; None for both.
        solos: Number of solos.
        live: Accuracy of the likeliest chord over all time, by measure.
        sure: Accuracy over the time at which it is sure, by measure.
        sure_later: `majmin` of the sure chords `HOLD` seconds later, up to which they hold.
        sure_share: Share of the time with a chord at which it is sure.
        found: Share of the true changes of chord after which the new chord is heard before the next change.
        delay_seconds: Median time from such a change until the new root with its third is heard.
        delay_beats: The same in beats.
    """

    source: Lines
    split: Split | None
    solos: int
    live: dict[str, Interval]
    sure: dict[str, Interval]
    sure_later: float
    sure_share: float
    found: float
    delay_seconds: float
    delay_beats: float


def evaluate_live_chords(solos: Sequence[AnnotatedSolo], seed: int = 0) -> list[LiveAccuracy]:
    """Hear the chords of solos as while they are played and compare them with the true ones.

    By input lines and by split, as `evaluate_chords`.
    """
    rows: list[LiveAccuracy] = []
    for source in LINES:
        chosen = with_lines(solos, source)
        heard = [estimate_live(*solo_notes(solo, source)) for solo in chosen]
        for split in (None, "train", "val"):
            at = [i for i, solo in enumerate(chosen) if split in (None, solo.split)]
            if at:
                rows.append(_live(source, split, [chosen[i] for i in at], [heard[i] for i in at], seed))
    return rows


def change_delays(solo: AnnotatedSolo, heard: LiveEstimate) -> NDArray[np.float64]:
    """Return how long after each true change of root or third the new chord is heard.

    Returns:
        (changes, 2) in seconds and in beats; infinite where it is not heard before the next change.
    """
    changed = np.diff(solo.chords, prepend=NO_CHORD) != 0
    starts = np.flatnonzero(changed).tolist()
    edges = heard.chords.start + heard.chords.frame * np.arange(len(heard.chords.ids))
    rows: list[tuple[float, float]] = []
    for first, after in pairwise([*starts, len(solo.beats) - 1]):
        true = solo.chords[first]
        same = first > 0 and bool(agreement(true, solo.chords[first - 1])[0][-1])
        if same or not agreement(true, true)[1][-1]:
            continue
        begin, end = float(solo.beats[first]), float(solo.beats[after])
        times = np.concatenate([[begin], edges[(edges > begin) & (edges < end)]])
        right = agreement(np.full(len(times), true), heard.chords.at(times).astype(np.int64))[0][-1]
        seconds = float(times[right.argmax()]) - begin if right.any() else np.inf
        beat = (end - begin) / max(after - first, 1)
        rows.append((seconds, seconds / beat if beat > 0 else np.inf))
    return np.array(rows).reshape(-1, 2)


def _later(chords: ChordEstimate) -> ChordEstimate:
    return replace(chords, start=chords.start + HOLD)


def _live(
    source: Lines,
    split: Split | None,
    solos: Sequence[AnnotatedSolo],
    heard: Sequence[LiveEstimate],
    seed: int,
) -> LiveAccuracy:
    spans = [chord_spans(solo, live.chords) for solo, live in zip(solos, heard, strict=True)]
    sure = [chord_spans(solo, live.sure) for solo, live in zip(solos, heard, strict=True)]
    later = [chord_spans(solo, _later(live.sure)) for solo, live in zip(solos, heard, strict=True)]
    tunes = [solo.tune for solo in solos]
    every = np.stack([right_seconds(s, s.estimated) for s in spans])
    where_sure = np.stack([right_seconds(s, s.estimated, where=s.estimated != NO_CHORD) for s in sure])
    held = np.stack([right_seconds(s, s.estimated, where=s.estimated != NO_CHORD)[-1] for s in later])
    delays = np.concatenate([change_delays(*pair) for pair in zip(solos, heard, strict=True)])
    found = np.isfinite(delays[:, 0])

    def intervals(rows: NDArray[np.float64]) -> dict[str, Interval]:
        return {
            name: bootstrap(rows[:, i], ratio, groups=tunes, seed=seed) for i, name in enumerate(MEASURES)
        }

    return LiveAccuracy(
        source=source,
        split=split,
        solos=len(solos),
        live=intervals(every),
        sure=intervals(where_sure),
        sure_later=float(ratio(held.sum(axis=0, keepdims=True))[0]),
        sure_share=float(where_sure[:, 0, 1].sum() / every[:, 0, 1].sum()),
        found=float(found.mean()) if len(found) else 0.0,
        delay_seconds=float(np.median(delays[found, 0])) if found.any() else np.inf,
        delay_beats=float(np.median(delays[found, 1])) if found.any() else np.inf,
    )
