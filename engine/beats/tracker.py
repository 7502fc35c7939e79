"""Live beat tracking, note by note."""

import math
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import as_file, files
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tatumflow.engine.beats.features import FRAME_RATE, SPREAD, onset_features
from tatumflow.engine.beats.filter import KEPT, RATE, BeatFilter, BeatHypothesis, FilterState, beat_gains
from tatumflow.engine.beats.network import BeatNetwork, NetworkState, read_with_extra

WEIGHTS_FILE: Final = "live.npz"

SILENCE: Final = 2.5
"""Seconds after the last onset from which frames are ignored: the beat goes on as it was."""

SIGNS: Final = 6
"""Number of figures from which the confidence is computed."""

_METER: Final = 4
_RECENT_ONSETS: Final = 32
_RECENT_BEATS: Final = 8
_FADING: Final = 0.95
_BAR_LEAD: Final = 1.5
_MOST_FRAMES: Final = 64
_USUAL: Final = 0.1


@dataclass(frozen=True)
class Confidence:
    """A logistic regression from signs to the probability that the beat is right.

    Attributes:
        weight: Of each sign, (SIGNS,).
        bias: Log-odds where all are 0.
    """

    weight: tuple[float, ...]
    bias: float

    def of(self, signs: NDArray[np.float64]) -> float:
        """Return the probability for signs of shape (SIGNS,)."""
        return 1 / (1 + math.exp(-float(np.clip(signs @ np.array(self.weight) + self.bias, -30, 30))))


@dataclass(frozen=True)
class BeatEstimate:
    """The beat at a moment.

    Attributes:
        time: Seconds of the last beat.
        beat: Its number; multiples of four are downbeats.
        tempo: Beats per minute.
        confidence: Probability that it is right, 0 to 1.
        signs: Figures of the confidence, (SIGNS,).
    """

    time: float
    beat: int
    tempo: float
    confidence: float
    signs: NDArray[np.float64]


@dataclass(frozen=True)
class TrackerState:
    """State of the tracker after the notes so far.

    Attributes:
        frame: Number of the next frame of the network.
        pending: Notes not in a frame yet: onset in seconds, pitch, velocity.
        onsets: Seconds of the last notes, ascending.
        network: State of the network; restarted after a silence.
        fresh: Whether the network has had no input since its restart.
        activations: The network's last activations, (frames, 2), newest last.
        filter: State of the filter.
        beat: Number of the last beat.
        beat_time: Seconds of it; None before the first.
        period: Seconds of a beat.
        bar: Evidence of a downbeat at each beat number modulo four.
        downbeat: The beat number modulo four that counts as the downbeat.
        strength: Means over the last beats of the activation on beats and half-way between them.
        mass: Probability of the likeliest beat by the filter.
    """

    frame: int
    pending: tuple[tuple[float, int, int], ...]
    onsets: tuple[float, ...]
    network: NetworkState
    fresh: bool
    activations: NDArray[np.float32]
    filter: FilterState
    beat: int
    beat_time: float | None
    period: float
    bar: tuple[float, ...]
    downbeat: int
    strength: tuple[float, float]
    mass: float


class BeatTracker:
    """Tracks the beat of onsets, pitches and, if known, velocities.

    Each call takes a state and returns the next one, so that one tracker serves any number of streams. It
    works in frames of 20 ms: the result does not depend on how notes and times are grouped into calls.
    """

    def __init__(self, network: BeatNetwork, confidence: Confidence) -> None:
        """Use a causal network.

        Raises:
            ValueError: if the network is not causal.
        """
        if not network.shape.causal:
            raise ValueError("a network for live playing must be causal")
        self._network = network
        self._confidence = confidence
        self._filter = BeatFilter()

    def begin(self, time: float) -> TrackerState:
        """Return the state before any note, at `time` seconds."""
        return TrackerState(
            frame=math.floor(time * FRAME_RATE),
            pending=(),
            onsets=(),
            network=self._network.begin(),
            fresh=True,
            activations=np.full((_RECENT_BEATS * FRAME_RATE, 2), _USUAL, dtype=np.float32),
            filter=self._filter.begin(),
            beat=-1,
            beat_time=None,
            period=0.5,
            bar=(0.0,) * _METER,
            downbeat=0,
            strength=(0.0, 0.0),
            mass=0.0,
        )

    def add_note(self, state: TrackerState, onset: float, pitch: int, velocity: int = 0) -> TrackerState:
        """Keep a note for `advance`, in a few microseconds; a late one counts in the next frame."""
        onset = max(onset, state.frame / FRAME_RATE)
        return replace(
            state,
            pending=(*state.pending, (onset, pitch, velocity)),
            onsets=(*state.onsets, onset)[-_RECENT_ONSETS:],
        )

    def advance(self, state: TrackerState, time: float) -> TrackerState:
        """Process the frames that are complete at `time` seconds."""
        until = math.floor(time * FRAME_RATE) - SPREAD + 1
        while state.frame < until:
            begun = [onset for onset in state.onsets if onset * FRAME_RATE < state.frame + 1]
            last = min(until, state.frame + _MOST_FRAMES)
            if begun and (silent := math.ceil((begun[-1] + SILENCE) * FRAME_RATE)) > state.frame:
                state = self._listen(state, min(last, silent))
            else:
                coming = math.floor(state.pending[0][0] * FRAME_RATE) if state.pending else last
                state = self._wait(state, max(state.frame + 1, min(last, coming)))
        return state

    def estimate(self, state: TrackerState) -> BeatEstimate | None:
        """Return the beat; None before the first note."""
        if state.beat_time is None:
            return None
        signs = self._signs(state)
        return BeatEstimate(
            time=state.beat_time,
            beat=state.beat - state.downbeat,
            tempo=60 / state.period,
            confidence=self._confidence.of(signs),
            signs=signs,
        )

    def _listen(self, state: TrackerState, until: int) -> TrackerState:
        count = until - state.frame
        notes = np.array(state.pending, dtype=np.float64).reshape(-1, 3)
        features = onset_features(
            notes[:, 0], notes[:, 1].astype(np.int64), notes[:, 2], count, first=state.frame
        )
        network, activations = self._network.advance(state.network, features)
        kept = tuple(note for note in state.pending if math.floor(note[0] * FRAME_RATE) + 1 >= until)
        return self._follow(
            replace(state, frame=until, pending=kept, network=network, fresh=False), activations
        )

    def _wait(self, state: TrackerState, until: int) -> TrackerState:
        network = state.network if state.fresh else self._network.begin()
        unknown = np.full((until - state.frame, 2), _USUAL, dtype=np.float32)
        return self._follow(replace(state, frame=until, network=network, fresh=True), unknown)

    def _follow(self, state: TrackerState, activations: NDArray[np.float32]) -> TrackerState:
        """Filter activations, and count the beats that have passed."""
        new = len(activations)
        every = np.concatenate([state.activations, activations])
        recent = every[-(new + KEPT) :, 0].astype(np.float64)
        at = np.arange(1, 2 * (len(recent) - 1) + 1) / (RATE // FRAME_RATE)
        fine = np.interp(at, np.arange(len(recent)), recent)
        gains = beat_gains(fine, usual=_USUAL, mode="valid")[-2 * new :]
        filtered = self._filter.advance(state.filter, gains)
        state = replace(state, activations=every[new:], filter=filtered)
        if not state.onsets:
            return state
        return self._counted(state, self._filter.likeliest(filtered))

    def _counted(self, state: TrackerState, found: BeatHypothesis) -> TrackerState:
        # The filter's last frame lies before the network's by its delay and by half the width of a target.
        lag = self._network.shape.delay + 1 + 2 - 0.5
        now = (state.frame - lag) / FRAME_RATE
        time = now - found.since
        if state.beat_time is None:
            return replace(state, beat=0, beat_time=time, period=found.period, mass=found.mass)
        passed = round((time - state.beat_time) / found.period)
        state = replace(state, beat=state.beat + passed, beat_time=time, period=found.period, mass=found.mass)
        if passed <= 0:
            return state
        on, between, down = (
            self._at(state, time),
            self._at(state, time - found.period / 2),
            self._down(state, time),
        )
        bar = [evidence * _FADING for evidence in state.bar]
        bar[state.beat % _METER] += math.log(down / (1 - down))
        best = max(range(_METER), key=bar.__getitem__)
        lead = bar[best] - bar[state.downbeat]
        share = 1 / _RECENT_BEATS
        strength = (
            state.strength[0] + share * (on - state.strength[0]),
            state.strength[1] + share * (between - state.strength[1]),
        )
        return replace(
            state,
            bar=tuple(bar),
            downbeat=best if lead > _BAR_LEAD else state.downbeat,
            strength=strength,
        )

    def _near(self, state: TrackerState, time: float) -> NDArray[np.float32]:
        row = round(time * FRAME_RATE) - (state.frame - self._network.shape.delay - len(state.activations))
        row = min(max(row, 1), len(state.activations) - 2)
        return state.activations[row - 1 : row + 2]

    def _at(self, state: TrackerState, time: float) -> float:
        return float(self._near(state, time)[:, 0].max())

    def _down(self, state: TrackerState, time: float) -> float:
        near = self._near(state, time).max(axis=0)
        return float(np.clip(near[1] / max(float(near[0]), 0.05), 0.03, 0.97))

    def _signs(self, state: TrackerState) -> NDArray[np.float64]:
        """Return the figures of the confidence, (SIGNS,).

        The log-odds of the filter, the activation on beats and between, how sharply onsets fall on beats and
        on halves or thirds of them, and the logarithm of the number of onsets.
        """
        mass = min(max(state.mass, 1e-3), 1 - 1e-3)
        phase = (np.array(state.onsets) - (state.beat_time or 0.0)) / state.period
        phase = phase[phase > -_RECENT_BEATS]
        count = max(1, len(phase))
        gathered = np.abs(np.exp(2j * np.pi * np.outer((1, 2, 3), phase)).sum(axis=1)) / count
        gathered -= 1 / math.sqrt(count)
        return np.array(
            [
                math.log(mass / (1 - mass)),
                state.strength[0],
                state.strength[1],
                gathered[0],
                max(gathered[1], gathered[2]),
                math.log(count),
            ]
        )


@cache
def bundled_tracker() -> BeatTracker:
    """Return the tracker with the bundled weights.

    Raises:
        BundleError: if they cannot be read.
    """
    with as_file(files("tatumflow.engine.beats") / WEIGHTS_FILE) as path:
        network, about = read_with_extra(path)
    confidence = about["confidence"]
    return BeatTracker(network, Confidence(tuple(confidence["weight"]), confidence["bias"]))
