"""The grid of a performance: from its file's tempo, from the beat that is tracked in it, or free."""

from collections.abc import Sequence
from typing import Final, Literal

import numpy as np

from tatumflow.engine.beats.tracker import BeatTracker, bundled_tracker
from tatumflow.engine.errors import SettingError
from tatumflow.engine.midi.notes import Note
from tatumflow.engine.rolls.grid import BEATS_PER_BAR, STEPS_PER_BEAT, StepGrid

GridSource = Literal["auto", "tempo", "beats", "time"]

_GATHERED: Final = 0.35
"""Least concentration of onsets on the sixteenths of a tempo, 0 to 1, that shows a take made to it; onsets
of a steady swing reach 0.5, those of another tempo stay below 0.2."""

_LEAST_CONFIDENCE: Final = 0.5
_LOOK: Final = 0.25
"""Seconds from one look at the tracked beat to the next."""


def performance_grid(
    notes: Sequence[Note],
    tempo: float | None,
    source: GridSource = "auto",
    beats_per_bar: int = BEATS_PER_BAR,
) -> tuple[StepGrid, bool]:
    """Return the grid of a performance, and whether its steps are sixteenths of a beat.

    Args:
        notes: Its notes, sorted by onset.
        tempo: Beats per minute that its file states; None if it states none.
        source: Where the beats come from: "tempo", the file's, its first beat at 0 seconds; "beats", the beat
            tracker; "time", none: steps of equal seconds; "auto", the first of these that fits the notes.
        beats_per_bar: Beats of a bar.

    Raises:
        SettingError: if the file states no tempo, or the tracker finds no beat, where that was requested.
    """
    steady = None if tempo is None else StepGrid.of_tempo(tempo, 0.0, beats_per_bar)
    if source == "tempo":
        if steady is None:
            raise SettingError("grid: the file states no tempo; choose beats, time or auto")
        return steady, True
    if source == "auto" and steady is not None and gathered(notes, steady) >= _GATHERED:
        return steady, True
    if source in ("auto", "beats"):
        beats = tracked_beats(notes, bundled_tracker(), sure=source == "auto")
        if len(beats) > BEATS_PER_BAR:
            return StepGrid.of_beats(beats, beats_per_bar), True
        if source == "beats":
            raise SettingError("grid: no beat is found in the notes; choose time or auto")
    return StepGrid.of_time(start=notes[0].onset if notes else 0.0), False


def gathered(notes: Sequence[Note], grid: StepGrid) -> float:
    """Return how far onsets gather on the steps of a grid, 0 to 1; 0 of fewer than eight."""
    if len(notes) < 2 * BEATS_PER_BAR:
        return 0.0
    steps = grid.steps([note.onset for note in notes])
    return float(abs(np.exp(2j * np.pi * steps).mean()))


def tracked_beats(notes: Sequence[Note], tracker: BeatTracker, *, sure: bool = False) -> list[float]:
    """Return the beats of notes in seconds, ascending, from a downbeat on, extended to the first note.

    Args:
        notes: Notes, sorted by onset.
        tracker: The beat tracker.
        sure: Whether to return none where the tracker is not confident on average.
    """
    if not notes:
        return []
    state = tracker.begin(notes[0].onset)
    found: dict[int, float] = {}
    downbeat: dict[int, int] = {}
    confidence: list[float] = []
    index, now, end = 0, notes[0].onset, notes[-1].offset
    while now < end:
        now += _LOOK
        while index < len(notes) and notes[index].onset < now:
            note = notes[index]
            state = tracker.add_note(state, note.onset, note.pitch, note.velocity)
            index += 1
        state = tracker.advance(state, now)
        estimate = tracker.estimate(state)
        if estimate is not None:
            found[state.beat] = estimate.time
            downbeat[state.downbeat] = downbeat.get(state.downbeat, 0) + 1
            confidence.append(estimate.confidence)
    if len(found) < 2 or (sure and float(np.mean(confidence)) < _LEAST_CONFIDENCE):
        return []
    numbers = sorted(found)
    times = np.maximum.accumulate(np.array([found[number] for number in numbers]))
    kept = np.concatenate([[True], np.diff(times) > _LOOK / 2])
    every = np.arange(numbers[0], numbers[-1] + 1)
    beats = np.interp(every, np.array(numbers)[kept], times[kept])
    period = float(np.median(np.diff(beats)))
    lead = max(int(np.ceil((beats[0] - notes[0].onset) / period)), 0)
    phase = max(downbeat, key=downbeat.__getitem__)
    first = int(every[0]) - lead
    lead += (first - phase) % BEATS_PER_BAR
    before = beats[0] - period * np.arange(lead, 0, -1)
    return [*before.tolist(), *beats.tolist()]


def feel(notes: Sequence[Note], grid: StepGrid) -> np.ndarray:
    """Return the median lateness of onsets at each sixteenth of the beat, in steps, (STEPS_PER_BEAT,).

    Filled notes get it too, so that they swing and lie behind the beat as the rest does.
    """
    late = np.zeros(STEPS_PER_BEAT)
    if notes:
        steps = grid.steps([note.onset for note in notes])
        nearest = np.floor(steps + 0.5)
        for phase in range(STEPS_PER_BEAT):
            of_phase = (steps - nearest)[nearest % STEPS_PER_BEAT == phase]
            if len(of_phase) >= STEPS_PER_BEAT:
                late[phase] = float(np.median(of_phase))
    return late
