"""Minutes of a recording in real time: separated into stems, one transcribed, the companion answering."""

import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from tatumflow.engine.clock import SystemClock
from tatumflow.engine.controls import Controls
from tatumflow.engine.errors import DeviceError
from tatumflow.engine.messages import YieldTurn
from tatumflow.engine.midi.midi_file import read_tracks
from tatumflow.engine.model.bundle import Bundle
from tatumflow.live.audio.status import AudioStatus
from tatumflow.live.bench.report import Figure, Target
from tatumflow.live.bench.timing import JITTER_TARGET
from tatumflow.live.midi.jack_server import dummy_jack
from tatumflow.live.processes.host import EngineHost
from tatumflow.live.processes.options import EngineOptions
from tatumflow.live.settings import AudioSettings, PortSettings, Settings, SynthSettings
from tatumflow.live.soak.engine_health import EngineHealth
from tatumflow.live.soak.played_sound import CLIENT, playing
from tatumflow.live.soak.port_ends import listening
from tatumflow.live.soak.report import NONE, soak_figures
from tatumflow.live.soak.tally import Tally

_NAME: Final = "Soak"
_PERIOD: Final = 256
_POLL_SECONDS: Final = 0.2
_OPEN_SECONDS: Final = 40.0
_YIELD_SECONDS: Final = 5.0
_OFFS_SECONDS: Final = 0.2
_YOU: Final = "You"
_STEMS: Final = 0.999

_REAL_TIME: Final = Target(p99=1.0)
"""Computing for each second of sound: above 1 a block is late for the next. The first of a session may be."""

_LATENCY: Final = Target(max=100.0)
_SOME: Final = Target(least_mean=1.0)


def soak_with_ears(bundle: Bundle, sound: Path, separator: str, stem: str, minutes: float) -> list[Figure]:
    """Play a recording to the companion over JACK for minutes of real time, and return the figures.

    The ears separate the looped recording into stems and transcribe one; the companion's answers are counted
    at its MIDI port. Counting begins when the audio input is open.

    Args:
        bundle: The companion's model.
        sound: A sound file.
        separator: Name or folder of a separator; empty for the first at hand, "none" for none.
        stem: The stem that the companion hears.
        minutes: How long.

    Raises:
        DeviceError: if there is no JACK, the file cannot be read, or the engine dies.
        TatumFlowError: if the engine or the ears do not start.
    """
    with dummy_jack(_PERIOD), TemporaryDirectory() as folder, playing(sound):
        recording = Path(folder) / "soak.mid"
        host = EngineHost(
            EngineOptions(_settings(bundle, separator, stem), need_ears=True, recording=recording)
        )
        host.start()
        try:
            tally = Tally()
            with listening(tally, f"{_NAME} out"):
                figures = _soak(host, tally, 60 * minutes)
        finally:
            host.close()
        heard = [len(track.notes) for track in read_tracks(recording) if track.name == _YOU]
        return [Figure.of("heard", "notes", [sum(heard)], _SOME), *figures]


def _settings(bundle: Bundle, separator: str, stem: str) -> Settings:
    return Settings(
        ports=PortSettings(api="jack", input="", virtual_name=_NAME),
        synth=SynthSettings(enabled=False),
        audio=AudioSettings(enabled=True, input=CLIENT, separator=separator, stem=stem),
        model=str(bundle.path),
        controls=Controls(style=bundle.styles[-1]),
    )


def _soak(host: EngineHost, tally: Tally, seconds: float) -> list[Figure]:
    clock = SystemClock()
    before = _opened(host, clock)
    start, health = clock.now(), EngineHealth(host, seconds)
    states: list[AudioStatus] = []
    losses = 0
    while (elapsed := clock.now() - start) < seconds:
        status = host.audio()
        if status is None or status.state != "open":
            losses += 1
            status = _opened(host, clock)
        if health.look(elapsed):
            states.append(status)
        time.sleep(_POLL_SECONDS)
    health.end()
    states.append(_opened(host, clock))
    _let_it_yield(host, clock)
    faults, first = states[-1].faults, before.faults
    return [
        *soak_figures(tally, health.costs or [0.0], health.memory),
        Figure.of("send_lateness_p99", "ms", health.lateness or [0.0], Target(max=JITTER_TARGET.p99)),
        Figure.of("block_computing_p99", "ratio", [state.cost_p99 for state in states], _REAL_TIME),
        Figure.of("stems_ready_p99", "ms", [1e3 * state.latency.ready_p99 for state in states], Target()),
        Figure.of("algorithmic_latency", "ms", [1e3 * states[-1].latency.algorithmic], _LATENCY),
        Figure.of("losses", "times", [losses], NONE),
        Figure.of("dropouts", "times", [faults.dropouts - first.dropouts], NONE),
        Figure.of("skips", "times", [faults.skips - first.skips], NONE),
        Figure.of("model_faults", "blocks", [faults.model_faults - first.model_faults], NONE),
        Figure.of("xruns", "blocks", [faults.xruns - first.xruns], Target()),
    ]


def _let_it_yield(host: EngineHost, clock: SystemClock) -> None:
    """Take the turn back and wait until its note-offs are out: what sounds after that is a hung note."""
    host.send(YieldTurn())
    patience = clock.now() + _YIELD_SECONDS
    # The snapshot may be from before the command.
    time.sleep(_OFFS_SECONDS)
    while clock.now() < patience and (snapshot := host.latest()) is not None and snapshot.turn == "playing":
        time.sleep(_OFFS_SECONDS)
    time.sleep(_OFFS_SECONDS)


def _opened(host: EngineHost, clock: SystemClock) -> AudioStatus:
    """Wait until only stems are played, not the dry signal, and return that state.

    Raises:
        DeviceError: if that does not come, or the engine dies.
    """
    patience = clock.now() + _OPEN_SECONDS
    while clock.now() < patience:
        if host.failure:
            raise DeviceError(f"the soak has ended early: {host.failure}")
        status = host.audio()
        if status is not None and status.state == "open" and _whole(status):
            return status
        time.sleep(_POLL_SECONDS)
    raise DeviceError(f"the ears do not hear within {_OPEN_SECONDS:.0f} s; close other programs")


def _whole(status: AudioStatus) -> bool:
    """Return whether what is monitored, if anything is, are the stems alone."""
    return not status.output or status.separated >= _STEMS
