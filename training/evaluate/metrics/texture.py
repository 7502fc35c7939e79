"""Texture: density, polyphony, voicings, silences."""

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
"""Seconds after the first note of a voicing at which a note no longer belongs to it. Half-way between two of
PiJAMA's frames of 32 ms: about as many notes count as struck together on the frames, as in the corpus, as off
them, as in a model's playing. At 30 ms, notes of neighbouring frames are never together on the frames and
often together off them."""


def note_density(notes: NDArray[np.void], seconds: float) -> float:
    """Return the notes per second of a stretch."""
    return len(notes) / seconds


def onset_density(notes: NDArray[np.void], seconds: float) -> float:
    """Return the onsets per second of a stretch; a chord counts once."""
    return len(onset_times(notes)) / seconds


def sounding_spans(notes: NDArray[np.void]) -> Floats:
    """Return the spans in which any note sounds, (k, 2): begin and end in seconds, ascending, disjoint."""
    onset = notes["onset"].astype(np.float64)
    order = np.argsort(onset, kind="stable")
    onset, end = onset[order], (onset + notes["duration"])[order]
    reach = np.maximum.accumulate(end) if len(end) else end
    begins = np.concatenate([[True], onset[1:] > reach[:-1]])[: len(onset)]
    starts = np.flatnonzero(begins)
    ends = reach[np.append(starts[1:] - 1, len(onset) - 1)] if len(starts) else reach
    return np.stack([onset[starts], ends], axis=1)


def polyphony(notes: NDArray[np.void]) -> float:
    """Return the mean number of notes that sound at once, over the time in which any does; NaN of none.

    Rests do not count, as in MusPy's polyphony (Dong et al. 2020), but each moment counts by its length.
    """
    spans = sounding_spans(notes)
    total = float((spans[:, 1] - spans[:, 0]).sum())
    return float(notes["duration"].sum(dtype=np.float64)) / total if total > 0 else float("nan")


def longest_silence(notes: NDArray[np.void], seconds: float) -> float:
    """Return the longest silence in seconds, those at the stretch's beginning and end included."""
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
    """Return the MIDI pitches of all voicings of at least `VOICING_NOTES` notes, in order."""
    return [group for group in struck_together(notes) if len(group) >= VOICING_NOTES]


def distinct_voicings(notes: NDArray[np.void]) -> float:
    """Return the number of different voicings per 100 groups of notes struck together; NaN of no notes.

    A voicing is a set of absolute pitches.
    """
    struck = len(struck_together(notes))
    return 100 * len(set(voicings(notes))) / struck if struck else float("nan")


def chord_tone_share(
    notes: NDArray[np.void],
    chord_at: Callable[[float], Collection[int]],
    strong_beats: ArrayLike,
    tolerance: float = 0.06,
) -> float:
    """Return the share of chord tones among the notes struck on strong beats; NaN if none is struck.

    Args:
        notes: Notes, (n,).
        chord_at: Pitch classes, 0 to 11 from C, of the chord at a time in seconds; empty where there is none.
        strong_beats: Seconds of the strong beats, (b,). Beats without a chord do not count.
        tolerance: Largest distance of a note from the beat in seconds.
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
