"""The screen as a picture, compared with the one a person accepted (`pytest --snapshot-update` accepts)."""

from collections.abc import Callable
from pathlib import Path

import pytest
import screen_fixtures
from textual.pilot import Pilot
from textual.widgets import Input, TextArea

from tatumflow.live.tui.app import TatumFlowApp

pytestmark = pytest.mark.slow

Compare = Callable[..., bool]
LARGE = (120, 36)
SMALL = (80, 24)


@pytest.fixture(autouse=True)
def steady_terminal(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TATUMFLOW_BOOK", str(tmp_path))
    for name in ("NO_COLOR", "TEXTUAL_COLOR_SYSTEM", "TEXTUAL_THEME", "COLORTERM"):
        monkeypatch.delenv(name, raising=False)


def test_listening(snap_compare: Compare) -> None:
    assert snap_compare(TatumFlowApp(screen_fixtures.listening()), terminal_size=LARGE)


def test_playing_with_planned_future(snap_compare: Compare) -> None:
    assert snap_compare(TatumFlowApp(screen_fixtures.playing()), terminal_size=LARGE)


def test_small_terminal(snap_compare: Compare) -> None:
    assert snap_compare(TatumFlowApp(screen_fixtures.playing()), terminal_size=SMALL)


def test_chart_and_band(snap_compare: Compare) -> None:
    assert snap_compare(TatumFlowApp(screen_fixtures.moving(), instrument="Bb"), terminal_size=LARGE)


def test_chart_and_band_on_a_small_terminal(snap_compare: Compare) -> None:
    assert snap_compare(TatumFlowApp(screen_fixtures.moving()), press=["f10"], terminal_size=SMALL)


def test_finding_a_tune(snap_compare: Compare, tmp_path: Path) -> None:
    head = "{composer: A. Writer} {key: Bb} {style: Medium Swing} {tempo: 132}"
    (tmp_path / "Blue Monday.txt").write_text(f"{head}\nBb7 | Eb7")
    (tmp_path / "Broken.txt").write_text("F7 | H9")

    async def look(pilot: Pilot[None]) -> None:
        await pilot.press("ctrl+t")
        await pilot.app.workers.wait_for_complete()
        field = pilot.app.screen.query_one(Input)
        field.cursor_blink = False
        field.value = "b"
        await pilot.pause()

    assert snap_compare(TatumFlowApp(screen_fixtures.moving()), run_before=look, terminal_size=SMALL)


def test_editing_a_chart(snap_compare: Compare) -> None:
    async def write(pilot: Pilot[None]) -> None:
        await pilot.press("ctrl+e")
        area = pilot.app.screen.query_one(TextArea)
        area.cursor_blink = False
        area.text = area.text.replace("[B] | D7 |", "[B] | H9 |")
        await pilot.pause()

    assert snap_compare(TatumFlowApp(screen_fixtures.moving()), run_before=write, terminal_size=SMALL)


def test_trading_bars(snap_compare: Compare) -> None:
    assert snap_compare(TatumFlowApp(screen_fixtures.trading()), terminal_size=LARGE)


def test_beat_that_is_followed(snap_compare: Compare) -> None:
    assert snap_compare(TatumFlowApp(screen_fixtures.following()), terminal_size=LARGE)


def test_beat_that_is_followed_on_a_small_terminal(snap_compare: Compare) -> None:
    assert snap_compare(TatumFlowApp(screen_fixtures.following()), terminal_size=SMALL)


def test_no_beat_to_follow(snap_compare: Compare) -> None:
    assert snap_compare(TatumFlowApp(screen_fixtures.rubato()), terminal_size=LARGE)


def test_no_beat_to_follow_on_a_small_terminal(snap_compare: Compare) -> None:
    assert snap_compare(TatumFlowApp(screen_fixtures.rubato()), terminal_size=SMALL)


def test_help(snap_compare: Compare) -> None:
    assert snap_compare(TatumFlowApp(screen_fixtures.playing()), press=["f1"], terminal_size=LARGE)


def test_engine_dead(snap_compare: Compare) -> None:
    assert snap_compare(TatumFlowApp(screen_fixtures.engine_dead()), terminal_size=SMALL)


def test_port_picker_on_the_first_run(snap_compare: Compare) -> None:
    assert snap_compare(TatumFlowApp(screen_fixtures.no_ports(), pick_ports=True), terminal_size=SMALL)


def test_stems(snap_compare: Compare) -> None:
    assert snap_compare(TatumFlowApp(screen_fixtures.hearing()), terminal_size=LARGE)


def test_stems_on_a_small_terminal(snap_compare: Compare) -> None:
    assert snap_compare(TatumFlowApp(screen_fixtures.hearing()), press=["f7"], terminal_size=SMALL)


def test_stems_that_come_too_late(snap_compare: Compare) -> None:
    assert snap_compare(TatumFlowApp(screen_fixtures.struggling()), terminal_size=SMALL)


def test_audio_device_unplugged(snap_compare: Compare) -> None:
    assert snap_compare(TatumFlowApp(screen_fixtures.unplugged()), terminal_size=LARGE)


def test_chart_that_is_not_understood(snap_compare: Compare) -> None:
    async def type_chart(pilot: Pilot[None]) -> None:
        await pilot.pause()
        pilot.app.screen.query_one("#chords").focus()
        await pilot.press("enter")
        field = pilot.app.screen.query_one(Input)
        field.cursor_blink = False
        field.value = "Dm7 | H9 | Cmaj7"
        await pilot.press("enter")

    assert snap_compare(TatumFlowApp(screen_fixtures.trading()), run_before=type_chart, terminal_size=LARGE)


def test_chord_that_is_heard(snap_compare: Compare) -> None:
    assert snap_compare(TatumFlowApp(screen_fixtures.harmony()), terminal_size=SMALL)


def test_midi_learn(snap_compare: Compare) -> None:
    assert snap_compare(TatumFlowApp(screen_fixtures.learning()), terminal_size=SMALL)
