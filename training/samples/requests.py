"""Requests for samples: every mode in every kind of style, over charts where the mode has chords."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from tatumflow.engine.controls import MODES, Controls, ModeName

LEADS: Final = ("art-tatum", "charlie-parker")
"""The two players of most samples, and of the blend."""

FURTHER: Final = (
    *("bill-evans", "bud-powell", "oscar-peterson", "john-coltrane", "erroll-garner"),
    *("thelonious-monk", "lennie-tristano", "keith-jarrett", "sonny-rollins", "earl-hines"),
)
"""Further players, of different styles; those that a bundle lacks are skipped."""

CHARTS: Final = (
    ("blues in F", 160.0),
    ("rhythm changes in Bb", 200.0),
    ("minor blues in C", 140.0),
    ("ii-V-I in C", 120.0),
)
"""Charts to improvise over, with their tempos in beats per minute."""

PROGRESSIONS: Final = (
    ("Dm7 G7 | Cmaj7 A7", 120.0),
    ("Fm7 Bb7 | Ebmaj7", 120.0),
    ("F#m7b5 B7 | Em6", 120.0),
    ("Gbmaj7 | Cb7", 120.0),
)
"""Chords for reharmonization, with their tempos."""


SAMPLED: Final[tuple[ModeName, ...]] = tuple(mode for mode in MODES if mode != "morph")
"""Modes of which every note is the model's: a morph opens with what a model of melodies decodes."""


@dataclass(frozen=True)
class Request:
    """A requested sample.

    Attributes:
        mode: The mode.
        style: Slug of the requested player; empty for none.
        style_b: Slug of a second, blended in equal shares; empty for none.
        chords: The chart; empty for none.
        tempo: Its beats per minute.
    """

    mode: ModeName
    style: str
    style_b: str = ""
    chords: str = ""
    tempo: float = 120.0

    @property
    def styles(self) -> tuple[str, ...]:
        """Slugs of the requested players."""
        return tuple(style for style in (self.style, self.style_b) if style)

    @property
    def controls(self) -> Controls:
        """The controls of the request, all further ones at their defaults."""
        return Controls(
            mode=self.mode,
            style=self.style,
            style_b=self.style_b,
            style_blend=0.5 if self.style_b else 0.0,
            chords=self.chords,
            tempo=self.tempo,
        )


def sample_requests(known: Sequence[str], count: int) -> list[Request]:
    """Return requests of successive modes; the first 20 hold every mode in every kind of style.

    The kinds of style are those of `LEADS`, their blend, and a further player, each time the next one. Kinds
    that the bundle lacks are left out; for a bundle without styles, no style is requested.

    Args:
        known: Slugs of the bundle's styles.
        count: Number of requests.
    """
    kinds = [(style, "") for style in LEADS if style in known]
    if len(kinds) == len(LEADS):
        kinds.append(LEADS)
    rest = [style for style in FURTHER if style in known]
    rest = rest or [style for style in known if style and style not in LEADS]
    if rest or not kinds:
        kinds.append(("", ""))
    requests: list[Request] = []
    used = 0
    for i in range(count):
        mode = SAMPLED[i % len(SAMPLED)]
        cycle = i // len(SAMPLED)
        style, second = kinds[(i % len(SAMPLED) + cycle) % len(kinds)]
        if not style and rest:
            style, used = rest[used % len(rest)], used + 1
        chords, tempo = _chart(mode, cycle)
        requests.append(Request(mode, style, second, chords, tempo))
    return requests


def _chart(mode: ModeName, number: int) -> tuple[str, float]:
    """Return the chart and tempo of the request `number` of a mode."""
    charts = {"improvise": CHARTS, "reharmonize": PROGRESSIONS}.get(mode)
    return charts[number % len(charts)] if charts else ("", 120.0)
