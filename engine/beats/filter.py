"""Causal filter of tempo and phase over the beat network's activations.

The state space and the changes of tempo are those of Krebs, Böck and Widmer, "An Efficient State-Space Model
for Joint Tempo and Meter Tracking", ISMIR 2015, sections 3.2 and 3.3; the forward algorithm sums over the
paths.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tatumflow.engine.beats.features import FRAME_RATE

RATE: Final = 100
"""Frames a second of the filter."""

SLOWEST: Final = 42.0
FASTEST: Final = 340.0
"""Range of tempos in beats per minute."""

HALF_TARGET: Final = 2 * RATE // FRAME_RATE
"""Frames of the filter from a beat at which the network's target has fallen to 0."""

KEPT: Final = 4
"""Last activations that the next gains need."""

_REACH: Final = 4
_STEADINESS: Final = 60.0
_TEMPO: Final = 130.0
_TEMPO_OCTAVES: Final = 0.3
_TINY: Final = 1e-3
_USUAL: Final = 0.1
_TRUST: Final = 1.0
_SAME_TEMPO: Final = 0.08
_SAME_PHASE: Final = 5

_Array = NDArray[np.float64]


@dataclass(frozen=True)
class BeatHypothesis:
    """The likeliest beat.

    Attributes:
        period: Seconds from beat to beat.
        since: Seconds from the last beat to the end of the filter's input, 0 to `period`.
        mass: Probability of all hypotheses that agree with it, 0 to 1.
    """

    period: float
    since: float
    mass: float


@dataclass(frozen=True)
class FilterState:
    """State of the filter.

    Attributes:
        frames: Frames of input so far.
        starts: How likely a beat of each length starts in each of the last frames, (longest beat, tempos).
    """

    frames: int
    starts: _Array


def intervals() -> NDArray[np.int64]:
    """Return the beat lengths of the state space in frames, ascending, with growing steps."""
    lengths, length = [], round(60 * RATE / FASTEST)
    while length <= 60 * RATE / SLOWEST:
        lengths.append(length)
        length += 1 + length // 50
    return np.array(lengths, dtype=np.int64)


def tempo_changes(length: NDArray[np.int64], steadiness: float = _STEADINESS) -> _Array:
    """Return the log-probability of each beat length (axis 1) after each other one (axis 0)."""
    change = -steadiness * np.abs(length[None, :] / length[:, None] - 1)
    return change - np.log(np.exp(change).sum(axis=1, keepdims=True))


def beat_gains(
    activation: _Array, usual: float = _USUAL, trust: float = _TRUST, mode: str = "same"
) -> NDArray[np.float64]:
    """Return the gain of a beat at each frame: the log-ratio of the network's targets with and without it.

    Args:
        activation: Activation of a beat, at `RATE`, (frames,).
        usual: Activation that is neutral between beat and no beat.
        trust: Weight of activations against the steadiness of the tempo.
        mode: "same" for a gain at each frame, "valid" for those without padding.
    """
    clipped = np.clip(activation, _TINY, 1 - _TINY)
    ratio = np.log(clipped / (1 - clipped)) - np.log(usual / (1 - usual))
    target = 1 - np.abs(np.arange(-HALF_TARGET + 1, HALF_TARGET)) / HALF_TARGET
    gains = np.convolve(ratio, target, "valid" if mode == "valid" else "same")
    return trust * FRAME_RATE / RATE * gains


class BeatFilter:
    """Filters tempo and phase; states are arguments and results."""

    def __init__(self) -> None:
        """Lay out the state space."""
        self.length = intervals()
        count, self._block = len(self.length), int(self.length[0])
        self._rows = int(self.length[-1])
        likely = np.exp(-0.5 * (np.log2(60 * RATE / self.length / _TEMPO) / _TEMPO_OCTAVES) ** 2)
        change = np.exp(tempo_changes(self.length)) * likely
        change /= change.sum(axis=1, keepdims=True)
        tempo = np.arange(count)
        self._change = np.where(np.abs(tempo[:, None] - tempo) <= _REACH, change, 0.0)
        self._tempo = tempo
        # Row r of the states is the frame that lies `_rows - r` before the next one.
        age = self._rows - np.arange(self._rows)
        self._alive = age[:, None] <= self.length
        self._age = age

    def begin(self) -> FilterState:
        """Return the state before any input: uniform over phase and the logarithm of tempo."""
        weight = np.gradient(np.log(self.length)) / self.length
        starts = np.where(self._alive, weight, 0.0)
        return FilterState(0, starts / starts.sum())

    def advance(self, state: FilterState, gains: _Array) -> FilterState:
        """Return the state after the gains of more frames, (frames,)."""
        starts = state.starts
        for first in range(0, len(gains), self._block):
            gain = gains[first : first + self._block]
            new = np.arange(self._rows, self._rows + len(gain))
            arrived = starts[new[:, None] - self.length, self._tempo]
            begun = (arrived @ self._change) * np.exp(gain)[:, None]
            starts = np.concatenate([starts[len(gain) :], begun])
            starts = starts / max(float(starts.max()), 1e-300)
        return FilterState(state.frames + len(gains), starts)

    def likeliest(self, state: FilterState) -> BeatHypothesis:
        """Return the likeliest beat."""
        weight = np.where(self._alive, state.starts, 0.0)
        total = float(weight.sum())
        row, tempo = np.unravel_index(int(weight.argmax()), weight.shape)
        length = int(self.length[tempo])
        near = np.flatnonzero(np.abs(np.log(self.length / length)) < _SAME_TEMPO)
        columns = slice(int(near[0]), int(near[-1]) + 1)
        offset = (self._age - self._age[row] + length / 2) % length - length / 2
        inside = weight[:, columns] * (np.abs(offset) <= _SAME_PHASE)[:, None]
        mass = float(inside.sum())
        if mass <= 0 or total <= 0:
            return BeatHypothesis(length / RATE, 0.0, 0.0)
        period = float((inside.sum(axis=0) * self.length[columns]).sum() / mass)
        age = self._age[row] + float((inside.sum(axis=1) * offset).sum() / mass)
        return BeatHypothesis(period / RATE, age % period / RATE, mass / total)
