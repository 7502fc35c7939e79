"""The SoundFonts of a machine: which is the best, and choosing another."""

from pathlib import Path

import pytest

from tatumflow.engine.errors import DeviceError
from tatumflow.live.commands import sounds
from tatumflow.live.midi.soundfonts import SoundFont, best_soundfont, installed
from tatumflow.live.settings import load_settings


def put(folder: Path, *names: str) -> None:
    folder.mkdir(exist_ok=True)
    for name in names:
        (folder / name).write_bytes(b"RIFF")


def test_the_order_is_stated_and_other_names_come_last_and_are_never_chosen(tmp_path):
    put(tmp_path / "a", "TimGM6mb.sf2", "strings.sf2", "notes.txt")
    put(tmp_path / "b", "FluidR3_GM.sf2", "MuseScore_General_HQ.sf3", "MuseScore_General.sf3")
    both = (tmp_path / "a", tmp_path / "b", tmp_path / "missing")
    assert [font.name for font in installed(both)] == [
        "MuseScore_General",
        "MuseScore_General_HQ",
        "FluidR3_GM",
        "TimGM6mb",
        "strings",
    ]
    assert best_soundfont(both) == tmp_path / "b" / "MuseScore_General.sf3"
    assert best_soundfont((tmp_path / "a",)) == tmp_path / "a" / "TimGM6mb.sf2"
    put(tmp_path / "c", "strings.sf2")
    assert best_soundfont((tmp_path / "c",)) is None


def test_links_and_copies_are_listed_once(tmp_path):
    put(tmp_path / "a", "TimGM6mb.sf2")
    put(tmp_path / "b", "TimGM6mb.sf2")
    (tmp_path / "a" / "default-GM.sf2").symlink_to(tmp_path / "a" / "TimGM6mb.sf2")
    assert [font.path for font in installed((tmp_path / "a", tmp_path / "b"))] == [
        tmp_path / "a" / "TimGM6mb.sf2"
    ]


def test_choosing_writes_the_settings_and_auto_takes_the_best_again(tmp_path, monkeypatch, capsys):
    font = tmp_path / "Grand.sf2"
    font.write_bytes(b"RIFF")
    monkeypatch.setattr(sounds, "installed", lambda: [SoundFont(font, 9)])
    file = tmp_path / "settings.yaml"
    sounds.use_sound("grand", file)
    assert load_settings(file).synth.soundfont == str(font)
    sounds.use_sound("auto", file)
    assert load_settings(file).synth.soundfont == ""
    with pytest.raises(DeviceError, match="no SoundFont is called 'organ'"):
        sounds.use_sound("organ", file)
