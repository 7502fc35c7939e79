"""The commands on rolls: what they refuse before they open a model, and what they write with a mock."""

from pathlib import Path

import pytest
from mock_rolls import mock_model

from tatumflow.engine.errors import BundleError, MidiFileError, SettingError
from tatumflow.engine.midi.midi_file import MidiTrack, read_midi, write_midi
from tatumflow.engine.midi.notes import Note
from tatumflow.live.commands.fill import FillOptions, fill, parse_bars
from tatumflow.live.commands.roll import ContinueOptions, RollOptions, SampleOptions, continue_file, sample


@pytest.fixture
def take(tmp_path: Path) -> Path:
    notes = [Note(0.25 * i, 0.2, 60 + 5 * i % 12, 70) for i in range(8 * 8)]
    path = tmp_path / "take.mid"
    write_midi(path, [MidiTrack("take", notes)], 120.0)
    return path


@pytest.fixture
def with_mock(monkeypatch: pytest.MonkeyPatch) -> RollOptions:
    monkeypatch.setattr(RollOptions, "opened", lambda self: mock_model()[0])
    return RollOptions(style="art-tatum")


@pytest.mark.parametrize(("text", "bars"), [("5-8", (5, 8)), (" 12 ", (12, 12)), ("3 - 3", (3, 3))])
def test_bars_are_read(text: str, bars: tuple[int, int]):
    assert parse_bars(text) == bars


@pytest.mark.parametrize("text", ["", "8-5", "0-3", "five", "1-2-3", "-4"])
def test_other_bars_are_refused(text: str):
    with pytest.raises(SettingError, match="FIRST-LAST"):
        parse_bars(text)


def test_bars_after_the_end_are_refused(take: Path, with_mock: RollOptions):
    with pytest.raises(SettingError, match="after the last note, in bar 8"):
        fill(FillOptions(take, take.with_name("out.mid"), "9-10"), with_mock)


def test_the_take_is_never_overwritten(take: Path, with_mock: RollOptions):
    with pytest.raises(SettingError, match="is the file that is read"):
        fill(FillOptions(take, take, "2"), with_mock)
    with pytest.raises(SettingError, match="is the file that is read"):
        continue_file(ContinueOptions(take, take), with_mock)


def test_a_missing_file_and_a_missing_model_are_said(tmp_path: Path, take: Path):
    with pytest.raises(MidiFileError, match="no such file"):
        fill(FillOptions(tmp_path / "none.mid", tmp_path / "out.mid", "2"), RollOptions())
    with pytest.raises(BundleError, match="no such roll model"):
        fill(FillOptions(take, tmp_path / "out.mid", "2"), RollOptions(model="none-of-this-name"))


def test_a_filled_take_has_a_track_for_each(
    take: Path, with_mock: RollOptions, capsys: pytest.CaptureFixture
):
    (out,) = fill(FillOptions(take, take.with_name("out.mid"), "3-4"), with_mock)
    before, after = set(read_midi(take).notes), set(read_midi(out).notes)
    assert {note for note in before if not 3.99 <= note.onset < 7.99} <= after
    assert any(4.0 <= note.onset < 8.0 for note in after - before)
    assert "48 kept as they were" in capsys.readouterr().out


def test_free_time_is_filled_without_beats(take: Path, with_mock: RollOptions):
    (out,) = fill(FillOptions(take, take.with_name("out.mid"), "2", grid="time"), with_mock)
    added = set(read_midi(out).notes) - set(read_midi(take).notes)
    # The sixteen steps of 0.125 s of the second "bar".
    assert {round(note.onset / 0.125) for note in added} == set(range(16, 32))


def test_a_style_that_the_model_lacks_is_refused(take: Path, with_mock: RollOptions):
    with pytest.raises(SettingError, match="choose from art-tatum"):
        fill(FillOptions(take, take.with_name("out.mid"), "2"), RollOptions(style="sun-ra"))


def test_samples_are_whole_bars_at_the_tempo(tmp_path: Path, with_mock: RollOptions):
    (path,) = sample(SampleOptions(tmp_path / "rolls", 1, 32, tempo=60.0), with_mock)
    performance = read_midi(path)
    assert performance.tempo == pytest.approx(60.0)
    assert max(note.offset for note in performance.notes) == pytest.approx(8.0)
