"""Settings: defaults, overlay, round trip, and one clear line for every broken file."""

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from tatumflow.engine.controls import Controls
from tatumflow.engine.errors import SettingError
from tatumflow.engine.midi.midi_file import MidiTrack, write_midi
from tatumflow.engine.midi.notes import Note
from tatumflow.live.settings import Settings, load_settings, save_settings, settings_path


def test_shipped_file_states_the_defaults(tmp_path):
    assert load_settings(tmp_path / "absent.yaml") == Settings()


def test_the_players_file_overlays_single_lines(tmp_path):
    path = tmp_path / "settings.yaml"
    path.write_text("ports: {api: jack}\ncontrols: {temperature: 1.2}\n")
    settings = load_settings(path)
    assert settings.ports.api == "jack"
    assert settings.ports.virtual_name == "TatumFlow"
    assert settings.controls == Controls(temperature=1.2)


def test_an_empty_file_changes_nothing(tmp_path):
    path = tmp_path / "settings.yaml"
    path.write_text("")
    assert load_settings(path) == Settings()


@given(
    temperature=st.floats(0, 2),
    low=st.integers(21, 60),
    span=st.integers(0, 48),
    name=st.text(st.characters(blacklist_categories=("Cs",)), max_size=20),
)
def test_what_is_saved_is_what_is_loaded(tmp_path_factory, temperature, low, span, name):
    path = tmp_path_factory.mktemp("config") / "new folder" / "settings.yaml"
    settings = Settings(
        controls=Controls(temperature=temperature, register_low=low, register_high=low + span)
    )
    settings = settings.with_ports(input=name, companion_channel=5)
    save_settings(settings, path)
    assert load_settings(path) == settings
    assert [file.name for file in path.parent.iterdir()] == ["settings.yaml"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("ports: [", "is not valid YAML at line 1"),
        ("- a\n- b\n", "does not hold `name: value` lines"),
        ("ports: {api: oss}", "ports.api: "),
        (
            "ports: {companion_channel: 17}",
            "ports.companion_channel: 17 is outside the allowed range 1 to 16",
        ),
        ("synth: {gian: 1}", "synth.gian: is not a setting; the settings here are enabled, soundfont"),
        ("colour: blue", "colour: is not a setting; the settings here are ports, screen, synth"),
        (
            "controls: {temperature: -1}",
            "controls: temperature: -1.0 is outside the allowed range 0.0 to 2.0",
        ),
        ("controls: {tempratur: 1}", "controls: 'tempratur' is not a control"),
        ("controls: 3", "controls: 3 is not a list of `name: value` lines"),
    ],
)
def test_a_broken_file_is_named_with_its_field(tmp_path, text, said):
    path = tmp_path / "settings.yaml"
    path.write_text(text)
    with pytest.raises(SettingError) as caught:
        load_settings(path)
    assert str(caught.value).startswith(str(path))
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_not_text_is_named(tmp_path):
    path = tmp_path / "settings.yaml"
    path.write_bytes(b"\xff\xfe\x00\x01")
    with pytest.raises(SettingError, match=r"settings\.yaml: "):
        load_settings(path)


def test_saving_where_nothing_can_be_written_is_one_line_and_leaves_nothing(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(SettingError, match="settings not saved"):
        save_settings(Settings(), tmp_path / "file" / "settings.yaml")


def test_the_environment_chooses_the_file(tmp_path, monkeypatch):
    monkeypatch.setenv("TATUMFLOW_SETTINGS", str(tmp_path / "mine.yaml"))
    assert settings_path() == tmp_path / "mine.yaml"
    save_settings(Settings(model="mine"))
    assert yaml.safe_load((tmp_path / "mine.yaml").read_text())["model"] == "mine"
    assert load_settings().model == "mine"


def test_a_bad_override_names_what_is_allowed():
    with pytest.raises(SettingError, match="mode: 'solo' is not one of answer, continue"):
        Settings().with_controls(mode="solo")
    with pytest.raises(SettingError, match=r"settings: ports\.api"):
        Settings().with_ports(api="oss")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"voices": "few"}, "audio.voices: 'few' is not one of one, many"),
        ({"channels": (1, 2, 3)}, "audio.channels: "),
        ({"channels": (0,)}, "audio.channels.0: "),
        ({"rate": 100}, "audio.rate: 100 is neither 0 nor a rate from 8000 on"),
        ({"block": 8}, "audio.block: "),
    ],
)
def test_what_an_audio_input_cannot_be_is_named(change, said):
    with pytest.raises(SettingError) as caught:
        Settings().with_audio(**change)
    assert said in str(caught.value)


def test_an_audio_input_is_kept_like_everything_else(tmp_path):
    path = tmp_path / "settings.yaml"
    settings = Settings().with_audio(enabled=True, stem="input", input="USB", channels=(2,), voices="many")
    save_settings(settings, path)
    assert load_settings(path) == settings


def test_the_file_of_a_head_is_named_in_full(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_midi(tmp_path / "head.mid", [MidiTrack("Melody", [Note(0.0, 0.5, 60, 80)])])
    settings = Settings().with_changes({"head": "head.mid"})
    assert settings.controls.head == str(tmp_path / "head.mid")
    with pytest.raises(SettingError, match=r"gone\.mid: no such file"):
        Settings().with_changes({"head": "gone.mid"})
