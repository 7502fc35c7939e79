"""Chord symbols and the model's chord vocabulary: twelve roots by eight classes."""

import re
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pychord import QualityManager

from tatumflow.engine.errors import ChordError

Quality = Literal["maj7", "7", "m7", "m7b5", "dim7", "m6", "7sus4", "aug"]

QUALITIES: Final[tuple[Quality, ...]] = ("maj7", "7", "m7", "m7b5", "dim7", "m6", "7sus4", "aug")
"""The classes of chords. Each covers the chords that players treat alike: "maj7" also for major triads
and sixths, "7" for every dominant however altered, "m6" for minor triads and minor-major sevenths (tonic
minors), "7sus4" for everything suspended, "aug" for augmented triads and augmented major sevenths."""

NO_CHORD: Final = 0
"""Chord id of no chord, or of an unknown one."""

NUM_CHORDS: Final = 1 + 12 * len(QUALITIES)
"""Number of chord ids, `NO_CHORD` included."""

ROOT_NAMES: Final = ("C", "Db", "D", "Eb", "E", "F", "Gb", "G", "Ab", "A", "Bb", "B")

QUALITY_TONES: Final[dict[Quality, tuple[int, ...]]] = {
    "maj7": (0, 4, 7, 11),
    "7": (0, 4, 7, 10),
    "m7": (0, 3, 7, 10),
    "m7b5": (0, 3, 6, 10),
    "dim7": (0, 3, 6, 9),
    "m6": (0, 3, 7, 9),
    "7sus4": (0, 5, 7, 10),
    "aug": (0, 4, 8),
}
"""Semitones of each class's tones above the root: root, third or fourth, fifth, seventh or sixth."""


def _chord_tones() -> NDArray[np.bool_]:
    tones = np.zeros((NUM_CHORDS, 12), dtype=np.bool_)
    for root in range(12):
        for quality, name in enumerate(QUALITIES):
            tones[1 + root * len(QUALITIES) + quality, (root + np.array(QUALITY_TONES[name])) % 12] = True
    tones.setflags(write=False)
    return tones


CHORD_TONES: Final = _chord_tones()
"""Pitch classes of the chord of each id, (97, 12) bool; none for `NO_CHORD`."""


@dataclass(frozen=True)
class Chord:
    """A chord of the vocabulary.

    Attributes:
        root: Pitch class of the root, 0 (C) to 11 (B).
        quality: Its class.
        bass: Pitch class of a bass other than the root, else None; not part of the chord's id.

    Raises:
        ChordError: if root, quality or bass is none of these.
    """

    root: int
    quality: Quality
    bass: int | None = None

    def __post_init__(self) -> None:
        if self.quality not in QUALITIES:
            raise ChordError(f"chord quality {self.quality!r} is none of {', '.join(QUALITIES)}")
        for name, value in (("root", self.root), ("bass", self.bass)):
            if value is not None and not 0 <= value < 12:
                raise ChordError(f"chord {name} {value} is not a pitch class; give 0 (C) to 11 (B)")

    @classmethod
    def from_id(cls, chord_id: int) -> "Chord | None":
        """Return the chord of an id, None for `NO_CHORD`.

        Raises:
            ChordError: if there is no such id.
        """
        if not 0 <= chord_id < NUM_CHORDS:
            raise ChordError(f"chord id {chord_id} is not from 0 to {NUM_CHORDS - 1}")
        if chord_id == NO_CHORD:
            return None
        root, quality = divmod(chord_id - 1, len(QUALITIES))
        return cls(root, QUALITIES[quality])

    @property
    def id(self) -> int:
        """1 + root * 8 + rank of the quality, 1 to 96."""
        return 1 + self.root * len(QUALITIES) + QUALITIES.index(self.quality)

    @property
    def pitch_classes(self) -> frozenset[int]:
        """The chord tones of its class."""
        return frozenset((self.root + interval) % 12 for interval in QUALITY_TONES[self.quality])

    @property
    def symbol(self) -> str:
        """A symbol of this chord for `parse_chord`, such as "Ebm7" or "G7/B"."""
        slash = "" if self.bass is None else f"/{ROOT_NAMES[self.bass]}"
        return f"{ROOT_NAMES[self.root]}{self.quality}{slash}"

    def __str__(self) -> str:
        return self.symbol

    def transposed(self, semitones: int) -> "Chord":
        """Return the chord transposed by semitones, up or down."""
        bass = None if self.bass is None else (self.bass + semitones) % 12
        return replace(self, root=(self.root + semitones) % 12, bass=bass)


def chord_id(chord: Chord | None) -> int:
    """Return the id of a chord, `NO_CHORD` for None."""
    return NO_CHORD if chord is None else chord.id


def transpose_ids(ids: ArrayLike, semitones: int) -> NDArray[np.int64]:
    """Return chord ids transposed, of any shape; `NO_CHORD` stays."""
    ids = np.asarray(ids, dtype=np.int64)
    moved = (ids - 1 + semitones * len(QUALITIES)) % (NUM_CHORDS - 1) + 1
    return np.where(ids == NO_CHORD, NO_CHORD, moved)


@lru_cache(maxsize=4096)
def parse_chord(symbol: str) -> Chord | None:
    """Parse a chord symbol of lead sheets, programs or the Weimar Jazz Database.

    Examples: "Cmaj7", "CΔ", "Cj7", "C6/9", "C-7", "Cm7b5", "Cø", "C°", "Co7", "C7alt", "C79b13b",
    "Bbsus7913", "D7/F#". pychord parses its own spellings; of other symbols, the part that decides the class
    is spelled for it.

    Returns:
        The chord; None for "NC", "N.C." and "N".

    Raises:
        ChordError: if the symbol cannot be parsed; the message names the part.
    """
    text = symbol.strip().translate(_PLAIN)
    if text.upper().replace(".", "") in ("NC", "N"):
        return None
    root = _ROOT.match(text)
    if root is None:
        raise ChordError(
            f"chord {symbol!r} does not begin with a root from A to G; write it such as Dm7 or F#7"
        )
    tail, bass = text[root.end() :], None
    slash = _BASS.search(tail)
    if slash is not None:
        tail, bass = tail[: slash.start()], _pitch_class(slash[1])
    quality = _quality(tail.translate(_NO_BRACKETS))
    if quality is None:
        raise ChordError(
            f"chord {symbol!r}: {tail!r} after the root is not understood; write it such as Dm7 or G7b9"
        )
    pitch_class = _pitch_class(root[0])
    return Chord(pitch_class, quality, None if bass == pitch_class else bass)


def chord_tail(symbol: str) -> str:
    """Return what a chord symbol has between root and bass, such as "7b9" of "G7b9/B"."""
    text = symbol.strip().translate(_PLAIN)
    root = _ROOT.match(text)
    return "" if root is None else _BASS.sub("", text[root.end() :])


_PLAIN: Final = str.maketrans(
    {"♭": "b", "♯": "#", "△": "Δ", "∆": "Δ", "º": "°", "Ø": "ø", "−": "-", "–": "-"}
)
_NO_BRACKETS: Final = str.maketrans("", "", "()[], ")
_ROOT: Final = re.compile(r"[A-G](?:bb?|##?)?")
_BASS: Final = re.compile(r"/\s*([A-G](?:bb?|##?)?)$")
_NATURAL: Final = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}

_TAIL: Final = re.compile(
    r"""
    (?P<kind>maj|Maj|ma|M|j|Δ|min|Min|mi|m|-|dim|o|°|ø|h|aug|\+|sus[24]?|alt)?
    (?P<major>maj|Maj|ma|M|j|Δ)?
    (?P<number>6/?9|6|7|9|11|13)?
    (?P<tensions>(?:(?:add|omit|no)?[b\#+-]?(?:2|4|5|6|9|11|13)|(?:9|11|13)[b\#]|sus[24]?|alt|aug|\+)*)
    """,
    re.VERBOSE,
)
_FAMILIES: Final = {
    "major": ("maj", "Maj", "ma", "M", "j", "Δ"),
    "minor": ("min", "Min", "mi", "m", "-"),
    "diminished": ("dim", "o", "°"),
    "half-diminished": ("ø", "h"),
    "augmented": ("aug", "+"),
    "suspended": ("sus", "sus2", "sus4"),
    "dominant": (None,),
    "altered": ("alt",),
}
_FAMILY_OF: Final = {kind: family for family, kinds in _FAMILIES.items() for kind in kinds}

_SPELLINGS: Final = {
    "major": ("", "6", "maj7"),
    "minor": ("m", "m6", "m7"),
    "diminished": ("dim", "dim", "dim7"),
    "half-diminished": ("m7b5", "m7b5", "m7b5"),
    "augmented": ("aug", "aug", "7#5"),
    "suspended": ("sus4", "sus4", "7sus4"),
    "dominant": ("", "6", "7"),
    "altered": ("7", "7", "7"),
}
"""pychord's spelling of each family's triad, sixth and seventh."""


def _pitch_class(name: str) -> int:
    return (_NATURAL[name[0]] + name.count("#") - name[1:].count("b")) % 12


def _quality(tail: str) -> Quality | None:
    """Return the class of the symbol after the root, None where it cannot be parsed."""
    intervals = _intervals(tail)
    if intervals is not None:
        return _class(intervals)
    match = _TAIL.fullmatch(tail)
    if match is None:
        return None
    kind, number, tensions = match["kind"], match["number"], match["tensions"]
    family = _FAMILY_OF[kind]
    if match["major"] and family not in ("minor", "augmented", "dominant"):
        return None
    seventh = number is not None and not number.startswith("6")
    spelled = _SPELLINGS[family][2 if seventh else 1 if number else 0]
    if match["major"]:
        spelled = {"minor": "mM7", "augmented": "maj7+5", "dominant": "maj7"}[family]
    elif kind == "Δ" and number is None:
        spelled = "maj7"
    if "sus" in tensions:
        spelled = "7sus4" if seventh else "sus4"
    elif "alt" in tensions:
        spelled = "7"
    intervals = _intervals(spelled)
    return None if intervals is None else _class(_with_fifth(intervals, tensions))


def _intervals(quality: str) -> frozenset[int] | None:
    """Return the pitch classes above the root of one of pychord's qualities, else None."""
    try:
        return frozenset(interval % 12 for interval in QualityManager().get_quality(quality).components)
    except ValueError:
        return None


def _with_fifth(intervals: frozenset[int], tensions: str) -> frozenset[int]:
    """Alter the fifth by the tensions."""
    if re.search(r"[b-]5", tensions):
        return (intervals - {7}) | {6}
    if re.search(r"[#+]5|\+(?!\d)|aug", tensions):
        return (intervals - {7}) | {8}
    return intervals


def _class(intervals: frozenset[int]) -> Quality:
    """Return the class of a chord by the intervals above its root."""
    if 4 in intervals:
        if 10 in intervals:
            return "7"
        return "aug" if 8 in intervals and 7 not in intervals else "maj7"
    if 3 in intervals:
        if 6 in intervals and 7 not in intervals:
            return "m7b5" if 10 in intervals else "dim7"
        return "m7" if 10 in intervals else "m6"
    return "7sus4" if intervals & {2, 5} else "maj7"
