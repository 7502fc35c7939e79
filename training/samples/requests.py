"""What samples are asked for: every mode in every kind of style, over charts where the mode has chords."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from tatumflow.engine.controls import MODES, Controls, ModeName

LEADS: Final = ("art-tatum", "charlie-parker")
"""The two players whose styles, and whose blend, are heard most."""

OTHERS: Final = (
    *("bill-evans", "bud-powell", "oscar-peterson", "john-coltrane", "erroll-garner"),
    *("thelonious-monk", "lennie-tristano", "keith-jarrett", "sonny-rollins", "earl-hines"),
)
"""Further players, who do not resemble each other; those that a bundle does not know are passed over."""

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
"""Chords to reharmonize with, likewise."""


@dataclass(frozen=True)
class Request:
    """What a sample is asked for.

    Attributes:
        mode: The mode.
        style: Slug of the player to sound like; empty for none.
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
        """Slugs of the players asked for."""
        return tuple(style for style in (self.style, self.style_b) if style)

    @property
    def controls(self) -> Controls:
        """The controls that ask for it, the others at their defaults."""
        return Controls(
            mode=self.mode,
            style=self.style,
            style_b=self.style_b,
            style_blend=0.5 if self.style_b else 0.0,
            chords=self.chords,
            tempo=self.tempo,
        )


def sample_requests(known: Sequence[str], count: int) -> list[Request]:
    """Return requests, the modes in turn; the first 20 hold every mode in every kind of style.

    The kinds of style are those of `LEADS`, their blend, and another player, each time the next one. Kinds
    that the bundle does not know are left out; of a bundle that knows no style, none is asked.

    Args:
        known: Slugs of the styles that the bundle knows.
        count: How many.
    """
    kinds = [(style, "") for style in LEADS if style in known]
    if len(kinds) == len(LEADS):
        kinds.append(LEADS)
    rest = [style for style in OTHERS if style in known]
    rest = rest or [style for style in known if style and style not in LEADS]
    if rest or not kinds:
        kinds.append(("", ""))
    requests: list[Request] = []
    others = 0
    for i in range(count):
        mode = MODES[i % len(MODES)]
        turn = i // len(MODES)
        style, second = kinds[(i % len(MODES) + turn) % len(kinds)]
        if not style and rest:
            style, others = rest[others % len(rest)], others + 1
        chords, tempo = _chart(mode, turn)
        requests.append(Request(mode, style, second, chords, tempo))
    return requests


def _chart(mode: ModeName, turn: int) -> tuple[str, float]:
    """Return the chart of a mode's nth request and its tempo."""
    charts = {"improvise": CHARTS, "reharmonize": PROGRESSIONS}.get(mode)
    return charts[turn % len(charts)] if charts else ("", 120.0)
