"""What one live control is: its range, its unit, its words for the screen and for the help."""

from collections.abc import Mapping, Sequence
from dataclasses import Field, dataclass, field, fields, replace
from math import isfinite, nan
from typing import Any, Final, Literal

from tatumflow.engine.errors import SettingError

Group = Literal["Player", "Playing", "Time", "Band", "Practice", "Sampling"]
"""A heading under which the screen and the documentation list controls."""

_SPEC: Final = "spec"


@dataclass(frozen=True, slots=True)
class ControlSpec:
    """The declaration of one control. Everything that shows, sets or explains controls is built from it.

    Attributes:
        name: Its name in settings, on the command line and in OSC addresses.
        default: Its value where nothing else is given; its type is that of every value.
        label: Its name on the screen.
        group: The heading under which it stands.
        help: One sentence for musicians: what it does, and what its values mean.
        low: Least value of a number.
        high: Greatest value of a number.
        unit: Unit of a number; empty for a plain one.
        choices: Every value of a word; empty where the model or the user gives them.
        pitch: Whether its values are MIDI pitches.
        steerable: Whether a MIDI controller can be assigned to it.
        row: Whether it has a row on the screen; the others are in the command palette.
    """

    name: str
    default: str | float | int
    label: str
    group: Group
    help: str
    low: float = 0
    high: float = 0
    unit: str = ""
    choices: tuple[str, ...] = ()
    pitch: bool = False
    steerable: bool = True
    row: bool = True

    @property
    def is_number(self) -> bool:
        """Whether its values are numbers; else they are text."""
        return not isinstance(self.default, str)

    @property
    def is_whole(self) -> bool:
        """Whether its values are whole numbers."""
        return isinstance(self.default, int)

    @property
    def is_switch(self) -> bool:
        """Whether it is either off, 0, or on, 1."""
        return self.is_whole and (self.low, self.high) == (0, 1)

    @property
    def values(self) -> str:
        """What values are allowed, in words, such as "0 to 8 bars"; empty for free text."""
        if self.choices:
            return ", ".join(self.choices)
        if not self.is_number:
            return ""
        return f"{self.low:.10g} to {self.high:.10g} {self.unit}".strip()

    @property
    def full_help(self) -> str:
        """The sentence of help, and the allowed values after it."""
        if not self.values or self.is_switch:
            return self.help
        return f"{self.help} {'One of' if self.choices else 'From'} {self.values}."

    def check(self, value: str | float | int) -> None:
        """Refuse a value of the right type that is not allowed.

        Raises:
            SettingError: if a word is not among the choices, or a number is out of range.
        """
        if self.choices and value not in self.choices:
            raise SettingError(f"{self.name}: {value!r} is not one of {', '.join(self.choices)}")
        if not isinstance(value, str) and not self.low <= value <= self.high:
            raise SettingError(f"{self.name}: {value} is outside the allowed range {self.low} to {self.high}")

    def converted(self, value: object) -> str | float | int:
        """Return a value as the control's type; a number may be given as text, a switch as true or false.

        Raises:
            SettingError: if it cannot be one.
        """
        if not self.is_number:
            if isinstance(value, str):
                return value
            raise SettingError(f"{self.name}: {value!r} is not a word or text; put it in quotation marks")
        if isinstance(value, bool):
            if self.is_switch:
                return int(value)
            raise SettingError(f"{self.name}: {value!r} is not a number")
        if self.is_whole and isinstance(value, int):
            return value
        try:
            number = float(value)  # pyright: ignore[reportArgumentType]
        except (TypeError, ValueError, OverflowError):
            number = nan
        if not isfinite(number):
            raise SettingError(f"{self.name}: {value!r} is not a number")
        if self.is_whole and not number.is_integer():
            raise SettingError(f"{self.name}: {value!r} is not a whole number")
        return int(number) if self.is_whole else number


def text(
    default: str,
    label: str,
    group: Group,
    help: str,
    choices: Sequence[str] = (),
    *,
    steerable: bool = True,
    row: bool = True,
) -> Any:  # noqa: ANN401
    """Declare a control whose values are text, as a field of a dataclass; see `ControlSpec`."""
    spec = ControlSpec("", default, label, group, help, choices=tuple(choices), steerable=steerable, row=row)
    return field(default=default, metadata={_SPEC: spec})


def number(
    default: float,
    low: float,
    high: float,
    label: str,
    group: Group,
    help: str,
    *,
    unit: str = "",
    pitch: bool = False,
    steerable: bool = True,
    row: bool = True,
) -> Any:  # noqa: ANN401
    """Declare a control whose values are numbers, as a field of a dataclass; see `ControlSpec`.

    Its values are whole numbers where the default is one.
    """
    spec = ControlSpec(
        "", default, label, group, help, low, high, unit, pitch=pitch, steerable=steerable, row=row
    )
    return field(default=default, metadata={_SPEC: spec})


def declared(controls: Any) -> Mapping[str, ControlSpec]:  # noqa: ANN401
    """Return the declarations of a dataclass of controls, by name, in the order of its fields."""
    return {control.name: _spec(control) for control in fields(controls)}


def _spec(control: Field[Any]) -> ControlSpec:
    return replace(control.metadata[_SPEC], name=control.name)
