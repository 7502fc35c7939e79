"""Commands to the ears, the process of the audio input: the mix of the stems, and the stem to transcribe."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SetStem:
    """Change the mix of a stem; None leaves a value as it is, an invalid one is refused with a `Notice`."""

    name: str
    gain_db: float | None = None
    muted: bool | None = None
    soloed: bool | None = None


@dataclass(frozen=True, slots=True)
class ChooseStem:
    """Transcribe this stem for the companion; the empty string none."""

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
