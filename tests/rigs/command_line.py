"""The command line as a user runs it, in this process."""

import sys
from collections.abc import Callable

import pytest

from tatumflow.live import cli

Run = Callable[..., tuple[int | str, str, str]]
"""Runs the command line with these words; returns its status, output and errors."""


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Return what runs the command line."""

    def run(*arguments: object) -> tuple[int | str, str, str]:
        monkeypatch.setattr(sys, "argv", ["tatumflow", *map(str, arguments)])
        try:
            cli.main()
            status = 0
        except SystemExit as end:
            status = end.code or 0
        printed = capsys.readouterr()
        return status, printed.out, printed.err

    return run
