"""Presets: shipped and the user's own, checked, and below what the command line gives."""

import sys

import pytest

from tatumflow.engine.controls import CONTROL_SPECS
from tatumflow.engine.errors import SettingError
from tatumflow.live import cli
from tatumflow.live.commands import jam, play
from tatumflow.live.presets import find_preset, preset_controls, presets, presets_folder, with_preset
from tatumflow.live.settings import Settings


@pytest.fixture(autouse=True)
def own_settings(monkeypatch, tmp_path):
    monkeypatch.setenv("TATUMFLOW_SETTINGS", str(tmp_path / "settings.yaml"))


@pytest.fixture
def write():
    """Return what writes a preset into the user's folder."""

    def write(name, text):
        presets_folder().mkdir(exist_ok=True)
        (presets_folder() / f"{name}.yaml").write_text(text, encoding="utf-8")

    return write


@pytest.fixture
def run(monkeypatch, capsys):
    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["tatumflow", *arguments])
        try:
            cli.main()
            status = 0
        except SystemExit as end:
            status = end.code or 0
        printed = capsys.readouterr()
        return status, printed.out, printed.err

    return run


@pytest.fixture
def given(monkeypatch):
    calls = []
    monkeypatch.setattr(jam, "jam", calls.append)
    monkeypatch.setattr(play, "play", calls.append)
    return calls


def test_bird_and_tatum_come_along_and_fit():
    found = presets()
    assert {"bird", "tatum"} <= set(found)
    for preset in found.values():
        for command in preset.own:
            Settings().with_changes(preset.changes(command))
    assert find_preset("bird").shared["style"] == "charlie-parker"
    assert find_preset("bird").changes("jam")["trade_bars"] > 0
    assert "trade_bars" not in find_preset("bird").changes("generate")


def test_a_preset_lies_between_the_settings_and_the_command_line(write):
    own = "set: {temperature: 0.7, style: art-tatum}\njam: {trade_bars: 2, density: 1}"
    write("mine", f"about: Mine.\n{own}\n")
    settings = Settings().with_controls(temperature=1.5, surprise=0.1)
    changed = settings.with_changes(with_preset("mine", "jam", {"density": "-1"})).controls
    assert (changed.temperature, changed.surprise, changed.trade_bars, changed.density) == (0.7, 0.1, 2, -1.0)
    assert with_preset("mine", "play", {}) == {"temperature": 0.7, "style": "art-tatum"}
    assert with_preset(None, "play", {"density": "-1"}) == {"density": "-1"}


def test_a_preset_carries_a_blend_and_settings_in_sections(write):
    write(
        "between",
        "about: Between Parker and Coltrane.\n"
        "set: {style: charlie-parker, style_b: john-coltrane, style_blend: 0.5, synth.gain: 0.3}\n",
    )
    settings = Settings().with_changes(with_preset("between", "generate", {}))
    controls = settings.controls
    assert (controls.style, controls.style_b, controls.style_blend) == (
        "charlie-parker",
        "john-coltrane",
        0.5,
    )
    assert settings.synth.gain == 0.3


def test_other_commands_read_the_controls_of_a_preset_alone(write):
    own = "set: {temperature: 0.7, synth.gain: 0.3, controls.surprise: 0.2}\njam: {trade_bars: 2, density: 0}"
    write("mine", f"about: Mine.\n{own}\ngenerate: {{controls: {{guidance: 0.5}}}}\n")
    assert preset_controls("mine", "jam") == {
        "temperature": 0.7,
        "surprise": 0.2,
        "trade_bars": 2,
        "density": 0.0,
    }
    assert preset_controls("mine", "generate") == {"temperature": 0.7, "surprise": 0.2, "guidance": 0.5}


def test_an_own_preset_replaces_a_shipped_one_of_its_name(write):
    write("bird", "about: Another bird.\n")
    assert presets()["bird"].about == "Another bird."
    assert find_preset("bird").changes("jam") == {}


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("about: A.\nset: {temperature: 3}\n", r"mine\.yaml: temperature: .* outside"),
        ("about: A.\nset: {tempreature: 1}\n", r"mine\.yaml: 'tempreature' is not a control"),
        ("about: A.\njam: {ports.api: midi}\n", r"mine\.yaml: ports\.api"),
        ("set: {temperature: 1}\n", r"mine\.yaml: about: is missing"),
        ("about: A.\nsets: {}\n", r"mine\.yaml: sets: is not a field"),
        ("about: A.\nset: 3\n", r"mine\.yaml: set: 3 is not"),
        ("about: [\n", r"mine\.yaml: is not valid YAML"),
        ("- 3\n", r"mine\.yaml: "),
        ("about: \x00", r"mine\.yaml: is not valid YAML"),
    ],
)
def test_a_file_that_is_no_preset_is_refused_in_one_line(write, text, match):
    write("mine", text)
    with pytest.raises(SettingError, match=match) as refused:
        find_preset("mine")
    assert "\n" not in str(refused.value)


def test_an_unknown_name_gets_the_nearest_and_the_others(run):
    status, out, err = run("generate", "-o", "x.mid", "--preset", "brid")
    assert (status, out) == (1, "")
    assert err.count("\n") == 1
    assert "no preset is named 'brid'; did you mean bird? there are bird" in err


def test_presets_are_listed_with_what_they_set(run, write):
    write("mine", "about: My own.\nset: {temperature: 0.7}\njam: {trade_bars: 8}\n")
    status, out, _ = run("presets")
    assert status == 0
    for part in ("bird", "tatum", "style=charlie-parker", "My own.", "temperature=0.7", "jam: trade_bars=8"):
        assert part in out
    assert str(presets_folder()) in out
    assert max(map(len, out.splitlines()[:-1])) <= 80


def test_commands_take_a_preset_below_their_options(run, given):
    bird = find_preset("bird")
    run("jam", "--preset", "bird", "--tempo", "200", "--set", "density=0.5")
    assert given[0].changes == {**bird.changes("jam"), "tempo": "200", "density": "0.5"}
    run("generate", "-o", "x.mid", "--preset", "bird", "--style", "art-tatum")
    assert given[1].changes == {"mode": "improvise", **bird.changes("generate"), "style": "art-tatum"}
    run("play", "in.mid", "-o", "x.mid", "--preset", "tatum")
    assert given[2].changes == find_preset("tatum").changes("play")


def test_presets_name_controls_or_settings_that_exist():
    for preset in presets().values():
        for name in preset.shared:
            assert name in CONTROL_SPECS or "." in name
