"""The companion under floods of control values on real ports, compared with a session without one."""

import socket
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from tatumflow.engine.controls import Controls
from tatumflow.engine.errors import DeviceError
from tatumflow.engine.messages import TakeTurn
from tatumflow.engine.midi.events import ALL_NOTES_OFF, ALL_SOUND_OFF
from tatumflow.engine.model.bundle import Bundle
from tatumflow.live.bench.report import Figure, Target
from tatumflow.live.midi.jack_server import dummy_jack
from tatumflow.live.midi.midi_bytes import CONTROL_CHANGE, NOTE_OFF, NOTE_ON, Message
from tatumflow.live.processes.host import EngineHost
from tatumflow.live.processes.options import EngineOptions
from tatumflow.live.settings import OscSettings, PortSettings, RecordingSettings, Settings, SynthSettings
from tatumflow.live.soak.flooding import CONTROLLERS, controllers_from, osc_message, osc_to
from tatumflow.live.soak.port_ends import keyboard, listening
from tatumflow.live.soak.report import NONE
from tatumflow.live.soak.tally import Tally

CONTROLLERS_A_SECOND: Final = 1_000
OSC_A_SECOND: Final = 10_000

PANIC: Final = Target(max=20.0)
"""Milliseconds from a panic, sent in the middle of a flood, until all is silent."""

SHUTDOWN: Final = Target(max=2.0)
"""Seconds from the command to end until the engine has ended."""

AS_WITHOUT: Final = Target(least_mean=0.8)
"""Notes a second under a flood over those without one."""

JITTER: Final = Target(p99=1.0)
"""Milliseconds that note-ons are sent after they were due."""

_NAME: Final = "Flood"
_PERIOD: Final = 64
_CALL: Final = (60, 62, 64, 65, 67, 69, 71, 72)
_NOTE_SECONDS: Final = 0.15
_ANSWER_SECONDS: Final = 3.0
_PANIC_SECONDS: Final = 10.0
_AGAIN_SECONDS: Final = 0.25
_TRIES: Final = 6
_POLL_SECONDS: Final = 0.005
_MOST_SECONDS: Final = 120.0
_LOOPBACK: Final = "127.0.0.1"


@dataclass
class _Heard(Tally):
    """Counts what comes out, and when the companion's notes and the end of a panic come.

    Attributes:
        channel: The companion's, 0 to 15.
        onsets: Seconds of its note-ons.
        silenced: Seconds of the last All Notes Off or note-off on its channel.
        all_off: Seconds of the last All Notes Off there.
    """

    channel: int
    onsets: list[float] = field(default_factory=list)
    silenced: float = 0.0
    all_off: float = 0.0

    def __post_init__(self) -> None:
        super().__init__()

    def send(self, message: Message) -> None:
        """Count a message."""
        super().send(message)
        kind, channel = message[0] & 0xF0, message[0] & 0x0F
        if channel != self.channel:
            return
        now = time.monotonic()
        if kind == NOTE_ON and message[2]:
            self.onsets.append(now)
        elif kind == CONTROL_CHANGE and message[1] == ALL_NOTES_OFF:
            self.silenced = self.all_off = now
        elif kind in (NOTE_ON, NOTE_OFF):
            self.silenced = now


@dataclass(frozen=True, slots=True)
class FloodReport:
    """Figures of one session.

    Attributes:
        notes: The companion's notes while the flood lasted.
        seconds: How long that was, until the last of them where the turn was over before.
        longest_gap: Seconds between two of them, at most.
        lateness_p99_ms: Note-ons sent after they were due, 99th percentile.
        late_notes: Notes skipped because they came too late.
        panic_ms: Milliseconds until a panic was answered, by a controller of the keyboard and by OSC.
        hung: Notes whose off never came.
        shutdown_seconds: Until the engine had ended.
        recorded: Whether the recording is there.
    """

    notes: int
    seconds: float
    longest_gap: float
    lateness_p99_ms: float
    late_notes: int
    panic_ms: tuple[float, float]
    hung: int
    shutdown_seconds: float
    recorded: bool

    @property
    def rate(self) -> float:
        """Notes a second."""
        return self.notes / self.seconds if self.seconds else 0.0


def soak_in_floods(bundle: Bundle, seconds: float = 10.0) -> list[Figure]:
    """Play a call without a flood, under one of controllers and one of OSC, each for some seconds; compare.

    Raises:
        DeviceError: if there is no JACK, or the engine dies or never answers.
        TatumFlowError: if the engine does not start.
    """
    with dummy_jack(_PERIOD):
        return figures_of(floods(bundle, seconds))


def floods(bundle: Bundle, seconds: float) -> dict[str, FloodReport]:
    """Return reports of a session without a flood and with each, by name, on the running JACK server."""
    most = min(seconds, _MOST_SECONDS) + 4 * _TRIES * _ANSWER_SECONDS

    def none(port_name: str, port: int) -> AbstractContextManager[None]:
        return nullcontext()

    def controllers(port_name: str, port: int) -> AbstractContextManager[None]:
        return controllers_from(port_name, CONTROLLERS_A_SECOND, most)

    def osc(port_name: str, port: int) -> AbstractContextManager[None]:
        return osc_to(port, OSC_A_SECOND, most)

    kinds = {"none": none, "controllers": controllers, "osc": osc}
    return {name: _session(bundle, flood, min(seconds, _MOST_SECONDS)) for name, flood in kinds.items()}


def figures_of(reports: dict[str, FloodReport]) -> list[Figure]:
    """Return the figures of sessions by flood, the first of which was without."""
    figures: list[Figure] = []
    without = next(iter(reports.values()))
    for name, report in reports.items():
        flooded = report is not without
        ratio = report.rate / without.rate if without.rate else 0.0
        figures += [
            Figure.of(f"{name}_played", "notes", [report.notes], Target()),
            Figure.of(f"{name}_rate", "ratio", [ratio], AS_WITHOUT if flooded else Target()),
            Figure.of(f"{name}_longest_gap", "s", [report.longest_gap], Target()),
            Figure.of(f"{name}_jitter", "ms", [report.lateness_p99_ms], JITTER),
            Figure.of(f"{name}_late", "notes", [report.late_notes], NONE),
            Figure.of(f"{name}_panic", "ms", report.panic_ms, PANIC),
            Figure.of(f"{name}_hung", "notes", [report.hung], NONE),
            Figure.of(f"{name}_shutdown", "s", [report.shutdown_seconds], SHUTDOWN),
            Figure.of(f"{name}_recorded", "ratio", [report.recorded], Target(least_mean=1.0)),
        ]
    return figures


def _session(
    bundle: Bundle, flood: Callable[[str, int], AbstractContextManager[None]], seconds: float
) -> FloodReport:
    port = _free_port()
    settings = Settings(
        ports=PortSettings(api="jack", input="", virtual_name=_NAME),
        synth=SynthSettings(enabled=False),
        osc=OscSettings(port=port),
        recording=RecordingSettings(enabled=True),
        model=str(bundle.path),
        controllers=CONTROLLERS,
        controls=Controls(mode="continue", phrases=0, style=bundle.styles[-1], seed=7),
    )
    with TemporaryDirectory() as folder:
        recording = Path(folder) / "flood.mid"
        host = EngineHost(EngineOptions(settings, recording=recording))
        host.start()
        try:
            heard = _Heard(settings.ports.companion_channel - 1)
            with listening(heard, f"{_NAME} out"), keyboard(f"{_NAME} in") as play:
                _await_answer(host, play, heard)
                with flood(f"{_NAME} in", port):
                    onsets, lasted = _watch(host, heard, seconds)
                    health = _health(host)
                    panics = [_panic(heard, lambda: play((CONTROL_CHANGE, ALL_SOUND_OFF, 0)))]
                    _await_answer(host, play, heard)
                    panics.append(_panic(heard, lambda: _send_osc(port, "/tatumflow/panic")))
                    begun = time.monotonic()
                    host.close()
                    ended = time.monotonic() - begun
        finally:
            host.close()
        return FloodReport(
            notes=len(onsets),
            seconds=lasted,
            longest_gap=max((b - a for a, b in pairwise(onsets)), default=lasted),
            lateness_p99_ms=health[0],
            late_notes=health[1],
            panic_ms=(panics[0], panics[1]),
            hung=len(heard.hanging),
            shutdown_seconds=ended,
            recorded=recording.is_file(),
        )


def _watch(host: EngineHost, heard: _Heard, seconds: float) -> tuple[list[float], float]:
    """Return the onsets that come in the next seconds, and how long the turn lasted of that."""
    start = time.monotonic()
    playing = start
    while (now := time.monotonic()) < start + seconds:
        _check(host)
        snapshot = host.latest()
        if snapshot is not None and snapshot.turn == "playing":
            playing = now
        time.sleep(10 * _POLL_SECONDS)
    return [onset for onset in list(heard.onsets) if onset >= start], max(playing - start, _POLL_SECONDS)


def _await_answer(host: EngineHost, play: Callable[[Message], None], heard: _Heard) -> None:
    """Play the call until it is answered, at last with `TakeTurn`: a small model's answer may be silence.

    Raises:
        DeviceError: if it never is.
    """
    for _ in range(_TRIES):
        for pitch in _CALL:
            play((NOTE_ON, pitch, 90))
            time.sleep(_NOTE_SECONDS)
            play((NOTE_OFF, pitch, 0))
        before = len(heard.onsets)
        for command in (None, TakeTurn()):
            if command is not None:
                host.send(command)
            end = time.monotonic() + _ANSWER_SECONDS
            while time.monotonic() < end:
                _check(host)
                if len(heard.onsets) > before:
                    return
                time.sleep(_POLL_SECONDS)
    raise DeviceError("the companion does not answer; try another model")


def _panic(heard: _Heard, send: Callable[[], None]) -> float:
    """Send a panic and return the milliseconds until the companion was silent, all its notes off.

    It is sent again while it is not answered, as a player would: a crowded port may lose it.

    Raises:
        DeviceError: if it is not answered.
    """
    begun = time.monotonic()
    again = begun
    while heard.all_off < begun:
        if (now := time.monotonic()) >= again:
            send()
            again = now + _AGAIN_SECONDS
        if now > begun + _PANIC_SECONDS:
            raise DeviceError(f"a panic was not answered within {_PANIC_SECONDS:g} s")
        time.sleep(_POLL_SECONDS)
    first = heard.all_off
    # Notes still on their way, and those of a turn that it may have begun since.
    time.sleep(0.5)
    last_onset = heard.onsets[-1] if heard.onsets else 0.0
    return ((heard.silenced if last_onset > first else first) - begun) * 1e3


def _check(host: EngineHost) -> None:
    if host.failure:
        raise DeviceError(f"the soak has ended early: {host.failure}")


def _health(host: EngineHost) -> tuple[float, int]:
    """Return the 99th percentile of the lateness in milliseconds, and the notes that were too late."""
    snapshot = host.latest()
    if snapshot is None:
        return 0.0, 0
    return snapshot.health.send_lateness_p99_ms, snapshot.health.late_notes


def _free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind((_LOOPBACK, 0))
        return probe.getsockname()[1]


def _send_osc(port: int, address: str) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.sendto(osc_message(address), (_LOOPBACK, port))
