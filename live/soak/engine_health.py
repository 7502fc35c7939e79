"""Note cost, lateness and memory of an engine process over time."""

import time
from typing import Final

import psutil

from tatumflow.engine.errors import DeviceError
from tatumflow.live.processes.host import EngineHost

_SAMPLES: Final = 100
_SETTLED: Final = 0.1


class EngineHealth:
    """Samples an engine a hundred times over a soak.

    Attributes:
        costs: Milliseconds of computing for a note, medians of the last 1,000, a hundred in all.
        lateness: Milliseconds of note-ons after their due time, 99th percentiles of the last 1,000, likewise.
        memory: Bytes of the engine and its children once a tenth of the time is over, and at the end.
        cpu_share: Processor time of the engine and its children between those two, as a share of one core.
    """

    def __init__(self, host: EngineHost, seconds: float) -> None:
        """Sample nothing yet, over a soak of so many seconds."""
        assert host.pid is not None
        self.costs: list[float] = []
        self.lateness: list[float] = []
        self.memory: list[int] = []
        self.cpu_share = 0.0
        self._cpu_from = (0.0, 0.0)
        self._host = host
        self._process = psutil.Process(host.pid)
        self._seconds = seconds
        self._next = 0.0

    def look(self, elapsed: float) -> bool:
        """Look if it is time; return whether it was.

        Raises:
            DeviceError: if the engine has died.
        """
        if self._host.failure:
            raise DeviceError(f"the soak has ended early: {self._host.failure}")
        if not self.memory and elapsed >= _SETTLED * self._seconds:
            self.memory.append(self._resident())
            self._cpu_from = (time.monotonic(), self._cpu_seconds())
        if elapsed < self._next:
            return False
        self._next += self._seconds / _SAMPLES
        snapshot = self._host.latest()
        if snapshot is not None and snapshot.health.note_cost_p50_ms > 0:
            self.costs.append(snapshot.health.note_cost_p50_ms)
            self.lateness.append(snapshot.health.send_lateness_p99_ms)
        return True

    def end(self) -> None:
        """Record memory and processor time at the end."""
        self.memory.append(self._resident())
        at, used = self._cpu_from
        self.cpu_share = (self._cpu_seconds() - used) / max(time.monotonic() - at, 1e-9)

    def _processes(self) -> list[psutil.Process]:
        return [self._process, *self._process.children()]

    def _resident(self) -> int:
        return sum(process.memory_info().rss for process in self._processes())

    def _cpu_seconds(self) -> float:
        times = [process.cpu_times() for process in self._processes()]
        return sum(one.user + one.system for one in times)
