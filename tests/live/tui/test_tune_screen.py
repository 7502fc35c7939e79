"""The tune on the screen: chart, strip, finder and editor, driven by keys and mouse."""

from dataclasses import replace
from pathlib import Path

import pytest
from screen_fixtures import moving
from screen_rig import moment, screen, until
from textual.pilot import Pilot
from textual.widgets import Input, OptionList, Static, TextArea

from tatumflow.engine.controls import Controls
from tatumflow.engine.messages import (
    BeginBars,
    EndTune,
    GoToBar,
    GoToSection,
    LearnController,
    SetControl,
    StopBars,
)
from tatumflow.engine.midi.midi_file import MidiTrack, write_midi
from tatumflow.engine.midi.notes import Note
from tatumflow.live.tui.app import TatumFlowApp
from tatumflow.live.tui.chart.chart_view import ChartView
from tatumflow.live.tui.commands import entries
from tatumflow.live.tui.demonstration import StillLink
from tatumflow.live.tui.dialogs.chart_editor import ChartEditor
from tatumflow.live.tui.dialogs.tune_finder import TuneFinder
from tatumflow.live.tui.roll.key_piano import PIANO_KEYS
from tatumflow.live.tui.strip.cells import BarsButton
from tatumflow.live.tui.tune_app import TuneApp

pytestmark = pytest.mark.slow

SMALL, LARGE = (80, 24), (120, 36)
WRITTEN = "{title: Blue Monday} {key: Bb} {tempo: 132}\n# mine\n[A] |: Bb7 | Eb7 :|\n"


def lines(app: TatumFlowApp) -> list[str]:
    view = app.jam.query_one(ChartView)
    return [view.render_line(row).text.rstrip() for row in range(view.content_size.height)]


def shown(app: TatumFlowApp, line: str) -> str:
    return str(app.screen.query_one(line, Static).render())


async def find(pilot: Pilot[None], typed: str) -> None:
    """Open the finder, let it read the book, and type."""
    await pilot.press("ctrl+t")
    await pilot.app.workers.wait_for_complete()
    pilot.app.screen.query_one(Input).value = typed
    await pilot.pause()


@pytest.fixture
def book(own_book: Path) -> Path:
    own_book.mkdir()
    (own_book / "Blue Monday.txt").write_text(WRITTEN)
    (own_book / "Broken.txt").write_text("F7 | H9")
    return own_book


async def test_the_chart_moves_with_the_music_and_a_still_one_draws_nothing_again() -> None:
    link = moving()
    assert link.snapshot is not None
    assert link.snapshot.position is not None
    async with screen(link, size=SMALL) as (app, pilot):
        assert lines(app)[0].split() == ["G7", "B", "║D7", "│%", "│G7", "│%", "│"]
        assert lines(app)[1].startswith("19/32 chorus 2")
        link.snapshot = replace(link.snapshot, position=replace(link.snapshot.position, chart_bar=26, beat=3))
        await until(pilot, lambda: lines(app)[0].startswith(" G7  A"))
        drawn: list[object] = []
        for part in app.jam.query("ChartView, ControlCell, LoopCell, BarsButton"):
            part.refresh = lambda *args, part=part, **kwargs: drawn.append(part) or part  # type: ignore[method-assign]
        for _ in range(6):
            app.poll()
        assert drawn == []
        link.snapshot = replace(link.snapshot, controls=Controls())
        await until(pilot, lambda: not app.jam.query_one(ChartView).display)


async def test_the_pick_up_stands_above_the_chart_until_the_first_bar() -> None:
    link = moving()
    assert link.snapshot is not None
    assert link.snapshot.position is not None
    controls = replace(link.snapshot.controls, chords="{title: Led} {pickup: N.C. . . G7} Cmaj7 | Fmaj7")
    before = replace(link.snapshot.position, bar=0, chart_bar=None, chorus=0)
    link.snapshot = replace(link.snapshot, controls=controls, position=before)
    async with screen(link, size=LARGE) as (app, pilot):
        assert "count-in   pick-up N.C. . . G7   Led" in lines(app)[0]
        link.snapshot = replace(link.snapshot, position=replace(before, bar=1, chart_bar=0, chorus=1))
        await until(pilot, lambda: "bar 1 of 2" in lines(app)[0])
        assert "pick-up" not in lines(app)[0]


async def test_the_loop_of_heard_chords_is_shown_as_it_grows_and_can_be_edited() -> None:
    link = moving()
    before = link.snapshot
    assert before is not None
    assert before.position is not None
    controls = replace(before.controls, chords="", hear_chords=3)
    position = replace(before.position, chart_bar=2, chorus=5, beat=1)
    loop = "| Dm7 | N.C. | N.C. | N.C. |"
    link.snapshot = replace(before, controls=controls, position=position, heard_chart=loop)
    async with screen(link, size=SMALL) as (app, pilot):
        assert lines(app)[0].split()[-5:] == ["│Dm7", "│N.C.", "│%", "│%", "│"]
        link.snapshot = replace(link.snapshot, heard_chart="| Dm7 | G7 | N.C. | N.C. |")
        await until(pilot, lambda: "G7" in lines(app)[0])
        await pilot.press("l")
        await pilot.pause()
        assert not link.sent, "it is a loop already"
        await pilot.press("ctrl+e")
        await pilot.pause()
        assert isinstance(app.screen, ChartEditor)
        assert "Dm7 | G7" in app.screen.query_one(TextArea).text


async def test_the_chord_now_is_large_where_there_is_room_and_a_click_on_a_bar_goes_there() -> None:
    link = moving()
    async with screen(link, size=LARGE) as (app, pilot):
        drawn = lines(app)
        assert "B   bar 19 of 32   chorus 2   Rhythm changes in Bb" in drawn[0]
        assert drawn[0].startswith("▄▀▀▀▀ ▀▀▀ ")
        assert drawn[3].split()[:6] == ["→", "C7", "A", "║Bbmaj7", "G7", "│Cm7"]
        view = app.jam.query_one(ChartView)
        await pilot.click(view, offset=(100, 3))
        await pilot.click(view, offset=(5, 2))
        await pilot.pause()
    assert link.sent == [GoToBar(24)]


async def test_keys_and_palette_have_the_transport_the_ladders_and_the_band() -> None:
    link = moving()
    async with screen(link) as (app, pilot):
        await pilot.press("f5", ".", ",", "/", "l", "-", "0", "k", "ctrl+b", "o")
        offered = {entry.name: entry for entry in entries(app)}
        for name in ("Stop", "Section before", "End the tune", "Band off"):
            offered[name].run()
        offered["Go to bar …"].run()
        await pilot.pause()
        app.screen.query_one(Input).value = "33"
        await pilot.press("enter")
        assert "1 to 32" in shown(app, "#reason")
        app.screen.query_one(Input).value = "32"
        await pilot.press("enter")
        await pilot.pause()
    assert link.sent == [
        BeginBars(),
        StopBars(),
        GoToSection(0),
        GoToSection(1),
        SetControl("loop_from", 17),
        SetControl("loop_bars", 8),
        SetControl("tempo", 115.0),
        SetControl("tempo_step", 6.0),
        SetControl("key_step", "fourth"),
        SetControl("band", 0),
        SetControl("band_style", "swing"),
        StopBars(),
        GoToSection(-1),
        EndTune(),
        SetControl("band", 0),
        GoToBar(32),
    ]


async def test_the_strip_takes_mouse_and_keyboard_and_fits_a_small_terminal() -> None:
    link = moving()
    async with screen(link, size=SMALL) as (app, pilot):
        cells = list(app.jam.query("MusicStrip > *"))
        assert max(cell.region.right for cell in cells) <= SMALL[0] - 2
        assert app.jam.query_one("#bars", BarsButton).has_class("-lit")
        for cell in ("#stop", "#bars", "#band", "#loop"):
            await pilot.click(cell)
        await pilot.press("f10", "right", "f10", "down", "down", "left", "ctrl+l")
        await pilot.pause()
    assert link.sent == [
        StopBars(),
        BeginBars(),
        SetControl("band", 0),
        SetControl("loop_from", 17),
        SetControl("loop_bars", 8),
        SetControl("temperature", 1.05),
        SetControl("bass_volume", 0.98),
        LearnController("bass_volume"),
    ]


async def test_the_finder_takes_tunes_of_the_book_with_and_without_their_tempo(book: Path) -> None:
    link = StillLink(moment())
    async with screen(link) as (app, pilot):
        await find(pilot, "monday")
        assert "132 bpm with the tune" in shown(app, "#tempo-line")
        await pilot.press("enter")
        await find(pilot, "blue monday")
        await pilot.press("ctrl+t", "enter")
        await find(pilot, "blue monday in F")
        await pilot.press("enter")
        await find(pilot, "broken")
        await pilot.press("enter")
        assert isinstance(app.screen, TuneFinder)
        assert "'H9'" in shown(app, "#reason")
        app.screen.query_one(Input).value = ""
        await pilot.pause()
        options = app.screen.query_one(OptionList)
        options.highlighted = options.option_count - 1
        await pilot.press("enter")
        await pilot.pause()
        assert app.screen is app.jam
    values = [(command.name, command.value) for command in link.sent if isinstance(command, SetControl)]
    names, (plain, tempo, again, in_f, in_f_tempo, none) = zip(*values, strict=True)
    assert names == ("chords", "tempo", "chords", "chords", "tempo", "chords")
    assert str(plain).startswith("{title: Blue Monday}")
    assert "F7 | Bb7" in str(in_f)
    assert (again, tempo, in_f_tempo, none) == (plain, 132.0, 132.0, "")


async def test_a_chart_is_written_mended_saved_and_played_and_none_typed_is_lost(own_book: Path) -> None:
    link = StillLink(moment())
    async with screen(link) as (app, pilot):
        await pilot.press("ctrl+e", "enter", "F", "7", "ctrl+s")
        await pilot.pause()
        assert "name" in shown(app, "#state")
        await pilot.press("escape", "ctrl+e")
        await pilot.pause()
        area = app.screen.query_one(TextArea)
        assert area.text == "F7", "the draft that was left"
        app.screen.query_one(Input).value = "Mine"
        area.text = "F7 | H9"
        await pilot.press("ctrl+s", "f5")
        await pilot.pause()
        assert isinstance(app.screen, ChartEditor)
        assert "bar 2: chord 'H9'" in shown(app, "#state")
        assert area.text == "F7 | H9"
        assert not own_book.exists()
        area.text = "F7 | C7"
        await pilot.press("ctrl+s")
        await pilot.pause()
        assert shown(app, "#state") == "Saved into the book: Mine."
        await pilot.press("f5")
        await pilot.pause()
        assert app.screen is app.jam
    assert (own_book / "Mine.txt").read_text() == "{title: Mine}\nF7 | C7\n"
    assert link.sent == [SetControl("chords", "{title: Mine}\nF7 | C7")]


async def test_the_book_keeps_how_a_tune_is_written_and_another_of_its_name(book: Path) -> None:
    async with screen(StillLink(moment())) as (app, pilot):
        await find(pilot, "monday")
        await pilot.press("ctrl+e")
        await pilot.pause()
        area = app.screen.query_one(TextArea)
        assert area.text == "{key: Bb} {tempo: 132}\n# mine\n[A] |: Bb7 | Eb7 :|"
        area.text += "\n| F7"
        await pilot.press("ctrl+s")
        await pilot.pause()
        kept = (book / "Blue Monday.txt").read_text()
        assert "# mine\n[A] |: Bb7 | Eb7 :|\n| F7" in kept
        await pilot.press("escape")
        app.action_new_chart()
        await pilot.pause()
        app.screen.query_one(Input).value = "Blue Monday"
        app.screen.query_one(TextArea).text = "F7"
        await pilot.press("ctrl+s")
        assert "Ctrl+S again replaces it" in shown(app, "#state")
        assert (book / "Blue Monday.txt").read_text() == kept
        await pilot.press("ctrl+s")
    assert (book / "Blue Monday.txt").read_text() == "{title: Blue Monday}\nF7\n"


def test_no_key_of_the_tune_is_one_of_the_piano() -> None:
    keys = {key for binding in TuneApp.BINDINGS for key in getattr(binding, "key", "").split(",")}
    assert not keys & PIANO_KEYS.keys()


async def test_the_palette_takes_a_melody_from_a_file(tmp_path: Path) -> None:
    melody = tmp_path / "head.mid"
    write_midi(melody, [MidiTrack("Melody", [Note(0.0, 0.5, 72, 80)])])
    link = moving()
    async with screen(link) as (app, pilot):
        {entry.name: entry for entry in entries(app)}["Head …"].run()
        await pilot.pause()
        app.screen.query_one(Input).value = str(tmp_path / "none.mid")
        await pilot.press("enter")
        assert "no such file" in shown(app, "#reason")
        app.screen.query_one(Input).value = str(melody)
        await pilot.press("enter")
        await pilot.pause()
    assert link.sent == [SetControl("head", str(melody))]
