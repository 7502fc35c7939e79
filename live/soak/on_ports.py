"""Minutes of playing in real time: an engine in a process of its own, and JACK ports on either side of it."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from tatumflow.engine.clock import SystemClock
from tatumflow.engine.controls import Controls
from tatumflow.engine.messages import SetControl, YieldTurn
from tatumflow.engine.model.bundle import Bundle
from tatumflow.live.bench.report import Figure, Target
from tatumflow.live.bench.timing import JITTER_TARGET
from tatumflow.live.midi.jack_server import dummy_jack
from tatumflow.live.midi.midi_bytes import Message
from tatumflow.live.processes.host import EngineHost
from tatumflow.live.processes.options import EngineOptions
from tatumflow.live.settings import PortSettings, Settings, SynthSettings
from tatumflow.live.soak.engine_health import EngineHealth
from tatumflow.live.soak.musician import WITH_BAND, Gesture, gestures, until
from tatumflow.live.soak.port_ends import keyboard, listening
from tatumflow.live.soak.report import soak_figures
from tatumflow.live.soak.tally import Tally

_NAME: Final = "Soak"
_PERIOD: Final = 256
_HEAD_START: Final = 1.0
_POLL_SECONDS: Final = 0.2
_TO_THE_END: Final = 15.0


def soak_on_ports(bundle: Bundle, minutes: float, seed: int = 0, *, band: bool = False) -> list[Figure]:
    """Play minutes of real time with a random musician, under them the band if asked; return the figures.

    Memory is the engine's, and counts from a tenth of the time on.

    Raises:
        DeviceError: if there is no JACK, or the engine dies.
        TatumFlowError: if the engine does not start.
    """
    session = WITH_BAND if band else {}
    settings = Settings(
        ports=PortSettings(api="jack", input="", virtual_name=_NAME),
        synth=SynthSettings(enabled=False),
        model=str(bundle.path),
        controls=Controls(style=bundle.styles[-1]).with_all(session),
    )
    with dummy_jack(_PERIOD), TemporaryDirectory() as folder:
        host = EngineHost(EngineOptions(settings, recording=Path(folder) / "soak.mid"))
        host.start()
        try:
            tally = Tally()
            with listening(tally, f"{_NAME} out"), keyboard(f"{_NAME} in") as play:
                script = until(gestures(seed, bundle.styles[1:], session), 60 * minutes)
                return _soak(host, play, tally, script, 60 * minutes)
        finally:
            host.close()


def _soak(
    host: EngineHost, play: Callable[[Message], None], tally: Tally, script: Iterator[Gesture], seconds: float
) -> list[Figure]:
    clock, health = SystemClock(), EngineHealth(host, seconds)
    start = clock.now() + _HEAD_START
    for gesture in script:
        while (wait := start + gesture.time - clock.now()) > 0:
            health.look(clock.now() - start)
            time.sleep(min(wait, _POLL_SECONDS))
        if isinstance(gesture.what, tuple):
            play(gesture.what)
        else:
            host.send(gesture.what)
    for name, value in (("band", 0), ("metronome", 0), ("trade_bars", 0), ("mode", "answer")):
        host.send(SetControl(name, value))
    host.send(YieldTurn())
    end = clock.now() + _TO_THE_END
    while clock.now() < end:
        health.look(clock.now() - start)
        time.sleep(_POLL_SECONDS)
    health.end()
    return [
        *soak_figures(tally, health.costs or [0.0], health.memory),
        Figure.of("send_lateness_p99", "ms", health.lateness or [0.0], Target(max=JITTER_TARGET.p99)),
        Figure.of("cpu", "share of a core", [health.cpu_share], Target()),
    ]
