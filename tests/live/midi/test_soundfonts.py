"""The SoundFonts of a machine: which is the best, and choosing another."""

from pathlib import Path

import numpy as np
import pytest

from tatumflow.engine.errors import DeviceError, SettingError
from tatumflow.live.commands import sounds
from tatumflow.live.midi.soundfonts import SoundFont, best_soundfont, drums_level, installed
from tatumflow.live.midi.synth_sounds import (
    SAMPLE_RATE,
    load_synth,
    part_soundfonts,
    soundfont_path,
    with_soundfont,
)
from tatumflow.live.settings import SynthSettings, load_settings


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


def test_one_part_has_a_sound_of_its_own(tmp_path, monkeypatch, capsys):
    font = tmp_path / "Kit.sf2"
    font.write_bytes(b"RIFF")
    monkeypatch.setattr(sounds, "installed", lambda: [SoundFont(font, 9)])
    file = tmp_path / "settings.yaml"
    sounds.use_sound("kit", file, "drums")
    synth = load_settings(file).synth
    assert (synth.soundfont, synth.drums_soundfont) == ("", str(font))
    assert part_soundfonts(synth)["drums"] == font
    assert with_soundfont(synth, tmp_path / "all.sf2").drums_soundfont == ""
    sounds.use_sound("auto", file, "drums")
    assert load_settings(file).synth.drums_soundfont == ""
    with pytest.raises(SettingError, match="'horns' is not one of bass, comping, drums"):
        sounds.use_sound("kit", file, "horns")
    with pytest.raises(DeviceError, match=r"synth\.bass_soundfont"):
        part_soundfonts(SynthSettings(bass_soundfont=str(tmp_path / "none.sf2")))


def test_drums_of_musescore_are_brought_down_to_the_others(tmp_path):
    assert drums_level(tmp_path / "MuseScore_General_Lite.sf3") == -7.5
    assert drums_level(tmp_path / "TimGM6mb.sf2") == 0.0


@pytest.mark.needs("fluidsynth", "soundfont")
def test_each_part_plays_its_soundfont_with_reverb_and_the_pedal_holds(tmp_path):
    copy = tmp_path / "MuseScore_General.sf2"
    copy.symlink_to(soundfont_path(""))
    settings = SynthSettings(drums_soundfont=str(copy))
    for chosen in (settings, SynthSettings()):
        synth = load_synth(chosen, {1: 32})
        assert synth.get_cc(0, 91) > synth.get_cc(1, 91) > 0
        synth.delete()
    held, released = (tail(pedal) for pedal in (127, 0))
    assert held > 3 * released > 0


def tail(pedal: int) -> float:
    """Return how loud a note is half a second after its key came up."""
    synth = load_synth(SynthSettings())
    synth.cc(0, 64, pedal)
    synth.noteon(0, 72, 100)
    synth.get_samples(SAMPLE_RATE // 5)
    synth.noteoff(0, 72)
    synth.get_samples(SAMPLE_RATE // 2)
    samples = np.asarray(synth.get_samples(SAMPLE_RATE // 10), np.float64)
    synth.delete()
    return float(np.sqrt(np.mean(samples**2)))
