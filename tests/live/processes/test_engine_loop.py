"""The engine's loop, a step at a time, around a companion that notes what it is asked for."""

import multiprocessing
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from tatumflow.engine.clock import SystemClock
from tatumflow.engine.controls import Controls
from tatumflow.engine.errors import SchedulerError
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
from tatumflow.engine.midi.events import ALL_NOTES_OFF, ControlChange, NoteOn
from tatumflow.live.processes.engine_loop import Engine
from tatumflow.live.processes.engine_options import EngineOptions
from tatumflow.live.processes.session import LoadedModel
from tatumflow.live.settings import PortSettings, Settings, SynthSettings


@dataclass
class Bundle:
    name: str
    styles: tuple[str, ...]


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
    refuse: bool = False

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

    def snapshot(self) -> Snapshot:
        return Snapshot(0.0, "listening", self.controls)

    def silence(self) -> None:
        pass


class Stage:
    """An engine whose ports are not open, with a companion that notes what it is asked for."""

    def __init__(self) -> None:
        settings = Settings(
            ports=PortSettings(api="jack"),
            synth=SynthSettings(enabled=False),
            controllers={"style": 20, "temperature": 21, "turn": 67, "register_low": 22, "register_high": 23},
        )
        ours, theirs = multiprocessing.Pipe()
        self.pipes = ours, theirs
        self.engine = Engine(EngineOptions(settings), theirs)
        self.companion, self.thread = Companion(), Thread()
        self.use(Bundle("first", ("a", "b", "c")))

    def use(self, bundle: Bundle) -> None:
        self.engine._model = LoadedModel(bundle, self.companion, self.thread)  # pyright: ignore

    def put(self, *items: Any) -> None:
        for item in items:
            self.engine._inbox.put(item)

    def step(self) -> list[Any]:
        """Return what the companion was asked for by what one step takes."""
        before = len(self.companion.done)
        self.engine._take_waiting()
        return self.companion.done[before:]


@pytest.fixture
def stage() -> Iterator[Stage]:
    stage = Stage()
    yield stage
    for pipe in stage.pipes:
        pipe.close()


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


def test_two_ends_of_the_register_moved_together_are_both_as_asked(stage: Stage):
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
    assert stage.engine._stopping


def test_a_pedal_acts_in_order_with_the_controls(stage: Stage):
    stage.put(controller(21, 0), controller(67, 127), controller(67, 0), controller(21, 127))
    assert stage.step() == [(SetControl("temperature", 0.0),)]
    assert stage.step() == [PassTurn(), (SetControl("temperature", 2.0),)]


def test_a_knob_picks_from_the_styles_of_the_model_in_use(stage: Stage, monkeypatch: pytest.MonkeyPatch):
    taken: list[str] = []
    other = Bundle("second", ("x", "y", "z"))

    def exchange(session: LoadedModel) -> LoadedModel:
        stage.engine._stopping = len(taken) > 0
        return replace(session, bundle=other) if taken else session  # pyright: ignore

    monkeypatch.setattr(stage.engine._exchange, "exchange", exchange)
    monkeypatch.setattr(stage.engine._exchange, "ask", taken.append)
    monkeypatch.setattr(stage.engine, "_publish", lambda time: None)
    stage.put(UseModel("second"))
    stage.engine._loop()
    assert taken == ["second"]
    stage.engine._stopping = False
    stage.put(controller(20, 127))
    assert stage.step() == [(SetControl("style", "z"),)]


def test_a_dead_or_stuck_sender_is_said_once(stage: Stage):
    engine = stage.engine
    stage.thread.died = True
    engine._watch_outputs()
    stage.thread.seconds = 1.5
    for _ in range(3):
        engine._watch_outputs()
    stage.thread.seconds = 0.0
    engine._watch_outputs()
    texts = [notice.text for notice in engine._notices.take()]
    assert len(texts) == 2
    assert "died and was started again" in texts[0]
    assert "takes no more notes" in texts[1]
    stage.thread.hopeless = True
    with pytest.raises(SchedulerError):
        engine._watch_outputs()


def test_an_output_that_hangs_is_named(stage: Stage):
    names: list[str] = []

    class Hanging:
        name = "old interface"

        def send(self, message: tuple[int, ...]) -> None:
            names.append(stage.engine._outputs.sending_to)

    stage.engine._outputs.add(Hanging())
    stage.engine._outputs.silence()
    assert set(names) == {"old interface"}
    assert stage.engine._outputs.sending_to == ""


def test_refused_values_in_a_flood_are_not_a_flood_of_lines(stage: Stage, monkeypatch: pytest.MonkeyPatch):
    clock, shown = SystemClock(), list[Notice]()

    def refused() -> Notice:
        return Notice(0.0, f"seed: {clock.now()}", "warning")

    monkeypatch.setattr(
        stage.companion,
        "snapshot",
        lambda: Snapshot(
            0.0, "listening", Controls(), notices=(Notice(0.0, f"seed: {clock.now()}", "warning"),)
        ),
    )
    monkeypatch.setattr(stage.engine._screen, "show", lambda snapshot: shown.extend(snapshot.notices))
    for _ in range(50):
        stage.engine._publish(clock.now())
    assert len(shown) <= 2
