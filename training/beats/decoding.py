"""The most likely beats of whole performances, given a network's activations.

Tempo and phase are decoded jointly by the Viterbi algorithm over the states of Krebs, Böck and Widmer, "An
Efficient State-Space Model for Joint Tempo and Meter Tracking", ISMIR 2015: within a beat the position
advances by one frame a frame (section 3.2), and the tempo changes at beats only, with a probability that
falls exponentially with the ratio of the tempos (section 3.3). A beat of n frames is then one step, and a
frame costs one comparison for each pair of neighbouring tempos. Bars of three and four beats are then decoded
from these beats.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tatumflow.engine.beats.features import FRAME_RATE
from tatumflow.engine.beats.filter import RATE, beat_gains, intervals, tempo_changes

_METERS: Final = (3, 4)
_REACH: Final = 4
"""Greatest change of tempo from beat to beat, in steps of the tempo grid."""

_Array = NDArray[np.float64]


@dataclass(frozen=True)
class DecoderSettings:
    """Priors of the decoder.

    Attributes:
        steadiness: Rate of the exponential distribution of tempo ratios; more is steadier.
        usual: Activation at which the log-likelihood ratio of a beat is 0.
        trust: Weight of the activations against the prior of the tempo.
        tempo: Mode of the prior over tempo in beats per minute.
        tempo_octaves: Standard deviation of the prior over log2 of tempo, counted once a beat; infinite for
            none.
        meter_change: Log-probability of another meter at a bar line.
        slip: Log-probability of a bar that is cut short.
    """

    steadiness: float = 60.0
    usual: float = 0.1
    trust: float = 1.0
    tempo: float = 140.0
    tempo_octaves: float = np.inf
    meter_change: float = -12.0
    slip: float = -10.0


@dataclass(frozen=True)
class DecodedBeats:
    """Beats of a performance.

    Attributes:
        onset: Seconds, (b,).
        position: Beat of the bar from 1, (b,) int64.
        activation: Highest beat activation near each, (b,).
    """

    onset: _Array
    position: NDArray[np.int64]
    activation: _Array


def decode(
    activations: Sequence[NDArray[np.float32]], settings: DecoderSettings | None = None
) -> list[DecodedBeats]:
    """Decode a batch of performances.

    Args:
        activations: For each performance the activations (frames, 2) at `FRAME_RATE`, from
            `BeatNetwork.activations`.
        settings: Priors; the defaults when None.
    """
    settings = settings or DecoderSettings()
    fine = [_interpolated(activation) for activation in activations]
    found = _beat_frames([activation[:, 0] for activation in fine], settings)
    return [_finished(activation, frames, settings) for activation, frames in zip(fine, found, strict=True)]


def _interpolated(activation: NDArray[np.float32]) -> _Array:
    factor = RATE // FRAME_RATE
    at = np.arange(len(activation) * factor) / factor
    return np.stack([np.interp(at, np.arange(len(activation)), column) for column in activation.T], axis=1)


def _beat_frames(activations: Sequence[_Array], settings: DecoderSettings) -> list[NDArray[np.int64]]:
    """Return the frames of beats, for each performance.

    A score depends on scores at least one shortest beat earlier, so as many frames are computed at once.
    """
    if not activations:
        return []
    length = intervals()
    count, batch, block = len(length), len(activations), int(length[0])
    pad, frames = int(length[-1]), max(map(len, activations))
    rows = pad + -(-(frames + pad) // block) * block
    # Row r is frame r - pad; a beat may begin before the first frame and end after the last.
    gain = np.zeros((rows, batch), dtype=np.float32)
    for index, activation in enumerate(activations):
        gain[pad : pad + len(activation), index] = beat_gains(activation, settings.usual, settings.trust)
    prior = -0.5 * (np.log2(60 * RATE / length / settings.tempo) / settings.tempo_octaves) ** 2
    change = tempo_changes(length, settings.steadiness) + prior
    tempo = np.arange(count)
    change = np.where(np.abs(tempo[:, None] - tempo) <= _REACH, change, -np.inf).astype(np.float32)
    bands: list[tuple[slice, slice, NDArray[np.float32]]] = []
    for step in range(-min(_REACH, count - 1), min(_REACH, count - 1) + 1):
        target = slice(max(0, -step), count - max(0, step))
        source = slice(max(0, step), count - max(0, -step))
        bands.append((target, source, change[tempo[source], tempo[target]][:, None]))
    score = np.zeros((rows, count, batch), dtype=np.float32)
    score[:pad] = prior[:, None]
    best = np.empty((block, count, batch), dtype=np.float32)
    candidate = np.empty_like(best)
    for row in range(pad, rows, block):
        arrived = score[np.arange(row, row + block)[:, None] - length, tempo]
        best.fill(-np.inf)
        for target, source, cost in bands:
            np.add(arrived[:, source], cost, out=candidate[:, target])
            np.maximum(best[:, target], candidate[:, target], out=best[:, target])
        np.add(best, gain[row : row + block, None], out=score[row : row + block])
    return [
        _traced(score[:, :, index], change, length, len(activation))
        for index, activation in enumerate(activations)
    ]


def _traced(
    score: NDArray[np.float32], change: NDArray[np.float32], length: NDArray[np.int64], frames: int
) -> NDArray[np.int64]:
    """Trace the most likely path back from the last frame; scores have shape (rows, tempos)."""
    pad, tempo = int(length[-1]), np.arange(len(length))
    end = pad + frames
    # Beats after the last frame have gain 0, so that the length of the last whole beat has no effect.
    late, at = np.unravel_index(int(score[end : end + pad].argmax()), (pad, len(length)))
    row, at = end + int(late), int(at)
    beats: list[int] = []
    while row >= pad:
        if row < end:
            beats.append(row - pad)
        at = int((score[row - length, tempo] + change[:, at]).argmax())
        row -= int(length[at])
    return np.array(beats[::-1], dtype=np.int64)


def _finished(activation: _Array, beats: NDArray[np.int64], settings: DecoderSettings) -> DecodedBeats:
    window = np.arange(-4, 5)
    around = np.clip(beats[:, None] + window, 0, len(activation) - 1)
    weight = activation[around, 0] ** 2 + 1e-9
    onset = ((beats[:, None] + window) * weight).sum(axis=1) / weight.sum(axis=1) / RATE
    down = activation[around, 1].max(axis=1) if len(beats) else np.empty(0)
    onset = np.maximum.accumulate(np.maximum(onset, 0)) if len(onset) else onset
    height = activation[around, 0].max(axis=1) if len(beats) else np.empty(0)
    return DecodedBeats(onset, bar_positions(down, settings), height)


def bar_positions(downbeat: _Array, settings: DecoderSettings | None = None) -> NDArray[np.int64]:
    """Return the likeliest beats of the bar, from 1, (b,), by the downbeat activations at the beats, (b,)."""
    settings = settings or DecoderSettings()
    states = [(meter, place) for meter in _METERS for place in range(meter)]
    change = np.full((len(states), len(states)), -np.inf)
    for source, (meter, place) in enumerate(states):
        for target, (other, then) in enumerate(states):
            if meter == other and then == (place + 1) % meter:
                change[source, target] = 0
            elif then == 0 and place > 0:
                change[source, target] = settings.slip if meter == other else settings.meter_change
            if place == meter - 1 and then == 0 and meter != other:
                change[source, target] = settings.meter_change
    clipped = np.clip(downbeat, 0.01, 0.99)
    is_down = np.array([place == 0 for _, place in states])
    if not len(clipped):
        return np.empty(0, dtype=np.int64)
    score = np.where(is_down, np.log(clipped[0]), np.log(1 - clipped[0]))
    back = np.zeros((len(clipped), len(states)), dtype=np.int64)
    for beat in range(1, len(clipped)):
        total = score[:, None] + change
        back[beat] = total.argmax(axis=0)
        score = total.max(axis=0) + np.where(is_down, np.log(clipped[beat]), np.log(1 - clipped[beat]))
    state = int(score.argmax())
    path = [state]
    for beat in range(len(clipped) - 1, 0, -1):
        state = int(back[beat, state])
        path.append(state)
    return np.array([states[index][1] + 1 for index in path[::-1]], dtype=np.int64)
