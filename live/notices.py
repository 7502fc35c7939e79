"""Notices for the user that wait to be shown; a repeated one is shown once a second."""

import re
from collections import deque
from collections.abc import Callable, Iterable
from typing import Final, Literal

from tatumflow.engine.clock import Clock
from tatumflow.engine.messages import Notice

Severity = Literal["information", "warning", "error"]

Notify = Callable[[str, Severity], None]
"""Takes one line for the user, and its severity."""

SAME_SECONDS: Final = 1.0
"""Seconds after which a line like one shown before is shown again."""

MOST_A_SECOND: Final = 10
"""Lines shown within a second, at most; errors are not counted."""

_NUMBER: Final = re.compile(r"-?\d+(\.\d+)?(e[+-]?\d+)?")
_MOST_WAITING: Final = 100
_MOST_KNOWN: Final = 200


class Notices:
    """Collects lines from any thread. Lines that differ in numbers only count as the same."""

    def __init__(self, clock: Clock) -> None:
        """Collect nothing yet."""
        self._clock = clock
        self._waiting: deque[Notice] = deque(maxlen=_MOST_WAITING)
        self._shown: dict[str, float] = {}
        self._recent: deque[float] = deque(maxlen=MOST_A_SECOND)

    def put(self, text: str, severity: Severity) -> None:
        """Let a line wait; of more than 100 the oldest go."""
        self._waiting.append(Notice(self._clock.now(), text, severity))

    def take(self, besides: Iterable[Notice] = ()) -> tuple[Notice, ...]:
        """Return the notices to show, those of `besides` first; one that is left out is never shown."""
        waiting = [*besides, *(self._waiting.popleft() for _ in range(len(self._waiting)))]
        return tuple(notice for notice in waiting if self._passes(notice)) if waiting else ()

    def _passes(self, notice: Notice) -> bool:
        if notice.severity == "error":
            return True
        alike, now = _NUMBER.sub("#", notice.text), self._clock.now()
        last = self._shown.get(alike)
        if last is not None and now - last < SAME_SECONDS:
            return False
        if len(self._recent) == MOST_A_SECOND and now - self._recent[0] < 1.0:
            return False
        if len(self._shown) >= _MOST_KNOWN:
            self._shown.clear()
        self._shown[alike] = now
        self._recent.append(now)
        return True
