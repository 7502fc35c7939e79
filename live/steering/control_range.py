"""The values of a numeric control, as a slider, a knob or a typed number give them."""

from dataclasses import dataclass
from functools import cache
from math import floor, log10
from typing import Final

from tatumflow.engine.controls import CONTROL_SPECS

CONTROLLER_HIGHEST: Final = 127
"""Greatest value of a MIDI controller."""

CONTROLLER_CENTRE: Final = 64
"""Value of a MIDI controller in the middle of its way; from there on a switch counts as on (MIDI 1.0 Detailed
Specification 4.2, "Control Change")."""

_STEPS_ACROSS: Final = 40


@dataclass(frozen=True, slots=True)
class ControlRange:
    """The values of a numeric control.

    Attributes:
        name: The control.
        low: Least value.
        high: Greatest value.
        unit: Its unit, empty for a plain number.
        default: Value of a fresh session.
        whole: Whether only whole numbers make sense.
        is_pitch: Whether the values are MIDI pitches.
    """

    name: str
    low: float
    high: float
    unit: str
    default: float
    whole: bool
    is_pitch: bool = False

    @property
    def step(self) -> float:
        """A round step: 1, 2 or 5 times a power of ten, about a fortieth of the range."""
        rough = (self.high - self.low) / _STEPS_ACROSS
        power = 10.0 ** floor(log10(rough))
        step = max(factor * power for factor in (1, 2, 5) if factor * power <= rough * 1.001)
        return max(1, round(step)) if self.whole and not self.is_pitch else 1 if self.whole else step

    def clamp(self, value: float) -> float:
        """Return the nearest allowed value."""
        value = min(self.high, max(self.low, value))
        return round(value) if self.whole else round(value, 6)

    def moved(self, value: float, steps: int) -> float:
        """Return a value some steps away, within the range."""
        return self.clamp(value + steps * self.step)

    def fraction(self, value: float) -> float:
        """Return where a value lies in the range, 0 to 1."""
        return (value - self.low) / (self.high - self.low)

    def at(self, fraction: float) -> float:
        """Return the value at a fraction of the range, on a multiple of the step."""
        value = self.low + min(1.0, max(0.0, fraction)) * (self.high - self.low)
        return self.clamp(round(value / self.step) * self.step)

    def of_controller(self, value: int) -> float:
        """Return the value that a MIDI controller at `value`, 0 to 127, sets.

        Its ends give the range's. A range with 0 between its ends has it in the controller's centre, so that
        a knob with a notch there finds it. Far more whole numbers than it has are counted from the least.
        """
        low, high = self.low, self.high
        if self.whole and high - low > CONTROLLER_HIGHEST * CONTROLLER_HIGHEST:
            return self.clamp(low + value)
        if not low < 0 < high:
            return self.clamp(round(low + value / CONTROLLER_HIGHEST * (high - low), 3))
        if value <= CONTROLLER_CENTRE:
            return self.clamp(round(low - value / CONTROLLER_CENTRE * low, 3))
        above = (value - CONTROLLER_CENTRE) / (CONTROLLER_HIGHEST - CONTROLLER_CENTRE)
        return self.clamp(round(above * high, 3))


@cache
def control_range(name: str) -> ControlRange:
    """Return the range of a numeric control.

    Raises:
        KeyError: if no numeric control has that name.
    """
    spec = CONTROL_SPECS[name]
    if isinstance(spec.default, str):
        raise KeyError(name)
    return ControlRange(name, spec.low, spec.high, spec.unit, spec.default, spec.is_whole, spec.pitch)
