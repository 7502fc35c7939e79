"""The controls as the screen shows them: label, group and value."""

from typing import Final, get_args

from tatumflow.engine.control_specs import Group
from tatumflow.engine.controls import CONTROL_SPECS
from tatumflow.live.steering.actions import ACTIONS
from tatumflow.live.steering.control_range import ControlRange
from tatumflow.live.tui.labels import number, pitch_name

LABELS: Final[dict[str, str]] = {name: spec.label for name, spec in CONTROL_SPECS.items()}
"""What each control is called on the screen."""

ACTION_LABELS: Final[dict[str, str]] = {name: action.label for name, action in ACTIONS.items()}
"""And each action that a controller can set off."""

STRIP: Final = tuple(
    name
    for name in (
        "tempo",
        "tempo_step",
        "key_step",
        "choruses",
        "band",
        "band_style",
        "bass_volume",
        "comping_volume",
        "drums_volume",
    )
    if name in CONTROL_SPECS
)
"""The controls that stand in the strip, in its order."""

GROUPS: Final[dict[Group, tuple[str, ...]]] = {
    group: rows
    for group in get_args(Group)
    if (
        rows := tuple(
            name
            for name, spec in CONTROL_SPECS.items()
            if spec.group == group and spec.row and name not in STRIP
        )
    )
}
"""The rows of the control panel, group by group; the rest is in the strip or the command palette."""


def value_text(control: ControlRange, value: float) -> str:
    """Return a value as the screen shows it."""
    if control.is_pitch:
        return pitch_name(round(value))
    text = number(round(value) if control.whole else value, control.unit)
    return f"+{text}" if control.low < 0 < value else text
