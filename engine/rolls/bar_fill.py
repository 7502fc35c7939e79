"""Filling bars of a performance, and continuing it, with the notes outside untouched."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from tatumflow.engine.errors import SettingError
from tatumflow.engine.midi.notes import PITCH_HIGHEST, PITCH_LOWEST, Note
from tatumflow.engine.rolls.beat_grid import feel
from tatumflow.engine.rolls.conditions import RollConditions, density_id
from tatumflow.engine.rolls.grid import STEPS_PER_BEAT, StepGrid
from tatumflow.engine.rolls.hiding import hide
from tatumflow.engine.rolls.notes import notes_of, roll_of
from tatumflow.engine.rolls.roll import Roll
from tatumflow.engine.rolls.sampler import RollSampling
from tatumflow.engine.rolls.windows import RollModel, fill_rolls

_SHORTEST: Final = 0.02
"""Seconds of the shortest filled note."""


@dataclass(frozen=True)
class Span:
    """A span of a performance to fill.

    Attributes:
        grid: The grid of the performance.
        start: First step.
        stop: Step after the last.
        beats: Whether the steps are sixteenths of a beat.
    """

    grid: StepGrid
    start: int
    stop: int
    beats: bool

    def __post_init__(self) -> None:
        if not 0 <= self.start < self.stop:
            raise SettingError(f"bars: steps {self.start} to {self.stop} are none; give them as FIRST-LAST")


def fill_span(
    model: RollModel,
    notes: Sequence[Note],
    span: Span,
    conditions: RollConditions,
    sampling: RollSampling,
    seed: int,
    variations: int = 1,
    progress: Callable[[int], None] | None = None,
) -> list[tuple[Note, ...]]:
    """Fill a span of a performance anew.

    The notes that begin outside the span are returned as they are; the model reads those on both sides, as
    far as its window reaches. Those that begin in the span are replaced.

    Args:
        model: The model.
        notes: The performance, sorted by onset.
        span: The span.
        conditions: Conditions; a density of 0 becomes that of the notes around, no key the key of them.
        sampling: Temperature, guidance, steps.
        seed: Seed of the draws.
        variations: How many to sample.
        progress: Called with the number of steps that are known.

    Returns:
        The filled notes of each variation, sorted by onset, without those outside.

    Raises:
        ModelFault: if the model's output is not finite.
    """
    first, last = _reach(model, notes, span)
    roll = roll_of(notes, span.grid, last - first, first)
    hidden, known = hide(roll, span.start - first, span.stop - first)
    grid_kind = conditions.grid if conditions.grid != "none" else "beats" if span.beats else "time"
    density = conditions.density or density_id(hidden, known)
    complete = replace(conditions, density=density, grid=grid_kind)
    filled = fill_rolls(
        model, [(hidden, known)] * variations, [complete] * variations, sampling, seed, progress
    )
    late = feel(outside(notes, span), span.grid) if span.beats else np.zeros(STEPS_PER_BEAT)
    return [_timed(one, span, first, late) for one in filled]


def outside(notes: Sequence[Note], span: Span) -> tuple[Note, ...]:
    """Return the notes that begin outside a span, rounded to the nearest step."""
    if not notes:
        return ()
    nearest = np.floor(span.grid.steps([note.onset for note in notes]) + 0.5)
    return tuple(
        note for note, step in zip(notes, nearest, strict=True) if not span.start <= step < span.stop
    )


def _reach(model: RollModel, notes: Sequence[Note], span: Span) -> tuple[int, int]:
    """Return the steps that the model can see: a window before the span, whole bars, and one after it."""
    bar = span.grid.steps_per_bar
    lead = -(-model.window // bar) * bar
    first = max(span.start // bar * bar - lead, 0)
    end = max((span.grid.steps([note.offset for note in notes])).max(), 0) if notes else 0
    last = min(span.stop + model.window, max(int(np.ceil(end)), span.stop))
    # Whole groups of steps, as the model was trained.
    return first, last + (first - last) % STEPS_PER_BEAT


def _timed(roll: Roll, span: Span, first: int, late: np.ndarray) -> tuple[Note, ...]:
    """Return the notes of the span in seconds, each as late as the others at its place in the beat."""
    steps = StepGrid(np.array([0.0, 1.0]))
    timed: list[Note] = []
    for note in notes_of(roll, steps, first):
        if not (span.start <= note.onset < span.stop and PITCH_LOWEST <= note.pitch <= PITCH_HIGHEST):
            continue
        onset = note.onset + late[int(note.onset) % STEPS_PER_BEAT]
        start, end = span.grid.seconds([max(onset, 0.0), note.offset])
        timed.append(Note(float(start), max(float(end - start), _SHORTEST), note.pitch, note.velocity))
    return tuple(sorted(timed, key=lambda note: (note.onset, note.pitch)))
