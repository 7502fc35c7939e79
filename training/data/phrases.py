"""Phrases: a window's notes cut into the units that have a latent."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tatumflow.engine.midi.notes import PITCH_LOWEST
from tatumflow.engine.theory.features import NUM_FEATURES, phrase_features, relative_to_key
from tatumflow.engine.theory.key import key_of
from tatumflow.training.data.stretches import Stretch

_SNAP: Final = 6
"""Notes by which a cut may move to the longest inter-onset interval nearby."""

_ROOM: Final = 24
"""Steps of a window for each phrase slot."""

NO_PHRASE: Final = -1


@dataclass(frozen=True)
class PhraseSettings:
    """Lengths of phrases.

    Attributes:
        shortest: Fewest notes of a phrase, unless its turn has fewer.
        longest: Most notes; lengths are uniform between the two.
    """

    shortest: int = 12
    longest: int = 64


class PhraseTable:
    """The phrases of one window, filled part by part.

    There are Q slots; notes beyond them belong to no phrase.
    """

    def __init__(self, seq_len: int, settings: PhraseSettings) -> None:
        count = max(seq_len // _ROOM, 1)
        self.settings = settings
        self.count = 0
        self.phrase: NDArray[np.int64] = np.full(seq_len, NO_PHRASE)
        """Phrase of each step's own note, (T,)."""
        self.steps: NDArray[np.int64] = np.full((count, settings.longest), NO_PHRASE)
        """Steps of each phrase's notes, (Q, longest)."""
        self.previous: NDArray[np.int64] = np.full(count, NO_PHRASE)
        """The phrase that each follows, (Q,)."""
        self.features: NDArray[np.float32] = np.zeros((count, NUM_FEATURES), np.float32)
        """Features of each phrase, its harmony relative to its key, (Q, NUM_FEATURES)."""
        self.key: NDArray[np.int64] = np.zeros(count, np.int64)
        """Key at the start of each phrase, 0 to 11, (Q,)."""

    def add(
        self,
        stretch: Stretch,
        at: NDArray[np.int64],
        turns: tuple[int, ...],
        rng: np.random.Generator,
        before: NDArray[np.int64],
        follows: bool = False,
    ) -> None:
        """Cut a part's notes into phrases, within its turns.

        Args:
            stretch: The notes, n of them.
            at: Their steps, (n,).
            turns: Lengths of the part's turns, summing to n.
            rng: Random generator of the lengths.
            before: Pitch-class counts that each note's key is estimated from, (n, 12).
            follows: Whether the part continues the one before, whose last phrase then precedes its first.
        """
        first = self.count
        earliest = 0 if follows else first
        number = np.full(len(at), NO_PHRASE)
        start = 0
        for turn in turns:
            for length in _lengths(stretch.onset[start : start + turn], self.settings, rng):
                if self.count == len(self.steps):
                    break
                self.steps[self.count, :length] = at[start : start + length]
                number[start : start + length] = self.count
                self.key[self.count] = key_of(before[start])
                self.previous[self.count] = self.count - 1 if self.count > earliest else NO_PHRASE
                self.count += 1
                start += length
        self.phrase[at] = number
        inside = number != NO_PHRASE
        found = self.count - first
        if found:
            features = phrase_features(
                stretch.onset[inside],
                stretch.duration[inside],
                stretch.fields[inside, 1] + PITCH_LOWEST,
                stretch.velocity[inside],
                number[inside] - first,
                found,
            )
            self.features[first : self.count] = relative_to_key(features, self.key[first : self.count])


def _lengths(onset: NDArray[np.float64], settings: PhraseSettings, rng: np.random.Generator) -> list[int]:
    """Draw the lengths of a turn's phrases; a cut falls on the longest inter-onset interval nearby."""
    lengths: list[int] = []
    start, count = 0, len(onset)
    while count - start > settings.longest:
        drawn = int(rng.integers(settings.shortest, settings.longest + 1))
        low = max(start + drawn - _SNAP, start + settings.shortest)
        high = min(start + drawn + _SNAP, start + settings.longest, count - 1)
        cut = low + int(np.argmax(onset[low : high + 1] - onset[low - 1 : high]))
        lengths.append(cut - start)
        start = cut
    lengths.append(count - start)
    return lengths
