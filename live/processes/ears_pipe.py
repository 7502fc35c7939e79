"""The ears' end of the pipe to the engine: notes and lines out, never holding up whoever hears."""

import threading
from collections import deque
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Final

from tatumflow.engine.messages import Notice
from tatumflow.engine.midi.events import InputLost, NoteOff, NoteOn
from tatumflow.live.audio.status import AudioStatus

_FLUSH_SECONDS: Final = 1.0


@dataclass(frozen=True, slots=True)
class EarsReady:
    """The device is open and the models are warm."""


@dataclass(frozen=True, slots=True)
class EarsFailure:
    """The last words of an ears process; `expected` when starting it again cannot help."""

    text: str
    expected: bool


EarsReport = NoteOn | NoteOff | InputLost | AudioStatus | Notice | EarsReady | EarsFailure
"""What an ears process sends; times are seconds of the clock that all processes of this machine share."""


class EngineEnd:
    """Whoever plays, at the other end: gets all in order, but of the states of the sound only the newest."""

    def __init__(self, connection: Connection) -> None:
        """Begin to send.

        Args:
            connection: Takes `EarsReport`s.
        """
        self._connection = connection
        self._changed = threading.Condition()
        self._reports: deque[EarsReport] = deque()
        self._status: AudioStatus | None = None
        self._closing = False
        self._writer = threading.Thread(target=self._write, name="ears writer", daemon=True)
        self._writer.start()

    def report(self, report: EarsReport) -> None:
        """Send something soon, after what waits; any thread may call this, and does not wait."""
        with self._changed:
            self._reports.append(report)
            self._changed.notify()

    def show(self, status: AudioStatus) -> None:
        """Send a state of the sound soon; it replaces one not sent yet."""
        with self._changed:
            self._status = status
            self._changed.notify()

    def close(self) -> None:
        """Send what waits, for a second at most, and stop."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        self._writer.join(_FLUSH_SECONDS)

    def _write(self) -> None:
        while True:
            with self._changed:
                while self._status is None and not self._reports:
                    if self._closing:
                        return
                    self._changed.wait()
                waiting = list(self._reports)
                self._reports.clear()
                if self._status is not None:
                    # Before `EarsReady`, so that whoever waits for that knows what is heard.
                    waiting.insert(0, self._status)
                    self._status = None
            try:
                for report in waiting:
                    self._connection.send(report)
            except OSError:
                return
