"""The engine's end of the pipe to the screen: commands in, snapshots out, never holding the engine up."""

import threading
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from typing import Final, Protocol

from tatumflow.engine.messages import Command, Shutdown, Snapshot
from tatumflow.live.audio.commands import AudioCommand
from tatumflow.live.audio.status import AudioStatus

_FLUSH_SECONDS: Final = 1.0


@dataclass(frozen=True, slots=True)
class EngineReady:
    """The ports are open and the model is warm."""


@dataclass(frozen=True, slots=True)
class EngineFailure:
    """The last words of an engine process; `expected` when starting it again cannot help."""

    text: str
    expected: bool


Report = Snapshot | AudioStatus | EngineReady | EngineFailure
"""What an engine process sends."""


class Takes(Protocol):
    """What takes the screen's commands."""

    def put(self, item: Command | AudioCommand, /) -> None:
        """Take a command; must not block."""
        ...


class Screen:
    """Whoever is at the other end: if slow, it misses states; if gone, the session ends."""

    def __init__(self, connection: Connection, inbox: Takes) -> None:
        """Wait to be started.

        Args:
            connection: Gives `Command`s, takes `Report`s.
            inbox: Takes the commands, and a `Shutdown` once the other end is gone.
        """
        self._connection = connection
        self._inbox = inbox
        self._changed = threading.Condition()
        self._snapshot: Snapshot | None = None
        self._audio: AudioStatus | None = None
        self._reports: list[EngineReady | EngineFailure] = []
        self._closing = False
        self._reader = threading.Thread(target=self._read, name="screen reader", daemon=True)
        self._writer = threading.Thread(target=self._write, name="screen writer", daemon=True)

    def start(self) -> None:
        """Begin to read and to send."""
        self._reader.start()
        self._writer.start()

    def show(self, snapshot: Snapshot) -> None:
        """Send a snapshot soon; it replaces one not sent yet, but keeps that one's notices."""
        with self._changed:
            if self._snapshot is not None:
                snapshot = replace(snapshot, notices=self._snapshot.notices + snapshot.notices)
            self._snapshot = snapshot
            self._changed.notify()

    def show_audio(self, status: AudioStatus) -> None:
        """Send a state of the sound soon; it replaces one not sent yet."""
        with self._changed:
            self._audio = status
            self._changed.notify()

    def report(self, report: EngineReady | EngineFailure) -> None:
        """Send a report soon, after the snapshot and the state of the sound that wait."""
        with self._changed:
            self._reports.append(report)
            self._changed.notify()

    def close(self) -> None:
        """Send what waits, for a second at most, and stop."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        if self._writer.is_alive():
            self._writer.join(_FLUSH_SECONDS)

    def _read(self) -> None:
        try:
            while True:
                self._inbox.put(self._connection.recv())
        except (EOFError, OSError):
            self._inbox.put(Shutdown())

    def _write(self) -> None:
        while True:
            with self._changed:
                while self._snapshot is None and self._audio is None and not self._reports:
                    if self._closing:
                        return
                    self._changed.wait()
                shown = (self._snapshot, self._audio)
                waiting: list[Report] = [state for state in shown if state is not None]
                waiting += self._reports
                self._snapshot = self._audio = None
                self._reports = []
            try:
                for report in waiting:
                    self._connection.send(report)
            except OSError:
                return
