"""Chord qualities as iReal Pro spells them: `^7`, `-7`, `h7`."""

import re
from typing import Final

from tatumflow.engine.harmony.chords import Quality
from tatumflow.live.book.symbols import read_symbol

QUALITIES: Final = {
    "": "",
    "^7": "maj7",
    "^": "maj7",
    "-": "m",
    "-7": "m7",
    "7": "7",
    "7sus": "7sus4",
    "7alt": "7alt",
    "sus": "sus4",
    "6": "6",
    "-6": "m6",
    "o": "dim",
    "o7": "dim7",
    "h7": "m7b5",
    "h": "m7b5",
    "h9": "m9b5",
    "-7b5": "m7b5",
    "^9": "maj9",
    "-9": "m9",
    "9": "9",
    "9sus": "9sus4",
    "^13": "maj13",
    "-11": "m11",
    "11": "11",
    "13": "13",
    "13sus": "13sus4",
    "69": "69",
    "-69": "m69",
    "-^7": "mMaj7",
    "-^9": "mMaj9",
    "^7#11": "maj7#11",
    "^9#11": "maj9#11",
    "^7#5": "maj7#5",
    "-b6": "mb6",
    "-#5": "m#5",
    "+": "aug",
    "add9": "add9",
    "2": "sus2",
    "5": "5",
    "7b9": "7b9",
    "7#9": "7#9",
    "7b5": "7b5",
    "7#5": "7#5",
    "7b13": "7b13",
    "7#11": "7#11",
    "9#11": "9#11",
    "13#11": "13#11",
    "9b5": "9b5",
    "9#5": "9#5",
    "13b9": "13b9",
    "13#9": "13#9",
    "7b9b13": "7b9b13",
    "7b9#5": "7b9#5",
    "7b9b5": "7b9b5",
    "7b9#9": "7b9#9",
    "7b9#11": "7b9#11",
    "7#9#5": "7#9#5",
    "7#9b5": "7#9b5",
    "7#9#11": "7#9#11",
    "7b9sus": "7b9sus4",
    "7b13sus": "7b13sus4",
    "7susadd3": "7sus4",
    "7add3sus": "7sus4",
}
"""The qualities that the program knows, each with the spelling after a root that is used here."""

_CLASSES: Final[dict[Quality, str]] = {
    "maj7": "^7",
    "7": "7",
    "m7": "-7",
    "m7b5": "h7",
    "dim7": "o7",
    "m6": "-6",
    "7sus4": "7sus",
    "aug": "+",
}
_SPELLED: Final = {spelled: quality for quality, spelled in reversed(QUALITIES.items())}
_ALTERED: Final = re.compile(r"(7|9|13)((?:[b#]\d+)+)")
_ALTERATIONS: Final = re.compile(r"[b#]\d+")
_SIGNS: Final = (
    (re.compile(r"^\^(?=[#b(]|$)"), "maj7"),
    (re.compile(r"\^"), "maj"),
    (re.compile(r"^-[Mm]aj"), "mMaj"),
    (re.compile(r"^-(?!\d)|^-"), "m"),
    (re.compile(r"^[hø](?=7|$)7?"), "m7b5"),
    (re.compile(r"^[hø]9"), "m9b5"),
    (re.compile(r"^o"), "dim"),
    (re.compile(r"sus(?![24])"), "sus4"),
)
_PLAIN: Final = (
    (re.compile(r"Δ7?|^M7|^j7|^Maj7|^ma7"), "maj7"),
    (re.compile(r"^(?:-|min|mi)"), "m"),
    (re.compile(r"^(?:ø|h)7?"), "m7b5"),
    (re.compile(r"^(?:o|°)"), "dim"),
    (re.compile(r"^\+$"), "aug"),
    (re.compile(r"^m(?:maj|Maj|M)(?=\d)"), "mMaj"),
    (re.compile(r"^M(?:aj)?$"), ""),
    (re.compile(r"^maj7b5$"), "maj7#11"),
    (re.compile(r"^M(?=\d)"), "maj"),
    (re.compile(r"^maj(?=6)|(?<=6)/(?=9)"), ""),
    (re.compile(r"^2$"), "add9"),
    (re.compile(r"^m\+$"), "m#5"),
    (re.compile(r"^([79])\+$"), r"\1#5"),
    (re.compile(r"^7b6$"), "7b13"),
    (re.compile(r"^7sus4?(b9|b13)$"), r"7\1sus"),
    (re.compile(r"sus(?![24])"), "sus4"),
    (re.compile(r"[()]|add(?=[b#])"), ""),
)


def spelled(quality: str) -> str:
    """Return the spelling of one of the program's qualities; of another, its signs spelled out."""
    if quality in QUALITIES:
        return QUALITIES[quality]
    for sign, word in _SIGNS:
        quality = sign.sub(word, quality, count=1)
    return quality


def ireal_quality(tail: str | None, quality: Quality) -> str:
    """Return the program's quality for what is written after a root, or else for the chord's class."""
    if tail is None:
        return _CLASSES[quality]
    for pattern, word in _PLAIN:
        tail = pattern.sub(word, tail)
    altered = _alterations(tail)
    known = _SPELLED.get(tail, _ALTERED_QUALITIES.get(altered) if altered else None)
    if known is None:
        return _CLASSES[quality]
    read = read_symbol(f"C{QUALITIES[known]}")
    same = read is not None and read.chord is not None and read.chord.quality == quality
    return known if same else _CLASSES[quality]


def _alterations(tail: str) -> tuple[str, frozenset[str]] | None:
    """Return the number and the alterations of an altered dominant, in whatever order they are written."""
    match = _ALTERED.fullmatch(tail)
    return None if match is None else (match[1], frozenset(_ALTERATIONS.findall(match[2])))


_ALTERED_QUALITIES: Final = {
    altered: quality for quality in QUALITIES if (altered := _alterations(quality)) is not None
}
