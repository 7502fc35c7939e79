"""Where stems go besides the monitor: into files, and to a note tracker."""

import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from time import monotonic, sleep

import numpy as np
import pytest
import soundfile

from tatumflow.engine.errors import AudioFileError
from tatumflow.engine.midi.events import InputLost, NoteOff, NoteOn
from tatumflow.engine.note_tracking.monophonic import MonophonicTracker
from tatumflow.live.audio.stem_listener import NoteThread
from tatumflow.live.audio.stem_recorder import StemRecorder, write_whole

RATE = 8000


def stems(count: int, value: float = 0.25) -> np.ndarray:
    return np.stack([np.full((2, count), value), np.full((2, count), -value)]).astype(np.float32)


def test_each_stem_has_its_file_and_gaps_are_silent(tmp_path: Path):
    recorder = StemRecorder(tmp_path / "new", ("low", "high"), RATE, lambda text, severity: None)
    recorder.write(stems(RATE), 10.0)
    recorder.write(stems(RATE, 2.0), 13.0)
    recorder.close()
    low, rate = soundfile.read(tmp_path / "new" / "low.wav")
    high, _ = soundfile.read(tmp_path / "new" / "high.wav")
    assert (rate, low.shape) == (RATE, (4 * RATE, 2))
    np.testing.assert_array_equal(low, -high)
    np.testing.assert_array_equal(low[:RATE], 0.25)
    np.testing.assert_array_equal(low[RATE : 3 * RATE], 0)
    # Louder than full scale is kept.
    np.testing.assert_array_equal(low[3 * RATE :], 2)
    assert recorder.seconds == 4


def test_a_recording_that_is_never_closed_lacks_its_last_seconds_only(tmp_path: Path):
    recorder = StemRecorder(tmp_path, ("low", "high"), RATE, lambda text, severity: None)
    for second in range(30):
        recorder.write(stems(RATE, second / 100), float(second))
    end = monotonic() + 60
    while recorder.seconds < 30:
        assert monotonic() < end, "it is not written"
        sleep(0.005)
    for path in recorder.paths:
        content = path.read_bytes()
        # As the file states it; a lenient reader counts what lies behind.
        stated = int.from_bytes(content[content.index(b"data") + 4 :][:4], "little")
        assert stated >= 20 * RATE * 2 * 4
    recorder.close()
    low, _ = soundfile.read(tmp_path / "low.wav")
    np.testing.assert_array_equal(low[::RATE, 0], np.arange(30, dtype=np.float32) / np.float32(100))
    assert len(low) == 30 * RATE


@pytest.fixture
def full_disk() -> Iterator[None]:
    """No file of this process may grow beyond 64 KiB."""
    if sys.platform == "win32":
        pytest.skip("no file size limits")
    import resource

    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (65_536, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.usefixtures("full_disk")
def test_a_full_disk_is_reported_once_and_nothing_else_stops(tmp_path: Path):
    notices: list[tuple[str, str]] = []
    recorder = StemRecorder(tmp_path, ("low", "high"), RATE, lambda *notice: notices.append(notice))
    for second in range(20):
        recorder.write(stems(RATE), float(second))
    recorder.close()
    recorder.write(stems(RATE), 20.0)
    assert recorder.failed
    assert [severity for _, severity in notices] == ["warning"]
    assert "stems not recorded" in notices[0][0]


def test_stems_go_to_the_temporary_folder_where_theirs_cannot_be_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    (tmp_path / "file").write_text("")
    (tmp_path / "spare").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "spare"))
    notices: list[str] = []
    requested = tmp_path / "file" / "jam stems"
    recorder = StemRecorder(requested, ("low",), RATE, lambda text, severity: notices.append(text))
    recorder.write(stems(10)[:1], 0.0)
    recorder.close()
    assert not recorder.failed
    assert recorder.folder.is_relative_to(tmp_path / "spare")
    assert recorder.folder.name == "jam stems"
    assert len(soundfile.read(recorder.paths[0])[0]) == 10
    (notice,) = notices
    assert str(requested) in notice
    assert str(recorder.folder) in notice


def test_stems_that_can_go_nowhere_are_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "file"))
    notices: list[str] = []
    recorder = StemRecorder(tmp_path / "file", ("low",), RATE, lambda text, severity: notices.append(text))
    recorder.write(stems(10)[:1], 0.0)
    recorder.close()
    assert recorder.failed
    (notice,) = notices
    assert "stems not recorded" in notice


class ShortFile:
    """A sound file that takes half of what it is given; `asserts` as soundfile does where asserts are on."""

    def __init__(self, *, asserts: bool) -> None:
        self._asserts = asserts
        self._written = 0

    def tell(self) -> int:
        return self._written

    def write(self, samples: np.ndarray) -> None:
        self._written += len(samples) // 2
        if self._asserts:
            raise AssertionError


@pytest.mark.parametrize("asserts", [True, False])
def test_a_short_write_is_a_typed_error_whether_or_not_python_asserts(asserts: bool):
    with pytest.raises(AudioFileError, match="5 of 10 samples"):
        write_whole(ShortFile(asserts=asserts), np.zeros((10, 2), np.float32))  # pyright: ignore[reportArgumentType]


class Tracker:
    """One note for each block; refuses blocks of silence."""

    latency = 0.0

    def __init__(self, rate: int = RATE) -> None:
        self.rate = rate
        self.blocks: list[tuple[np.ndarray, float]] = []
        self.gate = threading.Event()
        self.gate.set()
        self.called = threading.Event()

    def push(self, samples: np.ndarray, time: float) -> list[NoteOn | NoteOff]:
        self.called.set()
        self.gate.wait(60)
        if not samples.any():
            raise RuntimeError("no pitch")
        self.blocks.append((samples, time))
        return [NoteOn(time, 60, 90)]

    def finish(self, time: float) -> list[NoteOn | NoteOff]:
        return [NoteOff(time, 60)]


def ones(count: int = 64) -> np.ndarray:
    return np.ones(count, dtype=np.float32)


def test_notes_of_the_stem_come_out_in_order():
    events: list[NoteOn | NoteOff | InputLost] = []
    thread = NoteThread(Tracker(), RATE, events.append, lambda text, severity: None)
    for block in range(5):
        thread.hear(ones(), block / 10)
    thread.lose(0.5)
    thread.close()
    assert [event.time for event in events] == pytest.approx([0, 0.1, 0.2, 0.3, 0.4, 0.5])
    assert isinstance(events[-1], NoteOff)


def test_a_tracker_of_another_rate_hears_the_same_at_the_same_time():
    tracker, rate = Tracker(16_000), 44_100
    thread = NoteThread(tracker, rate, lambda event: None, lambda text, severity: None)
    seconds = np.arange(rate) / rate
    wave = np.sin(2 * np.pi * 440 * seconds).astype(np.float32)
    for first in range(0, rate, 512):
        thread.hear(wave[first : first + 512], 7 + first / rate)
    thread.close()
    heard = np.concatenate([samples for samples, _ in tracker.blocks])
    assert len(heard) > 0.9 * 16_000
    count = 0
    for samples, time in tracker.blocks:
        assert time == pytest.approx(7 + count / 16_000, abs=1e-6)
        count += len(samples)
    expected = np.sin(2 * np.pi * 440 * np.arange(len(heard)) / 16_000)
    np.testing.assert_allclose(heard[1000:-1000], expected[1000:-1000], atol=1e-3)


def test_a_tone_becomes_a_note_at_its_time():
    rate = 44_100
    events: list[NoteOn | NoteOff | InputLost] = []
    thread = NoteThread(MonophonicTracker(), rate, events.append, lambda text, severity: None)
    seconds = np.arange(2 * rate) / rate
    sounds = (seconds >= 0.5) & (seconds < 1.2)
    tone = sum(0.2 / part * np.sin(2 * np.pi * 440 * part * seconds) for part in (1, 2, 3)) * sounds
    for first in range(0, len(tone), 512):
        thread.hear(tone[first : first + 512].astype(np.float32), 30 + first / rate)
    thread.close()
    on, off = events
    assert isinstance(on, NoteOn)
    assert isinstance(off, NoteOff)
    assert (on.pitch, off.pitch) == (69, 69)
    assert on.time == pytest.approx(30.5, abs=0.05)
    assert off.time == pytest.approx(31.2, abs=0.1)


def test_a_tracker_that_fails_is_reported_once_and_goes_on():
    events: list[NoteOn | NoteOff | InputLost] = []
    notices: list[str] = []
    thread = NoteThread(Tracker(), RATE, events.append, lambda text, severity: notices.append(text))
    for block in range(3):
        thread.hear(np.zeros(64, dtype=np.float32), block / 10)
    thread.hear(ones(), 0.3)
    thread.close()
    assert [type(event) for event in events] == [InputLost, InputLost, InputLost, NoteOn]
    assert len(notices) == 1
    assert "no pitch" in notices[0]


def test_a_tracker_that_is_too_slow_leaves_out_what_is_old():
    tracker = Tracker()
    events: list[NoteOn | NoteOff | InputLost] = []
    notices: list[str] = []
    tracker.gate.clear()
    thread = NoteThread(tracker, RATE, events.append, lambda text, severity: notices.append(text))
    for block in range(20):
        thread.hear(ones(), block / 100)
    assert tracker.called.wait(60)
    for block in range(20, 500):
        thread.hear(ones(), block / 100)
    tracker.gate.set()
    thread.close()
    assert len(events) < 50
    # The notes before end.
    assert any(isinstance(event, NoteOff) for event in events)
    assert events[-1].time >= 4.98
    assert len(notices) == 1
