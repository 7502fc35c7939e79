"""What a mode decides: when the companion's first note comes, and where it stops."""

from dataclasses import dataclass
from math import inf
from typing import Protocol

from tatumflow.engine.controls import Controls, ModeName
from tatumflow.engine.phrase import Phrase


@dataclass(frozen=True, slots=True)
class TurnPlan:
    """The frame of one turn, in seconds on the clock in use. Notes within it are the model's choice.

    Attributes:
        earliest: The first note does not come before this.
        latest_first: Nor after this; equal to `earliest` when the turn sets the first onset rather than the
            model.
        rest_from: A gap between onsets that begins here or later and is longer than `rest` ends the turn.
        rest: Seconds.
        last_onset: No note starts after this; those sounding end naturally.
    """

    earliest: float
    latest_first: float
    last_onset: float
    rest_from: float = inf
    rest: float = inf

    def ends_before(self, onset: float, previous_onset: float | None) -> bool:
        """Return whether the turn is over before a note at `onset`, given the turn's onset before it."""
        if onset > self.last_onset:
            return True
        if previous_onset is None or previous_onset < self.rest_from:
            return False
        return onset - previous_onset > self.rest


class Mode(Protocol):
    """A policy without state: from a phrase and the controls to the frame of a turn."""

    @property
    def name(self) -> ModeName:
        """Return the mode's name among the controls."""
        ...

    @property
    def patience(self) -> float:
        """Return the factor on the silence that ends the human's phrase."""
        ...

    def plan(self, phrase: Phrase, controls: Controls, now: float) -> TurnPlan:
        """Return the frame of a turn that begins at `now` seconds after `phrase`, which may be empty."""
        ...
