"""The styles of the band, one table."""

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Final, Literal, get_args

from tatumflow.engine.band.band_style import BandStyle, BassPattern, BassRole, BassStrike, Cell, Stroke
from tatumflow.engine.band.drum_keys import CLOSED_HAT, KICK, PEDAL_HAT, RIDE, SIDE_STICK, SNARE

StyleName = Literal[
    "auto",
    "swing",
    "two-feel",
    "ballad",
    "up-tempo",
    "jazz waltz",
    "bossa",
    "12/8 blues",
    "even eighths",
]
STYLE_NAMES: Final[tuple[StyleName, ...]] = get_args(StyleName)
"""The values of the control: the styles, and `AUTO`."""

AUTO: Final = "auto"
"""Leaves the style to the chart: its own, else by its metre and the tempo."""

_SLOW, _FAST = 76.0, 230.0
"""Beats per minute below which a tune is a ballad, and from which it is up-tempo, if it names no style."""


def _pattern(weight: float, *strikes: tuple[float, float, BassRole]) -> BassPattern:
    return BassPattern(weight, tuple(BassStrike(*strike) for strike in strikes))


def _cell(weight: float, *hits: tuple[float, float]) -> Cell:
    return Cell(weight, hits)


_WALK_4: Final = BassPattern(1, tuple(BassStrike(place, 0.92) for place in range(4)))
_WALK_3: Final = BassPattern(1, tuple(BassStrike(place, 0.92) for place in range(3)))
_WALKING: Final = MappingProxyType({4: (_WALK_4,), 3: (_WALK_3,)})

_HALVES_4: Final = (
    _pattern(4, (0, 1.85, "root"), (2, 1.85, "fifth")),
    _pattern(2, (0, 1.85, "root"), (2, 0.95, "fifth"), (3, 0.9, "pickup")),
    _pattern(2, (0, 1.85, "root"), (2, 1.4, "fifth"), (3.5, 0.4, "pickup")),
    _pattern(1, (0, 1.4, "root"), (1.5, 0.4, "pickup"), (2, 1.85, "fifth")),
)
_HALVES_3: Final = (
    _pattern(3, (0, 2.8, "root")),
    _pattern(3, (0, 1.85, "root"), (2, 0.9, "pickup")),
    _pattern(1, (0, 1.4, "root"), (1.5, 1.3, "fifth")),
)

_SWING_CELLS: Final = (
    _cell(3),
    _cell(5, (0, 0.6), (1.5, 0.4)),
    _cell(3, (0, 1.4), (1.5, 0.4)),
    _cell(1.6, (1.5, 0.4)),
    _cell(1.2, (1.5, 1.2)),
    _cell(2.5, (0.5, 0.4)),
    _cell(1.2, (0.5, 1.3)),
    _cell(1.5, (0.5, 0.4), (1.5, 0.4)),
    _cell(1, (1, 0.4)),
    _cell(1.2, (0, 0.4)),
    _cell(1.2, (0, 1.8)),
    _cell(0.4, (0, 0.35), (1, 0.35)),
    _cell(0.4, (0.5, 0.35), (1, 0.6)),
)
"""Two beats each, so that the Charleston, its reverse on the off-beat, Red Garland's pair of off-beats and
anticipations arise from how they follow each other."""

_SWING_CELLS_3: Final = (
    _cell(2),
    _cell(2, (0, 1.2), (1.5, 0.4)),
    _cell(2, (1, 0.5), (2, 0.5)),
    _cell(2, (1.5, 1.2)),
    _cell(1.5, (0, 2.6)),
    _cell(1.5, (0.5, 0.4), (2, 0.8)),
    _cell(1, (2.5, 0.4)),
    _cell(1, (0, 0.5), (2.5, 0.4)),
    _cell(1, (1, 1.6)),
)

_SUSTAINED_CELLS: Final = (
    _cell(1),
    _cell(4, (0, 1.9)),
    _cell(2, (0, 0.9), (1.5, 0.45)),
    _cell(2, (1, 0.9)),
    _cell(1, (0.5, 1.4)),
    _cell(0.7, (1.5, 0.5)),
)
_BOSSA_CELLS: Final = (
    _cell(3, (0, 1.3), (1.5, 1.3), (3, 0.9)),
    _cell(3, (1, 0.45), (2.5, 1.3)),
    _cell(3, (0, 0.9), (1.5, 0.45), (2.5, 0.9), (3.5, 0.5)),
    _cell(2, (0.5, 0.9), (1.5, 0.45), (3, 0.9)),
    _cell(2, (0, 1.3), (1.5, 2.3)),
    _cell(2, (0, 0.45), (1.5, 0.45), (2.5, 0.45)),
    _cell(1, (1.5, 2.2)),
    _cell(1, (0, 3.6)),
)
_BOSSA_CELLS_3: Final = (
    _cell(3, (0, 1.3), (1.5, 1.3)),
    _cell(2, (0.5, 0.9), (2, 0.9)),
    _cell(2, (0, 0.9), (1.5, 0.45), (2.5, 0.5)),
    _cell(1, (0, 2.7)),
)
_EVEN_CELLS: Final = (
    _cell(3, (0, 3.6)),
    _cell(3, (0, 1.4), (1.5, 2.3)),
    _cell(2, (0.5, 3.2)),
    _cell(2, (0, 1.4), (2.5, 1.3)),
    _cell(2, (1.5, 0.9), (3, 0.9)),
    _cell(1, (0, 0.45), (1.5, 0.45), (3, 0.9)),
    _cell(1, (2, 1.9)),
    _cell(1),
)
_TWELVE_EIGHT_CELLS: Final = (
    _cell(2),
    _cell(3, (0.5, 0.35), (1.5, 0.35)),
    _cell(3, (1, 0.5)),
    _cell(2, (0, 0.5), (1.5, 0.4)),
    _cell(2, (1, 0.3), (4 / 3, 0.3), (5 / 3, 0.3)),
    _cell(1, (0, 1.8)),
    _cell(2, (1.5, 0.4)),
)


def _ride(
    *, skip: float = 0.92, extra: float = 0.1, soft: int = 0, feather: float = 0.85
) -> tuple[Stroke, ...]:
    """Return the ride pattern: quarters, the skip notes after two and four, the hi-hat on two and four."""
    strokes = [Stroke(place, RIDE, (80 if place % 2 == 0 else 90) - soft) for place in range(4)]
    strokes += [Stroke(place, RIDE, 68 - soft, skip) for place in (1.5, 3.5)]
    strokes += [Stroke(place, RIDE, 60 - soft, extra) for place in (0.5, 2.5)]
    strokes += [Stroke(place, PEDAL_HAT, 78 - soft) for place in (1, 3)]
    return (*strokes, *(Stroke(place, KICK, 32, feather) for place in range(4)))


def _waltz_ride(*, soft: int = 0) -> tuple[tuple[Stroke, ...], ...]:
    time = (
        *(Stroke(place, RIDE, (86 if place == 0 else 78) - soft) for place in range(3)),
        Stroke(1.5, RIDE, 66 - soft, 0.8),
        Stroke(2.5, RIDE, 62 - soft, 0.3),
        Stroke(0, KICK, 52 - soft, 0.9),
        Stroke(1, PEDAL_HAT, 76 - soft),
    )
    return (time, (*time, Stroke(2, PEDAL_HAT, 66 - soft, 0.5)))


_BOSSA_TIME: Final = (
    *(Stroke(place / 2, CLOSED_HAT, 56 if place % 2 == 0 else 46) for place in range(8)),
    *(Stroke(place, KICK, 62 if place % 2 == 0 else 50) for place in (0, 1.5, 2, 3.5)),
    *(Stroke(place, PEDAL_HAT, 60) for place in (1, 3)),
)
_BOSSA_DRUMS: Final = (
    (*_BOSSA_TIME, *(Stroke(place, SIDE_STICK, 70) for place in (0, 1.5, 3))),
    (*_BOSSA_TIME, *(Stroke(place, SIDE_STICK, 70) for place in (1, 2.5))),
)
_BOSSA_DRUMS_3: Final = (
    (
        *(Stroke(place / 2, CLOSED_HAT, 56 if place % 2 == 0 else 46) for place in range(6)),
        *(Stroke(place, KICK, 58) for place in (0, 1.5)),
        *(Stroke(place, SIDE_STICK, 66) for place in (1, 2)),
    ),
)
_EVEN_DRUMS: Final = (
    (
        *(Stroke(place / 2, RIDE, 74 if place in (0, 3, 6) else 58, 0.95) for place in range(8)),
        *(Stroke(place, PEDAL_HAT, 64) for place in (1, 3)),
        Stroke(0, KICK, 58),
        Stroke(1.5, KICK, 48, 0.5),
        Stroke(2.5, KICK, 52, 0.6),
        Stroke(3, SIDE_STICK, 58, 0.8),
    ),
)
_EVEN_DRUMS_3: Final = (
    (
        *(Stroke(place / 2, RIDE, 74 if place in (0, 3) else 58, 0.95) for place in range(6)),
        Stroke(1, PEDAL_HAT, 64),
        Stroke(0, KICK, 58),
        Stroke(2, SIDE_STICK, 58, 0.6),
    ),
)
_TWELVE_EIGHT_DRUMS: Final = (
    (
        *(
            Stroke(beat + third, RIDE, loud, chance)
            for beat in range(4)
            for third, loud, chance in ((0, 84, 1.0), (1 / 3, 58, 0.35), (2 / 3, 66, 0.95))
        ),
        *(Stroke(place, PEDAL_HAT, 78) for place in (1, 3)),
        *(Stroke(place, SNARE, 74) for place in (1, 3)),
        *(Stroke(place, KICK, 70) for place in (0, 2)),
        Stroke(3 + 2 / 3, KICK, 56, 0.4),
    ),
)
_TWELVE_EIGHT_DRUMS_3: Final = (
    (
        *(
            Stroke(beat + third, RIDE, loud, chance)
            for beat in range(3)
            for third, loud, chance in ((0, 84, 1.0), (1 / 3, 58, 0.35), (2 / 3, 66, 0.95))
        ),
        Stroke(0, KICK, 72),
        *(Stroke(place, PEDAL_HAT, 74) for place in (1, 2)),
        Stroke(2, SNARE, 66, 0.8),
    ),
)

_SWING_COMPING: Final = MappingProxyType({2: _SWING_CELLS, 3: _SWING_CELLS_3})

_TABLE: Final = (
    BandStyle(
        "swing", 3.5, _WALKING, 0.1, _SWING_COMPING, 0.5, 0.2,
        MappingProxyType({4: (_ride(),), 3: _waltz_ride()}), 0.4, 0.8,
    ),
    BandStyle(
        "two-feel", 3.5, MappingProxyType({4: _HALVES_4, 3: _HALVES_3}), 0.0, _SWING_COMPING, 0.42, 0.2,
        MappingProxyType({4: (_ride(extra=0.03, soft=8, feather=0.4),), 3: _waltz_ride(soft=8)}), 0.22, 0.6,
    ),
    BandStyle(
        "ballad", 2.0, MappingProxyType({4: _HALVES_4, 3: _HALVES_3}), 0.0,
        MappingProxyType({2: _SUSTAINED_CELLS, 3: _SWING_CELLS_3}), 0.5, 0.05,
        MappingProxyType({4: (_ride(skip=0.75, extra=0.03, soft=26, feather=0.3),), 3: _waltz_ride(soft=24)}),
        0.1, 0.45, loudness=50,
    ),
    BandStyle(
        "up-tempo", 3.5, _WALKING, 0.02, _SWING_COMPING, 0.36, 0.5,
        MappingProxyType({4: (_ride(skip=0.8, extra=0.02, feather=0.3),), 3: _waltz_ride()}), 0.35, 0.75,
        triplets=False,
    ),
    BandStyle(
        "jazz waltz", 3.5,
        MappingProxyType({3: (replace(_WALK_3, weight=6), *_HALVES_3), 4: (_WALK_4,)}), 0.06,
        _SWING_COMPING, 0.45, 0.15,
        MappingProxyType({3: _waltz_ride(), 4: (_ride(),)}), 0.35, 0.7,
    ),
    BandStyle(
        "bossa", 1.0,
        MappingProxyType({
            4: (
                _pattern(5, (0, 1.4, "root"), (1.5, 0.45, "fifth"), (2, 1.4, "fifth"), (3.5, 0.45, "pickup")),
                _pattern(1, (0, 1.4, "root"), (1.5, 0.45, "root"), (2, 1.9, "fifth")),
            ),
            3: (_pattern(1, (0, 1.4, "root"), (1.5, 0.45, "fifth"), (2, 0.9, "fifth")),),
        }),
        0.0, MappingProxyType({2: _SUSTAINED_CELLS, 3: _BOSSA_CELLS_3, 4: _BOSSA_CELLS}), 0.62, 0.0,
        MappingProxyType({4: _BOSSA_DRUMS, 3: _BOSSA_DRUMS_3}), 0.04, 0.5, loudness=55, triplets=False,
    ),
    BandStyle(
        "12/8 blues", 2.0, MappingProxyType({4: (_WALK_4,), 3: (_WALK_3,)}), 0.3,
        MappingProxyType({2: _TWELVE_EIGHT_CELLS, 3: _SWING_CELLS_3}), 0.6, 0.2,
        MappingProxyType({4: _TWELVE_EIGHT_DRUMS, 3: _TWELVE_EIGHT_DRUMS_3}), 0.12, 0.85,
    ),
    BandStyle(
        "even eighths", 1.0,
        MappingProxyType({
            4: (
                _pattern(3, (0, 1.4, "root"), (1.5, 1.4, "fifth"), (3, 0.9, "pickup")),
                _pattern(2, (0, 2.4, "root"), (2.5, 1.4, "fifth")),
                _pattern(2, (0, 1.4, "root"), (1.5, 0.45, "root"), (2, 1.4, "fifth"), (3.5, 0.45, "pickup")),
                _pattern(1, (0, 3.8, "root")),
            ),
            3: (
                _pattern(2, (0, 1.4, "root"), (1.5, 1.4, "fifth")),
                _pattern(1, (0, 2.8, "root")),
                _pattern(1, (0, 1.9, "root"), (2, 0.9, "pickup")),
            ),
        }),
        0.0, MappingProxyType({2: _SUSTAINED_CELLS, 3: _BOSSA_CELLS_3, 4: _EVEN_CELLS}), 0.42, 0.0,
        MappingProxyType({4: _EVEN_DRUMS, 3: _EVEN_DRUMS_3}), 0.12, 0.5, loudness=55, triplets=False,
    ),
)  # fmt: skip

STYLES: Final[Mapping[str, BandStyle]] = MappingProxyType({style.name: style for style in _TABLE})
"""Every style by its name."""

_WORDS: Final = (
    ("bossa", "bossa"),
    ("samba", "bossa"),
    ("latin", "bossa"),
    ("brazil", "bossa"),
    ("waltz", "jazz waltz"),
    ("ballad", "ballad"),
    ("slow", "ballad"),
    ("two", "two-feel"),
    ("2-feel", "two-feel"),
    ("up", "up-tempo"),
    ("fast", "up-tempo"),
    ("bebop", "up-tempo"),
    ("12/8", "12/8 blues"),
    ("12-8", "12/8 blues"),
    ("shuffle", "12/8 blues"),
    ("even", "even eighths"),
    ("straight", "even eighths"),
    ("ecm", "even eighths"),
    ("funk", "even eighths"),
    ("rock", "even eighths"),
    ("pop", "even eighths"),
    ("swing", "swing"),
)


def style_for(own: str, beats_per_bar: int, tempo: float) -> BandStyle:
    """Return the style of a chart: the one that its own words name, else by its metre and the tempo.

    Args:
        own: The style that the chart names, in any words, such as "Medium Up Swing"; may be empty.
        beats_per_bar: Beats of its bars.
        tempo: Beats per minute.
    """
    words = own.lower()
    named = [(words.find(word), style) for word, style in _WORDS if word in words]
    if named and not all(style == "swing" for _, style in named):
        # "Medium Up Swing" is up-tempo only where it is fast.
        style = next(style for _, style in named if style != "swing")
        if style != "up-tempo" or tempo >= _FAST:
            return STYLES[style]
    if beats_per_bar == 3:
        return STYLES["jazz waltz"]
    if tempo < _SLOW:
        return STYLES["ballad"]
    return STYLES["up-tempo" if tempo >= _FAST else "swing"]
