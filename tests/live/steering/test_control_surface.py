"""Knobs and pedals: what they can be assigned to, what they ask for, and that they are no music then."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rig import Rig

from tatumflow.engine.clock import VirtualClock
from tatumflow.engine.controls import CONTROL_SPECS, MODES, Controls
from tatumflow.engine.errors import SettingError
from tatumflow.engine.messages import PassTurn, SetControl, TapTempo
from tatumflow.engine.midi.events import ControlChange, InputEvent
from tatumflow.live.midi.input_source import Source
from tatumflow.live.midi.outputs import Outputs
from tatumflow.live.settings import load_settings
from tatumflow.live.settings_saver import remember
from tatumflow.live.steering.actions import ACTIONS
from tatumflow.live.steering.control_surface import (
    STEERABLE,
    ControlSurface,
    checked_assignments,
    value_of_controller,
)

STYLES = ("art-tatum", "bill-evans", "charlie-parker")
NUMERIC = [name for name in STEERABLE if name not in ACTIONS]


def moved(number: int, value: int, time: float = 0.0) -> ControlChange:
    return ControlChange(time, number, value)


@pytest.mark.parametrize("control", NUMERIC)
def test_the_engine_accepts_every_value_of_a_controller_and_the_ends_are_the_ends(control: str) -> None:
    values = [value_of_controller(control, value, STYLES) for value in range(128)]
    for value in values:
        assert getattr(Controls().changed(control, value), control) == pytest.approx(value) or value == ""
    if isinstance(values[0], str):
        assert len(dict.fromkeys(values)) > 2
    else:
        assert values == sorted(values)  # pyright: ignore[reportArgumentType]
        assert values[0] == CONTROL_SPECS[control].low
        assert values[-1] == (127 if control == "seed" else CONTROL_SPECS[control].high)


@pytest.mark.parametrize("control", ["density", "pace", "dynamics"])
def test_the_centre_of_a_knob_is_the_centre_of_a_range_about_zero(control: str) -> None:
    assert value_of_controller(control, 64, STYLES) == 0


def test_a_knob_goes_through_a_list_evenly() -> None:
    values = [value_of_controller("mode", value, STYLES) for value in range(128)]
    assert tuple(dict.fromkeys(values)) == MODES
    assert min(values.count(mode) for mode in MODES) >= 128 // len(MODES)
    assert value_of_controller("style", 127, STYLES) == "charlie-parker"


def test_a_controller_that_moves_is_learnt_and_steers_from_then_on() -> None:
    surface = ControlSurface({})
    assert not surface.takes(moved(21, 5))
    surface.learn("temperature")
    assert surface.takes(moved(21, 5))
    assert not surface.takes(moved(64, 127))
    assert not surface.takes(moved(123, 0))
    assert surface.assign(21) == "temperature"
    assert surface.assigned == (("temperature", 21),)
    assert not surface.takes(moved(22, 5))
    assert surface.command(moved(21, 127), Controls(), STYLES) == SetControl("temperature", 2.0)
    assert surface.command(moved(21, 127), replace(Controls(), temperature=2.0), STYLES) is None


def test_learning_replaces_both_what_the_controller_steered_and_what_steered_it() -> None:
    surface = ControlSurface({"temperature": 21, "density": 22})
    surface.learn("temperature")
    surface.assign(22)
    assert surface.assigned == (("temperature", 22),)
    assert not surface.takes(moved(21, 5))
    surface.forget("temperature")
    assert surface.assigned == ()
    assert not any(surface.taken)


def test_learning_can_be_given_up_and_refuses_what_no_controller_steers() -> None:
    surface = ControlSurface({})
    surface.learn("turn")
    surface.learn("")
    assert not any(surface.taken)
    with pytest.raises(SettingError, match="'pitch_classes' cannot be steered"):
        surface.learn("pitch_classes")


def test_a_pedal_sets_its_action_off_once_each_time_it_goes_down() -> None:
    surface = ControlSurface({"turn": 67, "tap": 20})
    values = (0, 30, 64, 90, 127, 70, 63, 0, 127)
    commands = [surface.command(moved(67, value), Controls(), STYLES) for value in values]
    assert [at for at, command in enumerate(commands) if command == PassTurn()] == [2, 8]
    assert commands.count(None) == 7
    assert surface.command(moved(20, 127, 3.5), Controls(), STYLES) == TapTempo(3.5)


def test_learnt_pedals_stop_the_band_and_move_it_through_the_form() -> None:
    rig = Rig(band=1, chords="[A] C | F | [B] G7 | Am7", count_in=0, tempo=240.0)
    surface = ControlSurface({})

    def press(number: int) -> None:
        for value in (127, 0):
            command = surface.command(moved(number, value, rig.clock.now()), rig.companion.controls, STYLES)
            if command is not None:
                rig.companion.command(command)  # pyright: ignore[reportArgumentType]

    for number, action in ((66, "section"), (67, "stop"), (68, "bars")):
        surface.learn(action)
        surface.assign(number)
        press(number)
    rig.run_to(0.3)
    press(66)
    rig.run_to(1.1)
    position = rig.companion.snapshot().position
    assert position is not None
    assert (position.chart_bar, position.chorus) == (2, 1)
    press(67)
    assert not rig.port.sounding
    sent = len(rig.port.ons)
    rig.run_to(4.0)
    assert len(rig.port.ons) == sent
    press(68)
    rig.run_to(5.0)
    assert len(rig.port.ons) > sent


def test_a_pedal_that_is_learnt_while_down_waits_for_the_next_time() -> None:
    surface = ControlSurface({})
    surface.learn("turn")
    surface.assign(67)
    values = (127, 0, 127)
    commands = [surface.command(moved(67, value), Controls(), STYLES) for value in values]
    assert commands == [None, None, PassTurn()]


@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("learn"), st.sampled_from(("", *STEERABLE))),
            st.tuples(st.just("forget"), st.sampled_from(STEERABLE)),
            st.tuples(st.just("move"), st.tuples(st.integers(0, 127), st.integers(0, 127))),
        ),
        max_size=30,
    )
)
def test_whatever_is_learnt_and_moved_the_assignments_hold(steps: list[tuple[str, object]]) -> None:
    surface, controls = ControlSurface({}), Controls()
    for step, what in steps:
        match step, what:
            case "learn", str(target):
                surface.learn(target)
            case "forget", str(target):
                surface.forget(target)
            case _, (int(number), int(value)):
                event = moved(number, value)
                if surface.takes(event) and surface.learning:
                    surface.assign(number)
                elif surface.takes(event):
                    command = surface.command(event, controls, STYLES)
                    if isinstance(command, SetControl):
                        controls = controls.changed(command.name, command.value)
        assert checked_assignments(dict(surface.assigned)) == dict(surface.assigned)
        if not surface.learning:
            assert sum(map(bool, surface.taken)) == len(surface.assigned)


class Sounding:
    """A sink that remembers what it is sent."""

    name = "sounding"

    def __init__(self) -> None:
        self.sent: list[tuple[int, ...]] = []

    def send(self, message: tuple[int, ...]) -> None:
        self.sent.append(message)


def test_a_controller_that_steers_reaches_the_engine_and_sounds_nowhere() -> None:
    clock, sink, inbox = VirtualClock(7.0), Sounding(), list[InputEvent]()
    outputs = Outputs(clock, thru=True)
    outputs.add(sink)
    surface = ControlSurface({"temperature": 7})
    source = Source("keys", None)  # pyright: ignore[reportArgumentType]
    receive = source.receiver(outputs, clock, inbox.append, lambda: None, 1.0, surface.taken)
    receive(([0xB0, 7, 100], 0.0))
    receive(([0xB3, 7, 99], 0.0))
    receive(([0xB0, 1, 5], 0.0))
    assert sink.sent == [(0xB0, 1, 5)]
    assert inbox == [ControlChange(7.0, 7, 100), ControlChange(7.0, 7, 99, 3), ControlChange(7.0, 1, 5)]
    surface.forget("temperature")
    receive(([0xB0, 7, 98], 0.0))
    assert sink.sent[-1] == (0xB0, 7, 98)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("{loudness: 21}", "'loudness' cannot be steered by a controller"),
        ("{swing: 64}", "swing: controller 64 cannot be assigned"),
        ("{swing: 121}", "swing: controller 121 cannot be assigned"),
        ("{swing: 21, turn: 21}", "controller 21 steers swing already, not turn too"),
        ("[21]", "is not a list of `name: value` lines"),
    ],
)
def test_assignments_that_cannot_be_are_named(tmp_path, line, said):
    file = tmp_path / "settings.yaml"
    file.write_text(f"controllers: {line}\n")
    with pytest.raises(SettingError, match=f"settings.yaml: controllers: .*{said}"):
        load_settings(file)


def test_assignments_are_kept(tmp_path):
    file = tmp_path / "settings.yaml"
    file.write_text("controllers: {temperature: 21, turn: 67}\n")
    assert load_settings(file).controllers == {"temperature": 21, "turn": 67}


def test_what_a_session_assigned_is_remembered_and_other_settings_stay(tmp_path):
    file = tmp_path / "settings.yaml"
    file.write_text("controllers: {temperature: 21}\nmodel: other\n")
    before = load_settings(file)
    remember(file, before, before)
    assert load_settings(file) == before
    remember(file, before, before.model_copy(update={"controllers": {"turn": 67}}))
    after = load_settings(file)
    assert (after.controllers, after.model) == ({"turn": 67}, "other")
