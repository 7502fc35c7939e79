"""Modes: one small policy each, from a phrase to the window and the conditions of a turn."""

from math import inf
from typing import Final, Protocol

from tatumflow.engine.controls import Controls, ModeName
from tatumflow.engine.phrases.policy import IN_KEY, MANNER, PhrasePolicy
from tatumflow.engine.turns.phrase import Phrase
from tatumflow.engine.turns.turn_window import ENTRY_SECONDS, TurnWindow

LONGEST_CONTINUATION: Final = 30.0
"""Longest continuation in seconds."""

LONGEST_IMPROVISATION: Final = 3600.0
"""Longest improvisation in seconds."""

_LONGEST_REST: Final = 1.5
_OPENING_LENGTH: Final = 4.0
_SHORTEST_CALL: Final = 1.0


class Mode(Protocol):
    """A policy without state: from a phrase and the controls to the window of a turn."""

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
        """Return what the turn's phrases are conditioned on."""
        ...

    def window(self, phrase: Phrase, controls: Controls, now: float) -> TurnWindow:
        """Return the window of a turn that begins at `now` seconds after `phrase`, which may be empty."""
        ...


def call_length(phrase: Phrase) -> float:
    """Return the length of a call in seconds, 1 at least; 4 for no call."""
    return max(phrase.length, _SHORTEST_CALL) if phrase.notes else _OPENING_LENGTH


class Answer:
    """Begins right at the turn and plays about as long as the call.

    It stops at the first rest after three quarters of the call's length, a rest being the silence that ends
    the human's phrases, and starts no note beyond one and a half times that length plus 1 s. A call counts
    as 1 s at least; without a call the answer is as long as one to 4 s.
    """

    name: ModeName = "answer"
    patience = 1.0
    phrases = PhrasePolicy(conditions_on=("melody", *MANNER), conditions_near=("latent", "harmony"))

    def window(self, phrase: Phrase, controls: Controls, now: float) -> TurnWindow:
        """Return the window of an answer to `phrase` that begins at `now` seconds."""
        length = call_length(phrase)
        start = now + ENTRY_SECONDS
        return TurnWindow(
            earliest=start,
            latest_first=start,
            last_onset=start + 1.5 * length + 1.0,
            rest_from=start + max(0.75 * length, 1.0),
            rest=phrase.rest,
        )


class Continuation:
    """Goes on with the same line for some phrases, each as long as the call, until the human plays.

    It begins sooner than an answer: the model samples its first onset, counted from the human's last one, and
    the human's own rest bounds it.

    The control `phrases` sets its length. From three quarters of that on it ends at a rest: first at one as
    long as ends the human's phrases, then at ever shorter ones, since the companion may play without such
    rests. No note starts beyond one and a half times the length plus 1 s, nor after 30 s. With 0 phrases the
    length is 30 s.
    """

    name: ModeName = "continue"
    patience = 0.6
    phrases = PhrasePolicy(conditions_on=MANNER, conditions_in_key=IN_KEY)

    def window(self, phrase: Phrase, controls: Controls, now: float) -> TurnWindow:
        """Return the window of a continuation of `phrase` that begins at `now` seconds."""
        start = now + ENTRY_SECONDS
        length = controls.phrases * call_length(phrase) if controls.phrases else inf
        return TurnWindow(
            earliest=start,
            latest_first=start + phrase.rest,
            last_onset=start + min(1.5 * length + 1.0, LONGEST_CONTINUATION),
            rest_from=start + 0.75 * min(length, LONGEST_CONTINUATION),
            rest=phrase.rest,
            rest_shrinks=True,
        )


class Improvisation:
    """Begins at once when the turn is taken, and plays until the human does."""

    name: ModeName = "improvise"
    patience = 1.0
    phrases = PhrasePolicy(from_call=False, conditions_on=MANNER, conditions_in_key=IN_KEY)

    def window(self, phrase: Phrase, controls: Controls, now: float) -> TurnWindow:
        """Return the window of an improvisation that begins at `now` seconds, whatever the call."""
        start = now + ENTRY_SECONDS
        return TurnWindow(
            earliest=start,
            latest_first=start,
            last_onset=start + LONGEST_IMPROVISATION,
            longest_rest=_LONGEST_REST,
        )


class Restyling:
    """Plays about as long as the call, from a code halfway between the call's and a sampled one."""

    name: ModeName = "restyle"
    patience = 1.0
    phrases = PhrasePolicy(kept_share=0.5, requests=("melody", "rhythm", "dynamics"))

    def window(self, phrase: Phrase, controls: Controls, now: float) -> TurnWindow:
        """Return the window of an answer, its length changed by the pace."""
        return Answer().window(phrase, controls, now).paced(2.0**controls.pace)


class Reharmonization:
    """Plays about as long as the call, with most of its code and the harmony of the chords."""

    name: ModeName = "reharmonize"
    patience = 1.0
    phrases = PhrasePolicy(kept_share=0.8, requests=("melody", "rhythm", "dynamics"), edits_harmony=True)

    def window(self, phrase: Phrase, controls: Controls, now: float) -> TurnWindow:
        """Return the window of an answer, its length changed by the pace."""
        return Answer().window(phrase, controls, now).paced(2.0**controls.pace)


class Morph:
    """Opens with a melody between the call and the companion's last phrase; see `morphing.Morphing`.

    A free turn ends with it; without one the mode is *answer*.
    """

    name: ModeName = "morph"
    patience = 1.0
    phrases = Answer.phrases

    def window(self, phrase: Phrase, controls: Controls, now: float) -> TurnWindow:
        """Return the window of an answer, which the opening of a free turn replaces."""
        return Answer().window(phrase, controls, now)


_MODES: Final[dict[ModeName, Mode]] = {
    mode.name: mode
    for mode in (Answer(), Continuation(), Improvisation(), Restyling(), Reharmonization(), Morph())
}


def mode_named(name: ModeName) -> Mode:
    """Return the mode of that name."""
    return _MODES[name]
