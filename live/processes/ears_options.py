"""What an ears process starts with."""

from dataclasses import dataclass
from pathlib import Path

from tatumflow.live.settings import AudioSettings


@dataclass(frozen=True, slots=True)
class EarsOptions:
    """What an ears process starts with.

    Attributes:
        settings: What is heard, and how.
        folder: Of the stems' recording, numbered if it exists.
    """

    settings: AudioSettings
    folder: Path
