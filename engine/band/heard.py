"""What the band hears of the players it accompanies."""

from collections import deque
from dataclasses import dataclass
from math import inf
from typing import Final

_WINDOW: Final = 4.0
"""Beats back over which density and loudness are measured."""

_NOW: Final = 2.0
"""Beats back over which the comping register counts as occupied."""

_CHORD: Final = 0.06
"""Beats within which notes count as struck together."""

_REGISTER: Final = range(45, 68)
_FULL: Final = 2.5
"""Notes a beat in the comping register with which it is fully occupied."""

_MOST: Final = 256


@dataclass(frozen=True, slots=True)
class Heard:
    """What the players do, human and companion together.

    Attributes:
        density: Onsets a beat over the last four beats, notes struck together as one; 0 and more.
        loudness: Their mean MIDI velocity; None where nothing was played.
        crowding: How much they play in the register of comping now, 0 to 1.
        silence: Beats since their last onset; infinite before the first.
    """

    density: float = 0.0
    loudness: float | None = None
    crowding: float = 0.0
    silence: float = inf

    @property
    def gap(self) -> bool:
        """Whether a phrase has just ended, so that there is room for an answer."""
        return 0.75 <= self.silence < inf


NOTHING: Final = Heard()
"""Silence."""


class BandEars:
    """Collects the players' onsets."""

    def __init__(self) -> None:
        self._onsets: deque[tuple[float, int, int]] = deque(maxlen=_MOST)

    def add(self, beat: float, pitch: int, velocity: int) -> None:
        """Add an onset of either player at a beat, past or shortly to come."""
        self._onsets.append((beat, pitch, velocity))

    def clear(self) -> None:
        """Forget everything: the beat has jumped."""
        self._onsets.clear()

    def heard(self, beat: float) -> Heard:
        """Return what was played up to a beat."""
        recent = sorted(onset for onset in self._onsets if beat - _WINDOW < onset[0] <= beat)
        past = [onset[0] for onset in self._onsets if onset[0] <= beat]
        if not past:
            return NOTHING
        strikes = 0
        last = -inf
        for at, _, _ in recent:
            strikes += at - last > _CHORD
            last = at
        crowd = sum(at > beat - _NOW and pitch in _REGISTER for at, pitch, _ in recent)
        return Heard(
            density=strikes / _WINDOW,
            loudness=sum(onset[2] for onset in recent) / len(recent) if recent else None,
            crowding=min(crowd / _NOW / _FULL, 1.0),
            silence=beat - max(past),
        )
