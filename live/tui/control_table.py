"""The controls as the screen shows them: label, group, range and step, taken from the engine's own table."""

from dataclasses import dataclass, fields
from functools import cache
from math import floor, log10
from typing import Final

from tatumflow.engine.controls import Controls
from tatumflow.live.tui.labels import number, pitch_name

LABELS: Final[dict[str, str]] = {
    "mode": "Mode",
    "style": "Style",
    "style_b": "Blend with",
    "style_blend": "Blend",
    "style_strength": "Strength",
    "surprise": "Surprise",
    "chords": "Chords",
    "clock": "Clock",
    "tempo": "Tempo",
    "trade_bars": "Trade bars",
    "count_in": "Count-in",
    "metronome": "Metronome",
    "clock_out": "Clock out",
    "swing": "Swing",
    "grid_pull": "Grid pull",
    "pace": "Pace",
    "dynamics": "Dynamics",
    "temperature": "Temperature",
    "density": "Density",
    "velocity_follow": "Vel. follow",
    "max_polyphony": "Polyphony",
    "register_low": "Lowest",
    "register_high": "Highest",
    "top_p": "Top-p",
    "top_k": "Top-k",
    "min_p": "Min-p",
    "repetition": "No repeats",
    "lookahead": "Lookahead",
    "pitch_classes": "Pitch classes",
    "seed": "Seed",
}
"""What each control is called on the screen."""

GROUPS: Final[dict[str, tuple[str, ...]]] = {
    "Player": ("mode", "style", "style_strength", "style_b", "style_blend", "surprise", "chords", "tempo"),
    "Playing": (
        "temperature",
        "density",
        "velocity_follow",
        "max_polyphony",
        "register_low",
        "register_high",
    ),
    "Time": ("clock", "trade_bars", "count_in", "metronome", "swing", "grid_pull"),
    "Sampling": ("top_p", "top_k", "min_p", "repetition", "lookahead"),
}
"""The rows of the control panel, group by group; the rest is in the command palette."""

CHOICES: Final = ("mode", "style", "style_b", "chords", "clock")
"""Controls with a list of values; all others are numbers."""

CHARTS: Final = tuple(
    f"{name} in {key}"
    for name, keys in (("blues", "F Bb C"), ("minor blues", "C"), ("rhythm changes", "Bb"))
    for key in keys.split()
)
"""Charts offered in the list; any other can be written into the settings or given on the command line."""

_PITCHES: Final = ("register_low", "register_high")
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
    """

    name: str
    low: float
    high: float
    unit: str
    default: float
    whole: bool

    @property
    def step(self) -> float:
        """A round step: 1, 2 or 5 times a power of ten, about a fortieth of the range."""
        rough = (self.high - self.low) / _STEPS_ACROSS
        power = 10.0 ** floor(log10(rough))
        step = max(factor * power for factor in (1, 2, 5) if factor * power <= rough * 1.001)
        return max(1, round(step)) if self.whole and self.name not in _PITCHES else 1 if self.whole else step

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

    def text(self, value: float) -> str:
        """Return a value as the screen shows it."""
        if self.name in _PITCHES:
            return pitch_name(round(value))
        text = number(round(value) if self.whole else value, self.unit)
        return f"+{text}" if self.low < 0 < value else text


@cache
def control_range(name: str) -> ControlRange:
    """Return the range of a numeric control.

    Raises:
        KeyError: if no numeric control has that name.
    """
    control = {control.name: control for control in fields(Controls)}[name]
    low, high, unit = (control.metadata[key] for key in ("low", "high", "unit"))
    default = getattr(Controls(), name)
    return ControlRange(name, low, high, unit, default, isinstance(default, int))
