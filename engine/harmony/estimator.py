"""Chords that notes imply, estimated for music without chord symbols.

A hidden Markov model in the manner of Mauch and Dixon ("Simultaneous estimation of chords and musical context
from audio", IEEE TASLP 18(6), 2010), on notes instead of audio: a state for each chord id, two chromas a
frame, of all notes and of the lowest, and the most likely path by Viterbi.
"""

import json
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tatumflow.engine.harmony.chords import CHORD_TONES, NO_CHORD, NUM_CHORDS, QUALITIES

_COUNTS_FILE: Final = "jazz.json"
_STEP_SMOOTHING: Final = 0.5
_RARE: Final = 1e-6


@dataclass(frozen=True)
class EstimatorSettings:
    """What the estimator assumes.

    Attributes:
        frame: Seconds of a frame, greater than 0.
        longest: Seconds after its onset up to which a note counts.
        template: Share of the chord tones in the profile of all notes; the rest is that of melodies.
        notes: Weight of all notes against the transitions, per frame in which they sound throughout.
        bass: The same of the lowest note.
        bass_highest: Highest pitch that counts as a bass.
        lasting: Seconds that a chord lasts on average.
    """

    frame: float = 0.25
    longest: float = 2.0
    template: float = 0.5
    notes: float = 4.0
    bass: float = 1.0
    bass_highest: int = 60
    lasting: float = 1.5


@dataclass(frozen=True)
class ChordEstimate:
    """Chords over time.

    Attributes:
        start: Seconds at which the first frame begins.
        frame: Seconds of a frame.
        ids: Chord id of each frame, (frames,) uint8.
    """

    start: float
    frame: float
    ids: NDArray[np.uint8]

    def at(self, seconds: ArrayLike) -> NDArray[np.uint8]:
        """Return the chord id at each time, of the same shape; `NO_CHORD` outside."""
        index = np.floor((np.asarray(seconds, dtype=np.float64) - self.start) / self.frame).astype(np.int64)
        inside = (index >= 0) & (index < len(self.ids))
        if not len(self.ids):
            return np.full(inside.shape, NO_CHORD, dtype=np.uint8)
        return np.where(inside, self.ids[np.clip(index, 0, len(self.ids) - 1)], NO_CHORD).astype(np.uint8)


def estimate_chords(
    onset: ArrayLike,
    duration: ArrayLike,
    pitch: ArrayLike,
    settings: EstimatorSettings | None = None,
) -> ChordEstimate:
    """Estimate the chords of a piece.

    Args:
        onset: Seconds, (n,), in any order.
        duration: Seconds, (n,).
        pitch: MIDI pitches, (n,).
        settings: What to assume; by default what fits jazz.
    """
    settings = settings or EstimatorSettings()
    begin = np.asarray(onset, dtype=np.float64)
    if not len(begin):
        return ChordEstimate(0.0, settings.frame, np.zeros(0, dtype=np.uint8))
    start = float(begin.min())
    notes, bass = _chromas(
        begin - start, np.asarray(duration, dtype=np.float64), np.asarray(pitch, dtype=np.int64), settings
    )
    log_notes, log_bass, transition = _model(settings)
    score = settings.notes * _limited(notes) @ log_notes.T + settings.bass * _limited(bass) @ log_bass.T
    return ChordEstimate(start, settings.frame, _viterbi(score, transition))


def _chromas(
    onset: NDArray[np.float64],
    duration: NDArray[np.float64],
    pitch: NDArray[np.int64],
    settings: EstimatorSettings,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return how much of each frame a pitch class sounds, of all notes and of the lowest, (frames, 12)."""
    frame = settings.frame
    end = onset + np.clip(duration, 1e-3, settings.longest)
    first = np.floor(onset / frame).astype(np.int64)
    spans = np.floor((end - 1e-9) / frame).astype(np.int64) - first + 1
    note = np.repeat(np.arange(len(onset)), spans)
    at = first[note] + np.arange(len(note)) - np.repeat(np.cumsum(spans) - spans, spans)
    share = (np.minimum(end[note], (at + 1) * frame) - np.maximum(onset[note], at * frame)) / frame
    count = int(at.max()) + 1
    cell = at * 12 + pitch[note] % 12
    notes = np.bincount(cell, share, count * 12).astype(np.float64).reshape(count, 12)
    lowest = np.full(count, 128)
    np.minimum.at(lowest, at, pitch[note])
    is_bass = (pitch[note] == lowest[at]) & (pitch[note] <= settings.bass_highest)
    bass = np.bincount(cell[is_bass], share[is_bass], count * 12).astype(np.float64).reshape(count, 12)
    return notes, bass


def _limited(chroma: NDArray[np.float64]) -> NDArray[np.float64]:
    """Scale frames down to a sum of 1 at most, so that thick chords weigh no more than the time they last."""
    return chroma / np.maximum(chroma.sum(axis=1, keepdims=True), 1.0)


@cache
def _counts() -> dict[str, NDArray[np.float64]]:
    """Return what the Weimar Jazz Database does on its chords.

    "melody" and "bass": seconds and beats on each interval above the root, (class, 12). "steps": how often a
    class goes to a root that many semitones higher and which class, (class, 12, class). "seconds": (class,).
    """
    text = files(__name__.rpartition(".")[0]).joinpath(_COUNTS_FILE).read_text(encoding="utf-8")
    return {
        name: np.array(table, dtype=np.float64)
        for name, table in json.loads(text).items()
        if not isinstance(table, str)
    }


@lru_cache(maxsize=8)
def _model(
    settings: EstimatorSettings,
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return log profiles of all notes and of the bass, (97, 12), and log transitions, (from 97, to 97)."""
    counts = _counts()
    melody, steps = _shares(counts["melody"] + 1), counts["steps"] + _STEP_SMOOTHING
    steps[np.arange(len(QUALITIES)), 0, np.arange(len(QUALITIES))] = 0
    bass_share = _shares(counts["bass"] + 1)
    # Music without chord symbols still has chords: "no chord" explains no note.
    notes = np.full((NUM_CHORDS, 12), _RARE)
    bass = np.full((NUM_CHORDS, 12), _RARE)
    transition = np.full((NUM_CHORDS, NUM_CHORDS), _RARE)
    stay = np.exp(-settings.frame / settings.lasting)
    step = _shares(steps.reshape(len(QUALITIES), -1)).reshape(steps.shape)
    for root in range(12):
        for rank in range(len(QUALITIES)):
            state = 1 + root * len(QUALITIES) + rank
            tones = CHORD_TONES[state] / CHORD_TONES[state].sum()
            notes[state] = settings.template * tones + (1 - settings.template) * np.roll(melody[rank], root)
            bass[state] = np.roll(bass_share[rank], root)
            transition[state, 1:] = (1 - stay) * np.roll(step[rank], root, axis=0).ravel()
    transition[NO_CHORD, 1:] = (1 - stay) / (NUM_CHORDS - 1)
    np.fill_diagonal(transition, stay)
    return np.log(notes), np.log(bass), np.log(transition)


def _shares(counts: NDArray[np.float64]) -> NDArray[np.float64]:
    return counts / counts.sum(axis=-1, keepdims=True)


def _viterbi(score: NDArray[np.float64], transition: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Return the most likely states.

    Args:
        score: Log-likelihood of each frame under each state, (frames, states).
        transition: Log-probability of each step, from rows to columns, (states, states).
    """
    frames, states = score.shape
    came_from = np.empty((frames, states), dtype=np.uint8)
    # Rows are where a step leads, so that the search for the best origin runs along memory.
    into = np.ascontiguousarray(transition.T)
    best = score[0].copy()
    reached = np.empty_like(into)
    rows = np.arange(states)
    for t in range(1, frames):
        np.add(into, best, out=reached)
        origin = reached.argmax(axis=1)
        came_from[t] = origin
        best = reached[rows, origin] + score[t]
    path = np.empty(frames, dtype=np.uint8)
    state = int(best.argmax())
    for t in range(frames - 1, -1, -1):
        path[t] = state
        state = int(came_from[t, state])
    return path
