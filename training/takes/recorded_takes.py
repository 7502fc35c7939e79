"""Takes as they are sampled, and players' notes in their place, as features."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from tatumflow.engine.midi.notes import Note, Role
from tatumflow.engine.model.step_record import HeardNote
from tatumflow.engine.model.tokens import VELOCITIES, velocity_index
from tatumflow.engine.takes.passage import Context
from tatumflow.engine.takes.take_chooser import CONTEXT_NOTES, Chooser
from tatumflow.engine.takes.take_features import take_features
from tatumflow.engine.tempo.chart_clock import ChartInTime
from tatumflow.engine.turns.takes import TAKE_NOTES

Floats = NDArray[np.float64]


@dataclass
class RecordedTakes:
    """A chooser that keeps the features of the takes that it chooses from.

    Attributes:
        chooser: The choice; None for a random one.
        features: Features of the whole takes of each choice, (K, F) each.
    """

    chooser: Chooser | None = None
    features: list[Floats] = field(default_factory=list)

    def choose(
        self,
        before: Sequence[HeardNote],
        takes: Sequence[Sequence[Note]],
        uniform: float,
        chart: ChartInTime | None = None,
    ) -> int:
        """Choose as `Chooser.choose` does."""
        if before and all(len(take) == TAKE_NOTES for take in takes):
            context = Context.of(before, chart)
            self.features.append(np.array([take_features(context, take) for take in takes]))
        if self.chooser is None:
            return min(int(uniform * len(takes)), len(takes) - 1)
        return self.chooser.choose(before, takes, uniform, chart)


def played_features(
    before: Sequence[Note], notes: Sequence[Note], chart: ChartInTime | None = None
) -> list[Floats]:
    """Return the features of a player's notes, (F,) for every `TAKE_NOTES` of them.

    Args:
        before: The human's notes before, by onset.
        notes: The player's, by onset.
        chart: The chords they are played over; None for none.
    """
    heard = [*_heard(before, Role.HUMAN), *_heard(notes, Role.COMPANION)]
    rows: list[Floats] = []
    for start in range(0, len(notes) - TAKE_NOTES + 1, TAKE_NOTES):
        context = heard[: len(before) + start][-CONTEXT_NOTES:]
        if context:
            take = notes[start : start + TAKE_NOTES]
            rows.append(take_features(Context.of(context, chart), take))
    return rows


def _heard(notes: Sequence[Note], role: Role) -> list[HeardNote]:
    velocity = VELOCITIES[velocity_index(np.array([note.velocity for note in notes], np.int64))]
    return [
        HeardNote(note.onset, note.pitch, int(level), note.duration, role)
        for note, level in zip(notes, velocity.tolist(), strict=True)
    ]
