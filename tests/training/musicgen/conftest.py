"""A tiny MusicGen with random weights, and recordings, for the tests of this room."""

from pathlib import Path

import pytest

pytest.importorskip("transformers")

from tiny_musicgen import write_recordings, write_tiny_musicgen


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
