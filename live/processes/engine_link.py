"""What a screen needs of the engine process: commands out, the newest state in."""

from typing import Protocol

from tatumflow.engine.messages import Command, Snapshot
from tatumflow.live.audio.commands import AudioCommand
from tatumflow.live.audio.status import AudioStatus


class EngineLink(Protocol):
    """The screen's side of the border between the two processes. No method blocks or raises."""

    @property
    def alive(self) -> bool:
        """Return whether an engine process is running."""
        ...

    @property
    def restarting(self) -> bool:
        """Return whether the engine has crashed and is being started again."""
        ...

    @property
    def failure(self) -> str:
        """Return one line with the reason of the engine's last crash, empty if there was none."""
        ...

    def send(self, command: Command | AudioCommand) -> None:
        """Send the engine a command; dropped if no engine, or for a stem no ears, are running."""

    def latest(self) -> Snapshot | None:
        """Return the newest snapshot, None before the first.

        Each notice is in exactly one snapshot returned, even where snapshots were skipped, so a screen may
        show `notices` as they come. The same snapshot is returned again while nothing has changed, without
        its notices.
        """
        ...

    def audio(self) -> AudioStatus | None:
        """Return the newest state of the audio input; None where the session has none."""
        ...
