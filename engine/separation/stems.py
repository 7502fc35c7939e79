"""The stems that a mixture is separated into, and the sources of each."""

import re
from dataclasses import dataclass
from typing import Final

from tatumflow.engine.errors import SettingError

_NAME: Final = re.compile(r"[a-z][a-z0-9_-]*")


@dataclass(frozen=True)
class Stem:
    """A stem.

    Attributes:
        name: Lower-case letters, digits, "-" and "_"; begins with a letter.
        sources: The recorded sources in it, at least one.

    Raises:
        SettingError: if a name is invalid, or there are no sources or one of them twice.
    """

    name: str
    sources: tuple[str, ...]

    def __post_init__(self) -> None:
        for name in (self.name, *self.sources):
            if not _NAME.fullmatch(name):
                raise SettingError(f"stem {name!r}: is no name; write it in small letters, such as bass")
        if not self.sources or len(set(self.sources)) < len(self.sources):
            raise SettingError(
                f"stem {self.name!r}: needs sources, each once; write it such as other=bass+drums"
            )


@dataclass(frozen=True)
class StemSet:
    """The stems of a model, in the order of its outputs.

    Attributes:
        stems: At least one; no source is in two of them. Sources of a recording that are in none belong to
            the mixture all the same.

    Raises:
        SettingError: if there are no stems, two of one name, or a source in two of them.
    """

    stems: tuple[Stem, ...]

    def __post_init__(self) -> None:
        sources = self.sources
        if not self.stems or len(set(self.names)) < len(self.stems):
            raise SettingError("stems: give one at least, each name once, such as vocals,other")
        if len(set(sources)) < len(sources):
            twice = next(source for source in sources if sources.count(source) > 1)
            raise SettingError(f"stems: the source {twice!r} is in two of them; leave it in one")

    def __len__(self) -> int:
        return len(self.stems)

    @property
    def names(self) -> tuple[str, ...]:
        """The stems' names in order."""
        return tuple(stem.name for stem in self.stems)

    @property
    def sources(self) -> tuple[str, ...]:
        """The sources of all stems in order."""
        return tuple(source for stem in self.stems for source in stem.sources)


def parse_stems(text: str) -> StemSet:
    """Parse stems of the settings and the command line.

    Args:
        text: The name of a preset ("vocals-other", "four", "quartet"), or stems with commas between; a stem
            of other sources lists them after "=": "vocals,other=drums+bass+other".

    Raises:
        SettingError: if it is neither.
    """
    text = "".join(text.split())
    if text in PRESETS:
        return PRESETS[text]
    stems: list[Stem] = []
    for part in text.split(","):
        name, has_sources, sources = part.partition("=")
        stems.append(Stem(name, tuple(sources.split("+")) if has_sources else (name,)))
    return StemSet(tuple(stems))


VOCALS_OTHER: Final = StemSet((Stem("vocals", ("vocals",)), Stem("other", ("drums", "bass", "other"))))
"""The voice, and the three other sources of MUSDB18 together."""

FOUR_STEMS: Final = StemSet(tuple(Stem(name, (name,)) for name in ("vocals", "drums", "bass", "other")))
"""The sources of MUSDB18."""

QUARTET: Final = StemSet(tuple(Stem(name, (name,)) for name in ("horn", "piano", "bass", "drums")))
"""A jazz quartet."""

PRESETS: Final = {"vocals-other": VOCALS_OTHER, "four": FOUR_STEMS, "quartet": QUARTET}
"""Stem sets by name."""
