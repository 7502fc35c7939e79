"""Charts from files: read where the user names one, anew each time, and never by the engine."""

import os
import pickle
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from tatumflow.engine.controls import Controls, chart_named
from tatumflow.engine.errors import ChartError, SettingError
from tatumflow.engine.harmony.chart import chart_title, parse_chart
from tatumflow.live.charts import read_chords
from tatumflow.live.commands.jam import JamOptions
from tatumflow.live.settings import Settings, load_settings, save_settings
from tatumflow.live.tui.controls.control_panel import option_name

WALTZ = "name: Waltz\nbeats_per_bar: 3\nchart: |\n  |: Cm7 | F7 :|\n"


@pytest.fixture(autouse=True)
def own_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TATUMFLOW_SETTINGS", str(tmp_path / "own" / "settings.yaml"))


@pytest.fixture
def waltz(tmp_path: Path) -> Path:
    path = tmp_path / "waltz.yaml"
    path.write_text(WALTZ)
    return path


@pytest.fixture
def no_reading(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let whatever opens a file fail."""

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a file was opened")

    monkeypatch.setattr("builtins.open", refuse)
    monkeypatch.setattr("io.open", refuse)
    monkeypatch.setattr(Path, "stat", refuse)


@pytest.mark.parametrize("name", ["x.txt", "/tmp/x.yaml", "some tune.YML ", "blues in F.txt"])
@pytest.mark.usefixtures("no_reading")
def test_controls_open_no_file(name: str) -> None:
    for construct in (lambda: Controls(chords=name), lambda: Controls().changed("chords", name)):
        with pytest.raises(SettingError, match=r"chords: .* is the name of a file, which is not read here"):
            construct()


def test_a_pipe_with_the_name_of_a_chart_is_refused_at_once(tmp_path: Path) -> None:
    pipe = tmp_path / "x.txt"
    os.mkfifo(pipe)
    with pytest.raises(SettingError, match="is the name of a file"):
        Controls(chords=str(pipe))
    with pytest.raises(ChartError, match=r"x\.txt: cannot be read .it is a pipe, not a file"):
        read_chords(str(pipe))
    with pytest.raises(SettingError, match=r"chords: .*it is a pipe"):
        Settings().with_controls(chords=str(pipe))


def test_an_edited_chart_is_read_as_it_is_now(tmp_path: Path) -> None:
    path = tmp_path / "tune.txt"
    path.write_text("Dm7 | G7")
    first = Settings().with_controls(chords=str(path)).controls
    path.write_text("Cm7 | F7 | Bbmaj7")
    second = Settings().with_controls(chords=str(path)).controls
    assert [len(chart_named(controls.chords).bars) for controls in (first, second)] == [2, 3]


def test_what_is_no_file_comes_back_as_it_is() -> None:
    for source in ("", "blues in F", "Dm7 | G7 | Cmaj7", "{time: 3/4} Dm7 | G7 # as in x.txt"):
        assert read_chords(source) == source
    with pytest.raises(ChartError, match="bar 2: chord 'H7'"):
        read_chords("F7 | H7")


def test_a_file_too_large_for_a_chart_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.txt"
    path.write_text("F7 | " * 20_000)
    with pytest.raises(ChartError, match="it is larger than 64 kB"):
        read_chords(str(path))
    with pytest.raises(ChartError, match="over 65536 characters"):
        parse_chart(path.read_text())


def test_the_beats_of_a_bar_and_the_name_reach_the_engine(waltz: Path) -> None:
    controls = Settings().with_controls(chords=str(waltz)).controls
    chart = chart_named(controls.chords)
    assert (chart.name, chart.beats_per_bar, len(chart.bars)) == ("Waltz", 3, 4)
    assert option_name("chords", controls.chords) == "Waltz"


@pytest.mark.parametrize(
    ("source", "title"),
    [
        ("", "no chart"),
        ("blues in F", "blues in F"),
        ("Dm7 |\n G7", "Dm7 | G7"),
        ("{time: 3/4}\n{title: Waltz }\nDm7", "Waltz"),
        ("{title: } Dm7", "{title: } Dm7"),
    ],
)
def test_the_screen_shows_a_chart_in_one_line(source: str, title: str) -> None:
    assert option_name("chords", source) == title
    assert chart_title(source) in (title, "")


def test_controls_with_a_chart_are_cheap_to_change_and_cross_a_pipe(waltz: Path) -> None:
    controls = Settings().with_controls(chords=str(waltz)).controls
    assert pickle.loads(pickle.dumps(controls)) == controls
    assert hash(controls) == hash(replace(controls))
    parsed = chart_named.cache_info().misses
    for value in range(50):
        controls = controls.changed("temperature", value / 50)
    assert chart_named.cache_info().misses == parsed


def test_old_settings_that_name_a_file_still_load_and_keep_its_name(tmp_path: Path, waltz: Path) -> None:
    path = tmp_path / "settings.yaml"
    path.write_text(yaml.safe_dump({"controls": {"chords": str(waltz), "temperature": 0.5}}))
    settings = load_settings(path)
    assert chart_named(settings.controls.chords).name == "Waltz"
    save_settings(settings.with_ports(input="USB"), path)
    assert yaml.safe_load(path.read_text())["controls"]["chords"] == str(waltz)
    save_settings(settings.with_controls(chords="blues in F"), path)
    assert yaml.safe_load(path.read_text())["controls"]["chords"] == "blues in F"
    save_settings(settings, path)
    waltz.unlink()
    assert load_settings(path) == settings


def test_settings_whose_chart_is_missing_are_refused_in_one_line(tmp_path: Path) -> None:
    path = tmp_path / "settings.yaml"
    path.write_text("controls: {chords: absent.yaml}")
    with pytest.raises(SettingError, match=r"settings\.yaml: controls: chords: absent\.yaml: cannot be read"):
        load_settings(path)


def test_the_command_line_reads_files(waltz: Path) -> None:
    controls = JamOptions(changes={"chords": str(waltz)}).settings().controls
    assert chart_named(controls.chords).name == "Waltz"
