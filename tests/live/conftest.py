"""Fixtures of the tests of ports, screen and command line."""

from pathlib import Path

import pytest
from command_line import run

__all__ = ["run"]


@pytest.fixture(autouse=True)
def own_book(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder of an empty book, so that none of the user's tunes is found."""
    folder = tmp_path / "own book"
    monkeypatch.setenv("TATUMFLOW_BOOK", str(folder))
    return folder
