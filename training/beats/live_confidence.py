"""Confidence of the live beat tracker: its figures on performances, and the regression fitted to them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tatumflow.engine.beats.network import BeatNetwork
from tatumflow.engine.beats.tracker import SIGNS, BeatTracker, Confidence
from tatumflow.engine.tempo.listening import LOCK, LOOK
from tatumflow.training.beats.confidence import fit
from tatumflow.training.beats.evaluation import example_sets
from tatumflow.training.beats.examples import BeatExample, NoteList
from tatumflow.training.beats.measures import TOLERANCE, same_tempo

_UNTRAINED: Final = Confidence((0.0,) * SIGNS, 0.0)
_NEVER_SURE: Final = Confidence((0.0,) * SIGNS, -10.0)
"""Confidence of a tracker that reported no beat."""

_RECENT: Final = 1.5
"""Seconds after the last onset from which the clock `listen` reads no more beats."""


@dataclass(frozen=True)
class LiveBeats:
    """The beats that the tracker reported while a performance was played, n of them.

    Attributes:
        time: Seconds of each, (n,).
        period: Seconds of a beat at each, (n,).
        signs: What the confidence is computed from, (n, SIGNS).
    """

    time: NDArray[np.float64]
    period: NDArray[np.float64]
    signs: NDArray[np.float64]


@dataclass(frozen=True)
class LiveFigures:
    """How well the confidence tells right beats from wrong ones, on a set of performances.

    Attributes:
        name: Name of the set.
        performances: Number of performances.
        right: Share of right beats.
        confidence: Mean confidence.
        sure: Share of beats with a confidence from which the clock may lock.
        sure_right: Share of right beats among those; NaN if there are none.
        brier: Mean squared difference of confidence and truth (Brier 1950); 0.25 for a constant 0.5.
    """

    name: str
    performances: int
    right: float
    confidence: float
    sure: float
    sure_right: float
    brier: float


@dataclass(frozen=True)
class _Judged:
    """The beats of a set: signs (n, SIGNS), which are right (n,), and the weight of each (n,)."""

    name: str
    performances: int
    signs: NDArray[np.float64]
    right: NDArray[np.bool_]
    weight: NDArray[np.float64]


def fit_live_confidence(
    network: BeatNetwork, examples: Sequence[BeatExample]
) -> tuple[Confidence, list[LiveFigures]]:
    """Fit the live tracker's confidence to held-out performances, and measure it on them.

    Solo lines, lines with bass, piano and its top line have equal weights. A beat counts as right if it lies
    within `TOLERANCE` of a true beat and the tempo is the true one's within a fifth; a teacher's labels count
    as true beats, weighted by their certainty. A tracker that reports no beat at all is never sure.

    Raises:
        ValueError: if the network is not causal.
    """
    sets = list(_judged(BeatTracker(network, _UNTRAINED), examples))
    if not sum(len(judged.right) for judged in sets):
        return _NEVER_SURE, [_figures(judged, _NEVER_SURE) for judged in sets]
    calibration = fit(
        np.concatenate([judged.signs for judged in sets]),
        np.concatenate([judged.right for judged in sets]),
        np.concatenate([judged.weight for judged in sets]),
    )
    # The tracker reads signs as they are, not standardized.
    weight = np.array(calibration.weight) / np.array(calibration.scale)
    bias = calibration.bias - float(weight @ np.array(calibration.mean))
    confidence = Confidence(tuple(weight.tolist()), bias)
    return confidence, [_figures(judged, confidence) for judged in sets]


def play_live(tracker: BeatTracker, notes: NoteList) -> LiveBeats:
    """Return the beats that the tracker reports if notes come one by one, read as the clock `listen` does."""
    order = np.argsort(notes.onset, kind="stable")
    begin = float(notes.onset[order[0]]) if len(order) else 0.0
    state, number, rows = tracker.begin(begin), None, []
    coming = iter(zip(notes.onset[order], notes.pitch[order], notes.velocity[order], strict=True))
    following, last = next(coming, None), begin
    now = begin
    while following is not None or now - last <= _RECENT:
        while following is not None and following[0] <= now:
            last = float(following[0])
            state = tracker.add_note(state, last, int(following[1]), int(following[2]))
            following = next(coming, None)
        state = tracker.advance(state, now)
        found = tracker.estimate(state) if now - last <= _RECENT else None
        if found is not None and found.beat != number:
            number = found.beat
            rows.append((found.time, 60 / found.tempo, *found.signs))
        now += LOOK
    columns = np.array(rows, dtype=np.float64).reshape(-1, 2 + SIGNS)
    return LiveBeats(columns[:, 0], columns[:, 1], columns[:, 2:])


def _judged(tracker: BeatTracker, examples: Sequence[BeatExample]) -> Iterator[_Judged]:
    """Play each set of performances and judge the beats within the span of the true ones."""
    for name, chosen in example_sets(examples):
        signs, right, weight = [], [], []
        for example in chosen:
            live, truth = play_live(tracker, example.notes), example.beats
            inside = (live.time >= truth[0] - TOLERANCE) & (live.time <= truth[-1] + TOLERANCE)
            time = live.time[inside]
            nearest = np.clip(np.searchsorted(truth, time), 1, len(truth) - 1)
            nearest -= (time - truth[nearest - 1]) < (truth[nearest] - time)
            close = np.abs(truth[nearest] - time) <= TOLERANCE
            signs.append(live.signs[inside])
            right.append(close & same_tempo(live.period[inside], np.gradient(truth)[nearest]))
            weight.append(np.interp(time, truth, example.certainty) / len(chosen))
        yield _Judged(name, len(chosen), np.concatenate(signs), np.concatenate(right), np.concatenate(weight))


def _figures(judged: _Judged, confidence: Confidence) -> LiveFigures:
    own = np.array([confidence.of(row) for row in judged.signs])
    share = judged.weight / max(float(judged.weight.sum()), 1e-9)
    sure = own >= LOCK
    sure_share = float(share[sure].sum())
    return LiveFigures(
        name=judged.name,
        performances=judged.performances,
        right=float(share @ judged.right),
        confidence=float(share @ own),
        sure=sure_share,
        sure_right=float(share[sure] @ judged.right[sure]) / sure_share if sure_share else float("nan"),
        brier=float(share @ (own - judged.right) ** 2),
    )
