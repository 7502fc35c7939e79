"""Chord symbols of any program as chords of the vocabulary: the nearest one where they are not known."""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from tatumflow.engine.errors import ChordError
from tatumflow.engine.harmony.chords import Chord, chord_tail, parse_chord


@dataclass(frozen=True)
class ReadSymbol:
    """A chord symbol as it was read.

    Attributes:
        chord: The chord; None for no chord.
        tail: What was written after the root; None where the chord is only the nearest one.
        exact: Whether the symbol was understood as a whole.
    """

    chord: Chord | None
    tail: str | None
    exact: bool = True


@lru_cache(maxsize=8192)
def read_symbol(symbol: str) -> ReadSymbol | None:
    """Read a chord symbol, with any remainder that is not understood left out; None where there is no root.

    Of a chord over another, with a backslash between them, the lower one counts.
    """
    text = "".join(symbol.split())
    try:
        return ReadSymbol(parse_chord(text), chord_tail(text))
    except ChordError:
        pass
    if text.upper().replace(".", "") in _SILENT:
        return ReadSymbol(None, None)
    _, over, lower = text.rpartition("\\")
    if over and (below := read_symbol(lower)) is not None:
        return ReadSymbol(below.chord, below.tail, exact=False)
    root = _ROOT.match(text)
    if root is None:
        return None
    tail = text[root.end() :]
    bass = _BASS.search(tail)
    slash = f"/{bass[1]}" if bass else ""
    plain = _LEFT_OUT.sub("", tail[: bass.start()] if bass else tail)
    for length in range(min(len(plain), _LONGEST_TAIL), -1, -1):
        try:
            return ReadSymbol(parse_chord(root[0] + plain[:length] + slash), None, exact=False)
        except ChordError:
            continue
    return None


_SILENT: Final = ("", "NC", "N", "NONE", "TACET", "REST")
_ROOT: Final = re.compile(r"[A-G](?:bb?|##?|♭|♯)?")
_BASS: Final = re.compile(r"/\s*([A-G][b#]?)[^/]*$")
_LEFT_OUT: Final = re.compile(r"[^A-Za-z0-9#+\-°øΔ]")
_LONGEST_TAIL: Final = 40
