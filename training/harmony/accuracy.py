"""Accuracy of the chord estimator against the lead sheets of the Weimar Jazz Database.

Accuracy is the share of the time with a chord in which the estimate agrees, as in the chord task of MIREX
(weighted chord symbol recall; Pauwels and Peeters, ICASSP 2013), on the classes of `QUALITIES`:

- root: the same root;
- quality: the same class, at any root;
- chord: both;
- majmin: both, with classes joined to major (maj7, 7) and minor (m7, m6) triads; time whose true chord is
  neither (half-diminished, diminished, suspended, augmented) does not count.

Baselines that ignore the music: the single answer that is right most often ("constant"), the same for each
solo by itself ("tonic"), and the estimated chords in random order ("shuffled").
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Literal
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from tatumflow.engine.errors import CorpusError
from tatumflow.engine.harmony.chords import NO_CHORD, NUM_CHORDS, QUALITIES
from tatumflow.engine.harmony.estimator import ChordEstimate, estimate_chords
from tatumflow.training.data.corpora.annotated_solo import AnnotatedSolo, Line
from tatumflow.training.data.corpora.piece import Split
from tatumflow.training.evaluate.bootstrap import Interval, bootstrap, ratio
from tatumflow.training.harmony.accompaniment import accompany

MEASURES: Final = ("root", "quality", "chord", "majmin")
Lines = Literal["melody and beat bass", "melody and walking bass", "melody", "melody and full voicings"]
LINES: Final[tuple[Lines, ...]] = (
    *("melody and beat bass", "melody and walking bass", "melody"),
    "melody and full voicings",
)
"""Lines of a solo that the estimator reads. The voicings are synthetic, of the kind that it was fitted to:
they are easier than a pianist's."""

Ids = NDArray[np.int64]
Estimator = Callable[[NDArray[np.float64], NDArray[np.float64], Ids], ChordEstimate]

_SHUFFLES: Final = 20


@dataclass(frozen=True)
class Accuracy:
    """Accuracies on some solos, each with its 95 % interval over tunes.

    Attributes:
        source: Lines that the estimator reads.
        split: The side of the split; None for both.
        solos: Number of solos with chords and these lines.
        minutes: Time with a chord.
        estimated: The estimator's accuracy by measure.
        constant: That of the best single answer.
        tonic: That of the best single answer for each solo.
        shuffled: That of the estimated chords in random order.
        chord_seconds: Mean length of the estimated chords.
        true_chord_seconds: Mean length of the true ones.
    """

    source: Lines
    split: Split | None
    solos: int
    minutes: float
    estimated: dict[str, Interval]
    constant: dict[str, float]
    tonic: dict[str, Interval]
    shuffled: dict[str, Interval]
    chord_seconds: float
    true_chord_seconds: float


@dataclass(frozen=True)
class ChordSpans:
    """True and estimated chords of a solo on spans in which neither changes.

    Attributes:
        seconds: Length of each span, (s,) float64, greater than 0.
        true: True chord ids, (s,) int64.
        estimated: Estimated ones, (s,) int64.
    """

    seconds: NDArray[np.float64]
    true: Ids
    estimated: Ids


def evaluate_chords(
    solos: Sequence[AnnotatedSolo], estimator: Estimator = estimate_chords, seed: int = 0
) -> list[Accuracy]:
    """Estimate the chords of solos and compare them with the true ones, by input lines and by split.

    The estimator reads onsets and durations in seconds and pitches, each (n,).

    Raises:
        CorpusError: if no solo has chords.
    """
    with_chords = [solo for solo in solos if _has_chords(solo)]
    if not with_chords:
        raise CorpusError(f"none of the {len(solos)} solos has chords; give the Weimar Jazz Database")
    rows: list[Accuracy] = []
    for source in LINES:
        chosen = with_lines(with_chords, source)
        spans = [chord_spans(solo, estimator(*solo_notes(solo, source))) for solo in chosen]
        for split in (None, "train", "val"):
            at = [i for i, solo in enumerate(chosen) if split in (None, solo.split)]
            if at:
                tunes = [chosen[i].tune for i in at]
                rows.append(_accuracy(source, split, [spans[i] for i in at], tunes, seed))
    return rows


def with_lines(solos: Sequence[AnnotatedSolo], source: Lines) -> list[AnnotatedSolo]:
    """Return the solos that have chords and these lines."""
    return [s for s in solos if _has_chords(s) and all(len(line) for line in _lines(s, source))]


def solo_notes(solo: AnnotatedSolo, source: Lines) -> tuple[NDArray[np.float64], NDArray[np.float64], Ids]:
    """Return onsets and durations in seconds and pitches of the lines of a solo, each (n,)."""
    lines = _lines(solo, source)
    return (
        np.concatenate([line.onset for line in lines]),
        np.concatenate([line.duration for line in lines]),
        np.concatenate([line.pitch for line in lines]),
    )


def chord_spans(solo: AnnotatedSolo, estimate: ChordEstimate) -> ChordSpans:
    """Cut a solo from its first to its last beat where the true or the estimated chord changes."""
    first, last = float(solo.beats[0]), float(solo.beats[-1])
    frames = estimate.start + estimate.frame * np.arange(len(estimate.ids) + 1)
    edges = np.unique(np.concatenate([solo.beats, frames[(frames > first) & (frames < last)]]))
    middle = ((edges[:-1] + edges[1:]) / 2).astype(np.float64)
    true = solo.chords[np.searchsorted(solo.beats, middle, side="right") - 1]
    return ChordSpans(np.diff(edges).astype(np.float64), true, estimate.at(middle).astype(np.int64))


def agreement(true: Ids, estimated: Ids) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return whether chord ids agree by each measure, and whether they count, each (measures, ...)."""
    root, quality = np.divmod(np.stack([true, estimated]) - 1, len(QUALITIES))
    triad = _TRIAD[np.stack([true, estimated])]
    known = (true != NO_CHORD) & (estimated != NO_CHORD)
    same_root, same_quality = (root[0] == root[1]) & known, (quality[0] == quality[1]) & known
    right = np.stack(
        [same_root, same_quality, same_root & same_quality, same_root & (triad[0] == triad[1])], axis=0
    )
    counts = np.stack([*(true != NO_CHORD,) * 3, triad[0] != _NEITHER], axis=0)
    return right & counts, counts


def right_seconds(
    spans: ChordSpans, estimated: Ids, where: NDArray[np.bool_] | None = None
) -> NDArray[np.float64]:
    """Return right and counted seconds by measure, (measures, 2), of the spans in `where`, (s,), or all."""
    right, counts = agreement(spans.true, estimated)
    seconds: NDArray[np.float64] = spans.seconds if where is None else spans.seconds * where
    return np.stack([right @ seconds, counts @ seconds], axis=-1)


_MAJOR, _MINOR, _NEITHER = 0, 1, 2
_TRIAD_OF: Final = {"maj7": _MAJOR, "7": _MAJOR, "m7": _MINOR, "m6": _MINOR}
_TRIAD: Final = np.array([_NEITHER, *12 * [_TRIAD_OF.get(quality, _NEITHER) for quality in QUALITIES]])
"""The triad of each chord id for `majmin`."""


def _lines(solo: AnnotatedSolo, source: Lines) -> list[Line]:
    if source == "melody":
        return [solo.melody]
    if source == "melody and full voicings":
        return [solo.melody, accompany(solo, "full", np.random.default_rng(crc32(solo.name.encode())))]
    return [solo.melody, solo.beat_bass if source == "melody and beat bass" else solo.walking_bass]


def _has_chords(solo: AnnotatedSolo) -> bool:
    return bool((solo.chords != NO_CHORD).any()) and len(solo.beats) > 1


def _accuracy(
    source: Lines, split: Split | None, spans: Sequence[ChordSpans], tunes: Sequence[str], seed: int
) -> Accuracy:
    rng = np.random.default_rng(seed)
    estimated = np.stack([right_seconds(s, s.estimated) for s in spans])
    shuffled = np.stack(
        [np.mean([right_seconds(s, _shuffled(s, rng)) for _ in range(_SHUFFLES)], axis=0) for s in spans]
    )
    # Right seconds of each solo with one constant answer, (solos, measures, answers).
    right, _ = agreement(*np.meshgrid(np.arange(NUM_CHORDS), np.arange(NUM_CHORDS), indexing="ij"))
    seconds = np.stack([np.bincount(s.true, s.seconds, NUM_CHORDS) for s in spans])
    answers = np.einsum("st,mta->sma", seconds, right.astype(np.float64))
    counted = estimated[..., 1]

    def intervals(rows: NDArray[np.float64]) -> dict[str, Interval]:
        return {
            name: bootstrap(rows[:, i], ratio, groups=tunes, seed=seed) for i, name in enumerate(MEASURES)
        }

    return Accuracy(
        source=source,
        split=split,
        solos=len(spans),
        minutes=float(estimated[:, 0, 1].sum()) / 60,
        estimated=intervals(estimated),
        constant=dict(
            zip(MEASURES, (answers.sum(axis=0).max(axis=1) / counted.sum(axis=0)).tolist(), strict=True)
        ),
        tonic=intervals(np.stack([answers.max(axis=2), counted], axis=-1)),
        shuffled=intervals(shuffled),
        chord_seconds=_mean_length(spans, lambda s: s.estimated),
        true_chord_seconds=_mean_length(spans, lambda s: s.true),
    )


def _shuffled(spans: ChordSpans, rng: np.random.Generator) -> Ids:
    """Return the estimated chords, each as long as it was, in another order over the same time."""
    starts = np.flatnonzero(np.diff(spans.estimated, prepend=-1))
    lengths = np.add.reduceat(spans.seconds, starts)
    order = rng.permutation(len(starts))
    ends = np.cumsum(lengths[order])
    middle = np.cumsum(spans.seconds) - spans.seconds / 2
    at = np.minimum(np.searchsorted(ends, middle, side="right"), len(starts) - 1)
    return spans.estimated[starts[order[at]]]


def _mean_length(spans: Iterable[ChordSpans], chosen: Callable[[ChordSpans], Ids]) -> float:
    seconds = changes = 0.0
    for solo in spans:
        seconds += float(solo.seconds.sum())
        changes += int(np.count_nonzero(np.diff(chosen(solo), prepend=-1)))
    return seconds / changes
