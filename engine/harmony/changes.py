"""The chords of a bar, each on its beat, and how they are written."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Final

from tatumflow.engine.errors import ChartError, ChordError
from tatumflow.engine.harmony.chords import ROOT_NAMES, Chord, chord_tail, parse_chord

NO_CHORD_SYMBOL: Final = "N.C."


@dataclass(frozen=True)
class ChordChange:
    """A chord, None for no chord, and the beat on which it begins.

    Attributes:
        beat: Beats since the start of its bar in a `Bar`, since the chart's start in `Chart.next_change`.
        chord: The chord.
        tail: What is written after the root and before the bass, such as "7b9", which the class of the chord
            leaves out; None where it is the name of the class. It has no part in comparisons.
    """

    beat: Fraction
    chord: Chord | None
    tail: str | None = field(default=None, compare=False)

    @property
    def symbol(self) -> str:
        """The chord as it is written, such as "G7b9/B"; in any key the same tail."""
        if self.chord is None:
            return NO_CHORD_SYMBOL
        # A tail that begins with an accidental would be read as a part of the root.
        if self.tail is None or not _TAIL.fullmatch(self.tail):
            return self.chord.symbol
        slash = "" if self.chord.bass is None else f"/{ROOT_NAMES[self.chord.bass]}"
        return f"{ROOT_NAMES[self.chord.root]}{self.tail}{slash}"


Bar = tuple[ChordChange, ...]
"""The chords of a bar in order; the first starts on beat 0."""

_TAIL: Final = re.compile(r"(?![b#♭♯])[^\s|:{}%]*")


def parse_bar(content: Sequence[str], before: Bar | None, beats: int, name: str) -> Bar:
    """Read the entries of a bar, which share its beats evenly.

    Args:
        content: At least one chord symbol, `.` for the chord before, or `%` alone for the bar before.
        before: The bar before; None for the first.
        beats: Beats of the bar, at least 1.
        name: What it is called in the message, such as "bar 3".

    Raises:
        ChartError: if it cannot be parsed; the message has the name and the text of the bar.
    """
    text = " ".join(content)
    if "%" in content:
        if len(content) > 1:
            raise ChartError(f"{name}: {text!r}: % stands for the whole bar; write it alone")
        if before is None:
            raise ChartError(f"{name}: % repeats the bar before, and there is none")
        return before
    share = Fraction(beats, len(content))
    bar: list[ChordChange] = []
    for slot, symbol in enumerate(content):
        if symbol == ".":
            if not bar:
                if before is None:
                    raise ChartError(f"{name}: {text!r}: . holds the chord before, and there is none")
                bar.append(ChordChange(Fraction(0), before[-1].chord, before[-1].tail))
            continue
        try:
            bar.append(ChordChange(slot * share, parse_chord(symbol), chord_tail(symbol)))
        except ChordError as error:
            raise ChartError(f"{name}: {error}") from error
    return tuple(bar)


def transposed_bar(bar: Bar, semitones: int) -> Bar:
    """Return a bar transposed by semitones, up or down."""
    return tuple(replace(change, chord=change.chord and change.chord.transposed(semitones)) for change in bar)


def bar_text(bar: Bar, beats: int) -> str:
    """Return the text of a bar with the fewest slots that put every chord on its beat."""
    slots = 1
    while any((change.beat * slots / beats).denominator > 1 for change in bar):
        slots += 1
    symbols = ["."] * slots
    for change in bar:
        symbols[int(change.beat * slots / beats)] = change.symbol
    return " ".join(symbols)
