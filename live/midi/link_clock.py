"""The beat of Ableton Link, where its library is installed, the extra `link`."""

import asyncio
import threading
from collections.abc import Callable
from typing import Any, Final, Protocol, cast

from tatumflow.engine.clock import Clock
from tatumflow.engine.errors import DeviceError
from tatumflow.engine.midi.events import BeatReport

REPORT_SECONDS: Final = 0.05
"""Seconds from one report of the beat to the next."""

_JOIN_SECONDS: Final = 1.0


class _Link(Protocol):
    """What is used of aalink's session."""

    enabled: bool
    beat: float
    tempo: float


class LinkClock:
    """Takes part in a Link session and reports its beat; it follows and never sets a tempo.

    Link keeps the beat of all its peers together by itself, so that its beat needs no filter.
    """

    def __init__(self, clock: Clock, tempo: float, emit: Callable[[BeatReport], None]) -> None:
        """Join the session on this network, or begin one.

        Args:
            clock: Stamps the reports.
            tempo: Beats per minute of a session that begins with us.
            emit: Takes the reports; called on a thread of its own, may not block or raise.

        Raises:
            DeviceError: if the library is not installed.
        """
        try:
            import aalink  # pyright: ignore[reportMissingImports]
        except ImportError:
            raise DeviceError(
                "no Ableton Link: the library aalink is missing; install it with `pip install aalink`"
            ) from None
        self._make_link: Callable[[float], Any] = aalink.Link
        self._clock = clock
        self._tempo = tempo
        self._emit = emit
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="link", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Leave the session."""
        self._stop.set()
        self._thread.join(_JOIN_SECONDS)

    def _run(self) -> None:
        asyncio.run(self._report())

    async def _report(self) -> None:
        # aalink needs a running event loop, though nothing here waits for its beats.
        link = cast(_Link, self._make_link(self._tempo))
        link.enabled = True
        while not self._stop.is_set():
            before = self._clock.now()
            beat, tempo = link.beat, link.tempo
            self._emit(BeatReport((before + self._clock.now()) / 2, beat, tempo))
            await asyncio.sleep(REPORT_SECONDS)
        link.enabled = False
