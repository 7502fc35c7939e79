"""Minutes of playing in real time: an engine in a process of its own, and JACK ports on either side of it."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import psutil

from tatumflow.engine.bundle import Bundle
from tatumflow.engine.clock import SystemClock
from tatumflow.engine.controls import Controls
from tatumflow.engine.errors import DeviceError
from tatumflow.engine.messages import SetControl, YieldTurn
from tatumflow.live.bench.report import Figure
from tatumflow.live.engine_options import EngineOptions
from tatumflow.live.host import EngineHost
from tatumflow.live.jack_server import dummy_jack
from tatumflow.live.midi_bytes import Message, MessageParser
from tatumflow.live.midi_ports import Port, new_input, new_output
from tatumflow.live.port_closing import end_callbacks, end_sending, set_callback
from tatumflow.live.settings import PortSettings, Settings, SynthSettings
from tatumflow.live.soak.musician import Gesture, gestures, until
from tatumflow.live.soak.report import soak_figures
from tatumflow.live.soak.tally import Tally

_NAME: Final = "Soak"
_PERIOD: Final = 256
_SAMPLES: Final = 100
_SETTLED: Final = 0.1
_CONNECT_SECONDS: Final = 0.5
_HEAD_START: Final = 1.0
_POLL_SECONDS: Final = 0.2
_TO_THE_END: Final = 15.0


def soak_on_ports(bundle: Bundle, minutes: float, seed: int = 0) -> list[Figure]:
    """Play minutes of real time with a musician who does everything, and tell what came of it.

    Memory is the engine's, and counts from a tenth of the time on.

    Raises:
        DeviceError: if there is no JACK, or the engine dies.
        TatumFlowError: if the engine does not start.
    """
    settings = Settings(
        ports=PortSettings(api="jack", input="", virtual_name=_NAME),
        synth=SynthSettings(enabled=False),
        model=str(bundle.path),
        controls=Controls(style=bundle.styles[-1]),
    )
    with dummy_jack(_PERIOD), TemporaryDirectory() as folder:
        host = EngineHost(EngineOptions(settings, recording=Path(folder) / "soak.mid"))
        host.start()
        try:
            tally = Tally()
            with _listening(tally), _keyboard() as play:
                script = until(gestures(seed, bundle.styles[1:]), 60 * minutes)
                return _soak(host, play, tally, script, 60 * minutes)
        finally:
            host.close()


def _soak(
    host: EngineHost, play: Callable[[Message], None], tally: Tally, script: Iterator[Gesture], seconds: float
) -> list[Figure]:
    clock, health = SystemClock(), _Health(host, seconds)
    start = clock.now() + _HEAD_START
    for gesture in script:
        while (wait := start + gesture.time - clock.now()) > 0:
            health.look(clock.now() - start)
            time.sleep(min(wait, _POLL_SECONDS))
        if isinstance(gesture.what, tuple):
            play(gesture.what)
        else:
            host.send(gesture.what)
    for command in (SetControl("trade_bars", 0), SetControl("mode", "answer"), YieldTurn()):
        host.send(command)
    end = clock.now() + _TO_THE_END
    while clock.now() < end:
        health.look(clock.now() - start)
        time.sleep(_POLL_SECONDS)
    health.memory.append(health.resident())
    return soak_figures(tally, health.costs or [0.0], health.memory)


class _Health:
    """Looks at the engine now and then."""

    def __init__(self, host: EngineHost, seconds: float) -> None:
        assert host.pid is not None
        self.costs: list[float] = []
        self.memory: list[int] = []
        self._host = host
        self._process = psutil.Process(host.pid)
        self._seconds = seconds
        self._next = 0.0

    def look(self, elapsed: float) -> None:
        """Note the cost of a note, a hundred times in all, and the memory once it has settled."""
        if self._host.failure:
            raise DeviceError(f"the soak has ended early: {self._host.failure}")
        snapshot = self._host.latest()
        if elapsed >= self._next:
            self._next += self._seconds / _SAMPLES
            cost = 0.0 if snapshot is None else snapshot.health.note_cost_p50_ms
            if cost > 0:
                self.costs.append(cost)
        if not self.memory and elapsed >= _SETTLED * self._seconds:
            self.memory.append(self.resident())

    def resident(self) -> int:
        """Return the bytes of the engine that are in memory."""
        return self._process.memory_info().rss


@contextmanager
def _listening(tally: Tally) -> Iterator[None]:
    """Count what comes out of the companion's port."""
    parser, port = MessageParser(), new_input("jack", f"{_NAME} listener")

    def arrived(packet: tuple[list[int], float], _: object = None) -> None:
        for message in parser.feed(packet[0]):
            tally.send(message)

    kept = set_callback(port, arrived)
    _connect(port, f"{_NAME} out")
    try:
        yield
    finally:
        end_callbacks([port])
        port.delete()
        kept.clear()


@contextmanager
def _keyboard() -> Iterator[Callable[[Message], None]]:
    """Yield what plays a message into the companion's port."""
    port = new_output("jack", f"{_NAME} musician")
    _connect(port, f"{_NAME} in")
    # JACK loses what is sent before it has run a cycle with the new connection.
    time.sleep(_CONNECT_SECONDS)
    try:
        yield port.send_message
    finally:
        end_sending([port])
        port.delete()


def _connect(port: Port, name: str) -> None:
    names = port.get_ports()
    found = next((index for index, other in enumerate(names) if name in other), None)
    if found is None:
        raise DeviceError(f"port {name!r} is not there; the engine has opened {', '.join(names) or 'none'}")
    port.open_port(found, name)
