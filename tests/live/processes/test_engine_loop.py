"""The engine's loop, a step at a time, around a companion that notes each call."""

import multiprocessing
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from tatumflow.engine.clock import SystemClock, VirtualClock
from tatumflow.engine.controls import Controls
from tatumflow.engine.errors import SchedulerError
from tatumflow.engine.harmony.chart import parse_chart
from tatumflow.engine.messages import (
    Notice,
    Panic,
    PassTurn,
    SetControl,
    Shutdown,
    Snapshot,
    TakeTurn,
    UseModel,
)
from tatumflow.engine.midi.events import ALL_NOTES_OFF, ControlChange, NoteOff, NoteOn
from tatumflow.engine.tempo.beat_clock import BeatClock
from tatumflow.engine.tempo.time_in_force import TimeInForce
from tatumflow.live.book.midi_markers import read_markers
from tatumflow.live.processes.engine_loop import Engine
from tatumflow.live.processes.options import EngineOptions
from tatumflow.live.processes.recorder import Recorder
from tatumflow.live.processes.reports import ReportPipe
from tatumflow.live.processes.session import LoadedModel, OpenModel
from tatumflow.live.settings import PortSettings, Settings, SynthSettings

PATIENCE = 60.0


@dataclass
class Bundle:
    name: str
    styles: tuple[str, ...]

    def style_weights(self, controls: Controls) -> None:
        pass

    def plays_lines(self, controls: Controls) -> bool:
        return False

    def take_weights(self, controls: Controls) -> None:
        pass


@dataclass
class Thread:
    hushed: int = 0
    died: bool = False
    hopeless: bool = False
    seconds: float = 0.0

    def hush(self) -> None:
        self.hushed += 1

    def stuck(self, now: float) -> float:
        return self.seconds

    def revive(self) -> bool:
        if self.hopeless:
            raise SchedulerError("notes cannot be sent")
        died, self.died = self.died, False
        return died

    def stop(self) -> None:
        pass


@dataclass
class Companion:
    controls: Controls = field(default_factory=Controls)
    turn: str = "listening"
    done: list[Any] = field(default_factory=list)
    notices: tuple[Notice, ...] = ()
    time_in_force: TimeInForce = field(default_factory=lambda: TimeInForce(None))
    exchanged: threading.Event = field(default_factory=threading.Event)
    changed: threading.Event = field(default_factory=threading.Event)

    def advance(self) -> float | None:
        self.done.append("advance")
        return None

    def handle(self, event: Any) -> None:
        self.done.append(event)

    def command(self, command: Any) -> None:
        self.done.append(command)

    def set_controls(self, commands: Sequence[SetControl]) -> None:
        self.done.append(tuple(commands))
        for command in commands:
            self.controls = self.controls.changed(command.name, command.value)
        self.changed.set()

    def snapshot(self) -> Snapshot:
        return Snapshot(0.0, "listening", self.controls, notices=self.notices)

    def use_model(self, decoder: Any, controls: Controls, weights: Any, phrases: Any) -> None:
        self.controls = controls
        self.exchanged.set()

    def silence(self) -> None:
        pass


class Stage:
    """An engine whose ports are not open, with a companion that notes each call."""

    def __init__(self) -> None:
        settings = Settings(
            ports=PortSettings(api="jack"),
            synth=SynthSettings(enabled=False),
            controllers={"style": 20, "temperature": 21, "turn": 67, "register_low": 22, "register_high": 23},
        )
        ours, theirs = multiprocessing.Pipe()
        self.connections = ours, theirs
        self._pipe = ReportPipe(theirs)
        self.engine = Engine(EngineOptions(settings), theirs, self._pipe, open_model=open_model)
        self.companion, self.thread = Companion(), Thread()
        bundle = Bundle("first", ("a", "b", "c"))
        self.engine.use(LoadedModel(bundle, self.companion, self.thread))  # pyright: ignore

    def put(self, *items: Any) -> None:
        for item in items:
            self.engine.inbox.put(item)

    def step(self) -> list[Any]:
        """Return the calls of the companion in one step."""
        before = len(self.companion.done)
        self.engine.step()
        return self.companion.done[before:]

    def notices(self) -> list[Notice]:
        """Return the notices of all snapshots sent, and send no more."""
        self._pipe.close()
        notices: list[Notice] = []
        while self.connections[0].poll():
            notices += self.connections[0].recv().notices
        return notices


def open_model(name: str) -> OpenModel:
    return OpenModel(Bundle(name, ("x", "y", "z")), None, None)  # pyright: ignore


@pytest.fixture
def stage() -> Iterator[Stage]:
    stage = Stage()
    yield stage
    stage.notices()
    for connection in stage.connections:
        connection.close()


def controller(number: int, value: int) -> ControlChange:
    return ControlChange(0.0, number, value)


def test_values_that_arrived_together_are_one_change_of_the_newest(stage: Stage):
    for value in range(100):
        stage.put(SetControl("surprise", value / 100), controller(21, value))
    (change,) = stage.step()
    assert {command.name: command.value for command in change} == {
        "surprise": 0.99,
        "temperature": pytest.approx(99 / 127 * 2, abs=1e-3),
    }
    assert stage.step() == []


def test_a_step_sets_controls_once_and_takes_all_notes(stage: Stage):
    notes = [NoteOn(float(i), 60 + i, 80) for i in range(20)]
    for note in notes:
        stage.put(SetControl("mode", "continue"), TakeTurn(), SetControl("temperature", 0.5), note)
    step = stage.step()
    assert step[:20] == notes
    assert step[20:] == [(SetControl("mode", "continue"),)]
    assert stage.step() == [TakeTurn(), (SetControl("temperature", 0.5), SetControl("mode", "continue"))]


def test_two_ends_of_the_register_moved_together_are_both_as_set(stage: Stage):
    stage.companion.controls = replace(stage.companion.controls, register_low=40, register_high=50)
    stage.put(controller(23, 127), controller(22, 100))
    (change,) = stage.step()
    low = {command.name: command.value for command in change}["register_low"]
    assert low > 50


def test_a_panic_overtakes_and_hushes_at_once(stage: Stage):
    stage.put(SetControl("temperature", 0.5), TakeTurn(), NoteOn(0.0, 60, 80), Panic())
    assert stage.thread.hushed == 1, "before the loop takes it"
    assert stage.step() == [Panic(), NoteOn(0.0, 60, 80), (SetControl("temperature", 0.5),)]
    stage.put(controller(ALL_NOTES_OFF, 0))
    assert stage.thread.hushed == 2
    assert stage.step() == [controller(ALL_NOTES_OFF, 0), Panic()]


def test_a_shutdown_ends_the_loop_whatever_waits(stage: Stage):
    stage.put(*(SetControl("seed", i) for i in range(10)), *(NoteOn(0.0, 60, 80) for _ in range(3)))
    stage.put(Shutdown())
    assert stage.step() == []
    stage.engine.loop()
    assert stage.companion.done == [], "the loop has not begun again"


def test_a_pedal_acts_in_order_with_the_controls(stage: Stage):
    stage.put(controller(21, 0), controller(67, 127), controller(67, 0), controller(21, 127))
    assert stage.step() == [(SetControl("temperature", 0.0),)]
    assert stage.step() == [PassTurn(), (SetControl("temperature", 2.0),)]


def test_a_knob_picks_from_the_styles_of_the_model_in_use(stage: Stage):
    loop = threading.Thread(target=stage.engine.loop)
    loop.start()
    stage.put(UseModel("second"))
    assert stage.companion.exchanged.wait(PATIENCE)
    stage.put(controller(20, 127))
    assert stage.companion.changed.wait(PATIENCE)
    stage.put(Shutdown())
    loop.join(PATIENCE)
    assert not loop.is_alive()
    assert (SetControl("style", "z"),) in stage.companion.done


def test_a_dead_or_stuck_sender_is_reported_once(stage: Stage):
    engine = stage.engine
    stage.thread.died = True
    engine.watch_outputs()
    stage.thread.seconds = 1.5
    for _ in range(3):
        engine.watch_outputs()
    stage.thread.seconds = 0.0
    engine.watch_outputs()
    engine.publish(0.0)
    texts = [notice.text for notice in stage.notices()]
    assert len(texts) == 2
    assert "died and was started again" in texts[0]
    assert "takes no more notes" in texts[1]
    stage.thread.hopeless = True
    with pytest.raises(SchedulerError):
        engine.watch_outputs()


def test_an_output_that_hangs_is_named(stage: Stage):
    names: list[str] = []

    class Hanging:
        name = "old interface"

        def send(self, message: tuple[int, ...]) -> None:
            names.append(stage.engine.outputs.sending_to)

    stage.engine.outputs.add(Hanging())
    stage.engine.outputs.silence()
    assert set(names) == {"old interface"}
    assert stage.engine.outputs.sending_to == ""


def test_refused_values_in_a_flood_are_not_a_flood_of_lines(stage: Stage):
    clock = SystemClock()
    for _ in range(50):
        stage.companion.notices = (Notice(0.0, f"seed: {clock.now()}", "warning"),)
        stage.engine.publish(clock.now())
    assert 1 <= len(stage.notices()) <= 2


def test_the_recording_learns_beat_and_chart_with_each_snapshot(stage: Stage, tmp_path: Path):
    clock = VirtualClock(5.0)
    recorder = Recorder(tmp_path / "session.mid", clock, lambda text, severity: None)
    stage.engine._recorder = recorder
    chart = parse_chart("Gm7 | C7", beats_per_bar=3)
    stage.companion.time_in_force = TimeInForce(None, 3, chart)
    stage.engine.publish(5.0)
    stage.companion.time_in_force = TimeInForce(BeatClock(180.0, 6.0), 3, chart)
    stage.engine.publish(6.0)
    recorder.companion(NoteOn(6.0, 60, 80, 1))
    recorder.companion(NoteOff(8.0, 60, 1))
    clock.advance_to(9.0)
    assert recorder.close() == ""
    read = read_markers(recorder.path.read_bytes()).chart
    assert read.beats_per_bar == 3
    assert read.bars[-2:] == chart.bars
