"""The command line: every bad input is one line on standard error, a failing status, and no file written."""

import json
import os
import shutil
from pathlib import Path

import pytest
from mock_melody_model import MockMelodyModel

from tatumflow.engine.melodies.bundle import MELODY_FILE
from tatumflow.engine.midi.midi_file import LARGEST_FILE, MidiTrack, read_midi, write_midi
from tatumflow.engine.midi.notes import Note
from tatumflow.engine.offline import OfflineResult
from tatumflow.live.commands.jam import JamOptions
from tatumflow.live.commands.play import Answer, PlayFigures
from tatumflow.live.settings import Settings, save_settings

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def own_settings(tmp_path, monkeypatch):
    monkeypatch.setenv("TATUMFLOW_SETTINGS", str(tmp_path / "settings" / "settings.yaml"))


@pytest.fixture
def phrase(tmp_path):
    path = tmp_path / "phrase.mid"
    write_midi(path, [MidiTrack("piano", [Note(0.2 * i, 0.15, 60 + i, 80) for i in range(8)])])
    return path


def assert_refused(result, *said):
    status, _, errors = result
    assert status == 1
    assert errors.startswith("tatumflow: ")
    assert errors.count("\n") == 1
    for text in said:
        assert text in errors


def test_help_lists_the_commands(run):
    status, out, _ = run("--help")
    assert status == 0
    groups = {
        "Play": ("jam", "play", "generate", "render", "controls", "ports", "doctor"),
        "Listen": ("listen", "separate"),
        "Models": ("models", "export", "publish", "get-spleeter"),
        "Train": ("train", "interpolate", "adapt", "data", "beats"),
        "Measure": ("bench", "soak", "evaluate", "compare", "samples"),
    }
    for group, commands in groups.items():
        section = out.partition(f"\n{group}:\n")[2].partition("\n\n")[0]
        assert all(f"\n  {command} " in f"\n{section}" for command in commands), group
    assert "\nMore:\n" not in out
    assert "Exit status:" in out
    assert max(map(len, out.splitlines())) <= 80


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "no such file"),
        (b"", "is empty"),
        (b"just text", "is not a MIDI file"),
        ("cut", "is cut short"),
    ],
)
def test_a_bad_midi_file_is_refused_and_nothing_written(run, tmp_path, phrase, content, said):
    source = tmp_path / "bad.mid"
    if content is not None:
        source.write_bytes(phrase.read_bytes()[:40] if content == "cut" else content)
    out = tmp_path / "out.mid"
    assert_refused(run("play", source, "-o", out), "bad.mid", said)
    assert not out.exists()


@pytest.mark.parametrize(
    ("option", "value", "said"),
    [
        ("--temperature", "-1", "temperature: -1.0 is outside the allowed range 0.0 to 2.0"),
        ("--mode", "solo", "mode: 'solo' is not one of answer, continue"),
        ("--seed", "-5", "seed: -5 is outside the allowed range"),
    ],
)
@pytest.mark.parametrize("command", ["play", "jam"])
def test_a_setting_out_of_range_is_refused_with_the_range(
    run, tmp_path, phrase, command, option, value, said
):
    out = tmp_path / "out.mid"
    arguments = [phrase, "-o", out] if command == "play" else ["--headless", "--record", out]
    assert_refused(run(command, *arguments, option, value), said)
    assert not out.exists()


@pytest.mark.parametrize(
    ("option", "value", "said"),
    [
        ("--voices", "few", "audio.voices: 'few' is not one of one, many"),
        ("--audio-channel", "0", "audio.channels.0: "),
    ],
)
def test_an_audio_input_that_cannot_be_is_refused(run, option, value, said):
    assert_refused(run("jam", "--headless", "--stem", "input", option, value), said)


def test_listening_with_an_allowance_out_of_range_is_refused(run):
    assert_refused(run("listen", "--allowance", "3"), "audio allowance 3.0 is outside 0 to 2 seconds")


def test_an_option_of_the_audio_input_makes_it_heard():
    settings = JamOptions(changes={"audio.stem": "horn", "audio.input": "USB"}).settings()
    assert (settings.audio.enabled, settings.audio.stem, settings.audio.input) == (True, "horn", "USB")
    assert not JamOptions().settings().audio.enabled


def test_a_broken_settings_file_is_named(run, tmp_path, phrase):
    broken = tmp_path / "mine.yaml"
    broken.write_text("synth: {gain: loud}")
    assert_refused(
        run("play", phrase, "-o", tmp_path / "o.mid", "--settings", broken), str(broken), "synth.gain"
    )


def test_a_missing_model_is_refused(run, tmp_path, phrase):
    out = tmp_path / "out.mid"
    assert_refused(run("play", phrase, "-o", out, "--model", "nonesuch"), "nonesuch: no such model")
    assert not out.exists()


def test_an_output_that_cannot_be_is_refused_before_anything_is_done(run, tmp_path, phrase):
    before = phrase.read_bytes()
    assert_refused(
        run("play", phrase, "-o", tmp_path / "absent" / "out.mid"), "does not exist; make it first"
    )
    assert_refused(run("play", phrase, "-o", tmp_path), "it is a folder, not a file")
    assert_refused(run("play", phrase, "-o", phrase), "is the file to answer")
    out = tmp_path / "out.mid"
    assert_refused(run("play", phrase, "-o", out, "--wav", out), "is given for two outputs")
    assert phrase.read_bytes() == before


@pytest.mark.parametrize(
    ("out", "more", "said"),
    [
        ("absent/out.wav", [], "does not exist; make it first"),
        ("out.flac", [], "its name does not end in .wav or .mp3"),
        ("out", [], "is no folder that exists"),
        ("out.wav", ["phrase.mid"], "is not a folder; name one that exists for several files"),
        (".", ["phrase.mid"], "phrase.wav: would be written for two of the files"),
        ("out.wav", ["--soundfont", "absent.sf2"], "SoundFont absent.sf2: no such file"),
        (".", ["absent.mid"], "absent.mid: no such file"),
    ],
)
def test_a_sound_that_cannot_be_is_refused_and_nothing_written(
    run, tmp_path, monkeypatch, phrase, out, more, said
):
    monkeypatch.chdir(tmp_path)
    assert_refused(run("render", phrase, *more, "-o", out), said)
    assert [path.name for path in tmp_path.iterdir()] == ["phrase.mid"]


def many_notes(path, count, tempo, held=0.4):
    """Write a file whose notes come half a second apart at 120 beats a minute, and which states a tempo."""
    write_midi(path, [MidiTrack("piano", [Note(0.5 * i, held, 60 + i % 12, 80) for i in range(count)])])
    stated = (500_000).to_bytes(3, "big")
    data = path.read_bytes()
    assert data.count(b"\xff\x51\x03" + stated) == 1
    path.write_bytes(data.replace(stated, tempo.to_bytes(3, "big")))


def test_a_file_of_absurd_tempo_that_lasts_for_hours_is_refused(run, tmp_path):
    source, out = tmp_path / "slow.mid", tmp_path / "out.mid"
    many_notes(source, 500, tempo=16_777_215)
    said = "slow.mid: lasts 2.3 hours; cut it to two at most, or mend its tempo"
    assert_refused(run("play", source, "-o", out), said)
    assert_refused(run("render", source, "-o", tmp_path / "out.wav"), said)
    assert not out.exists()


@pytest.mark.parametrize(("microseconds", "tempo"), [(16_777_215, 4.0), (1, 1000.0)])
def test_a_file_of_absurd_tempo_is_answered_at_the_nearest_that_can_be_written(tmp_path, microseconds, tempo):
    source = tmp_path / "odd.mid"
    many_notes(source, 2, tempo=microseconds)
    performance = read_midi(source)
    answered = Answer(performance, OfflineResult(performance.notes, (), ()), FIGURES)
    assert answered.tempo == tempo
    write_midi(tmp_path / "out.mid", answered.tracks, tempo)
    assert read_midi(tmp_path / "out.mid").tempo == pytest.approx(tempo, rel=1e-3)


FIGURES = PlayFigures(
    source="", model="", seed=0, turns=(), first_note_ms_median=None, first_note_ms_p99=None
)


def test_more_notes_than_the_limit_are_refused_with_the_option_that_raises_it(run, tmp_path):
    source, out = tmp_path / "many.mid", tmp_path / "out.mid"
    many_notes(source, 9, tempo=500_000)
    for command in ("play", "generate"):
        assert_refused(
            run(command, source, "-o", out, "--limit-notes", "8"),
            "many.mid: has 9 notes, more than 8",
            "give --limit-notes 9",
        )
    assert not out.exists()


@pytest.mark.parametrize("command", ["play", "generate", "render"])
@pytest.mark.parametrize("kind", ["a pipe", "a device"])
def test_what_is_no_file_is_not_read(run, tmp_path, command, kind):
    source = Path("/dev/zero")
    if kind == "a pipe":
        source = tmp_path / "pipe.mid"
        os.mkfifo(source)
    out = tmp_path / ("out.wav" if command == "render" else "out.mid")
    assert_refused(run(command, source, "-o", out), source.name, f"it is {kind}, not a file")
    assert not out.exists()


def test_a_file_larger_than_any_music_is_not_read(run, tmp_path):
    source = tmp_path / "large.mid"
    with source.open("wb") as file:
        file.truncate(LARGEST_FILE + 1)
    assert_refused(run("play", source, "-o", tmp_path / "o.mid"), "large.mid", "it is larger than 64 MB")


@pytest.mark.parametrize("option", ["-o", "--wav", "--json"])
@pytest.mark.parametrize("kind", ["a pipe", "a device", "a folder"])
def test_an_output_that_is_no_file_is_refused_and_stays(run, tmp_path, phrase, option, kind):
    path = tmp_path / "there"
    if kind == "a pipe":
        os.mkfifo(path)
    elif kind == "a folder":
        path.mkdir()
    else:
        path.symlink_to("/dev/null")
    before = path.stat().st_mode
    outputs = {"-o": tmp_path / "out.mid"} | {option: path}
    arguments = [word for pair in outputs.items() for word in pair]
    assert_refused(run("play", phrase, *arguments), f"{path}: cannot be written (it is {kind}, not a file)")
    assert path.stat().st_mode == before
    assert not (tmp_path / "out.mid").exists()


@pytest.mark.parametrize("command", ["jam", "bench", "soak"])
def test_other_outputs_that_are_no_file_are_refused_before_the_work(run, tmp_path, command):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    option = ["--headless", "--record"] if command == "jam" else ["--json"]
    assert_refused(run(command, *option, pipe), f"{pipe}: cannot be written (it is a pipe, not a file)")
    assert pipe.is_fifo()


def test_an_answer_is_written_through_a_link(run, tmp_path, phrase, tiny_bundle):
    link, target = tmp_path / "link.mid", tmp_path / "real.mid"
    target.write_bytes(b"old")
    link.symlink_to("real.mid")
    status, _, errors = run("play", phrase, "-o", link, "--model", tiny_bundle, "--style", "tatum")
    assert (status, errors) == (0, "")
    assert link.is_symlink()
    assert read_midi(target).notes


@pytest.mark.parametrize("mode", ["answer", "continue", "restyle", "reharmonize", "morph"])
def test_a_mode_that_starts_from_a_phrase_is_refused_without_one(run, tmp_path, mode):
    out = tmp_path / "out.mid"
    assert_refused(
        run("generate", "-o", out, "--mode", mode, "--chords", "Dm7 | G7"),
        f"mode {mode} starts from a phrase; give a MIDI file, or --mode improvise to play alone",
    )
    assert not out.exists()


@pytest.mark.parametrize("command", ["play", "generate"])
def test_reharmonizing_is_refused_without_a_chart(run, tmp_path, phrase, command):
    out = tmp_path / "out.mid"
    assert_refused(
        run(command, phrase, "-o", out, "--mode", "reharmonize"), "mode reharmonize needs chords", "--chords"
    )
    assert not out.exists()


def test_a_damaged_graph_is_refused(run, tmp_path, phrase, tiny_bundle):
    bundle = tmp_path / "bundle"
    shutil.copytree(tiny_bundle, bundle)
    graph = next(bundle.glob("*.onnx"))
    data = bytearray(graph.read_bytes())
    data[-1] ^= 1
    graph.write_bytes(data)
    out = tmp_path / "out.mid"
    assert_refused(run("play", phrase, "-o", out, "--model", bundle), graph.name, "differs from its manifest")
    assert not out.exists()


def test_an_unknown_style_is_refused_with_a_hint(run, tmp_path, phrase, tiny_bundle):
    out = tmp_path / "out.mid"
    said = "did you mean", "art-tatum"
    assert_refused(run("play", phrase, "-o", out, "--model", tiny_bundle, "--style", "art-tatun"), *said)
    assert not out.exists()


def test_play_answers_the_same_for_the_same_seed(run, tmp_path, phrase, tiny_bundle):
    first, second = tmp_path / "1.mid", tmp_path / "2.mid"
    figures = tmp_path / "figures.json"
    arguments = ["--model", tiny_bundle, "--style", "tatum", "--seed", "7", "--mode", "continue"]
    status, out, errors = run("play", phrase, "-o", first, "--json", figures, *arguments)
    assert (status, errors) == (0, "")
    assert "1 turn answered with " in out
    assert f"written: {first} (" in out
    assert "ms" not in out.replace(str(tmp_path), "")
    assert run("play", phrase, "-o", second, *arguments)[0] == 0
    assert first.read_bytes() == second.read_bytes()
    played = {note.pitch for note in read_midi(phrase).notes}
    assert played <= {note.pitch for note in read_midi(first).notes}
    written = json.loads(figures.read_text())
    assert len(written["turns"]) == 1
    assert written["first_note_ms_limit"] == 25.0
    assert sorted(path.name for path in tmp_path.iterdir() if path.suffix in {".mid", ".part"}) == [
        "1.mid",
        "2.mid",
        "phrase.mid",
    ]


@pytest.fixture
def no_models(tmp_path, monkeypatch):
    folder = tmp_path / "models"
    folder.mkdir()
    monkeypatch.setattr("tatumflow.engine.model.model_folder.bundle_folders", lambda: [folder])
    return folder


def test_play_morphs_the_same_for_the_same_seed(run, tmp_path, phrase, tiny_bundle, no_models, monkeypatch):
    (no_models / "melodies").mkdir()
    (no_models / "melodies" / MELODY_FILE).touch()
    monkeypatch.setattr("tatumflow.live.commands.play.open_melodies", MockMelodyModel)
    first, second = tmp_path / "1.mid", tmp_path / "2.mid"
    arguments = ["--model", tiny_bundle, "--style", "tatum", "--mode", "morph", "--set", "morph=0"]
    for out in (first, second):
        status, said, errors = run("play", phrase, "-o", out, *arguments)
        assert (status, errors) == (0, "")
        assert "1 turn answered with " in said
    assert first.read_bytes() == second.read_bytes()


def test_play_does_not_morph_without_a_model_of_melodies_or_in_three_four(
    run, tmp_path, phrase, tiny_bundle, no_models
):
    command = ["play", phrase, "-o", tmp_path / "out.mid", "--model", tiny_bundle, "--style", "tatum"]
    assert_refused(run(*command, "--mode", "morph"), "no model of melodies in", "music-vae-2bar.yaml")
    (no_models / "melodies").mkdir()
    (no_models / "melodies" / MELODY_FILE).touch()
    waltz = ["--set", "chords={time: 3/4} Dm7 | G7"]
    assert_refused(run(*command, "--mode", "morph", *waltz), "mode morph plays in 4/4", "3/4")
    assert not (tmp_path / "out.mid").exists()


def test_without_a_terminal_jam_shows_an_answer_and_writes_it(run, tmp_path, monkeypatch, tiny_bundle):
    monkeypatch.chdir(tmp_path)
    status, out, errors = run("jam", "--model", tiny_bundle)
    assert (status, errors) == (0, "")
    assert "█" in out
    assert "▒" in out
    assert len(read_midi(tmp_path / "outputs" / "jam.mid").notes) > 10


def test_models_says_what_to_do_when_there_are_none(run, monkeypatch):
    monkeypatch.setattr("tatumflow.live.commands.models.find_bundles", list)
    assert_refused(run("models"), "tatumflow export")


def test_doctor_always_comes_to_an_end(run):
    status, out, _ = run("doctor")
    assert status == 0
    for subject in ("Python", "MIDI", "SoundFont", "synthesizer", "audio input", "model", "terminal"):
        assert subject in out


def test_doctor_asks_for_an_audio_input_where_one_is_wanted(run, monkeypatch):
    class Nothing:
        def devices(self):
            return ()

        def close(self):
            pass

    monkeypatch.setattr("tatumflow.live.commands.doctor.PortAudio", Nothing)
    _, out, _ = run("doctor")
    assert "connect a microphone" not in out
    save_settings(Settings().with_audio(enabled=True))
    _, out, _ = run("doctor")
    assert "connect a microphone" in out
