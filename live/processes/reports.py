"""What a child process reports to the process that started it, and the child's end of the pipe for it."""

import threading
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from typing import Final

from tatumflow.engine.messages import Notice, Snapshot
from tatumflow.engine.midi.events import InputLost, NoteOff, NoteOn
from tatumflow.live.audio.status import AudioStatus

_FLUSH_SECONDS: Final = 1.0


@dataclass(frozen=True, slots=True)
class Ready:
    """The devices of a child process are open and its models are warm."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a child process ends, in one line; `expected` when starting it again cannot help."""

    text: str
    expected: bool


EngineReport = Snapshot | AudioStatus | Ready | Failure
"""What an engine process sends."""

EarsReport = NoteOn | NoteOff | InputLost | AudioStatus | Notice | Ready | Failure
"""What an ears process sends; times are seconds of the clock that all processes of this machine share."""


class ReportPipe:
    """Sends every report in order, but of `Snapshot` and `AudioStatus`, the states, only the newest.

    A reader that is slow misses states; one that is gone holds nothing up. Any thread may call `report` and
    `show`; neither blocks.
    """

    def __init__(self, connection: Connection) -> None:
        """Begin to send `EngineReport`s or `EarsReport`s to a connection."""
        self._connection = connection
        self._changed = threading.Condition()
        self._states: dict[type, Snapshot | AudioStatus] = {}
        self._reports: list[EngineReport | EarsReport] = []
        self._closing = False
        self._writer = threading.Thread(target=self._write, name="report writer", daemon=True)
        self._writer.start()

    def report(self, report: EngineReport | EarsReport) -> None:
        """Send a report soon, after the states and reports that wait."""
        with self._changed:
            self._reports.append(report)
            self._changed.notify()

    def show(self, state: Snapshot | AudioStatus) -> None:
        """Send a state soon; it replaces one not sent yet, but keeps the notices of a snapshot."""
        with self._changed:
            before = self._states.get(type(state))
            if isinstance(state, Snapshot) and isinstance(before, Snapshot):
                state = replace(state, notices=before.notices + state.notices)
            self._states[type(state)] = state
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
                while not self._states and not self._reports:
                    if self._closing:
                        return
                    self._changed.wait()
                # States come before `Ready`, so that the first state is there when `Ready` arrives.
                waiting = [*self._states.values(), *self._reports]
                self._states, self._reports = {}, []
            try:
                for report in waiting:
                    self._connection.send(report)
            except OSError:
                return
