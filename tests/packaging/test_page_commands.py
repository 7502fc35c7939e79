"""The commands of the pages that need no corpus, hardware or network, as they stand there.

Those of blocks marked run are in `test_guides.py`.
"""

import shlex
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Final

import pytest
from command_line import Run, run
from melody_samples import pack_melodies
from test_guides import PAGES, ROOT, blocks, commands, desk

from tatumflow.engine.harmony.chart import parse_chart
from tatumflow.live.book.ireal_writer import ireal_link

__all__ = ["desk", "run"]

pytestmark = [pytest.mark.long]

NOT_RUN: Final = {
    "bench": "minutes of a quiet machine; tests/live/bench",
    "beats": "PiJAMA and the Weimar Jazz Database; tests/training/beats",
    "data": "corpora; tests/training/data",
    "evaluate": "corpora; tests/training/evaluate",
    "export exports": "GPU; tests/training/export",
    "export runs/mine": "a model trained for days; tests/training/export",
    "export runs/tatumflow-live": "a model trained for days; tests/training/export",
    "get-spleeter": "network; tests/live/hub",
    "jam --model": "models that are not there; tests/live/test_cli.py",
    "jam --set audio.stem": "a microphone; tests/functional/test_jam_ears.py",
    "listen": "a microphone; tests/functional/test_jam_ears.py",
    "models get": "network; tests/live/hub",
    "play configs/live/phrase.mid -o answer.mid --model runs/gpu": "GPU; tests/training/export",
    "portfolio -o portfolio --figures": "figures of the commands above; tests/training/portfolio",
    "prompt": "weights of MusicGen; tests/training/musicgen",
    "publish": "tests/training/publish",
    "samples": "corpora, or minutes; tests/training/samples",
    "separate song.mp3": "network; tests/live/hub",
    "train configs/train/tatumflow": "a corpus, or a loss that is no number; tests/training/fit",
}
"""Beginnings of commands that are not run here, with the reason and where they are tested."""

SHORTER: Final = {
    "train configs/train/music-vae-2bar.yaml": "--set run.max_steps=2 --set run.val_every=1",
    "train configs/train/fractal-small.yaml": "--set run.max_steps=2 --set run.val_every=1",
    "export runs/music-vae-2bar": "--corpus data/packed",
    "export runs/fractal-small": "--corpus data/packed",
    "roll sample -n 20": "-n 1",
}
"""What is added to commands by their beginnings, so that they end soon."""

MODELS: Final = {"melodies": "music-vae-2bar", "rolls": "fractal-small"}
"""Models that the pages' commands play with, and the recipe that trains each."""


def page_commands() -> list[str]:
    """Return the commands of the pages' unmarked blocks, each once, in their order."""
    found = [
        command.removeprefix("tatumflow ")
        for page in PAGES
        for block in blocks(page.read_text(encoding="utf-8"))
        if block.language == "sh" and block.mark is None
        for command in commands(block.text)
        if command.startswith("tatumflow ")
    ]
    return list(dict.fromkeys(found))


def reason(command: str) -> str | None:
    """Return why a command is not run; None where it is."""
    return next((why for beginning, why in NOT_RUN.items() if command.startswith(beginning)), None)


@pytest.fixture
def stage(desk: Path, run: Run, request: pytest.FixtureRequest) -> Path:
    """The folder of the pages' commands with the files that they name, and a playlist in the book."""
    command = str(request.getfixturevalue("command"))
    charts = [
        replace(
            parse_chart("F7 | Bb7 | F7 | C7"), name=name, composer="A. Writer", style="Medium Swing", key="F"
        )
        for name in ("a tune", "blue monk")
    ]
    (desk / "playlist.html").write_text(f'<a href="{ireal_link(charts, "Mine")}">Mine</a>', encoding="utf-8")
    if command != "book import playlist.html":
        assert run("book", "import", "playlist.html")[0] == 0
    phrase = ROOT / "configs" / "live" / "phrase.mid"
    for name in ("phrase.mid", "A.mid", "B.mid", "answer.mid", "solo.mid", "blue-monk.mid"):
        (desk / name).write_bytes(phrase.read_bytes())
    for name in ("session.mid", "take.mid"):
        if name in command:
            assert run("generate", "-o", name, "--tune", "blues in F", "--band", "--choruses", "1")[0] == 0
    if "record.mp3" in command:
        assert run("render", "phrase.mid", "-o", "record.mp3")[0] == 0
    for model, recipe in MODELS.items():
        if f"--model {model}" in command or recipe in command:
            pack_melodies(desk / "data" / "packed")
            if not command.startswith("train"):
                _run(run, f"train configs/train/{recipe}.yaml")
            if not command.startswith(("train", "export")):
                _run(run, f"export runs/{recipe}/best.ckpt -o {model}")
    return desk


@pytest.mark.parametrize("command", [command for command in page_commands() if reason(command) is None])
def test_a_command_of_a_page_runs(command: str, stage: Path, run: Run) -> None:
    out = _run(run, command)
    written = [word for flag, word in pairwise(shlex.split(command)) if flag in ("-o", "--wav", "--stems")]
    assert out or written
    for name in written:
        path = stage / name
        assert path.is_dir() or path.stat().st_size > 0


def test_reasons_are_of_commands_that_are_there() -> None:
    known = page_commands()
    for beginning in (*NOT_RUN, *SHORTER):
        assert any(command.startswith(beginning) for command in known), beginning
    for why in NOT_RUN.values():
        assert (ROOT / why.rpartition(" ")[2]).exists(), why


def _run(run: Run, command: str) -> str:
    """Run a command, shortened; return what it prints."""
    more = next((words for beginning, words in SHORTER.items() if command.startswith(beginning)), "")
    status, out, err = run(*shlex.split(command), *shlex.split(more))
    assert status == 0, f"{command}\n{out}{err}"
    return out + err
