"""Constraints on the next note of a turn: from the controls, the call, and the notes planned so far."""

from collections.abc import Sequence
from typing import Final

from tatumflow.engine.midi.notes import Note
from tatumflow.engine.model.constraints import Constraints
from tatumflow.engine.turns.plan import Plan
from tatumflow.engine.turns.turn_request import TurnRequest

_RECENT: Final = 8
# Enough for a level, few enough to follow a crescendo.
_LEVEL_NOTES: Final = 16


class TurnConstraints:
    """Constraints of one turn, note by note."""

    def __init__(self, plan: Plan, call: Sequence[Note] = ()) -> None:
        """Begin a turn that replies to `call`, whose notes `plan` gathers."""
        self._plan = plan
        self._call = call
        self._call_pitches = tuple(note.pitch for note in reversed(call[-_RECENT:]))
        self._call_velocity = sum(note.velocity for note in call) / len(call) if call else None

    def following(self, request: TurnRequest) -> Constraints:
        """Return the constraints on the note after the planned ones."""
        target = self._call_velocity
        if target is not None and "dynamics" in request.policy.requests:
            # Following the call's velocities as they are would undo the requested dynamics.
            target += request.controls.dynamics
        return Constraints.of(
            request.controls,
            polyphony=request.polyphony,
            sounding=self._plan.sounding(),
            recent=(self._plan.recent_pitches(_RECENT) + self._call_pitches)[:_RECENT],
            velocity_target=target,
            velocity_level=self._velocity_level(),
        )

    def _velocity_level(self) -> float:
        """Return the mean velocity of the last notes of both players, 0 without any."""
        played = self._plan.last_notes(_LEVEL_NOTES)
        notes = (*self._call[len(self._call) - _LEVEL_NOTES + len(played) :], *played)
        return sum(note.velocity for note in notes) / len(notes) if notes else 0.0
