"""A tiny MusicGen with random weights, and recordings, for the tests of this room."""

from pathlib import Path

import pytest

pytest.importorskip("transformers")

from musicgen_runs import run_config
from tiny_musicgen import write_recordings, write_tiny_musicgen

from tatumflow.training.train import train


@pytest.fixture(scope="session")
def tiny_musicgen(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a mono model."""
    return write_tiny_musicgen(tmp_path_factory.mktemp("musicgen") / "tiny")


@pytest.fixture(scope="session")
def stereo_musicgen(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a stereo model."""
    return write_tiny_musicgen(tmp_path_factory.mktemp("musicgen") / "stereo", channels=2)


@pytest.fixture(scope="session")
def recordings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of four recordings of three seconds, with captions."""
    captions = {f"{word}.wav": f"{word} solo in F" for word in ("ballad", "bebop", "blues", "jazz")}
    return write_recordings(tmp_path_factory.mktemp("recordings"), captions)


@pytest.fixture(scope="session")
def run(tiny_musicgen: Path, recordings: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a short run with adapters and an average of their weights."""
    folder = tmp_path_factory.mktemp("runs") / "lora"
    train(run_config(tiny_musicgen, recordings, run={"ema_decay": 0.9, "max_steps": 12}), folder)
    return folder
