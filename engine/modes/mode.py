"""What a mode decides: when the companion's first note comes, and where it stops."""

from dataclasses import dataclass, replace
from math import inf
from typing import Final, Protocol

from tatumflow.engine.controls import Controls, ModeName
from tatumflow.engine.phrase import Phrase

SHORTEST_LAST: Final = 0.05
"""Seconds before the end of a turn held to bars after which no note starts."""

MANNER: Final = ("rhythm", "dynamics")
"""The parts of a drawn condition that say how a player plays. Told these alone, the decoder keeps to the key
and the motifs that it has heard; what is drawn of harmony, melody and latent takes it away from them."""

LONGEST_REST: Final = 0.25
"""Share of a turn held to bars that may pass without an onset."""


@dataclass(frozen=True, slots=True)
class TurnPlan:
    """The frame of one turn, in seconds on the clock in use. Notes within it are the model's choice.

    Attributes:
        earliest: The first note does not come before this.
        latest_first: Nor after this; equal to `earliest` when the turn sets the first onset rather than the
            model.
        rest_from: A gap between onsets that begins here or later and is longer than `rest` ends the turn.
        rest: Seconds.
        rest_shrinks: Whether the rest that ends the turn shrinks evenly from `rest` at `rest_from` to none at
            `last_onset`, so that the turn ends between phrases and not within one.
        last_onset: No note starts after this; those sounding end naturally.
        longest_rest: A gap between onsets that is longer is shortened to this.
        ends_at: The turn lasts until then, whether notes come or not, and no note sounds beyond it; None ends
            it with its last note.
    """

    earliest: float
    latest_first: float
    last_onset: float
    rest_from: float = inf
    rest: float = inf
    rest_shrinks: bool = False
    longest_rest: float = inf
    ends_at: float | None = None

    def between(self, start: float, end: float) -> "TurnPlan":
        """Return the frame of the same turn held to bars: it begins at `start` and fills them up to `end`."""
        return replace(
            self,
            earliest=start,
            latest_first=start,
            rest_from=inf,
            last_onset=end - SHORTEST_LAST,
            longest_rest=min(self.longest_rest, LONGEST_REST * (end - start)),
            ends_at=end,
        )

    def paced(self, factor: float) -> "TurnPlan":
        """Return the frame of the same turn played `factor` times as fast."""
        return replace(
            self,
            rest_from=self.earliest + (self.rest_from - self.earliest) / factor,
            last_onset=self.earliest + (self.last_onset - self.earliest) / factor,
        )

    def ends_before(self, onset: float, previous_onset: float | None) -> bool:
        """Return whether the turn is over before a note at `onset`, given the turn's onset before it."""
        if onset > self.last_onset:
            return True
        if previous_onset is None or previous_onset < self.rest_from:
            return False
        share = (self.last_onset - previous_onset) / (self.last_onset - self.rest_from)
        return onset - previous_onset > self.rest * (share if self.rest_shrinks else 1.0)


@dataclass(frozen=True, slots=True)
class PhrasePolicy:
    """What the phrases of a turn are made of, when the model has a latent for them.

    Attributes:
        from_call: Whether the first phrase is drawn from the human's.
        tells: What of a drawn condition the decoder is told: "latent" and parts of theory; nothing leaves the
            phrases to what was played and the style.
        tells_near: What it is told besides while a phrase follows the call, at a surprise below a half: the
            condition is then the call's own in part, and says what to take up.
        keeps: Share of the call's own condition, 0 to 1, that the first phrase keeps; None leaves that to the
            player's *surprise*.
        asks: Parts of the call's theory that every phrase shall have.
        edits_harmony: Whether the harmony asked for is that of the player's chords.
    """

    from_call: bool = True
    tells: tuple[str, ...] = ("latent", "harmony", "melody", "rhythm", "dynamics")
    tells_near: tuple[str, ...] = ()
    keeps: float | None = None
    asks: tuple[str, ...] = ()
    edits_harmony: bool = False


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

    @property
    def phrases(self) -> PhrasePolicy:
        """Return what the turn's phrases are made of."""
        ...

    def plan(self, phrase: Phrase, controls: Controls, now: float) -> TurnPlan:
        """Return the frame of a turn that begins at `now` seconds after `phrase`, which may be empty."""
        ...
