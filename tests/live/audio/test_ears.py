"""A session's sound on devices that come, go and change, on virtual time; devices found and refused."""

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
from band_model import BandModel
from fake_audio import ALL, INTERFACE, MICROPHONE, SAME_BY_JACK, SPEAKERS, FakeStream, FakeSystem

from tatumflow.engine.clock import VirtualClock
from tatumflow.engine.errors import DeviceError, SettingError
from tatumflow.live.audio.devices import AudioDevice, match_device
from tatumflow.live.audio.ears import AudioOptions, Ears
from tatumflow.live.commands.listen import ListenOptions, listen_with

PATIENCE = 60.0


class Session:
    def __init__(self, system: FakeSystem, options: AudioOptions | None = None) -> None:
        self.system = system
        self.clock = VirtualClock(50.0)
        self.notices: list[str] = []
        self.ears = Ears(
            BandModel(),
            options or AudioOptions(),
            system,
            self.clock,
            lambda text, _: self.notices.append(text),
        )

    @property
    def stream(self) -> FakeStream:
        return self.system.streams[-1]

    def pass_time(self, seconds: float, sound: Callable[[int], np.ndarray] | None = None) -> None:
        """Let time go by in quarters of a second; with a sound, the device gives some in each."""
        end = self.clock.now() + seconds
        while self.clock.now() < end:
            self.clock.advance_to(self.clock.now() + 0.25)
            if sound is not None:
                self.stream.hear(sound(512), self.clock.now())
            self.ears.look()


@pytest.fixture
def session_on() -> Iterator[Callable[..., Session]]:
    sessions: list[Session] = []

    def start(system: FakeSystem, options: AudioOptions | None = None) -> Session:
        sessions.append(Session(system, options))
        return sessions[-1]

    yield start
    for session in sessions:
        session.ears.close()


def noise(count: int) -> np.ndarray:
    return 0.1 * np.random.default_rng(1).standard_normal(count)


def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.005)


@pytest.mark.parametrize(
    ("requested", "side", "found"),
    [
        ("", "input", MICROPHONE),
        ("", "output", SPEAKERS),
        ("usb", "input", MICROPHONE),
        ("3", "input", SAME_BY_JACK),
        ("Interface 4i4", "input", INTERFACE),
        ("4i4 jack", "output", SAME_BY_JACK),
        ("interface", "output", INTERFACE),
    ],
)
def test_devices_are_found_by_name_part_or_number(requested: str, side: str, found: AudioDevice):
    assert match_device(requested, ALL, side) == found  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("requested", "devices", "side", "message"),
    [
        ("", (), "input", "connect a microphone"),
        ("", (MICROPHONE,), "output", "connect loudspeakers"),
        ("1", ALL, "input", "is no input; there is 0 'USB microphone'"),
        ("piano", ALL, "output", "does not exist; there is 1 'Built-in speakers'"),
        ("i", ALL, "output", "give more"),
    ],
)
def test_devices_that_are_not_there_are_an_error(
    requested: str, devices: tuple[AudioDevice, ...], side: str, message: str
):
    with pytest.raises(DeviceError, match=message):
        match_device(requested, devices, side)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "options",
    [{"channels": (0,)}, {"channels": (1, 2, 3)}, {"rate": 100}, {"block": 8}, {"allowance": -0.1}],
)
def test_options_have_ranges(options: dict[str, object]):
    with pytest.raises(SettingError, match="audio"):
        AudioOptions(**options)  # type: ignore[arg-type]


def test_the_models_rate_is_taken_where_the_device_takes_it(session_on: Callable[..., Session]):
    session = session_on(FakeSystem(INTERFACE))
    session.ears.open()
    assert session.stream.plan.rate == 8000
    other = session_on(FakeSystem(INTERFACE, rates=(16_000,)))
    other.ears.open()
    assert other.stream.plan.rate == 16_000
    status = other.ears.status()
    assert (status.rate, status.model_rate, status.state) == (16_000, 8000, "open")
    assert status.latency.monitor > status.latency.algorithmic > 0
    assert status.latency.algorithmic > session.ears.status().latency.algorithmic


def test_a_mono_source_is_heard_on_both_sides(session_on: Callable[..., Session]):
    session = session_on(FakeSystem(MICROPHONE, SPEAKERS))
    session.ears.open()
    assert (session.stream.plan.inputs, session.stream.plan.outputs) == (1, 2)
    played = np.concatenate([session.stream.hear(noise(512), 50 + n * 0.064) for n in range(20)])
    assert played.any()
    np.testing.assert_array_equal(played[:, 0], played[:, 1])
    chosen = session_on(FakeSystem(INTERFACE), AudioOptions(channels=(3,)))
    chosen.ears.open()
    assert chosen.stream.plan.inputs == 3


def test_a_channel_that_the_device_lacks_is_an_error(session_on: Callable[..., Session]):
    session = session_on(FakeSystem(MICROPHONE, SPEAKERS), AudioOptions(channels=(2,)))
    with pytest.raises(DeviceError, match="has 1 channels, not 2"):
        session.ears.open()


def test_without_loudspeakers_the_sound_is_heard_all_the_same(session_on: Callable[..., Session]):
    session = session_on(FakeSystem(MICROPHONE))
    session.ears.open()
    assert session.stream.plan.output is None
    assert any("without a monitor" in notice for notice in session.notices)
    session.stream.hear(noise(512), 50.0)
    until(lambda: session.ears.status().input_level.peak > 0)


def test_a_device_that_vanishes_is_opened_again_after_ever_longer_waits(session_on: Callable[..., Session]):
    system = FakeSystem(MICROPHONE, SPEAKERS)
    session = session_on(system)
    session.ears.open()
    session.pass_time(1, noise)
    first = session.stream
    first.active = False
    system.present = (SPEAKERS,)
    session.pass_time(0.25)
    assert first.closed
    assert session.ears.status().state == "lost"
    assert "plug it in again" in session.notices[-1]
    tries: list[float] = []
    devices = system.devices

    def counted() -> tuple[AudioDevice, ...]:
        tries.append(session.clock.now())
        return devices()

    system.devices = counted
    session.pass_time(40)
    waits = np.diff(tries)
    assert (np.diff(waits) >= 0).all()
    assert waits[0] <= 1.25
    assert 8 <= waits[-1] <= 8.5
    # The same complaint is not made twice.
    assert len(session.notices) == len(set(session.notices)) == 2
    system.present = (MICROPHONE, SPEAKERS)
    session.pass_time(9)
    assert session.ears.status().state == "open"
    assert session.notices[-1] == "the sound is back"
    session.stream.hear(noise(512), session.clock.now())


def test_a_device_that_stands_still_is_lost(session_on: Callable[..., Session]):
    session = session_on(FakeSystem(MICROPHONE, SPEAKERS))
    session.ears.open()
    session.pass_time(3, noise)
    assert len(session.system.streams) == 1
    session.pass_time(2.5)
    assert session.stream.closed
    session.pass_time(1)
    assert len(session.system.streams) == 2


def test_a_computer_that_was_busy_has_lost_no_device(session_on: Callable[..., Session]):
    session = session_on(FakeSystem(MICROPHONE, SPEAKERS))
    session.ears.open()
    session.pass_time(1, noise)
    session.clock.advance_to(session.clock.now() + 60)
    session.ears.look()
    session.pass_time(1, noise)
    assert session.ears.status().state == "open"
    assert len(session.system.streams) == 1


def test_a_changed_rate_is_taken_up(session_on: Callable[..., Session]):
    system = FakeSystem(INTERFACE, rates=())
    session = session_on(system)
    session.ears.open()
    assert session.ears.status().rate == 16_000
    system.present = (replace(INTERFACE, rate=11_025),)
    session.stream.active = False
    session.pass_time(1)
    assert session.ears.status().rate == 11_025
    assert session.stream.plan.rate == 11_025


def test_a_busy_device_is_an_error_at_once_and_tried_again_later(session_on: Callable[..., Session]):
    system = FakeSystem(MICROPHONE, SPEAKERS)
    system.refuses = True
    session = session_on(system)
    with pytest.raises(DeviceError, match="busy"):
        session.ears.open()
    system.refuses = False
    session.ears.open()
    assert session.ears.status().state == "open"


def test_silence_is_reported_once(session_on: Callable[..., Session]):
    session = session_on(FakeSystem(MICROPHONE, SPEAKERS))
    session.ears.open()
    session.pass_time(30, np.zeros)
    assert [notice for notice in session.notices if "the input is silent" in notice] == [
        "USB microphone: the input is silent; check cable, channel and input level"
    ]


def test_stems_are_set_by_name(session_on: Callable[..., Session]):
    session = session_on(FakeSystem(MICROPHONE, SPEAKERS))
    session.ears.set_stem("high", muted=True, gain_db=-3.0)
    session.ears.set_stem("high", soloed=True)
    session.ears.choose("low")
    low, high = session.ears.status().stems
    assert (high.mix.muted, high.mix.soloed, high.mix.gain_db) == (True, True, -3.0)
    assert (low.plays, high.plays) == (True, False)
    session.ears.choose("")
    assert not any(stem.plays for stem in session.ears.status().stems)
    with pytest.raises(SettingError, match="'horn' does not exist; there is low, high"):
        session.ears.choose("horn")
    with pytest.raises(SettingError, match="60 to 12 dB"):
        session.ears.set_stem("low", gain_db=40.0)


def test_stems_are_recorded(session_on: Callable[..., Session], tmp_path: Path):
    session = session_on(FakeSystem(MICROPHONE, SPEAKERS))
    session.ears.record(tmp_path / "stems")
    session.ears.open()
    assert session.ears.status().recording == str(tmp_path / "stems")
    heard = noise(512 * 12)
    for block in range(12):
        session.stream.hear(heard[block * 512 :][:512], 50 + block * 512 / 8000)
    until(lambda: session.ears.status().latency.ready_p99 != 0)
    session.ears.close()
    low, rate = soundfile.read(tmp_path / "stems" / "low.wav")
    high, _ = soundfile.read(tmp_path / "stems" / "high.wav")
    assert rate == 8000
    assert low.shape == high.shape
    assert len(low)
    np.testing.assert_allclose((low + high)[:, 0], heard[: len(low)], atol=1e-5)


def test_listening_without_a_screen_says_what_it_hears(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    system = FakeSystem(MICROPHONE, SPEAKERS)
    options = ListenOptions(solo=("low",), record=tmp_path / "stems", seconds=5.0)

    def wait(seconds: float) -> None:
        assert seconds == 5
        for block in range(12):
            system.streams[-1].hear(noise(512), time.monotonic() + block * 512 / 8000)
        until(lambda: (tmp_path / "stems" / "high.wav").exists())

    status = listen_with(BandModel(), options, system, wait)
    assert [stem.mix.soloed for stem in status.stems] == [True, False]
    assert system.streams[-1].closed
    assert soundfile.info(tmp_path / "stems" / "low.wav").frames > 0
    first, *figures = capsys.readouterr().out.splitlines()
    assert first.startswith("listening to USB microphone, playing Built-in speakers, 8000 Hz: low, high")
    assert figures[-2].startswith("dropouts: ")
    assert max(map(len, figures)) <= 80


def test_listening_ends_in_order_when_interrupted_or_refused(capsys: pytest.CaptureFixture[str]):
    system = FakeSystem(MICROPHONE, SPEAKERS)

    def interrupt(seconds: float) -> None:
        raise KeyboardInterrupt

    assert listen_with(BandModel(), ListenOptions(), system, interrupt).state == "open"
    assert system.streams[-1].closed
    with pytest.raises(SettingError, match="'horn' does not exist"):
        listen_with(BandModel(), ListenOptions(mute=("horn",)), system, interrupt)
