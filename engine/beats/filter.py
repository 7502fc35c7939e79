"""Tempo and phase of the beat while it goes on: a causal filter over a causal network's activations.

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
"""Beats per minute that can be found."""

HALF_TARGET: Final = 2 * RATE // FRAME_RATE
"""Frames of the filter from a beat at which the network's target has fallen to 0."""

KEPT: Final = 4
"""Activations that the next gains need again."""

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
        since: Seconds from the last beat to the end of what the filter has heard, 0 to `period`.
        mass: Probability of all hypotheses that agree, 0 to 1.
    """

    period: float
    since: float
    mass: float


@dataclass(frozen=True)
class FilterState:
    """What the filter knows.

    Attributes:
        frames: Frames of the filter heard so far.
        starts: (longest beat, tempos): how likely a beat of each length begins in each of the last frames.
    """

    frames: int
    starts: _Array


def intervals() -> NDArray[np.int64]:
    """Return the beat lengths of the state space in frames, ascending, ever farther apart."""
    lengths, length = [], round(60 * RATE / FASTEST)
    while length <= 60 * RATE / SLOWEST:
        lengths.append(length)
        length += 1 + length // 50
    return np.array(lengths, dtype=np.int64)


def tempo_changes(length: NDArray[np.int64], steadiness: float = _STEADINESS) -> _Array:
    """Return the log-probabilities of each beat length, along axis 1, after each other one."""
    change = -steadiness * np.abs(length[None, :] / length[:, None] - 1)
    return change - np.log(np.exp(change).sum(axis=1, keepdims=True))


def beat_gains(
    activation: _Array, usual: float = _USUAL, trust: float = _TRUST, mode: str = "same"
) -> NDArray[np.float64]:
    """Return what a beat at each frame gains: the log-ratio of the network's targets with and without it.

    Args:
        activation: Of a beat, at `RATE`, (frames,).
        usual: Activation that tells neither for nor against a beat.
        trust: How much activations count beside the steadiness of the tempo.
        mode: "same" for a gain at each frame, "valid" for those known from within.
    """
    clipped = np.clip(activation, _TINY, 1 - _TINY)
    ratio = np.log(clipped / (1 - clipped)) - np.log(usual / (1 - usual))
    target = 1 - np.abs(np.arange(-HALF_TARGET + 1, HALF_TARGET)) / HALF_TARGET
    gains = np.convolve(ratio, target, "valid" if mode == "valid" else "same")
    return trust * FRAME_RATE / RATE * gains


class BeatFilter:
    """Follows tempo and phase; what it knows is in the states that it takes and returns."""

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
        """Return the state that knows nothing: every tempo of the log-scale and every phase."""
        weight = np.gradient(np.log(self.length)) / self.length
        starts = np.where(self._alive, weight, 0.0)
        return FilterState(0, starts / starts.sum())

    def advance(self, state: FilterState, gains: _Array) -> FilterState:
        """Take the gains of more frames, (frames,); `state` is left as it is."""
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
        """Return the likeliest beat and how likely it is."""
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
