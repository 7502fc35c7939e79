"""How much sounds at once, how often, and for how long nothing does."""

from collections.abc import Callable, Collection
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tatumflow.training.evaluate.bootstrap import Floats
from tatumflow.training.evaluate.metrics.onsets import onset_times
from tatumflow.training.evaluate.metrics.rhythm import INTERVAL_EDGES

VOICING_NOTES: Final = 3
"""Notes struck together that make a voicing."""

VOICING_SECONDS: Final = float(INTERVAL_EDGES[0])
"""Seconds after the first of them at which a note no longer belongs to them. Half-way between two of PiJAMA's
frames of 32 ms: about as many are taken for struck together where notes lie on them, as in the corpus, as
where they are spread over them, as a model may play. At 30 ms, notes of neighbouring frames are apart on the
frames and often together off them."""


def note_density(notes: NDArray[np.void], seconds: float) -> float:
    """Return the notes per second of a stretch of so many seconds."""
    return len(notes) / seconds


def onset_density(notes: NDArray[np.void], seconds: float) -> float:
    """Return the onsets per second of a stretch of so many seconds, a chord counting once."""
    return len(onset_times(notes)) / seconds


def sounding_spans(notes: NDArray[np.void]) -> Floats:
    """Return the spans in which anything sounds, (k, 2): seconds of begin and end, ascending, apart."""
    onset = notes["onset"].astype(np.float64)
    order = np.argsort(onset, kind="stable")
    onset, end = onset[order], (onset + notes["duration"])[order]
    reach = np.maximum.accumulate(end) if len(end) else end
    begins = np.concatenate([[True], onset[1:] > reach[:-1]])[: len(onset)]
    starts = np.flatnonzero(begins)
    ends = reach[np.append(starts[1:] - 1, len(onset) - 1)] if len(starts) else reach
    return np.stack([onset[starts], ends], axis=1)


def polyphony(notes: NDArray[np.void]) -> float:
    """Return the notes that sound at once, on average over the time in which any does; NaN of no notes.

    Rests do not count, as in MusPy's polyphony (Dong et al. 2020), but each moment counts by its length.
    """
    spans = sounding_spans(notes)
    total = float((spans[:, 1] - spans[:, 0]).sum())
    return float(notes["duration"].sum(dtype=np.float64)) / total if total > 0 else float("nan")


def longest_silence(notes: NDArray[np.void], seconds: float) -> float:
    """Return the longest time in which nothing sounds, in seconds; the stretch's beginning and end count."""
    spans = np.clip(sounding_spans(notes), 0.0, seconds)
    begins = np.append(spans[:, 0], seconds)
    ends = np.concatenate([[0.0], spans[:, 1]])
    return float(max((begins - ends).max(), 0.0))


def struck_together(notes: NDArray[np.void]) -> list[frozenset[int]]:
    """Return the MIDI pitches that are struck within `VOICING_SECONDS` of the first, in order."""
    groups: list[set[int]] = []
    first = -np.inf
    for onset, pitch in zip(notes["onset"].tolist(), notes["pitch"].tolist(), strict=True):
        if onset - first >= VOICING_SECONDS:
            groups.append(set())
            first = onset
        groups[-1].add(pitch)
    return [frozenset(group) for group in groups]


def voicings(notes: NDArray[np.void]) -> list[frozenset[int]]:
    """Return the MIDI pitches of all that is struck together, where there are `VOICING_NOTES`, in order."""
    return [group for group in struck_together(notes) if len(group) >= VOICING_NOTES]


def distinct_voicings(notes: NDArray[np.void]) -> float:
    """Return how many different voicings there are in 100 times that something is struck; NaN of no notes.

    A voicing is its absolute pitches.
    """
    struck = len(struck_together(notes))
    return 100 * len(set(voicings(notes))) / struck if struck else float("nan")


def chord_tone_share(
    notes: NDArray[np.void],
    chord_at: Callable[[float], Collection[int]],
    strong_beats: ArrayLike,
    tolerance: float = 0.06,
) -> float:
    """Return the share of the notes struck on strong beats that belong to the chord; NaN if none is struck.

    Args:
        notes: Notes, (n,).
        chord_at: Pitch classes, 0 to 11 from C, of the chord at a time in seconds; empty where there is none.
        strong_beats: Seconds of the strong beats, (b,). Beats without a chord do not count.
        tolerance: Seconds by which a note may miss the beat.
    """
    onset = notes["onset"].astype(np.float64)
    pitch_class = notes["pitch"].astype(np.int64) % 12
    struck = fitting = 0
    for beat in np.asarray(strong_beats, dtype=np.float64).tolist():
        chord = chord_at(beat)
        if not chord:
            continue
        played = pitch_class[np.abs(onset - beat) <= tolerance]
        struck += len(played)
        fitting += int(np.isin(played, list(chord)).sum())
    return fitting / struck if struck else float("nan")
