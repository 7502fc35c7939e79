"""Names of files that every system takes, and titles without the marks of takes."""

import re
import unicodedata
from pathlib import PurePosixPath
from typing import Final

_LONGEST: Final = 80
_FORBIDDEN: Final = re.compile(r'[<>:"/\\|?*]')
_RESERVED: Final = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)
_TAKE: Final = re.compile(
    r"\(.*?\)|\[.*?\]|\b(alternate|alt|take|live|version|ver|solo|remaster(ed)?)\b\.?\s*(\d+|[ivx]+\b)?"
    r"|[-_ #]*\d+\s*$|^\s*\d+\s*[-_. ]",
    re.IGNORECASE,
)
_UNTELLING: Final = (
    "",
    "track",
    "untitled",
    "unknown",
    "midi",
    "song",
    "piano",
    "transcription",
    "improvisation",
)


def safe_name(name: str) -> str:
    """Return a short name without separators, control characters or words that a file system reserves."""
    name = unicodedata.normalize("NFC", name)
    name = "".join(" " if unicodedata.category(letter)[0] == "C" else letter for letter in name)
    name = " ".join(_FORBIDDEN.sub("_", name).split()).strip(". ")
    if _RESERVED.fullmatch(name):
        name = f"_{name}"
    stem, dot, suffix = name.rpartition(".")
    if dot and len(suffix) <= 5:
        return f"{_cut(stem)}.{suffix}"
    return _cut(name)


def safe_path(player: str, title: str) -> str:
    """Return where a file of this player and title lies in a corpus, "/" between the folders."""
    return str(
        PurePosixPath("midi", safe_name(player) or "unknown", (_cut(safe_name(title)) or "untitled") + ".mid")
    )


def piece_key(title: str) -> str:
    """Return the key of the piece that a title names, the same for all its takes; empty where it names none.

    "Tea for Two (take 2)", "03 - Tea For Two" and "tea_for_two-1" are one piece.
    """
    key = "".join(letter for letter in _TAKE.sub(" ", title).casefold() if letter.isalpha())
    return "" if key in _UNTELLING else key


def _cut(name: str) -> str:
    """Shorten a name to what any file system takes, at the end of a letter."""
    while len(name.encode()) > _LONGEST:
        name = name[:-1]
    return name.strip(". ")
