"""The options of commands: built from the declared controls, and `--set` for everything else."""

import subprocess
import sys

import pytest

from tatumflow.engine.controls import CONTROL_SPECS
from tatumflow.live.commands import jam, play
from tatumflow.live.commands.jam import JamOptions


@pytest.fixture(autouse=True)
def own_settings_in_80_columns(monkeypatch, tmp_path):
    monkeypatch.setenv("TATUMFLOW_SETTINGS", str(tmp_path / "settings.yaml"))
    monkeypatch.setenv("COLUMNS", "80")


@pytest.fixture
def given(monkeypatch):
    """Return what collects the options that commands are called with, in place of their work."""
    calls = []
    monkeypatch.setattr(jam, "jam", calls.append)
    monkeypatch.setattr(play, "play", calls.append)
    return calls


def options(out):
    section = out.partition("\nOptions:\n")[2].partition("\n\n")[0]
    return [line.split()[0].rstrip(",") for line in section.splitlines() if line.startswith("  -")]


def test_jam_shows_fewer_than_fifteen_options_and_set_last(run):
    status, out, _ = run("jam", "--help")
    assert status == 0
    shown = [option for option in options(out) if option != "--help"]
    assert len(shown) < 15
    assert shown[-1] == "--set"
    assert max(map(len, out.splitlines())) <= 80


@pytest.mark.parametrize(
    ("command", "option", "control"),
    [
        ("jam", "--trade", "trade_bars"),
        ("jam", "--mode", "mode"),
        ("play", "--seed", "seed"),
        ("generate", "--chords", "chords"),
    ],
)
def test_the_help_of_an_option_is_that_of_its_control(run, command, option, control):
    _, out, _ = run(command, "--help")
    assert option in options(out)
    assert CONTROL_SPECS[control].full_help in " ".join(out.split())


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (["--no-synth"], {"synth.enabled": False}),
        (["--api", "jack"], {"ports.api": "jack"}),
        (["--no-virtual"], {"ports.virtual": False}),
        (["--virtual"], {"ports.virtual": True}),
        (["--temperature", "0"], {"temperature": "0"}),
        (["--clock-out"], {"clock_out": True}),
        (["--no-clock-out"], {"clock_out": False}),
        (["--stem", "horn", "--voices", "many"], {"audio.stem": "horn", "audio.voices": "many"}),
        (["--audio-channel", "2", "--audio-channel", "3"], {"audio.channels": (2, 3)}),
        (["--record-stems", "--allowance", "0.1"], {"audio.record": True, "audio.allowance": "0.1"}),
        (["--seed=7", "--swing=1"], {"seed": "7", "swing": "1"}),
    ],
)
def test_an_option_of_before_still_sets_what_it_did_and_so_does_set(run, given, old, new):
    assert run("jam", "--headless", *old)[0] == 0
    pairs = [f"{name}={list(value) if isinstance(value, tuple) else value}" for name, value in new.items()]
    assert run("jam", "--headless", *(word for pair in pairs for word in ("--set", pair)))[0] == 0
    before, now = given
    assert dict(before.changes) == new
    assert before.settings() == now.settings()
    _, out, _ = run("jam", "--help")
    assert not {word.partition("=")[0] for word in old if word.startswith("--")} & set(options(out))


def test_set_comes_after_the_options_and_mode_is_free_where_a_file_is_given(run, given, tmp_path):
    run("jam", "--tempo", "100", "--set", "tempo=90", "--set", "audio.stem=horn")
    assert dict(given[0].changes) == {"tempo": "90", "audio.stem": "horn"}
    run("generate", "-o", "a.mid", "--surprise", "0.9")
    run("generate", "x.mid", "-o", "a.mid", "--set", "mode=restyle")
    run("generate", "-o", "a.mid", "--mode", "answer")
    assert [dict(call.changes) for call in given[1:]] == [
        {"mode": "improvise", "surprise": "0.9"},
        {"mode": "restyle"},
        {"mode": "answer"},
    ]


def test_a_setting_of_the_audio_input_turns_it_on_unless_that_is_set_too(run):
    assert JamOptions(changes={"audio.stem": "horn"}).settings().audio.enabled
    off = JamOptions(changes={"audio.stem": "horn", "audio.enabled": "false"})
    assert not off.settings().audio.enabled
    assert JamOptions(changes={"ports.input": "keys", "ports.output": "hall"}).needs_input
    assert not JamOptions(changes={"ports.input": "auto", "tempo": "90"}).needs_input
    assert not JamOptions(changes={"tempo": "90"}).needs_audio


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("tempo", "--set: 'tempo' is not NAME=VALUE; write for example temperature=0.8"),
        ("tempo=fast", "tempo: 'fast' is not a number"),
        ("audio.block=8", "audio.block: 8 is outside the allowed range 16 to 4096"),
        ("temprature=1", "did you mean temperature"),
    ],
)
@pytest.mark.parametrize("command", [["jam", "--headless"], ["generate", "-o", "never.mid"]])
def test_set_is_refused_in_one_line(run, command, word, said):
    status, _, errors = run(*command, "--set", word)
    assert (status, errors.count("\n")) == (1, 1)
    assert said in errors


@pytest.mark.parametrize(
    "command",
    [
        "jam",
        "play",
        "generate",
        "render",
        "controls",
        "ports",
        "doctor",
        "listen",
        "separate",
        "models",
        "bench",
        "soak",
    ],
)
def test_every_command_shows_an_example(run, command):
    status, out, _ = run(command, "--help")
    assert status == 0
    assert f"  tatumflow {command}" in out.partition("\n  Example")[2]


def test_version_is_printed(run):
    status, out, _ = run("--version")
    assert status == 0
    assert out.startswith("tatumflow ")


def test_alone_it_starts_the_jam_on_a_terminal_and_prints_the_help_elsewhere(run, given, monkeypatch):
    status, out, _ = run()
    assert (status, given) == (0, [])
    assert "Usage: tatumflow" in out
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    run()
    assert given == [JamOptions()]


def test_an_option_that_does_not_exist_is_bad_usage(run):
    assert run("jam", "--nonesuch")[0] == 2


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        ("tatumflow rend", "render"),
        ("tatumflow jam --clock int", "internal"),
        ("tatumflow jam --set temper", "temperature="),
    ],
)
def test_the_shell_completes_commands_choices_and_settings(run, monkeypatch, words, wanted):
    monkeypatch.setenv("_TATUMFLOW_COMPLETE", "complete_bash")
    monkeypatch.setenv("COMP_WORDS", words)
    monkeypatch.setenv("COMP_CWORD", str(len(words.split()) - 1))
    assert wanted in run()[1].split()


def test_no_color_leaves_out_colours(run, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    _, coloured, _ = run("doctor")
    monkeypatch.setenv("NO_COLOR", "1")
    _, plain, _ = run("doctor")
    assert "\x1b[32m" in coloured
    assert "\x1b[3" not in plain


def test_the_command_line_is_read_without_the_libraries_of_a_session():
    loaded = "import sys, tatumflow.live.cli; print(*{'numpy', 'pydantic', 'textual'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", loaded], check=True, capture_output=True, text=True)
    assert done.stdout == "\n"
