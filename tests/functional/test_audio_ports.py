"""Sound through real audio ports: a signal goes in at JACK, stems come out of the monitor."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from band_model import BandModel
from needs import imported

from tatumflow.engine.clock import SystemClock
from tatumflow.engine.separation.stft import StftSettings
from tatumflow.live.audio.ears import AudioOptions, Ears
from tatumflow.live.audio.portaudio import PortAudio

jack = imported("jack")

pytestmark = [pytest.mark.ports, pytest.mark.needs("JACK-Client"), pytest.mark.slow]

PATIENCE = 60.0
LOW, HIGH = 400.0, 5000.0


@dataclass
class Player:
    """A JACK client that plays low noise and a high tone, and keeps what it sent with its frame numbers."""

    client: Any
    sent: list[tuple[int, np.ndarray]] = field(default_factory=list)

    def __post_init__(self) -> None:
        random = np.random.default_rng(3)
        spectrum = np.fft.rfft(random.standard_normal(1 << 16))
        hertz = np.fft.rfftfreq(1 << 16, 1 / self.client.samplerate)
        self._noise = np.fft.irfft(np.where((hertz > 100) & (hertz < LOW), spectrum, 0))
        self._noise *= 0.3 / np.abs(self._noise).max()
        self._ports = [self.client.outports.register(f"out_{side}") for side in "lr"]
        self.client.set_process_callback(self._process)
        self.client.activate()

    def low(self, frames: np.ndarray) -> np.ndarray:
        return self._noise[frames % len(self._noise)]

    def _process(self, count: int) -> None:
        first = self.client.last_frame_time
        frames = first + np.arange(count)
        wave = self.low(frames) + 0.2 * np.sin(2 * np.pi * HIGH * frames / self.client.samplerate)
        for port in self._ports:
            port.get_array()[:] = wave
        self.sent.append((first, self.low(frames)))


@dataclass
class Recorder:
    """A JACK client that keeps what it hears with its frame numbers."""

    client: Any
    heard: list[tuple[int, np.ndarray]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._ports = [self.client.inports.register(f"in_{side}") for side in "lr"]
        self.client.set_process_callback(self._process)
        self.client.activate()

    def _process(self, count: int) -> None:
        self.heard.append((self.client.last_frame_time, self._ports[0].get_array().copy()))


def until(condition: Callable[[], bool], what: str) -> None:
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, what
        time.sleep(0.05)


def joined(blocks: list[tuple[int, np.ndarray]]) -> tuple[int, np.ndarray]:
    """Return the longest run of blocks without a lost cycle: its first frame and its samples."""
    runs: list[list[tuple[int, np.ndarray]]] = []
    for block in blocks:
        if not runs or block[0] != runs[-1][-1][0] + len(runs[-1][-1][1]):
            runs.append([])
        runs[-1].append(block)
    longest = max(runs, key=len)
    return longest[0][0], np.concatenate([samples for _, samples in longest])


@pytest.fixture
def player(jack_server: str) -> Iterator[Player]:
    client = jack.Client("Horn", servername=jack_server, no_start_server=True)
    yield Player(client)
    client.deactivate()
    client.close()


@pytest.fixture
def recorder(jack_server: str) -> Iterator[Recorder]:
    client = jack.Client("Headphones", servername=jack_server, no_start_server=True)
    yield Recorder(client)
    client.deactivate()
    client.close()


def test_what_goes_in_comes_out_of_the_monitor_with_the_stated_latency(player: Player, recorder: Recorder):
    model = BandModel(44_100, StftSettings(1024, 256), cut=2000.0)
    notices: list[str] = []
    options = AudioOptions(input="Horn", output="Headphones", block=256, allowance=0.4)
    ears = Ears(model, options, PortAudio(), SystemClock(), lambda text, severity: notices.append(text))
    ears.set_stem("high", muted=True)
    ears.open()
    try:
        until(lambda: ears.status().separated == 1, f"no stems are played; {ears.status()}, {notices}")
        recorder.heard.clear()
        until(lambda: len(recorder.heard) >= 300, "nothing is recorded")
        status = ears.status()
    finally:
        ears.close()
    assert (status.input, status.output, status.rate) == ("Horn", "Headphones", player.client.samplerate)
    first, heard = joined(list(recorder.heard))
    assert np.abs(heard).max() > 0.05
    stated = round(status.latency.monitor * status.rate)
    some, around = 40 * options.block, 2 * options.block
    fitting = 0
    windows = range(0, len(heard) - some, some)
    for start in windows:
        window = heard[start : start + some]
        # What was sent, from the longest delay looked for to the shortest.
        sent = player.low(first + start - stated - around + np.arange(some + 2 * around))
        extra = around - int(np.argmax(np.correlate(sent, window, mode="valid")))
        rest = window - sent[around - extra :][:some]
        # JACK and PortAudio may keep a block each. The high tone has gone with its stem; the dry signal would
        # have brought it.
        fitting += 0 <= extra <= 2 * options.block and np.sqrt(np.mean(np.square(rest))) < 0.01
        assert np.sqrt(np.mean(np.square(window))) > 0.02, "it falls silent"
    # A cycle that a busy machine loses on the way from player to recorder is no fault of what lies between.
    assert fitting > len(windows) / 2, (fitting, len(windows), status)


@pytest.mark.usefixtures("recorder")
def test_a_source_that_goes_away_leaves_silence_and_the_stream_open(jack_server: str):
    player = Player(jack.Client("Horn", servername=jack_server, no_start_server=True))
    notices: list[str] = []
    options = AudioOptions(input="Horn", output="Headphones", allowance=0.2)
    ears = Ears(
        BandModel(44_100, StftSettings(1024, 256)),
        options,
        PortAudio(),
        SystemClock(),
        lambda text, severity: notices.append(text),
    )
    ears.open()
    try:
        until(lambda: ears.status().input_level.rms > 0.01, "nothing is heard")
        player.client.deactivate()
        player.client.close()
        until(lambda: ears.status().input_level.rms < 0.001, "it still sounds")
        assert ears.status().state == "open"
    finally:
        ears.close()
    assert ears.status().state == "closed"


def test_a_server_that_goes_away_ends_the_sound_and_nothing_else(tmp_path: Path):
    script = tmp_path / "session.py"
    script.write_text(
        "import time\n"
        "from band_model import BandModel\n"
        "from tatumflow.engine.clock import SystemClock\n"
        "from tatumflow.live.audio.ears import AudioOptions, Ears\n"
        "from tatumflow.live.audio.portaudio import PortAudio\n"
        "from tatumflow.live.midi.jack_server import dummy_jack\n"
        "tell = lambda text, severity: print(severity, text, flush=True)\n"
        "ears = Ears(BandModel(), AudioOptions(), PortAudio(), SystemClock(), tell)\n"
        "with dummy_jack(256):\n"
        "    ears.open()\n"
        "    print(ears.status().state, ears.status().input, flush=True)\n"
        "end = time.monotonic() + 60\n"
        "while ears.status().state == 'open' and time.monotonic() < end:\n"
        "    ears.look()\n"
        "    time.sleep(0.1)\n"
        "time.sleep(0.6)\n"
        "ears.look()\n"
        "print(ears.status().state, flush=True)\n"
        "ears.close()\n"
    )
    rigs = str(Path(__file__).parents[1] / "rigs")
    done = subprocess.run(
        [sys.executable, str(script)],
        env=os.environ | {"PYTHONPATH": rigs},
        capture_output=True,
        text=True,
        timeout=180,
    )
    lines = done.stdout.splitlines()
    assert lines[0] == "open system", done
    assert lines[1] == "warning system: no sound comes from it any more; plug it in again to go on with it"
    assert lines[2] == "warning the JACK server has gone; start it, and then TatumFlow again"
    assert lines[3:] == ["lost"]
    assert done.returncode == 0, done.stderr
