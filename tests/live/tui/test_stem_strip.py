"""The stem strip: what it shows of the sound and what it asks of the ears."""

import math
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from screen_rig import moment, screen, until
from textual.events import MouseScrollDown, MouseScrollUp
from textual.geometry import Region
from textual.widgets import OptionList, Static

from tatumflow.engine.messages import Command, PlayKey
from tatumflow.live.audio.commands import (
    AudioCommand,
    BypassSeparation,
    ChooseStem,
    RecordStems,
    SetStem,
)
from tatumflow.live.audio.levels import Level
from tatumflow.live.audio.status import AudioFaults, AudioLatency, AudioStatus, StemStatus
from tatumflow.live.tui.app import TatumFlowApp
from tatumflow.live.tui.commands import entries
from tatumflow.live.tui.controls.slider import Slider
from tatumflow.live.tui.demonstration import StillLink
from tatumflow.live.tui.dialogs.help import Help
from tatumflow.live.tui.stems.input_meter import InputMeter
from tatumflow.live.tui.stems.meter import HOT_DB, LOWEST_DB, meter_cells, read_meter
from tatumflow.live.tui.stems.sound_line import SoundLine, device_text, sound_figures, sound_text
from tatumflow.live.tui.stems.stem_layout import name_cells, stem_layout
from tatumflow.live.tui.stems.stem_row import StemRow
from tatumflow.live.tui.stems.stem_strip import StemStrip

pytestmark = pytest.mark.slow

NAMES = ("horn", "piano", "bass", "drums")
LEVEL = Level(0.5, 0.2)


def sound(*, names: tuple[str, ...] = NAMES, plays: str = "piano", **changes: object) -> AudioStatus:
    stems = tuple(StemStatus(name, LEVEL, plays=name == plays) for name in names)
    status = AudioStatus(
        state="open",
        input="Scarlett 2i2",
        output="Scarlett 2i2",
        rate=48_000,
        input_level=LEVEL,
        stems=stems,
        separated=1.0,
        latency=AudioLatency(monitor=0.093),
    )
    return replace(status, **changes)  # pyright: ignore[reportArgumentType]


def mixed(status: AudioStatus, name: str, **changes: object) -> AudioStatus:
    stems = tuple(
        replace(stem, mix=replace(stem.mix, **changes)) if stem.name == name else stem  # pyright: ignore[reportArgumentType]
        for stem in status.stems
    )
    return replace(status, stems=stems)


class WillingEars(StillLink):
    """Ears that do what they are asked."""

    def send(self, command: Command | AudioCommand) -> None:
        super().send(command)
        assert self.sound is not None
        match command:
            case SetStem(name=name, gain_db=gain_db, muted=muted, soloed=soloed):
                given = {"gain_db": gain_db, "muted": muted, "soloed": soloed}
                changes = {key: value for key, value in given.items() if value is not None}
                self.sound = mixed(self.sound, name, **changes)
            case ChooseStem(name=name):
                stems = tuple(replace(stem, plays=stem.name == name) for stem in self.sound.stems)
                self.sound = replace(self.sound, stems=stems)
            case BypassSeparation(bypass=bypass):
                self.sound = replace(self.sound, bypass=bypass)
            case RecordStems(on=on):
                self.sound = replace(self.sound, recording="jam stems" if on else "")


def ears(**changes: object) -> WillingEars:
    return WillingEars(moment(), sound=sound(**changes))  # pyright: ignore[reportArgumentType]


def rows(app: TatumFlowApp) -> dict[str, StemRow]:
    return {row.stem: row for row in app.jam.query(StemRow)}


def drawn(app: TatumFlowApp) -> dict[str, str]:
    return {name: row.render_line(0).text for name, row in rows(app).items()}


def line(app: TatumFlowApp) -> str:
    return str(app.jam.query_one(SoundLine).content)


async def presses(link: StillLink, *keys: str) -> list[Command | AudioCommand]:
    async with screen(link) as (_, pilot):
        await pilot.press(*keys)
        await pilot.pause()
    return link.sent


async def test_a_session_without_ears_has_no_strip_and_none_of_its_keys() -> None:
    link = StillLink(moment())
    async with screen(link) as (app, pilot):
        strip = app.jam.query_one(StemStrip)
        assert not strip.display
        focused = app.focused
        await pilot.press("f7", "f8", "M", "S")
        assert app.focused is focused
        assert not any("stem" in entry.name.casefold() for entry in entries(app))
        await pilot.press("f1")
        shown = [str(static.content) for static in app.screen.query(Static)]
        assert not any("stem" in text.casefold() for text in shown)
    assert link.sent == []


async def test_the_strip_comes_with_the_ears_and_goes_with_them() -> None:
    link = StillLink(moment())
    async with screen(link, size=(80, 24)) as (app, pilot):
        strip = app.jam.query_one(StemStrip)
        link.sound = sound()
        await until(pilot, lambda: strip.display and strip.size.height == len(NAMES) + 1)
        assert tuple(rows(app)) == NAMES
        link.sound = None
        await until(pilot, lambda: not strip.display)


async def test_keys_of_a_stem_request_its_mix() -> None:
    keys = ("right", "shift+left", "home", "end", "delete", "M", "M", "S", "S")
    assert await presses(ears(), "f7", *keys) == [
        SetStem("piano", gain_db=1.0),
        SetStem("piano", gain_db=-4.0),
        SetStem("piano", gain_db=-60.0),
        SetStem("piano", gain_db=12.0),
        SetStem("piano", gain_db=0.0),
        SetStem("piano", muted=True),
        SetStem("piano", muted=False),
        SetStem("piano", soloed=True),
        SetStem("piano", soloed=False),
    ]


async def test_gain_stops_at_its_limits() -> None:
    link = WillingEars(moment(), sound=mixed(sound(), "piano", gain_db=12.0))
    assert await presses(link, "f7", "right", "end") == []


async def test_enter_chooses_the_stem_that_plays_or_none() -> None:
    link = ears()
    async with screen(link) as (app, pilot):
        await pilot.press("f7", "down", "enter")
        assert [name for name, row in rows(app).items() if row.plays] == ["bass"]
        await pilot.press("enter")
        await until(pilot, lambda: not any(row.plays for row in rows(app).values()))
    assert link.sent == [ChooseStem("bass"), ChooseStem("")]


async def test_a_stem_chosen_is_the_only_one_marked() -> None:
    async with screen(ears()) as (app, pilot):
        await pilot.press("f7", "up", "enter")
        await until(pilot, lambda: rows(app)["horn"].plays)
        marks = {name: text[0] for name, text in drawn(app).items()}
    assert marks == {"horn": "●", "piano": "○", "bass": "○", "drums": "○"}


async def test_arrows_go_from_the_last_control_to_the_stems_and_around() -> None:
    async with screen(ears()) as (app, pilot):
        await pilot.press("f7", "up", "up")
        assert app.focused is list(app.jam.query("ControlRow"))[-1]
        await pilot.press(*["down"] * 5)
        assert app.focused is app.jam.query_one("#loop")


async def test_f7_goes_to_the_stem_that_plays_and_back() -> None:
    async with screen(ears()) as (app, pilot):
        density = app.jam.query_one("#density", Slider)
        density.focus()
        await pilot.press("f7")
        assert app.focused is rows(app)["piano"]
        await pilot.press("f7")
        assert app.focused is density


async def test_f7_goes_to_the_first_stem_if_none_plays() -> None:
    async with screen(ears(plays="")) as (app, pilot):
        await pilot.press("f7")
        assert app.focused is rows(app)["horn"]


async def test_the_piano_goes_on_playing_on_a_stem() -> None:
    sent = await presses(ears(), "f7", "m", "s")
    assert sent == [PlayKey(59), PlayKey(49)]


async def test_f8_bypasses_and_comes_back() -> None:
    link = ears()
    async with screen(link) as (app, pilot):
        for bypass in (True, False):
            await pilot.press("f8")
            await until(pilot, lambda bypass=bypass: app.sound is not None and app.sound.bypass is bypass)
    assert link.sent == [BypassSeparation(True), BypassSeparation(False)]


async def test_a_click_turns_the_switch_under_it() -> None:
    link = ears()
    async with screen(link) as (app, pilot):
        bass = rows(app)["bass"]
        layout = stem_layout(bass.content_size.width, name_cells(NAMES))
        for columns in (layout.mute, layout.solo, layout.label, layout.meter, layout.gain):
            await pilot.click(bass, offset=(columns.start + 1, 0))
        assert app.focused is bass
    assert link.sent == [SetStem("bass", muted=True), SetStem("bass", soloed=True), ChooseStem("bass")]


async def test_a_drag_moves_the_gain_alone_wherever_it_ends() -> None:
    link = ears()
    async with screen(link) as (app, pilot):
        bass = rows(app)["bass"]
        layout = stem_layout(bass.content_size.width, name_cells(NAMES))
        first, last, beside = layout.track.start, layout.track.stop - 1, layout.mute.start + 1
        await pilot.mouse_down(bass, offset=(first, 0))
        await pilot.hover(bass, offset=(last, 0))
        await pilot.hover(bass, offset=(beside, 0))
        await pilot.mouse_up(bass, offset=(beside, 0))
        await pilot.hover(bass, offset=(last, 0))
    assert link.sent == [SetStem("bass", gain_db=gain) for gain in (-60.0, 12.0, -60.0)]


async def test_the_wheel_moves_the_gain() -> None:
    link = ears()
    async with screen(link) as (app, pilot):
        drums = rows(app)["drums"]
        region = drums.region
        for kind, step in ((MouseScrollUp, -1), (MouseScrollDown, 1), (MouseScrollDown, 1)):
            drums.post_message(kind(drums, 1, 0, 0, step, 0, False, False, False, region.x + 1, region.y))
            await pilot.pause()
    assert link.sent == [SetStem("drums", gain_db=gain) for gain in (1.0, 0.0, -1.0)]


async def test_what_is_set_is_shown_at_once_and_given_up_if_refused() -> None:
    link = StillLink(moment(), sound=sound())
    async with screen(link) as (app, pilot):
        strip, piano, bass = app.jam.query_one(StemStrip), rows(app)["piano"], rows(app)["bass"]
        # From here on the ears report when the test says so, and not as often as the machine is fast.
        app.jam.show = lambda *args, **kwargs: None  # type: ignore[method-assign]
        await pilot.press("f7", "M", "down", "enter")
        strip.show(sound())
        assert "▐M▌" in drawn(app)["piano"]
        assert (piano.plays, bass.plays) == (False, True)
        for _ in range(30):
            strip.show(sound())
        assert "▐M▌" not in drawn(app)["piano"]
        assert (piano.plays, bass.plays) == (True, False)


@pytest.mark.parametrize(
    ("changed", "pale"),
    [
        ({"muted": True}, {"bass"}),
        ({"soloed": True}, {"horn", "piano", "drums"}),
        ({"soloed": True, "muted": True}, set(NAMES)),
        ({"gain_db": -60.0}, set()),
    ],
)
async def test_the_level_of_what_is_not_heard_is_pale(changed: dict[str, object], pale: set[str]) -> None:
    link = StillLink(moment(), sound=mixed(sound(), "bass", **changed))
    async with screen(link) as (app, _):
        texts = drawn(app)
    assert {name for name, text in texts.items() if "░" in text} == pale
    assert {name for name, text in texts.items() if "▇" in text} == set(NAMES) - pale


async def test_nothing_of_the_stems_is_heard_in_bypass() -> None:
    async with screen(StillLink(moment(), sound=sound(bypass=True, separated=0.0))) as (app, _):
        assert all("░" in text for text in drawn(app).values())
        assert line(app).startswith("bypass dry 100 %")


async def test_a_row_shows_mix_and_gain() -> None:
    status = mixed(mixed(sound(), "horn", gain_db=-3.5, muted=True), "bass", soloed=True)
    async with screen(StillLink(moment(), sound=status)) as (app, _):
        texts = drawn(app)
    assert texts["horn"].endswith("  -3.5 dB")
    assert texts["piano"].endswith("   0.0 dB")
    assert ("▐M▌" in texts["horn"], "▐S▌" in texts["horn"]) == (True, False)
    assert ("▐M▌" in texts["bass"], "▐S▌" in texts["bass"]) == (False, True)


async def test_a_lost_device_is_named_and_its_levels_go() -> None:
    link = StillLink(moment(), sound=sound())
    async with screen(link) as (app, pilot):
        assert line(app).startswith("● open")
        link.sound = sound(state="lost", input="", output="", rate=0, separated=0.0)
        await until(pilot, lambda: line(app).startswith("▲ lost"))
        assert not any("▇" in text or "┃" in text for text in drawn(app).values())
        assert "▇" not in app.jam.query_one(InputMeter).render_line(0).text
        assert "monitor" not in line(app)
        link.sound = sound()
        await until(pilot, lambda: all("▇" in text for text in drawn(app).values()))


async def test_ears_that_start_again_keep_their_rows() -> None:
    link = StillLink(moment(), sound=sound())
    async with screen(link) as (app, pilot):
        before = rows(app)
        link.sound = AudioStatus("lost")
        await until(pilot, lambda: line(app).startswith("▲ lost"))
        assert rows(app) == before
        assert not any("▇" in text for text in drawn(app).values())
        link.sound = AudioStatus("closed")
        await until(pilot, lambda: not rows(app))
        assert line(app).startswith("○ closed")


async def test_ears_without_stems_show_the_input_alone() -> None:
    link = StillLink(moment(), sound=sound(names=()))
    async with screen(link, size=(80, 24)) as (app, pilot):
        await pilot.press("f7")
        assert app.jam.query_one(StemStrip).size.height == 1
        assert "▇" in app.jam.query_one(InputMeter).render_line(0).text
    assert link.sent == []


async def test_other_stems_take_the_place_of_the_first() -> None:
    link = StillLink(moment(), sound=sound())
    async with screen(link) as (app, pilot):
        link.sound = sound(names=("vocals", "bass", "accompaniment"))
        await until(pilot, lambda: tuple(rows(app)) == ("vocals", "bass", "accompaniment"))
        await until(pilot, lambda: drawn(app)["accompaniment"][2:15] == "accompaniment")


@pytest.mark.parametrize("size", [(80, 24), (120, 36), (100, 24), (60, 40)])
async def test_every_stem_fits_and_the_roll_keeps_its_place(size: tuple[int, int]) -> None:
    async with screen(StillLink(moment(), sound=sound()), size=size) as (app, _):
        for row in rows(app).values():
            assert app.jam.region.contains_region(row.region)
            assert row.region.height == 1
        regions = [part.region for part in app.jam.query("PianoRoll, Keyboard, StemStrip, #status, Footer")]
        assert all(above.bottom <= below.y for above, below in pairwise(regions))
        assert regions[0].height >= 8
        assert regions[-1].bottom == size[1]
        meter = app.jam.query_one(InputMeter).region
        horn = rows(app)["horn"]
        columns = stem_layout(horn.content_size.width, name_cells(NAMES)).meter
        assert meter.right == horn.region.x + columns.stop


async def test_more_stems_than_fit_are_scrolled_to() -> None:
    names = tuple(f"stem{number}" for number in range(64))
    async with screen(ears(names=names, plays="stem63"), size=(80, 24)) as (app, pilot):
        assert app.jam.query_one(StemStrip).size.height == 5
        await pilot.press("f7")
        last = rows(app)["stem63"]
        await until(pilot, lambda: app.jam.query_one("StemRows").region.contains_region(last.region))


async def test_recording_is_lit() -> None:
    async with screen(StillLink(moment(), sound=sound(recording="jam stems"))) as (app, _):
        assert app.jam.query_one(InputMeter).render_line(0).text.startswith("input REC ▇")


async def test_still_sound_draws_nothing_again() -> None:
    link = StillLink(moment(), sound=sound())
    async with screen(link) as (app, pilot):
        again: list[object] = []
        for part in app.jam.query("StemRow, InputMeter, SoundLine, DeviceLine, StemStrip"):
            part.refresh = lambda *args, part=part, **kwargs: again.append(part) or part  # type: ignore[method-assign]
        for _ in range(6):
            app.poll()
        await pilot.pause()
        assert again == []


async def test_a_level_draws_its_meter_alone() -> None:
    link = StillLink(moment(), sound=sound())
    async with screen(link) as (app, pilot):
        horn = rows(app)["horn"]
        regions: list[Region] = []
        again: list[object] = []
        for part in app.jam.query("StemRow, InputMeter, SoundLine, DeviceLine, StemStrip"):
            part.refresh = lambda *args, part=part, **kwargs: again.append(part) or part  # type: ignore[method-assign]
        horn.refresh = lambda *given, **kwargs: regions.extend(given) or horn  # type: ignore[method-assign]
        louder, *others = sound().stems
        link.sound = sound(stems=(replace(louder, level=Level(0.9, 0.4)), *others))
        await until(pilot, lambda: regions)
        columns = stem_layout(horn.content_size.width, name_cells(NAMES)).meter
        assert regions == [Region(columns.start, 0, len(columns), 1)]
        assert again == []


async def test_palette_offers_what_can_be_done_with_the_sound() -> None:
    link = ears()
    async with screen(link) as (app, pilot):
        offered = {entry.name: entry for entry in entries(app)}
        for name in (
            "Mute horn",
            "Solo bass",
            "Play from drums",
            "Play from no stem",
            "Bypass the separation",
            "Record the stems",
        ):
            offered[name].run()
        assert link.sent == [
            SetStem("horn", muted=True),
            SetStem("bass", soloed=True),
            ChooseStem("drums"),
            ChooseStem(""),
            BypassSeparation(True),
            RecordStems(True),
        ]
        await until(pilot, lambda: app.sound is not None and app.sound.recording)
        offered = {entry.name: entry for entry in entries(app)}
        for name in (
            "Unmute horn",
            "End solo of bass",
            "Hear the stems again",
            "End the recording of the stems",
        ):
            offered[name].run()
    assert link.sent[6:] == [
        SetStem("horn", muted=False),
        SetStem("bass", soloed=False),
        BypassSeparation(False),
        RecordStems(False),
    ]


async def test_the_stems_are_gone_to_from_the_palette() -> None:
    async with screen(ears()) as (app, pilot):
        await pilot.press("ctrl+p", *"to the stem")
        await until(pilot, lambda: app.screen.query_one(OptionList).option_count == 1)
        await pilot.press("down", "enter")
        await until(pilot, lambda: app.focused is rows(app)["piano"])


async def test_help_describes_the_stems() -> None:
    async with screen(ears()) as (app, pilot):
        await pilot.press("f1")
        assert isinstance(app.screen, Help)
        text = "\n".join(str(static.content) for static in app.screen.query(Static))
    for told in ("F7", "F8", "STEMS", "Shift+M", "Shift+S", "Enter"):
        assert told in text


def figures(**changes: object) -> str:
    status = sound(**changes)  # pyright: ignore[reportArgumentType]
    return str(sound_text(status.state, sound_figures(status), 200))


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({}, "● open  monitor 93 ms  dropouts 0  load 0 %"),
        ({"separated": 0.6}, "▲ dry 40 %  monitor 93 ms  dropouts 0  load 0 %"),
        ({"separated": math.nan}, "▲ dry nan %  monitor 93 ms  dropouts 0  load 0 %"),
        ({"bypass": True, "separated": 0.25}, "bypass dry 75 %  monitor 93 ms  dropouts 0  load 0 %"),
        ({"cost_p99": 1.3}, "● open  monitor 93 ms  dropouts 0  load ▲ 130 %"),
        (
            {"faults": AudioFaults(xruns=2, dropouts=3, model_faults=1, skips=4, input_clips=5)},
            "● open  monitor 93 ms  dropouts ▲ 3  model faults ▲ 1  clips ▲ 5  xruns ▲ 2  skips ▲ 4"
            "  load 0 %",
        ),
        (
            {"faults": AudioFaults(overflow_frames=64, bad_input_frames=9, limited_frames=480)},
            "● open  monitor 93 ms  dropouts 0  overflow ▲ 64  bad input ▲ 9  limited ▲ 480  load 0 %",
        ),
        ({"output": "", "separated": 0.0}, "● open  monitor none  dropouts 0  load 0 %"),
        ({"state": "lost", "separated": 0.0}, "▲ lost, looking for it  dropouts 0"),
        ({"state": "closed", "separated": 0.0, "bypass": True}, "○ closed  dropouts 0"),
    ],
)
def test_figures_of_the_sound(changes: dict[str, object], text: str) -> None:
    assert figures(**changes) == text


def test_figures_within_their_bounds_make_room_for_the_others() -> None:
    status = sound(separated=0.0, cost_p99=0.5, faults=AudioFaults(dropouts=120, xruns=7))
    shown = sound_figures(status)
    texts = {width: str(sound_text("open", shown, width)) for width in (80, 50, 40, 10)}
    assert texts[80].endswith("load 50 %")
    assert texts[50] == "▲ dry 100 %  dropouts ▲ 120  xruns ▲ 7"
    assert texts[40] == texts[10] == texts[50]


def test_devices_are_named() -> None:
    assert str(device_text("Mic [1]", "", 44_100)) == "in Mic [1]   out no monitor   44.1 kHz"
    assert str(device_text("", "", 0)) == ""


AMPLITUDES = st.floats(allow_nan=True, allow_infinity=True) | st.floats(0, 2)


@given(peak=AMPLITUDES, rms=AMPLITUDES, cells=st.integers(0, 80), heard=st.booleans())
def test_any_level_fits_any_meter(peak: float, rms: float, cells: int, heard: bool) -> None:
    drawn = meter_cells(read_meter(Level(peak, rms), cells), heard=heard)
    assert len(drawn) == cells
    assert all(len(cell.glyph) == 1 for cell in drawn)


@given(
    softer=st.floats(0, 2),
    louder=st.floats(0, 2),
    cells=st.integers(1, 80),
)
def test_a_louder_sound_reads_no_less(softer: float, louder: float, cells: int) -> None:
    softer, louder = sorted((softer, louder))
    low, high = read_meter(Level(softer, softer), cells), read_meter(Level(louder, louder), cells)
    assert low.filled <= high.filled
    assert low.peak <= high.peak


def text_of(level: Level, cells: int = 10, *, heard: bool = True) -> str:
    return "".join(cell.glyph for cell in meter_cells(read_meter(level, cells), heard=heard))


def test_a_meter_shows_rms_peak_and_full_scale() -> None:
    assert text_of(Level()) == " " * 10
    assert text_of(Level(10 ** (-0.5), 10**-1.5)) == "▇▇▇▇▇   ┃ "
    assert text_of(Level(1.0, 10**-1.5)) == "▇▇▇▇▇    ▲"
    assert text_of(Level(1.0, 10**-1.5), heard=False) == "░░░░░    ▲"
    assert text_of(Level(1.0, 1.0)) == "▇▇▇▇▇▇▇▇▇▲"
    # The peak falls back faster than the RMS.
    assert text_of(Level(0.01, 0.1)) == "▇▇▇▇▇▇▇   "


def test_the_end_of_the_scale_is_hot() -> None:
    cells = meter_cells(read_meter(Level(0.9, 0.9), 60), heard=True)
    hot = [at for at, cell in enumerate(cells) if cell.style == "meter--hot"]
    assert hot == list(range(int(HOT_DB - LOWEST_DB), 60))


@given(width=st.integers(0, 300), name=st.integers(7, 14))
def test_columns_of_a_stem_follow_in_order_without_overlap(width: int, name: int) -> None:
    layout = stem_layout(width, name)
    columns = [layout.label, layout.meter, layout.mute, layout.solo, layout.track, layout.gain]
    assert all(left.stop <= right.start for left, right in pairwise(columns))
    if width >= 40:
        assert layout.gain.stop == width
        assert len(layout.meter) >= 5
