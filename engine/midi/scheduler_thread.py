"""The scheduler thread: empties a scheduler on time, at real-time priority where the system grants it."""

import os
import threading
import traceback
from typing import Final

from tatumflow.engine.clock import Clock
from tatumflow.engine.errors import SchedulerError
from tatumflow.engine.midi.scheduler import Scheduler

# Below the priority of audio servers.
_REAL_TIME_PRIORITY: Final = 10


class SchedulerThread:
    """Runs a scheduler on its own thread: a condition wait, then a short spin up to the due time.

    Where the system grants it (Linux, with a real-time limit as audio users have it), the thread runs at
    real-time priority, so that other work on a busy machine does not delay notes.

    Attributes:
        real_time: Whether real-time priority was granted; False before `start`.
        restarts: How often `revive` has started the thread again.
    """

    SPIN: Final = 0.0005
    """Seconds before a due time at which waiting turns into spinning."""

    IDLE: Final = 0.25
    """Seconds after which an idle wait checks whether to stop."""

    MOST_RESTARTS: Final = 3
    """Most restarts of a thread that died."""

    def __init__(self, scheduler: Scheduler, clock: Clock) -> None:
        self.real_time = False
        self.restarts = 0
        self._scheduler = scheduler
        self._clock = clock
        self._stopping = threading.Event()
        self._thread = self._new_thread()

    def start(self) -> None:
        """Begin sending. A thread can be started once."""
        self._scheduler.lead_by(self._thread)
        self._thread.start()

    def hush(self) -> None:
        """Silence everything at once, before the planning thread receives the panic; see `Scheduler.hush`."""
        self._scheduler.hush()

    def stuck(self, now: float) -> float:
        """Return the seconds for which the `send` in progress has not returned, 0 if there is none."""
        since = self._scheduler.sending_since
        return 0.0 if since is None else max(now - since, 0.0)

    def revive(self) -> bool:
        """Start the thread again if it has died; return whether it had.

        Raises:
            SchedulerError: if it has died `MOST_RESTARTS` times before.
        """
        if self._stopping.is_set() or self._thread.ident is None or self._thread.is_alive():
            return False
        if self.restarts >= self.MOST_RESTARTS:
            raise SchedulerError("notes cannot be sent: the scheduler thread keeps dying; see the log")
        self.restarts += 1
        self._thread = self._new_thread()
        self.start()
        return True

    def stop(self) -> None:
        """End the thread and silence everything. Does nothing the second time.

        If an output does not return, this returns after two seconds, and the offs wait for the output.
        """
        self._stopping.set()
        self._scheduler.wake()
        if self._thread.is_alive():
            self._thread.join(timeout=2.0)
        self._scheduler.panic()

    def _new_thread(self) -> threading.Thread:
        return threading.Thread(target=self._run, name="scheduler", daemon=True)

    def _run(self) -> None:
        self.real_time = request_real_time()
        try:
            while not self._stopping.is_set():
                due = self._scheduler.await_due(self.SPIN, self.IDLE)
                if due is None:
                    continue
                while self._clock.now() < due:
                    pass
                self._scheduler.run_due(self._clock.now())
        except Exception:
            # Into the log; the planning thread finds this one dead and starts another.
            traceback.print_exc()
        finally:
            self._scheduler.lead_by(None)
            self._scheduler.panic()


def request_real_time() -> bool:
    """Request real-time priority for this thread and return whether it was granted."""
    if not hasattr(os, "sched_setscheduler"):
        return False
    try:
        os.sched_setscheduler(threading.get_native_id(), os.SCHED_FIFO, os.sched_param(_REAL_TIME_PRIORITY))
    except OSError:
        return False
    return True
