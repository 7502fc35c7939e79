"""The ears at work for an engine: notes and the state of the sound go out, commands come in."""

import multiprocessing
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np
import pytest
import soundfile
from band_model import BandModel
from fake_audio import INTERFACE, MICROPHONE, SPEAKERS, FakeStream, FakeSystem

from tatumflow.engine.clock import SystemClock
from tatumflow.engine.errors import DeviceError, SettingError, TatumFlowError
from tatumflow.engine.messages import Notice, Shutdown
from tatumflow.engine.midi.events import InputLost, NoteOff, NoteOn
from tatumflow.engine.note_tracking.monophonic import MonophonicTracker
from tatumflow.engine.note_tracking.tracker import NoteTracker
from tatumflow.engine.separation.pass_through import PassThrough
from tatumflow.engine.separation.streaming import BlockModel
from tatumflow.live.audio.commands import AudioCommand, BypassSeparation, ChooseStem, RecordStems, SetStem
from tatumflow.live.audio.status import AudioStatus
from tatumflow.live.commands.jam import JamOptions
from tatumflow.live.processes.ears_link import EarsLink
from tatumflow.live.processes.ears_loop import EarsLoop, audio_options, open_tracker, separator_named
from tatumflow.live.processes.ears_process import run_ears
from tatumflow.live.processes.options import EarsOptions
from tatumflow.live.processes.reports import EarsReport, Ready, ReportPipe
from tatumflow.live.processes.supervisor import spawn
from tatumflow.live.settings import AudioSettings, Settings, load_settings, save_settings
from tatumflow.live.settings_saver import remember

pytestmark = pytest.mark.slow

PATIENCE = 60.0
RATE = 48_000
BLOCK = 256


class Engine:
    """The engine's end of the pipe: keeps the reports."""

    def __init__(self, connection: Connection) -> None:
        self.reports: list[EarsReport] = []
        self._connection = connection
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def send(self, command: AudioCommand | Shutdown) -> None:
        self._connection.send(command)

    def status(self) -> AudioStatus:
        shown = [report for report in list(self.reports) if isinstance(report, AudioStatus)]
        return shown[-1] if shown else AudioStatus()

    def notes(self) -> list[NoteOn | NoteOff]:
        return [report for report in list(self.reports) if isinstance(report, NoteOn | NoteOff)]

    def lines(self) -> list[str]:
        return [report.text for report in list(self.reports) if isinstance(report, Notice)]

    def close(self) -> None:
        """Read the last reports."""
        self._reader.join(PATIENCE)
        self._connection.close()

    def _read(self) -> None:
        try:
            while True:
                self.reports.append(self._connection.recv())
        except (EOFError, OSError):
            pass


class NoNotes:
    """A tracker that hears nothing."""

    rate = 16_000
    latency = 0.0

    def push(self, samples: np.ndarray, time: float) -> list[NoteOn | NoteOff]:
        return []

    def finish(self, time: float) -> list[NoteOn | NoteOff]:
        return []


class CountingTracker(MonophonicTracker):
    """Counts the seconds of its input."""

    seconds = 0.0

    def push(self, samples: np.ndarray, time: float) -> list[NoteOn | NoteOff]:
        events = super().push(samples, time)
        self.seconds += len(samples) / self.rate
        return events


class Session:
    """Ears at work on a thread, on devices of the test's."""

    def __init__(
        self,
        folder: Path,
        settings: AudioSettings,
        model: BlockModel,
        tracker: NoteTracker | None = None,
        system: FakeSystem | None = None,
    ) -> None:
        self.system = system or FakeSystem(MICROPHONE, SPEAKERS, rates=(8000, RATE))
        ours, theirs = multiprocessing.Pipe()
        self._end = ReportPipe(theirs)
        self._theirs = theirs
        options = EarsOptions(settings, folder)
        self.loop = EarsLoop(
            options, model, tracker or NoNotes(), self.system, self._end, theirs, SystemClock()
        )
        self.engine = Engine(ours)
        self._thread = threading.Thread(target=self.loop.run, daemon=True)
        self._thread.start()

    @property
    def stream(self) -> FakeStream:
        return self.system.streams[-1]

    def end(self) -> None:
        if self._theirs.closed:
            return
        self.engine.send(Shutdown())
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive()
        self.loop.close()
        self._end.close()
        self._theirs.close()
        self.engine.close()


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let devices stand still, since they give sound only when a test plays."""
    monkeypatch.setattr("tatumflow.live.audio.ears.STALLED_SECONDS", 10 * PATIENCE)


@pytest.fixture
def session_with(tmp_path: Path) -> Iterator[Callable[..., Session]]:
    sessions: list[Session] = []

    def start(
        settings: AudioSettings | None = None,
        model: BlockModel | None = None,
        tracker: NoteTracker | None = None,
    ) -> Session:
        folder = tmp_path / "take.1 stems"
        session = Session(folder, settings or AudioSettings(stem="low"), model or BandModel(), tracker)
        sessions.append(session)
        return session

    yield start
    for session in sessions:
        session.end()


def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.005)


def play(session: Session, seconds: float = 0.25) -> float:
    """Let the device hear noise, and return when it began."""
    now = time.monotonic()
    heard = 0.1 * np.random.default_rng(1).standard_normal(int(seconds * 8000))
    for first in range(0, len(heard), 512):
        session.stream.hear(heard[first : first + 512], now + first / 8000)
    return now


def test_a_horn_at_a_microphone_becomes_notes_at_their_times(session_with: Callable[..., Session]):
    tracker = CountingTracker()
    session = session_with(AudioSettings(stem="input"), PassThrough(), tracker)
    assert session.stream.plan.output is None, "a microphone beside loudspeakers howls"
    seconds = np.arange(2 * RATE) / RATE
    sounds = (seconds >= 0.5) & (seconds < 1.2)
    tone = sum(0.2 / part * np.sin(2 * np.pi * 440 * part * seconds) for part in (1, 2, 3)) * sounds
    began = time.monotonic()
    for first in range(0, len(tone), BLOCK):
        # As fast as it is worked on, which is faster than it sounds.
        until(lambda first=first: first / RATE - tracker.seconds < 0.5)
        session.stream.hear(tone[first : first + BLOCK], began + first / RATE)
    until(lambda: len(session.engine.notes()) == 2)
    on, off = session.engine.notes()
    assert isinstance(on, NoteOn)
    assert isinstance(off, NoteOff)
    assert (on.pitch, off.pitch) == (69, 69)
    assert on.time == pytest.approx(began + 0.5, abs=0.05)
    assert off.time == pytest.approx(began + 1.2, abs=0.1)


def test_the_state_of_the_sound_comes_first_and_then_when_it_changes(session_with: Callable[..., Session]):
    session = session_with()
    until(lambda: len(session.engine.reports) >= 2)
    status, ready = session.engine.reports[:2]
    assert isinstance(status, AudioStatus)
    assert isinstance(ready, Ready)
    assert (status.state, status.input) == ("open", MICROPHONE.name)
    assert [(stem.name, stem.plays) for stem in status.stems] == [("low", True), ("high", False)]
    time.sleep(0.2)
    assert len(session.engine.reports) == 2
    play(session)
    until(lambda: session.engine.status().input_level.rms > 0.01)


def test_stems_are_set_chosen_bypassed_and_refused(session_with: Callable[..., Session]):
    session = session_with()
    session.engine.send(SetStem("high", gain_db=-6.0, muted=True))
    session.engine.send(ChooseStem("high"))
    session.engine.send(BypassSeparation(True))
    until(lambda: session.engine.status().bypass)
    assert session.engine.status().playing == "high"
    low, high = session.engine.status().stems
    assert (high.mix.gain_db, high.mix.muted, high.plays, low.plays) == (-6.0, True, True, False)
    session.engine.send(ChooseStem("horn"))
    session.engine.send(SetStem("low", gain_db=99.0))
    until(lambda: len(session.engine.lines()) == 2)
    assert "'horn' does not exist" in session.engine.lines()[0]
    assert "60 to 12 dB" in session.engine.lines()[1]
    session.engine.send(ChooseStem(""))
    until(lambda: session.engine.status().playing == "")


def test_stems_are_recorded_into_a_folder_of_their_own_each_time(
    session_with: Callable[..., Session], tmp_path: Path
):
    session = session_with(AudioSettings(record=True))
    first, second = tmp_path / "take.1 stems", tmp_path / "take.1 stems 2"
    play(session)
    until(lambda: (first / "low.wav").exists())
    assert session.engine.status().recording == str(first)
    session.engine.send(RecordStems(False))
    until(lambda: not session.engine.status().recording)
    session.engine.send(RecordStems(True))
    until(lambda: session.engine.status().recording == str(second))
    # A recording that is on already is not begun again.
    session.engine.send(RecordStems(True))
    play(session)
    until(lambda: (second / "high.wav").exists())
    session.end()
    assert session.engine.status().recording == str(second)
    assert soundfile.info(first / "low.wav").frames > 0
    assert soundfile.info(second / "high.wav").frames > 0


def test_an_engine_that_has_gone_ends_the_ears(tmp_path: Path):
    system = FakeSystem(MICROPHONE)
    ours, theirs = multiprocessing.Pipe()
    end = ReportPipe(theirs)
    options = EarsOptions(AudioSettings(), tmp_path)
    loop = EarsLoop(options, BandModel(), NoNotes(), system, end, theirs, SystemClock())
    ours.close()
    loop.run()
    loop.close()
    end.close()
    assert system.streams[-1].closed


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        (AudioSettings(input="bassoon"), DeviceError, "does not exist"),
        (AudioSettings(stem="horn"), SettingError, "'horn' does not exist; there is low, high"),
        (AudioSettings(channels=(2,)), DeviceError, "has 1 channels, not 2"),
    ],
)
def test_an_input_that_cannot_be_opened_is_an_error_at_once(
    tmp_path: Path, settings: AudioSettings, error: type[TatumFlowError], message: str
):
    with pytest.raises(error, match=message):
        Session(tmp_path, settings, BandModel())


def test_of_the_states_only_the_newest_is_sent_and_nothing_else_is_lost():
    ours, theirs = multiprocessing.Pipe(duplex=False)
    end = ReportPipe(theirs)
    # More than the pipe holds, so that what comes after waits.
    for number in range(3000):
        end.report(NoteOn(float(number), 60, 90))
    for number in range(500):
        end.show(AudioStatus(rate=number))
    notes: list[NoteOn] = []
    states: list[AudioStatus] = []
    while len(notes) < 3000 or not states or states[-1].rate < 499:
        assert ours.poll(PATIENCE)
        report: EarsReport = ours.recv()
        if isinstance(report, NoteOn):
            notes.append(report)
        else:
            assert isinstance(report, AudioStatus)
            states.append(report)
    end.close()
    assert [note.time for note in notes] == list(range(3000))
    assert len(states) < 500


def test_a_pipe_whose_reader_has_gone_holds_nothing_up():
    ours, theirs = multiprocessing.Pipe(duplex=False)
    end = ReportPipe(theirs)
    ours.close()
    for number in range(10):
        end.report(InputLost(float(number)))
    end.close()


@pytest.mark.parametrize(
    ("output", "monitor", "opened"),
    [
        ("auto", True, ""),
        ("auto", False, None),
        ("", True, None),
        ("USB", False, "USB"),
    ],
)
def test_the_stems_are_played_where_that_makes_sense(output: str, monitor: bool, opened: str | None):
    settings = AudioSettings(
        input="auto", output=output, channels=(2,), rate=44_100, block=128, allowance=0.1
    )
    options = audio_options(settings, monitor=monitor)
    assert (options.input, options.output, options.channels) == ("", opened, (2,))
    assert (options.rate, options.block, options.allowance) == (44_100, 128, 0.1)


def test_one_voice_is_heard_faster_than_many():
    assert open_tracker("one").latency < 0.12
    assert open_tracker("many").latency < 0.5


def test_the_whole_input_needs_no_separator():
    assert separator_named(AudioSettings(stem="input")) == "none"
    assert separator_named(AudioSettings(stem="horn")) == ""
    assert separator_named(AudioSettings(stem="input", separator="mine")) == "mine"


class Linked:
    """What an engine gets from its link to the ears."""

    def __init__(self, folder: Path, settings: AudioSettings, target: Callable[..., None] = run_ears) -> None:
        self.events: list[NoteOn | NoteOff] = []
        self.lines: list[str] = []
        self.link = EarsLink(
            EarsOptions(settings, folder),
            SystemClock(),
            self.events.append,
            lambda status: None,
            lambda text, severity: self.lines.append(text),
            lambda options: spawn(target, options, name="ears", daemon=True),
        )


@pytest.mark.parametrize("losing", [True, False], ids=["their input is lost", "they die"])
def test_notes_of_the_ears_end_and_no_others(tmp_path: Path, losing: bool):
    target = _play_and_lose if losing else _play_and_die
    linked = Linked(tmp_path, AudioSettings(stem="input"), target)
    linked.link.start()
    until(lambda: sum(isinstance(event, NoteOff) for event in linked.events) >= 3)
    linked.link.close()
    assert [type(event) for event in linked.events[:6]] == [NoteOn] * 3 + [NoteOff] * 3
    assert [(event.pitch, event.channel) for event in linked.events[3:6]] == [(60, 0), (64, 1), (67, 0)]


def _play(connection: Connection) -> None:
    for event in (NoteOn(0.0, 60, 80), NoteOn(0.1, 64, 80, 1), NoteOn(0.2, 67, 80), NoteOff(0.3, 60)):
        connection.send(event)


def _play_and_lose(connection: Connection, options: EarsOptions) -> None:
    _play(connection)
    connection.send(InputLost(0.4))
    connection.send(Ready())
    connection.recv()


def _play_and_die(connection: Connection, options: EarsOptions) -> None:
    _play(connection)


def test_ears_that_cannot_start_are_an_error_where_they_are_needed(tmp_path: Path):
    linked = Linked(tmp_path, AudioSettings(separator="nowhere", stem="horn"))
    linked.link.start(needed=True)
    with pytest.raises(TatumFlowError, match="nowhere: no such separator; "):
        linked.link.wait_ready()
    assert linked.lines == []
    linked.link.send(ChooseStem("horn"))
    assert linked.lines[0].startswith("there is no audio input: nowhere")
    linked.link.close()


def test_without_them_the_jam_goes_on_with_one_line(tmp_path: Path):
    linked = Linked(tmp_path, AudioSettings(separator="nowhere"))
    linked.link.start()
    until(lambda: bool(linked.lines))
    assert len(linked.lines) == 1
    assert linked.lines[0].startswith("nowhere: no such separator; ")
    assert linked.lines[0].endswith("; the jam goes on without ears")
    linked.link.close()


def test_ears_that_are_still_starting_are_ended_at_once(tmp_path: Path):
    linked = Linked(tmp_path, AudioSettings(stem="input"))
    linked.link.start()
    linked.link.close()
    assert linked.link.pid is not None
    assert linked.lines == []


def test_a_channel_of_an_interface_is_heard(tmp_path: Path):
    system = FakeSystem(replace(INTERFACE, is_default_input=True), rates=(RATE,))
    session = Session(tmp_path, AudioSettings(stem="input", channels=(3,)), PassThrough(), system=system)
    try:
        assert session.stream.plan.inputs == 3
        assert session.stream.plan.rate == RATE
    finally:
        session.end()


def test_a_stem_chosen_on_the_screen_is_kept_and_one_of_the_command_line_is_not(tmp_path: Path):
    file = tmp_path / "settings.yaml"
    save_settings(Settings().with_audio(stem="bass"), file)
    settings = JamOptions(changes={"audio.stem": "horn"}, settings_file=file).settings()
    remember(file, settings, settings)
    assert load_settings(file).audio == AudioSettings(stem="bass")
    remember(file, settings, settings.with_audio(stem="piano"))
    assert load_settings(file).audio == AudioSettings(stem="piano")
