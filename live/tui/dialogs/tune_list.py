"""The tunes at hand: the built-in forms and the user's book, and which of them fit what is typed."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from tatumflow.engine.errors import ChartError
from tatumflow.engine.harmony.chart import Chart, is_named
from tatumflow.engine.harmony.named_forms import NAMED_FORMS
from tatumflow.live.book.folder import folded
from tatumflow.live.steering.control_choices import CHARTS

_MOST: Final = 200
"""Most tunes of a list: more of them are not read, but narrowed."""

_SIGNS: Final = "|%{}"

_IN_KEY: Final = re.compile(r"(.+\S)\s+in\s+[A-Ga-g][b#♭♯]?m?\s*", re.IGNORECASE)


@dataclass(frozen=True)
class ListedTune:
    """A line of the list.

    Attributes:
        name: Its name in the book, or that of a built-in form with its key.
        in_book: Whether it is a tune of the book.
        composer: Empty where it is unknown, and so with `key` and `style`.
        key: Such as "Bb" or "Cm".
        style: The feel as its chart names it.
        tempo: Beats a minute; None where its chart names none.
        reason: Why its file cannot be read; empty where it can.
    """

    name: str
    in_book: bool = True
    composer: str = ""
    key: str = ""
    style: str = ""
    tempo: float | None = None
    reason: str = ""

    @cached_property
    def folded_name(self) -> str:
        """The name as names are compared."""
        return folded(self.name)

    @cached_property
    def sought(self) -> str:
        """What the words typed are looked for in."""
        return " ".join(folded(part) for part in (self.name, self.composer, self.key, self.style) if part)


def built_in() -> tuple[ListedTune, ...]:
    """Return the built-in forms, each in the keys it is mostly played in."""
    at_home = (f"{form.name} in {form.key.removesuffix('m')}" for form in NAMED_FORMS.values())
    return tuple(
        ListedTune(name, in_book=False, key=name.rpartition(" ")[2])
        for name in dict.fromkeys((*CHARTS, *at_home))
    )


def of_book(tunes: Iterable[tuple[str, Chart | ChartError]]) -> Iterator[ListedTune]:
    """Yield the lines of the book's tunes."""
    for name, chart in tunes:
        if isinstance(chart, ChartError):
            yield ListedTune(name, reason=str(chart))
        else:
            yield ListedTune(name, True, chart.composer, chart.key, chart.style, chart.tempo)


def matching(tunes: Sequence[ListedTune], typed: str) -> list[ListedTune]:
    """Return the tunes that have every word typed in name, composer, key or style.

    Names that begin with what is typed come first. A name with another key, such as "blue monk in F", leads
    the list where the tune is in it. Bar lines and braces are a chart's, not a name's: nothing fits them.
    """
    if any(sign in typed for sign in _SIGNS):
        return []
    words = [word for word in map(folded, typed.split()) if word]
    start = folded(typed)
    found = [tune for tune in tunes if all(word in tune.sought for word in words)]
    found.sort(key=lambda tune: (not tune.folded_name.startswith(start), start not in tune.folded_name))
    named = " ".join(typed.split())
    if named and all(tune.folded_name != start for tune in found):
        in_key = _IN_KEY.fullmatch(named)
        moves = in_key is not None and any(tune.folded_name == folded(in_key[1]) for tune in tunes)
        if is_named(named) or moves:
            key = named.rpartition(" ")[2] if in_key else ""
            found.insert(0, ListedTune(named, in_book=False, key=key))
    return found[:_MOST]
