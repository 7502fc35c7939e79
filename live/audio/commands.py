"""Commands to the ears of a session: how the stems are heard, and which of them plays."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SetStem:
    """Change how a stem is heard; None leaves what it is, an invalid value is refused with a `Notice`."""

    name: str
    gain_db: float | None = None
    muted: bool | None = None
    soloed: bool | None = None


@dataclass(frozen=True, slots=True)
class ChooseStem:
    """Let the companion hear this stem; the empty string none."""

    name: str


@dataclass(frozen=True, slots=True)
class BypassSeparation:
    """Play the dry signal on purpose, or the stems again."""

    bypass: bool


@dataclass(frozen=True, slots=True)
class RecordStems:
    """Record the stems from now on, or end their recording."""

    on: bool


AudioCommand = SetStem | ChooseStem | BypassSeparation | RecordStems
