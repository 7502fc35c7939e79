"""Confidence of beats, from the network's activation and the onsets around them."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tatumflow.engine.beats.features import FRAME_RATE

SPAN: Final = 8
"""Beats around a beat that its features are averaged over."""

SIGNS: Final = 9
"""Number of features of a beat that its confidence is computed from; see `signs`."""

_Array = NDArray[np.float64]


@dataclass(frozen=True)
class Calibration:
    """A logistic regression from features of beats to the probability that they are right.

    Attributes:
        mean: Mean of the features, (f,); f is `SIGNS` for whole performances.
        scale: Standard deviation of the features, (f,).
        weight: Weight of each standardized feature, (f,).
        bias: Log-odds at mean features.
    """

    mean: tuple[float, ...]
    scale: tuple[float, ...]
    weight: tuple[float, ...]
    bias: float

    def confidence(self, figures: _Array) -> _Array:
        """Return the probability that each beat is right, (b,), from features (b, f)."""
        odds = (figures - np.array(self.mean)) / np.array(self.scale) @ np.array(self.weight) + self.bias
        return 1 / (1 + np.exp(-odds))


def signs(activation: NDArray[np.float32], onsets: _Array, beats: _Array) -> _Array:
    """Return features of each beat, averaged over the `SPAN` beats around it.

    They are: the activation on the beats; its excess over that half-way between them; the mean activation;
    the concentration |mean exp(2 pi i k phase)| of onsets, less that of random ones, for k = 1, 2, 3 and the
    larger of the last two; the spread of the beats' lengths; the share of beats with an onset within 50 ms.

    Args:
        activation: (frames, 2) at `FRAME_RATE`.
        onsets: Seconds of the notes, ascending.
        beats: Seconds of the beats, ascending.

    Returns:
        Shape (b, SIGNS).
    """
    count = len(beats)
    if count < 3:
        return np.zeros((count, SIGNS))
    beat = activation[:, 0].astype(np.float64)
    lengths = np.maximum(np.gradient(beats), 1e-3)
    middle = beats + np.append(np.diff(beats), lengths[-1]) / 2
    on, between = _highest(beat, beats), _highest(beat, middle)
    total = np.concatenate([[0.0], np.cumsum(beat)])
    edges = np.clip((np.append(beats, beats[-1] + lengths[-1]) * FRAME_RATE).astype(np.int64), 0, len(beat))
    all_of_beat = (total[edges[1:]] - total[edges[:-1]]) / np.maximum(1, np.diff(edges))
    near = np.zeros(count)
    phase = np.zeros((count, 3), dtype=np.complex128)
    notes = np.zeros(count)
    if len(onsets) > 1:
        after = np.clip(np.searchsorted(onsets, beats), 1, len(onsets) - 1)
        near = (np.minimum(np.abs(onsets[after] - beats), np.abs(onsets[after - 1] - beats)) <= 0.05).astype(
            float
        )
        place = np.interp(onsets, beats, np.arange(count))
        inside = (onsets >= beats[0]) & (onsets < beats[-1])
        index = place[inside].astype(np.int64)
        np.add.at(notes, index, 1)
        for k in range(3):
            np.add.at(phase[:, k], index, np.exp(2j * np.pi * (k + 1) * place[inside]))
    played = np.maximum(1, _mean(notes, total=True))
    concentration = np.abs(_mean(phase, total=True)) / played[:, None] - 1 / np.sqrt(played)[:, None]
    step = np.abs(np.diff(np.log(lengths), prepend=np.log(lengths[0])))
    return np.stack(
        [
            _mean(on),
            _mean(on - between),
            _mean(all_of_beat),
            *concentration.T,
            np.maximum(concentration[:, 1], concentration[:, 2]),
            np.log(0.01 + _mean(step)),
            _mean(near),
        ],
        axis=1,
    )


def fit(figures: _Array, right: NDArray[np.bool_], weight: _Array | None = None) -> Calibration:
    """Fit a calibration by Newton's method, with a small penalty on the weights.

    Args:
        figures: Features, (n, f).
        right: Whether each beat is right, (n,).
        weight: Weight of each beat, (n,); equal by default.
    """
    mean, scale = figures.mean(axis=0), figures.std(axis=0) + 1e-6
    x = np.column_stack([(figures - mean) / scale, np.ones(len(figures))])
    count = np.ones(len(x)) if weight is None else weight
    features = figures.shape[1]
    theta = np.zeros(features + 1)
    penalty = np.diag([1e-3 * count.sum()] * features + [0.0])
    for _ in range(30):
        probability = 1 / (1 + np.exp(-x @ theta))
        gradient = x.T @ (count * (probability - right)) + penalty @ theta
        curve = (x * (count * probability * (1 - probability))[:, None]).T @ x + penalty
        theta -= np.linalg.solve(curve + 1e-9 * np.eye(len(theta)), gradient)
    return Calibration(tuple(mean), tuple(scale), tuple(theta[:-1]), float(theta[-1]))


def _highest(beat: _Array, times: _Array) -> _Array:
    frames = np.rint(times * FRAME_RATE).astype(np.int64)[:, None] + np.arange(-1, 2)
    return beat[np.clip(frames, 0, len(beat) - 1)].max(axis=1)


def _mean(values: NDArray, total: bool = False) -> NDArray:
    """Return the mean (or the sum) over the `SPAN` beats around each; shape as given."""
    summed = np.concatenate([np.zeros_like(values[:1]), np.cumsum(values, axis=0)])
    index = np.arange(len(values))
    first, last = np.maximum(0, index - SPAN // 2), np.minimum(len(values), index + SPAN // 2)
    span = summed[last] - summed[first]
    if total:
        return span
    return span / np.maximum(1, last - first).reshape(-1, *[1] * (values.ndim - 1))
