"""`tatumflow prompt`: sound from a text, in continuation of a recording, and what it says without weights."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
from tiny_musicgen import HOP, RATE
from typer import Typer
from typer.testing import CliRunner, Result

from tatumflow.engine.errors import AudioFileError, BundleError, SettingError, TatumFlowError
from tatumflow.training.libraries import needed_libraries
from tatumflow.training.models.musicgen.config import MusicgenModelConfig
from tatumflow.training.models.musicgen.model import Musicgen
from tatumflow.training.musicgen.cli import register
from tatumflow.training.musicgen.generation import CodeSampling
from tatumflow.training.musicgen.prompting import Prompt, play_prompt, sound_of

TEXT = "bebop jazz solo in F"
MISSING = "example/no-such-musicgen"


def prompt(*options: str) -> Result:
    app = Typer()
    register(app)
    app.command("other")(lambda: None)
    return CliRunner().invoke(app, ["prompt", TEXT, *options])


def test_a_prompt_becomes_a_sound_file(tiny_musicgen: Path, tmp_path: Path):
    out = tmp_path / "out.wav"
    result = prompt("-o", str(out), "--model", str(tiny_musicgen), "--seconds", "0.73", "--seed", "3")
    assert result.exit_code == 0, result.output + str(result.exception)
    info = soundfile.info(out)
    assert (info.frames, info.samplerate, info.channels) == (round(0.73 * RATE), RATE, 1)
    assert "0.7 s at 4000 Hz, seed 3" in result.output
    assert "CC BY-NC 4.0" in result.output
    assert np.std(soundfile.read(out)[0]) > 0


def test_the_same_seed_gives_the_same_bytes(tiny_musicgen: Path, tmp_path: Path):
    files = []
    for name, seed in (("a", "1"), ("b", "1"), ("c", "2")):
        out = tmp_path / f"{name}.wav"
        result = prompt("-o", str(out), "--model", str(tiny_musicgen), "--seconds", "0.5", "--seed", seed)
        assert result.exit_code == 0, result.output
        files.append(out.read_bytes())
    assert files[0] == files[1]
    assert files[0] != files[2]


@pytest.mark.parametrize("channels", ["mono", "stereo"])
def test_a_continuation_begins_with_the_recording(
    request: pytest.FixtureRequest, tmp_path: Path, channels: str
):
    base = request.getfixturevalue("tiny_musicgen" if channels == "mono" else "stereo_musicgen")
    rng = np.random.default_rng(0)
    length, fade = 12 * HOP + 7, round(0.02 * RATE)
    samples = (0.1 * rng.standard_normal((length, 1 if channels == "mono" else 2))).astype(np.float32)
    soundfile.write(tmp_path / "begun.wav", samples, RATE, subtype="FLOAT")
    model = Musicgen(MusicgenModelConfig(base=str(base), method="full")).eval()
    continued = Prompt(TEXT, 0.4, CodeSampling(seed=1), tmp_path / "begun.wav")
    sound = sound_of(model, continued)
    begun = 12 * HOP
    assert sound.shape == (samples.shape[1], begun + round(0.4 * RATE))
    assert np.array_equal(sound[:, : begun - fade], samples[: begun - fade].T)
    other = sound_of(model, Prompt(TEXT, 0.4, CodeSampling(seed=2), tmp_path / "begun.wav"))
    assert not np.array_equal(sound[:, begun:], other[:, begun:])
    steps = np.abs(np.diff(sound, axis=1))
    assert steps[:, begun - fade - 1 : begun + 1].max() <= steps.max()


def test_a_recording_of_other_rate_is_continued_by_the_command(tiny_musicgen: Path, tmp_path: Path):
    tone = 0.1 * np.sin(np.arange(8000) / 9)
    soundfile.write(tmp_path / "begun.flac", tone, 2 * RATE)
    result = prompt(
        *("-o", str(tmp_path / "out.wav"), "--model", str(tiny_musicgen)),
        *("--continue", str(tmp_path / "begun.flac"), "--seconds", "0.2", "--guidance", "1"),
    )
    assert result.exit_code == 0, result.output + str(result.exception)
    assert soundfile.info(tmp_path / "out.wav").frames == RATE + round(0.2 * RATE)


def test_a_recording_too_short_to_continue_is_refused(tiny_musicgen: Path, tmp_path: Path):
    soundfile.write(tmp_path / "begun.wav", np.zeros(HOP - 1), RATE)
    begun = Prompt(TEXT, 0.1, CodeSampling(), tmp_path / "begun.wav")
    with pytest.raises(AudioFileError, match="too short"):
        play_prompt(begun, tmp_path / "out.wav", str(tiny_musicgen))


def test_without_weights_one_line_says_how_to_get_them(tmp_path: Path):
    with pytest.raises(BundleError) as caught:
        play_prompt(Prompt(TEXT, 1, CodeSampling()), tmp_path / "out.wav", MISSING)
    message = str(caught.value)
    assert "\n" not in message
    for part in (MISSING, "--download", "CC BY-NC 4.0", "non-commercial", "folder"):
        assert part in message
    assert not (tmp_path / "out.wav").exists()


def test_nothing_is_downloaded_offline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(BundleError, match="HF_HUB_OFFLINE is set"):
        play_prompt(Prompt(TEXT, 1, CodeSampling()), tmp_path / "out.wav", MISSING, download=True)


def test_the_network_is_not_touched_without_the_option(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def refuse(*arguments: object, **named: object) -> None:
        raise AssertionError("a connection was opened")

    monkeypatch.setattr("socket.socket.connect", refuse)
    monkeypatch.setattr("socket.getaddrinfo", refuse)
    with pytest.raises(BundleError, match="--download"):
        play_prompt(Prompt(TEXT, 1, CodeSampling()), tmp_path / "out.wav", MISSING)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--seconds", "0"), "seconds"),
        (("--seconds", "301"), "up to 300"),
        (("--temperature", "3"), "temperature"),
        (("--guidance", "0"), "guidance"),
        (("--model", "no-such-name"), "no such MusicGen model"),
    ],
)
def test_an_option_out_of_range_is_refused(tmp_path: Path, options: tuple[str, ...], message: str):
    result = prompt("-o", str(tmp_path / "out.wav"), *options)
    assert isinstance(result.exception, TatumFlowError)
    assert message in str(result.exception)


def test_a_file_that_cannot_be_written_is_refused_before_the_model_is_loaded(tmp_path: Path):
    for name, message in (("none/out.wav", "does not exist"), ("out.xyz", "end it in")):
        result = prompt("-o", str(tmp_path / name), "--model", MISSING)
        assert isinstance(result.exception, SettingError)
        assert message in str(result.exception)


def test_a_missing_library_is_named_with_its_extra():
    with (
        pytest.raises(TatumFlowError, match=r"needs transformers.*\[training,musicgen\]"),
        needed_libraries("training,musicgen"),
    ):
        raise ModuleNotFoundError(name="transformers.models")
    with pytest.raises(ModuleNotFoundError), needed_libraries("training,musicgen"):
        raise ModuleNotFoundError(name="tatumflow.misspelt")


@pytest.mark.slow
def test_the_model_is_imported_only_where_it_is_used():
    code = (
        "import sys, tatumflow.training.cli;"
        "early = [name for name in ('torch', 'transformers') if name in sys.modules];"
        "import tatumflow.training.recipes;"
        "late = [name for name in sys.modules if 'musicgen.model' in name or name == 'peft'];"
        "print(early, late)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "[] []"
