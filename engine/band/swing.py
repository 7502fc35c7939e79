"""The swing of the band: where the second eighth of a beat falls, by the tempo."""

from typing import Final

_SHORT_NOTE: Final = 0.1
"""Seconds of the second of two swung eighths, about constant at medium and fast tempos."""

LARGEST_RATIO: Final = 3.5
"""Largest ratio of the first eighth to the second that drummers play, at slow tempos."""


def swing_ratio(tempo: float, most: float = LARGEST_RATIO) -> float:
    """Return the ratio of the first of two eighths to the second at a tempo in beats per minute.

    Drummers play 3.5:1 at slow tempos and even eighths at 300 beats per minute, the second eighth lasting
    about a tenth of a second over a wide range (Friberg and Sundström, "Swing ratios and ensemble timing in
    jazz performance: evidence for a common rhythmic pattern", Music Perception 19, 2002).

    Args:
        tempo: Greater than 0.
        most: Largest ratio of the style; 1 for even eighths, 2 for triplets.
    """
    return min(max(60 / tempo / _SHORT_NOTE - 1, 1.0), most, LARGEST_RATIO)


def offbeat(tempo: float, most: float = LARGEST_RATIO) -> float:
    """Return where the second eighth of a beat falls, 0.5 to 0.78 of the beat; see `swing_ratio`."""
    ratio = swing_ratio(tempo, most)
    return ratio / (ratio + 1)


def swung(place: float, off: float) -> float:
    """Return a place in beats with its straight off-beat, the half of a beat, moved to `off` of the beat."""
    whole = place // 1
    return whole + off if place - whole == 0.5 else place
