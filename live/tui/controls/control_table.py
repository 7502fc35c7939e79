"""The controls as the screen shows them: label, group and value."""

from typing import Final

from tatumflow.live.steering.control_range import ControlRange
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
    "phrases": "Phrases",
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

ACTION_LABELS: Final[dict[str, str]] = {
    "turn": "Turn",
    "tap": "Tap tempo",
    "bars": "Begin bars",
    "panic": "Panic",
}
"""And each action that a controller can set off."""

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
    "Time": ("clock", "trade_bars", "phrases", "count_in", "metronome", "swing", "grid_pull"),
    "Sampling": ("top_p", "top_k", "min_p", "repetition", "lookahead"),
}
"""The rows of the control panel, group by group; the rest is in the command palette."""


def value_text(control: ControlRange, value: float) -> str:
    """Return a value as the screen shows it."""
    if control.is_pitch:
        return pitch_name(round(value))
    text = number(round(value) if control.whole else value, control.unit)
    return f"+{text}" if control.low < 0 < value else text
