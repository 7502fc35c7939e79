"""A screen without a terminal, for measuring what its drawing costs the other processes."""

import threading
from multiprocessing.connection import Connection
from typing import Final

from tatumflow.engine.messages import Command, Snapshot
from tatumflow.live.audio.commands import AudioCommand
from tatumflow.live.audio.status import AudioStatus
from tatumflow.live.processes.reports import EngineReport
from tatumflow.live.tui.app import TatumFlowApp

_SIZE: Final = (120, 36)


class _PipeLink:
    """The screen's end of the pipe; an `engine_link.EngineLink` to an engine that takes no commands."""

    alive = True
    failure = ""
    restarting = False

    def __init__(self, painter: Connection) -> None:
        self.drawn = 0
        self.newest: Snapshot | None = None
        self._begun = False
        self._shown: Snapshot | None = None
        self._painter = painter

    def send(self, command: Command | AudioCommand) -> None:
        """Drop the command."""

    def audio(self) -> AudioStatus | None:
        """Return None: there is no audio input here."""

    def latest(self) -> Snapshot | None:
        """Return the newest snapshot, and count it."""
        if not self._begun:
            self._begun = True
            self._painter.send(None)
        if self.newest is not self._shown:
            self._shown = self.newest
            self.drawn += 1
        return self._shown


def draw(connection: Connection, painter: Connection) -> None:
    """Draw snapshots until another report comes, then send how many were drawn.

    Args:
        connection: Receives `EngineReport`s.
        painter: Sends None once the screen is there, and the count at the end.
    """
    link = _PipeLink(painter)
    app = TatumFlowApp(link)

    def read() -> None:
        try:
            report: EngineReport = connection.recv()
            while isinstance(report, Snapshot):
                link.newest = report
                report = connection.recv()
        finally:
            app.call_from_thread(app.exit)

    threading.Thread(target=read, name="screen reader", daemon=True).start()
    app.run(headless=True, size=_SIZE)
    painter.send(link.drawn)
