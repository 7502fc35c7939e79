"""What the screen sends and shows, driven by keys and mouse."""

from dataclasses import replace
from pathlib import Path

import pytest
from screen_rig import moment, screen, until
from textual.binding import Binding
from textual.command import CommandPalette
from textual.events import MouseScrollUp
from textual.widgets import Input, OptionList, Static

from tatumflow.engine.controls import CONTROL_SPECS, MODES, Controls
from tatumflow.engine.messages import (
    BeginBars,
    Command,
    ConnectPorts,
    ForgetController,
    HeardBeat,
    HeardChord,
    LearnController,
    Notice,
    Panic,
    PassTurn,
    PlayKey,
    PortStatus,
    Position,
    SetControl,
    Shutdown,
    TakeTurn,
    TapTempo,
    UseModel,
)
from tatumflow.engine.midi.notes import Role
from tatumflow.live.audio.commands import AudioCommand
from tatumflow.live.tui import commands
from tatumflow.live.tui.app import TatumFlowApp
from tatumflow.live.tui.commands import entries
from tatumflow.live.tui.controls.choice import Choice
from tatumflow.live.tui.controls.control_row import LABEL_WIDTH
from tatumflow.live.tui.controls.slider import Slider
from tatumflow.live.tui.demonstration import StillLink, demonstration
from tatumflow.live.tui.dialogs.chart_editor import ChartEditor
from tatumflow.live.tui.dialogs.chooser import Chooser
from tatumflow.live.tui.dialogs.dialog import Dialog
from tatumflow.live.tui.dialogs.port_picker import PortPicker
from tatumflow.live.tui.dialogs.tune_finder import TuneFinder
from tatumflow.live.tui.dialogs.value_dialog import ValueDialog
from tatumflow.live.tui.lettering import Lettering
from tatumflow.live.tui.roll.key_piano import PIANO_KEYS
from tatumflow.live.tui.roll.keyboard import Keyboard
from tatumflow.live.tui.roll.piano_roll import PianoRoll
from tatumflow.live.tui.stems.stem_row import StemRow

pytestmark = pytest.mark.slow


class WillingLink(StillLink):
    """An engine that takes every value it is asked for."""

    def send(self, command: Command | AudioCommand) -> None:
        super().send(command)
        if isinstance(command, SetControl) and self.snapshot is not None:
            controls = self.snapshot.controls.changed(command.name, command.value)
            self.snapshot = replace(self.snapshot, controls=controls)


async def presses(link: StillLink, *keys: str) -> list[Command | AudioCommand]:
    async with screen(link) as (_, pilot):
        await pilot.press(*keys)
        await pilot.pause()
    return link.sent


async def test_slider_keys_send_the_value() -> None:
    link = WillingLink(moment())
    await presses(link, "right", "left", "left", "shift+right", "home", "end")
    values = [command.value for command in link.sent if isinstance(command, SetControl)]
    assert values == pytest.approx([1.05, 1.0, 0.95, 1.2, 0.0, 2.0])
    assert {command.name for command in link.sent if isinstance(command, SetControl)} == {"temperature"}


async def test_slider_goes_back_to_the_default_and_stops_at_the_limit() -> None:
    link = StillLink(moment(controls=Controls(temperature=2.0)))
    assert await presses(link, "right", "delete") == [SetControl("temperature", 1.0)]


async def test_slider_keeps_what_was_set_until_the_engine_has_had_time_to_agree() -> None:
    link = StillLink(moment())
    async with screen(link) as (app, pilot):
        slider = app.jam.query_one("#temperature", Slider)
        # From here on the engine reports when the test says so, and not as often as the machine is fast.
        link.snapshot = None
        await until(pilot, lambda: app.snapshot is None)
        await pilot.press("right")
        slider.report(1.0)
        assert slider.value == pytest.approx(1.05)
        for _ in range(30):
            slider.report(1.0)
        assert slider.value == 1.0


async def test_slider_follows_the_mouse_and_the_wheel() -> None:
    link = WillingLink(moment())
    async with screen(link) as (app, pilot):
        density = app.jam.query_one("#density", Slider)
        await pilot.click(density, offset=(LABEL_WIDTH, 0))
        assert link.sent == [SetControl("density", -2.0)]
        region = density.region
        density.post_message(
            MouseScrollUp(density, 1, 0, 0, -1, 0, False, False, False, region.x + 1, region.y)
        )
        await pilot.pause()
        assert link.sent[-1] == SetControl("density", -1.9)


async def test_arrows_go_from_control_to_control() -> None:
    link = StillLink(moment())
    assert await presses(link, "down", "left") == [SetControl("density", 0.4)]


async def test_mode_key_goes_on_to_the_next_mode() -> None:
    link = StillLink(moment(controls=Controls(mode=MODES[0])))
    assert await presses(link, "f2") == [SetControl("mode", MODES[1])]


async def test_keys_begin_the_bars_and_tap_the_tempo() -> None:
    link = StillLink(moment())
    bars, *taps = await presses(link, "f5", "f6", "f6")
    assert bars == BeginBars()
    first, second = (tap.time for tap in taps if isinstance(tap, TapTempo))
    assert first < second


async def test_the_banner_shows_where_the_music_is() -> None:
    position = Position(bar=7, beat=3, beats_per_bar=4, tempo=132.5, turn_bars=4, chord="F7", next_chord="D7")
    link = StillLink(moment(position=position))
    async with screen(link, size=(120, 36)) as (app, pilot):
        facts, beat = app.jam.query_one("#facts", Static), app.jam.query_one("#beat", Lettering)
        assert str(facts.render()).splitlines()[1:] == ["bar 7 (3 of 4)  ●●●○", "F7 → D7  132.5 bpm"]
        assert beat.text == "7.3"
        assert beat.display
        link.snapshot = moment(position=replace(position, bar=0, beat=1, chord="", next_chord=""))
        await until(pilot, lambda: beat.text == "0.1")
        assert str(facts.render()).splitlines()[1].startswith("count-in")
        link.snapshot = moment()
        await until(pilot, lambda: not beat.display)


async def test_the_banner_shows_the_beat_that_is_heard_and_how_sure_it_is() -> None:
    position = Position(bar=7, beat=3, beats_per_bar=4, tempo=132.5, chord="F7", next_chord="D7")
    link = StillLink(moment(position=position, heard=HeardBeat(confidence=0.83, tempo=132.5)))

    def last_line(app: TatumFlowApp) -> str:
        return str(app.jam.query_one("#facts", Static).render()).splitlines()[-1]

    async with screen(link, size=(80, 24)) as (app, pilot):
        assert last_line(app) == "F7 → D7  132.5 bpm 85%"
        link.snapshot = moment(position=position, heard=HeardBeat(confidence=0.3, tempo=None))
        await until(pilot, lambda: last_line(app) == "F7 → D7  free 30%")
        link.snapshot = moment(heard=HeardBeat(confidence=0.0, tempo=None))
        await until(pilot, lambda: last_line(app) == "beat free 0%")
        link.snapshot = moment()
        await until(pilot, lambda: last_line(app).startswith("temperature"))


async def test_the_banner_shows_the_chord_that_is_heard_and_a_dash_where_it_is_unsure() -> None:
    position = Position(bar=7, beat=3, beats_per_bar=4, tempo=132.5)
    sure, unsure = HeardChord("Dm7", 0.78), HeardChord("", 0.31)
    link = StillLink(moment(heard_chord=sure))

    def last_line(app: TatumFlowApp) -> str:
        return str(app.jam.query_one("#facts", Static).render()).splitlines()[-1]

    async with screen(link, size=(80, 24)) as (app, pilot):
        assert last_line(app) == "chord Dm7 80%"
        link.snapshot = moment(heard_chord=unsure)
        await until(pilot, lambda: last_line(app) == "chord – 30%")
        link.snapshot = moment(heard_chord=sure, heard=HeardBeat(confidence=0.83, tempo=132.5))
        await until(pilot, lambda: last_line(app) == "chord Dm7 80%  beat 132.5 bpm 85%")
        link.snapshot = moment(position=position, heard_chord=sure)
        await until(pilot, lambda: last_line(app) == "Dm7 80%  132.5 bpm")


async def test_style_is_chosen_by_typing_part_of_its_name() -> None:
    link = StillLink(moment())
    assert await presses(link, "f3", *"park", "enter") == [SetControl("style", "charlie-parker")]


async def test_style_dialog_left_sends_nothing() -> None:
    link = StillLink(moment())
    assert await presses(link, "f3", "escape") == []


async def test_choice_row_goes_through_the_styles_and_opens_the_list() -> None:
    link = StillLink(moment())
    async with screen(link) as (app, pilot):
        app.jam.query_one("#style", Choice).focus()
        await pilot.press("right")
        assert link.sent == [SetControl("style", "bill-evans")]
        await pilot.press("enter")
        assert isinstance(app.screen, Chooser)


async def test_piano_keys_play_notes() -> None:
    sent = await presses(StillLink(moment()), "z", "s", "m", "q", "2", "u")
    assert sent == [PlayKey(48), PlayKey(49), PlayKey(59), PlayKey(60), PlayKey(61), PlayKey(71)]


async def test_piano_octave_moves_and_stays_on_the_keyboard() -> None:
    sent = await presses(StillLink(moment()), "right_square_bracket", "z", *["pagedown"] * 9, "z")
    assert sent == [PlayKey(60), PlayKey(24)]


def test_no_binding_takes_a_key_of_the_piano() -> None:
    bindings = [*TatumFlowApp.BINDINGS, *Slider.BINDINGS, *Choice.BINDINGS, *StemRow.BINDINGS]
    keys = {key for binding in bindings if isinstance(binding, Binding) for key in binding.key.split(",")}
    assert not keys & PIANO_KEYS.keys()


async def test_piano_is_silent_inside_dialogs() -> None:
    assert await presses(StillLink(moment()), "f3", "z", "escape", "f1", "z") == []


async def test_panic_works_everywhere() -> None:
    link = StillLink(moment())
    async with screen(link) as (app, pilot):
        await pilot.press("f9")
        for opener in ("f1", "f3", "f4", "ctrl+t", "ctrl+e", "ctrl+p"):
            await pilot.press(opener)
            assert isinstance(app.screen, Dialog | CommandPalette)
            await pilot.press("f9", "ctrl+x", "escape")
            assert app.screen is app.jam
    assert link.sent == [Panic()] * 13


async def test_space_passes_the_turn() -> None:
    assert await presses(StillLink(moment()), "space") == [PassTurn()]


async def test_number_typed_in_the_palette_is_sent_as_typed() -> None:
    link = StillLink(moment())
    async with screen(link) as (app, pilot):
        app.action_number("seed")
        await pilot.pause()
        assert isinstance(app.screen, ValueDialog)
        await pilot.press("backspace", "4", "enter")
    assert link.sent == [SetControl("seed", "4")]


@pytest.mark.parametrize(
    ("control", "typed", "reason"),
    [("temperature", "9", "0.0 to 2.0"), ("seed", "many", "'many'"), ("register_low", "-3", "21 to 108")],
)
async def test_value_that_cannot_be_set_stays_in_its_dialog_with_the_reason(
    control: str, typed: str, reason: str
) -> None:
    link = StillLink(moment())
    async with screen(link) as (app, pilot):
        app.action_number(control)
        await pilot.pause()
        app.screen.query_one(Input).value = typed
        await pilot.press("enter")
        await pilot.pause()
        assert isinstance(app.screen, ValueDialog)
        shown = app.screen.query_one("#reason", Static)
        assert shown.display
        assert reason in str(shown.render())
        app.screen.query_one(Input).value = "60"
        await pilot.pause()
        assert not shown.display, "the reason goes with the value it was for"
        assert link.sent == []


@pytest.mark.parametrize("typed", ["Dm7 | G7 | Cmaj7", "ii-V-I in G", "Bb |"])
async def test_chart_of_ones_own_is_taken_as_typed(typed: str) -> None:
    link = StillLink(moment())
    async with screen(link) as (app, pilot):
        app.action_choose("chords")
        await pilot.pause()
        app.screen.query_one(Input).value = f" {typed} "
        await pilot.pause()
        await pilot.press("enter")
        await pilot.pause()
        assert app.screen is app.jam
    assert link.sent == [SetControl("chords", typed)]


async def test_chart_in_a_file_is_read_here_and_sent_as_text(tmp_path: Path) -> None:
    (tmp_path / "waltz.txt").write_text("Dm7 | G7\nCmaj7 | %")
    link = StillLink(moment())
    async with screen(link) as (app, pilot):
        app.action_choose("chords")
        await pilot.pause()
        app.screen.query_one(Input).value = str(tmp_path / "waltz.txt")
        await pilot.pause()
        await pilot.press("enter")
        await until(pilot, lambda: link.sent)
    (sent,) = (command.value for command in link.sent if isinstance(command, SetControl))
    assert "Dm7 | G7 | Cmaj7" in str(sent)


async def test_palette_opens_the_dialog_for_a_chart_of_ones_own() -> None:
    async with screen(StillLink(moment())) as (app, pilot):
        {entry.name: entry for entry in entries(app)}["Write a chart …"].run()
        await pilot.pause()
        assert isinstance(app.screen, ChartEditor)


async def test_chart_that_is_in_the_list_is_found_by_part_of_its_name() -> None:
    link = StillLink(moment())
    async with screen(link) as (app, pilot):
        app.action_choose("chords")
        await pilot.press(*"rhythm", "enter")
    assert link.sent == [SetControl("chords", "rhythm changes in Bb")]


@pytest.mark.parametrize(
    ("typed", "reason"), [("Dm7 | H9", "bar 2: chord 'H9'"), ("missing.txt", "missing.txt: cannot be read")]
)
async def test_chart_that_is_not_understood_stays_in_its_dialog_with_the_reason(
    typed: str, reason: str
) -> None:
    link = StillLink(moment())
    async with screen(link) as (app, pilot):
        app.action_choose("chords")
        await pilot.pause()
        app.screen.query_one(Input).value = typed
        await pilot.pause()
        await pilot.press("enter")
        await pilot.pause()
        assert isinstance(app.screen, TuneFinder)
        assert reason in str(app.screen.query_one("#reason", Static).render())
        assert app.screen.query_one(Input).value == typed
        assert link.sent == []


async def test_name_that_is_not_in_a_list_stays_in_its_dialog_with_the_reason() -> None:
    link = StillLink(moment())
    async with screen(link) as (app, pilot):
        await pilot.press("f3", *"nobody", "enter")
        await pilot.pause()
        assert "nobody" in str(app.screen.query_one("#reason", Static).render())
    assert link.sent == []


async def test_palette_offers_everything_by_name() -> None:
    link = StillLink(moment())
    async with screen(link) as (app, _):
        offered = {entry.name: entry for entry in entries(app)}
        for name in ("Panic", "Mode: continue", "Style: Charlie Parker", "Blend with: Bill Evans"):
            offered[name].run()
        offered["Scale: E♭ major, C minor"].run()
    assert link.sent == [
        Panic(),
        SetControl("mode", "continue"),
        SetControl("style", "charlie-parker"),
        SetControl("style_b", "bill-evans"),
        SetControl("pitch_classes", 0b010110101101),
    ]


async def test_the_focused_control_waits_for_a_controller_and_no_longer() -> None:
    assert await presses(StillLink(moment()), "ctrl+l") == [LearnController("temperature")]
    assert await presses(StillLink(moment(learning="temperature")), "ctrl+l") == [LearnController("")]
    assert await presses(StillLink(moment()), "f1", "ctrl+l") == []


async def test_armed_midi_learn_is_shown_and_escape_ends_it() -> None:
    link = StillLink(moment(learning="temperature"))
    async with screen(link) as (app, pilot):
        facts = app.jam.query_one("#facts", Static)
        assert str(facts.render()).splitlines() == [
            "MIDI LEARN: Temperature",
            "move a knob or pedal",
            "Esc cancels",
        ]
        await pilot.press("escape")
        await pilot.pause()
        assert link.sent == [LearnController("")]
        link.snapshot = moment()
        await until(pilot, lambda: "MIDI LEARN" not in str(facts.render()))
        await pilot.press("escape")
        await pilot.pause()
    assert link.sent == [LearnController("")]


@pytest.mark.parametrize("opener", ["f1", "f3", "f4", "ctrl+p"])
async def test_escape_out_of_a_dialog_ends_midi_learn_too(opener: str) -> None:
    link = StillLink(moment(learning="turn"))
    async with screen(link) as (app, pilot):
        await pilot.press(opener, "escape")
        await pilot.pause()
        assert app.screen is app.jam
        await until(pilot, lambda: link.sent)
    assert link.sent == [LearnController("")]


async def test_palette_learns_and_forgets_controllers() -> None:
    link = StillLink(moment(controllers=(("swing", 21), ("turn", 67)), learning="seed"))
    async with screen(link) as (app, _):
        offered = {entry.name: entry for entry in entries(app)}
        for name in ("MIDI learn: begin bars", "Forget controller 67: turn", "End MIDI learn"):
            offered[name].run()
    assert link.sent == [LearnController("bars"), ForgetController("turn"), LearnController("")]


async def test_help_explains_every_control() -> None:
    async with screen(StillLink(moment())) as (app, pilot):
        await pilot.press("f1")
        await pilot.pause()
        lines = [
            part.render_line(row).text
            for part in app.screen.query(".sentences").results(Static)
            for row in range(part.size.height)
        ]
    text = " ".join(" ".join(lines).split())
    for spec in CONTROL_SPECS.values():
        assert f"{spec.label} {spec.full_help}" in text


async def test_help_names_the_controllers_that_steer() -> None:
    async with screen(StillLink(moment(controllers=(("swing", 21),)))) as (app, pilot):
        await pilot.press("f1")
        shown = "\n".join(str(part.render()) for part in app.screen.query(Static))
    assert "YOUR CONTROLLERS" in shown
    assert "CC 21           swing" in shown


async def test_palette_offers_the_models_at_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commands, "find_bundles", lambda: [Path("/models/mine")])
    link = StillLink(moment())
    async with screen(link) as (app, _):
        {entry.name: entry for entry in entries(app)}["Model: mine"].run()
    assert link.sent == [UseModel("/models/mine")]


async def test_palette_opens_and_runs_a_command() -> None:
    link = StillLink(moment())
    async with screen(link) as (app, pilot):
        await pilot.press("ctrl+p")
        await until(pilot, lambda: app.screen.query_one(OptionList).option_count)
        await pilot.press("down", "enter")
        await until(pilot, lambda: link.sent)
    assert link.sent == [TakeTurn()]


async def test_port_picker_connects_at_once_and_plays_a_test_note() -> None:
    ports = (PortStatus("Keystation 61", False), PortStatus("Launchpad", False))
    link = StillLink(moment(inputs=ports))
    async with screen(link, pick_ports=True) as (app, pilot):
        assert isinstance(app.screen, PortPicker)
        app.screen.query_one("#input", OptionList).highlighted = 1
        await pilot.press("enter", "t")
        await pilot.pause()
    assert link.sent[0] == ConnectPorts(input="Launchpad")
    assert isinstance(link.sent[1], PlayKey)


async def test_quit_ends_the_engine() -> None:
    link = StillLink(moment())
    async with screen(link) as (_, pilot):
        await pilot.press("ctrl+q")
    assert link.sent == [Shutdown()]


async def test_an_engine_that_is_started_again_is_shown_at_once_and_then_plays_on() -> None:
    link = StillLink(moment())
    async with screen(link) as (app, pilot):
        turn = app.jam.query_one("#turn", Lettering)
        assert turn.text == "COMPANION"
        link.restarting, link.failure = True, "the engine process ended by signal 9"
        await until(pilot, lambda: turn.text == "RESTART")
        facts = str(app.jam.query_one("#facts", Static).render())
        assert "signal 9" in facts
        assert app.jam.has_class("-stopped")
        link.restarting = False
        await until(pilot, lambda: turn.text == "COMPANION")
        assert not app.jam.has_class("-stopped")


async def test_dead_engine_is_named_with_its_reason() -> None:
    link = StillLink(moment())
    async with screen(link) as (app, pilot):
        turn = app.jam.query_one("#turn", Lettering)
        assert turn.text == "COMPANION"
        link.alive, link.failure = False, "The engine ended with signal 11."
        await until(pilot, lambda: turn.text == "STOPPED")
        assert "signal 11" in str(app.jam.query_one("#facts", Static).content)
        link.alive = True
        await until(pilot, lambda: turn.text == "COMPANION")


async def test_nothing_is_shown_any_more_while_the_app_goes_down() -> None:
    link = StillLink(moment())
    async with screen(link) as (app, _):
        pass
    link.snapshot = None
    app.poll()
    assert app.snapshot is not None


async def test_screen_starts_before_the_first_snapshot() -> None:
    link = StillLink(None)
    async with screen(link) as (app, pilot):
        await pilot.press("f2", "f3", "space")
        assert app.jam.query_one("#turn", Lettering).text == "STARTING"
    assert link.sent == [PassTurn()]


async def test_keyboard_lights_what_sounds() -> None:
    link = StillLink(moment(held=((Role.COMPANION, 60), (Role.HUMAN, 60), (Role.COMPANION, 64))))
    async with screen(link) as (app, _):
        assert app.jam.query_one(Keyboard).lit == {60: Role.HUMAN, 64: Role.COMPANION}


async def test_still_snapshot_draws_nothing_again() -> None:
    link = StillLink(moment())
    async with screen(link) as (app, pilot):
        drawn: list[object] = []
        for part in app.jam.query("PianoRoll, Keyboard, Slider, Choice, PortsLine, HealthLine, TurnBanner"):
            part.refresh = lambda *args, part=part, **kwargs: drawn.append(part) or part  # type: ignore[method-assign]
        for _ in range(6):
            app.poll()
        await pilot.pause()
        assert drawn == []


async def test_scrolling_roll_draws_only_rows_that_changed() -> None:
    link = StillLink(moment())
    async with screen(link) as (app, pilot):
        roll = app.jam.query_one(PianoRoll)
        rows: list[int] = []
        refresh = roll.refresh
        roll.refresh = lambda *regions, **kwargs: (
            rows.extend(r.y for r in regions) or refresh(*regions, **kwargs)
        )  # type: ignore[method-assign]
        link.snapshot = moment(time=demonstration().time + 0.25)
        await until(pilot, lambda: rows)
        assert len(rows) < roll.size.height - 1


async def test_notices_appear() -> None:
    link = StillLink(moment())
    async with screen(link) as (app, pilot):
        shown: list[tuple[str, str]] = []
        app.notify = lambda message, *, severity, **_: shown.append((message, severity))  # type: ignore[method-assign]
        link.snapshot = moment(notices=(Notice(100.0, "Keystation 61 was unplugged", "warning"),))
        await until(pilot, lambda: shown)
        link.snapshot = moment()
    assert shown[0] == ("Keystation 61 was unplugged", "warning")
