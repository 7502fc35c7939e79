"""Melodies of a fixed number of bars, cut from the lines of a packed corpus."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from tatumflow.engine.arrays import Ints
from tatumflow.engine.errors import SettingError
from tatumflow.engine.melodies.melody import FIRST_PITCH, NUM_EVENTS, STEPS_PER_BAR, begun_within, transposed
from tatumflow.training.data.corpora.piece import Split
from tatumflow.training.data.packing import PackedCorpus, PackedPiece
from tatumflow.training.melodies.data.lines import read_lines

_OCTAVE: Final = 12
_LOWEST_SHIFT: Final = -6


@dataclass(frozen=True)
class MelodyWindows:
    """Overlapping melodies, one from every bar on.

    Attributes:
        pieces: The pieces.
        events: Events of all lines, one after the other, (n,) int64.
        starts: Place in `events` of the first step of each melody, (m,).
        piece: Number of the piece of each melody, (m,).
        off_beats: Place of the off-beat within the beat in each piece, (pieces,); 0.5 where it has no line.
        steps: Steps of a melody.
    """

    pieces: tuple[PackedPiece, ...]
    events: Ints
    starts: Ints
    piece: Ints
    off_beats: NDArray[np.float64]
    steps: int

    @classmethod
    def read(
        cls,
        corpus: PackedCorpus,
        split: Split,
        bars: int,
        corpora: Sequence[str] = (),
        notes_per_bar: float = 2.0,
        share: float = 1.0,
    ) -> Self:
        """Read the melodies on one side of the split.

        Args:
            corpus: The packed corpus.
            split: The side.
            bars: Bars of a melody.
            corpora: Names of the corpora to use; all when empty.
            notes_per_bar: Fewest notes a bar that a melody has on average.
            share: Share of the pieces to use, in an order that does not depend on it.

        Raises:
            SettingError: if there is no such corpus.
        """
        known = {info.name for info in corpus.index.corpora}
        for name in corpora:
            if name not in known:
                raise SettingError(
                    f"data.corpora: {name!r} is not packed; choose from {', '.join(sorted(known))}"
                )
        found = [piece for piece in corpus.pieces(split) if not corpora or piece.corpus in corpora]
        order = np.random.default_rng(0).permutation(len(found))[: max(round(share * len(found)), 1)]
        pieces = tuple(found[place] for place in sorted(order.tolist()))
        rows, starts, owners = [], [], []
        off_beats = np.full(len(pieces), 0.5)
        position, steps = 0, bars * STEPS_PER_BAR
        for number, piece in enumerate(pieces):
            for line in read_lines(corpus.notes(piece), bars):
                begins = np.arange(0, len(line.events) - steps + 1, STEPS_PER_BAR)
                sounded = np.append(0, np.cumsum(line.events >= FIRST_PITCH))
                begins = begins[sounded[begins + steps] - sounded[begins] >= notes_per_bar * bars]
                rows.append(line.events)
                starts.append(position + begins)
                owners.append(np.full(len(begins), number))
                off_beats[number] = line.off_beat
                position += len(line.events)
        none = np.zeros(0, np.int64)
        return cls(
            pieces,
            np.concatenate([none, *rows]),
            np.concatenate([none, *starts]),
            np.concatenate([none, *owners]),
            off_beats,
            steps,
        )

    def __len__(self) -> int:
        return len(self.starts)

    def melodies(self, numbers: Ints) -> Ints:
        """Return the events (b, steps) of melodies (b,) by their numbers."""
        return begun_within(self.events[self.starts[numbers, None] + np.arange(self.steps)])

    def apart(self) -> Ints:
        """Return the numbers of melodies that do not overlap."""
        chosen, end = [], -1
        for number, start in enumerate(self.starts.tolist()):
            if start >= end:
                chosen.append(number)
                end = start + self.steps
        return np.array(chosen, np.int64)

    def spread(self, count: int) -> Ints:
        """Return the numbers of at most `count` melodies, evenly spread over all."""
        count = min(count, len(self))
        return (2 * np.arange(count) + 1) * len(self) // (2 * max(count, 1))


def in_random_keys(events: Ints, rng: np.random.Generator) -> Ints:
    """Return melodies (b, steps) each moved by -6 to 5 semitones at random.

    One that would leave the piano is moved by an octave more, back onto it.
    """
    shift = rng.integers(_LOWEST_SHIFT, _LOWEST_SHIFT + _OCTAVE, len(events))
    sounding = events >= FIRST_PITCH
    lowest = np.where(sounding, events, NUM_EVENTS).min(axis=1) + shift
    highest = np.where(sounding, events, 0).max(axis=1) + shift
    shift = shift + _OCTAVE * (lowest < FIRST_PITCH) - _OCTAVE * (highest >= NUM_EVENTS)
    return transposed(events, shift[:, None])
