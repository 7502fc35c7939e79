"""Knobs, faders and pedals of a MIDI controller, and what each of them steers."""

from collections.abc import Mapping, Sequence
from typing import Final

from tatumflow.engine.controls import CONTROL_SPECS, Controls
from tatumflow.engine.errors import SettingError
from tatumflow.engine.messages import Command, SetControl
from tatumflow.engine.midi.events import ALL_SOUND_OFF, SUSTAIN, ControlChange
from tatumflow.live.steering.actions import ACTIONS
from tatumflow.live.steering.control_choices import CHOICES, options_of
from tatumflow.live.steering.control_range import CONTROLLER_CENTRE, CONTROLLER_HIGHEST, control_range

STEERABLE: Final = (
    *(name for name, spec in CONTROL_SPECS.items() if spec.steerable),
    *ACTIONS,
)
"""What a controller can be assigned to: every control that is declared steerable, and every action."""

STEERS_VALUE: Final = 1
"""In `ControlSurface.taken`: a control, or whatever is learned next; only the newest position counts."""

STEERS_ACTION: Final = 2
"""In `ControlSurface.taken`: an action, which needs every movement."""

STEERS_PANIC: Final = 3
"""In `ControlSurface.taken`: panic, which needs every movement at once."""


def is_assignable(number: int) -> bool:
    """Return whether a controller of this number can steer: all but the sustain pedal and channel modes."""
    return 0 <= number < ALL_SOUND_OFF and number != SUSTAIN


def checked_assignments(assigned: Mapping[str, int]) -> dict[str, int]:
    """Return controller numbers by what they steer, as they were given.

    Raises:
        SettingError: if one steers nothing that there is, cannot be assigned, or steers two things.
    """
    by_number: dict[int, str] = {}
    for target, number in assigned.items():
        _check_steerable(target)
        if not is_assignable(number):
            raise SettingError(
                f"{target}: controller {number} cannot be assigned; 0 to {ALL_SOUND_OFF - 1} can, but for "
                f"{SUSTAIN}, the sustain pedal"
            )
        if number in by_number:
            raise SettingError(f"controller {number} steers {by_number[number]} already, not {target} too")
        by_number[number] = target
    return dict(assigned)


def _check_steerable(target: str) -> None:
    if target not in STEERABLE:
        raise SettingError(
            f"{target!r} cannot be steered by a controller; what can is {', '.join(STEERABLE)}"
        )


def value_of_controller(control: str, value: int, styles: Sequence[str]) -> str | float:
    """Return the value of a control that a controller at `value`, 0 to 127, sets; lists are spread evenly.

    `styles` holds the slugs of the styles of the model.
    """
    if control not in CHOICES:
        return control_range(control).of_controller(value)
    options = options_of(control, styles)
    return options[value * len(options) // (CONTROLLER_HIGHEST + 1)]


class ControlSurface:
    """The assignments of a session. A controller that steers is not music: no output and no model gets it.

    On every channel a number means the same. A pedal or pad sets its action off when it goes down, that is
    from below the centre to it or above.

    Attributes:
        taken: A byte for each controller number: 0 where it does not steer, else `STEERS_VALUE`,
            `STEERS_ACTION` or `STEERS_PANIC`. The MIDI callback reads it without a lock.
        learning: What the next controller that moves will steer; empty for nothing.
    """

    def __init__(self, assigned: Mapping[str, int]) -> None:
        """Begin with these controller numbers by what they steer, as `checked_assignments` returns them."""
        self.taken = bytearray(CONTROLLER_HIGHEST + 1)
        self.learning = ""
        self._targets = {number: target for target, number in assigned.items()}
        self._down = bytearray(CONTROLLER_HIGHEST + 1)
        self._take()

    @property
    def assigned(self) -> tuple[tuple[str, int], ...]:
        """What is steered and the number of the controller that steers it, by number."""
        return tuple((target, number) for number, target in sorted(self._targets.items()))

    def learn(self, target: str) -> None:
        """Let the next controller that moves steer `target`; with the empty string, none does.

        Raises:
            SettingError: if no controller can steer it.
        """
        if target:
            _check_steerable(target)
        self.learning = target
        self._take()

    def forget(self, target: str) -> None:
        """Let no controller steer `target`."""
        self._targets = {number: other for number, other in self._targets.items() if other != target}
        self._take()

    def takes(self, event: ControlChange) -> bool:
        """Return whether a controller's movement is for us and not music."""
        return bool(self.taken[event.number])

    def assign(self, number: int) -> str:
        """Let a controller steer what waits for one, and nothing else; return what that is."""
        target = self.learning
        self.forget(target)
        self._targets[number] = target
        self._down[number] = 1
        self.learn("")
        return target

    def command(self, event: ControlChange, controls: Controls, styles: Sequence[str]) -> Command | None:
        """Return the command of a movement under the controls in force; None if it changes nothing."""
        target = self._targets.get(event.number, "")
        was_down, is_down = self._down[event.number], event.value >= CONTROLLER_CENTRE
        self._down[event.number] = is_down
        if target in ACTIONS:
            return ACTIONS[target].command(event.time) if is_down and not was_down else None
        if not target:
            return None
        value = value_of_controller(target, event.value, styles)
        if target == "register_low":
            value = min(value, controls.register_high)
        elif target == "register_high":
            value = max(value, controls.register_low)
        return None if value == getattr(controls, target) else SetControl(target, value)

    def _take(self) -> None:
        for number in range(len(self.taken)):
            waited_for = bool(self.learning) and is_assignable(number)
            self.taken[number] = _kind(self._targets[number]) if number in self._targets else waited_for


def _kind(target: str) -> int:
    return STEERS_PANIC if target == "panic" else STEERS_ACTION if target in ACTIONS else STEERS_VALUE
