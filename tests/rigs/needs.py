"""What tests need from the system: without it they are skipped, but fail where CI is to have everything.

A test names it, `@pytest.mark.needs("jackd", "fluidsynth")`; a fixture that finds out only while it starts
something calls `lacking`.
"""

import importlib
import os
import shutil
from collections.abc import Callable
from types import MappingProxyType
from typing import Any, Final, NoReturn

import pytest


def imported(name: str) -> Any:
    """Return a module that loads a library of the system, None where it cannot be imported."""
    try:
        return importlib.import_module(name)
    except (ImportError, OSError):
        return None


def _soundfont() -> bool:
    from tatumflow.live.midi.soundfonts import best_soundfont

    return best_soundfont() is not None


NEEDS: Final = MappingProxyType[str, tuple[Callable[[], bool], str]](
    {
        "jackd": (
            lambda: shutil.which("jackd") is not None,
            "jackd is not installed; `sudo apt install jackd2` or `brew install jack`",
        ),
        "JACK-Client": (
            lambda: imported("jack") is not None,
            "JACK-Client or the JACK library is not installed; `make test` installs both",
        ),
        "ffmpeg": (
            lambda: shutil.which("ffmpeg") is not None,
            "ffmpeg is not installed; `sudo apt install ffmpeg` or `brew install ffmpeg`",
        ),
        "fluidsynth": (
            lambda: imported("fluidsynth") is not None,
            "FluidSynth is not installed; `sudo apt install libfluidsynth3` or `brew install fluid-synth`",
        ),
        "soundfont": (_soundfont, "pretty_midi came without its SoundFont"),
    }
)
"""A probe for each name, and the message where it finds nothing."""


def lacking(reason: str) -> NoReturn:
    """Skip the running test, or fail it in one line where the environment variable CI is set."""
    if os.environ.get("CI", "").lower() not in {"", "0", "false"}:
        pytest.fail(f"CI must run this test: {reason}", pytrace=False)
    pytest.skip(reason)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Look for what a test needs before its fixtures start."""
    for marker in item.iter_markers("needs"):
        for name in marker.args:
            found, reason = NEEDS[name]
            if not found():
                lacking(reason)
