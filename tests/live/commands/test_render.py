"""MIDI files as sound: every track is heard, and a sound file is there whole or not at all."""

import numpy as np
import pytest
import soundfile

from tatumflow.engine.errors import DeviceError, MidiFileError, SettingError
from tatumflow.engine.midi.midi_file import DRUM_CHANNEL, MidiTrack, write_midi
from tatumflow.engine.midi.notes import Note
from tatumflow.live.commands.render import RenderOptions, render_files
from tatumflow.live.midi.synth import render
from tatumflow.live.midi.synth_sounds import SAMPLE_RATE
from tatumflow.live.settings import SynthSettings

pytestmark = pytest.mark.needs("fluidsynth", "soundfont")


@pytest.fixture(autouse=True)
def own_settings(tmp_path, monkeypatch):
    monkeypatch.setenv("TATUMFLOW_SETTINGS", str(tmp_path / "settings" / "settings.yaml"))


@pytest.fixture
def duet(tmp_path):
    path = tmp_path / "duet.mid"
    write_midi(path, [MidiTrack("You", [Note(0.0, 3.0, 60, 90)]), MidiTrack("TatumFlow", [HELD], channel=1)])
    return path


HELD = Note(1.0, 0.5, 60, 90)


def loudness(samples, start, end):
    part = samples[round(start * SAMPLE_RATE) : round(end * SAMPLE_RATE)].astype(np.float64)
    return float(np.sqrt(np.mean(part**2)))


def test_players_who_hold_the_same_key_do_not_end_each_others_notes():
    long = MidiTrack("long", [Note(0.0, 3.0, 60, 90)])
    alone = render([long], SynthSettings())
    both = render([long, MidiTrack("short", [HELD])], SynthSettings())
    assert both.shape == alone.shape == (5 * SAMPLE_RATE, 2)
    assert loudness(both, 1.0, 1.5) > 1.2 * loudness(alone, 1.0, 1.5)
    assert loudness(both, 2.5, 3.0) > 0.9 * loudness(alone, 2.5, 3.0) > 0


def test_more_tracks_than_midi_has_channels_are_all_heard():
    tracks = [MidiTrack(f"{i}", [Note(i, 0.4, 60, 90)]) for i in range(20)]
    samples = render(tracks, SynthSettings())
    assert min(loudness(samples, i, i + 0.3) for i in range(20)) > 100


def test_tracks_sound_on_their_own_program_or_as_drums_and_on_the_settings_where_they_name_none():
    def sound(settings=SynthSettings(), **track):  # noqa: B008
        return render([MidiTrack("track", [Note(0.0, 0.5, 60, 90)], **track)], settings)

    piano, organ = sound(), sound(program=19)
    assert not np.array_equal(piano, organ)
    assert not np.array_equal(piano, sound(channel=DRUM_CHANNEL))
    assert np.array_equal(organ, sound(SynthSettings(program=19)))
    assert np.array_equal(organ, sound(SynthSettings(program=4), program=19))


@pytest.mark.parametrize(("name", "kind"), [("a.wav", "WAV"), ("a.mp3", "MP3"), ("A.MP3", "MP3")])
def test_a_file_becomes_a_sound_file_of_the_kind_its_name_says(duet, tmp_path, capsys, name, kind):
    out = tmp_path / name
    render_files(RenderOptions([duet], out))
    info = soundfile.info(out)
    assert (info.format, info.samplerate, info.channels) == (kind, SAMPLE_RATE, 2)
    assert info.duration == pytest.approx(5.0, abs=0.1)
    samples, _ = soundfile.read(out, dtype="int16")
    assert loudness(samples, 0.5, 1.0) > 100
    assert str(out) in capsys.readouterr().out


@pytest.mark.parametrize("mp3", [False, True])
def test_several_files_go_into_a_folder(duet, tmp_path, mp3):
    other = tmp_path / "other.mid"
    other.write_bytes(duet.read_bytes())
    folder = tmp_path / "sounds"
    folder.mkdir()
    render_files(RenderOptions([duet, other], folder, mp3=mp3))
    suffix = "mp3" if mp3 else "wav"
    assert sorted(path.name for path in folder.iterdir()) == [f"duet.{suffix}", f"other.{suffix}"]


def test_a_bad_file_among_good_ones_leaves_nothing_written(duet, tmp_path):
    bad, folder = tmp_path / "bad.mid", tmp_path / "sounds"
    bad.write_bytes(duet.read_bytes()[:40])
    folder.mkdir()
    with pytest.raises(MidiFileError, match=r"bad\.mid: is cut short"):
        render_files(RenderOptions([duet, bad], folder))
    assert not list(folder.iterdir())


def test_a_file_that_lasts_for_days_is_refused(tmp_path):
    endless = tmp_path / "endless.mid"
    write_midi(endless, [MidiTrack("track", [Note(200_000.0, 1.0, 60, 90)])])
    with pytest.raises(MidiFileError, match=r"endless\.mid: lasts 55\.6 hours"):
        render_files(RenderOptions([endless], tmp_path / "a.wav"))


def test_a_full_disk_leaves_what_was_there(duet, tmp_path, monkeypatch):
    def full(file, *_, **__):
        file.write_bytes(b"half")
        raise OSError("no space left on device")

    out = tmp_path / "duet.wav"
    out.write_bytes(b"before")
    monkeypatch.setattr(soundfile, "write", full)
    with pytest.raises(DeviceError, match="no space left"):
        render_files(RenderOptions([duet], out))
    assert out.read_bytes() == b"before"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["duet.mid", "duet.wav"]


def test_a_soundfont_that_is_none_is_named(duet, tmp_path):
    font = tmp_path / "font.sf2"
    font.write_bytes(b"RIFF of something else")
    with pytest.raises(DeviceError, match=r"font\.sf2: FluidSynth cannot read it"):
        render_files(RenderOptions([duet], tmp_path / "a.wav", soundfont=font))
    assert not (tmp_path / "a.wav").exists()


def test_stems_are_a_file_a_track_as_long_as_the_mix_and_sum_to_it(duet, tmp_path, capsys):
    mix, stems = tmp_path / "mix.wav", tmp_path / "new" / "stems"
    render_files(RenderOptions([duet], mix, stems=stems))
    assert sorted(path.name for path in stems.iterdir()) == ["TatumFlow.wav", "You.wav"]
    whole, rate = soundfile.read(mix, dtype="int16")
    parts = [soundfile.read(path, dtype="int16")[0] for path in sorted(stems.iterdir())]
    assert rate == SAMPLE_RATE
    assert all(part.shape == whole.shape for part in parts)
    assert loudness(parts[0], 0.0, 0.9) < 2
    assert loudness(parts[0], 1.0, 1.5) > 100
    difference = whole.astype(np.float64) - sum(part.astype(np.float64) for part in parts)
    assert np.sqrt(np.mean(difference**2)) < 0.05 * loudness(whole, 0.0, 3.0)


def test_tracks_of_one_name_have_stems_of_their_own(tmp_path):
    source = tmp_path / "two.mid"
    write_midi(source, [MidiTrack("a/b", [HELD]), MidiTrack("a/b", [HELD], channel=1)])
    render_files(RenderOptions([source], None, stems=tmp_path / "stems"))
    assert sorted(path.name for path in (tmp_path / "stems").iterdir()) == ["a_b 2.wav", "a_b.wav"]


def test_stems_of_several_files_or_of_nothing_are_refused(duet, tmp_path):
    with pytest.raises(SettingError, match="one MIDI file"):
        render_files(RenderOptions([duet, duet], None, stems=tmp_path / "stems"))
    with pytest.raises(SettingError, match="nothing to write"):
        render_files(RenderOptions([duet], None))
