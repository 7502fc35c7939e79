"""What the child processes of a session start with."""

from dataclasses import dataclass
from pathlib import Path

from tatumflow.live.settings import AudioSettings, Settings


@dataclass(frozen=True, slots=True)
class EngineOptions:
    """What an engine process starts with.

    Attributes:
        settings: The user's settings.
        need_input: Whether a missing input port is an error rather than something to wait for.
        need_output: The same for the output port.
        need_ears: Whether an audio input that cannot be opened is an error rather than a notice.
        recording: File to record to, numbered if it exists; None for one named by the time, in the
            settings' folder.
    """

    settings: Settings
    need_input: bool = False
    need_output: bool = False
    need_ears: bool = False
    recording: Path | None = None


@dataclass(frozen=True, slots=True)
class EarsOptions:
    """What an ears process starts with.

    Attributes:
        settings: The audio input, its separator and its note tracker.
        folder: Folder of the recorded stems, numbered if it exists.
    """

    settings: AudioSettings
    folder: Path
