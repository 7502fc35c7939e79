"""The SoundFonts of this machine, the best first."""

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from platformdirs import user_data_path

SUFFIXES: Final = (".sf2", ".sf3")

PREFERRED: Final = ("musescore_general", "fluidr3_gm", "fluidr3mono_gm", "generaluser", "timgm6mb")
"""Beginnings of the names of General MIDI SoundFonts, the best first: MuseScore General, FluidR3,
GeneralUser, and the small one of pretty_midi. Files of other names are listed, never chosen by themselves.
"""

_DRUMS_LEVELS: Final = {"musescore_general": -7.5}
"""Decibels by which the drums of a SoundFont, by the beginning of its name, are brought down to the balance
of piano, bass, guitar and drums that `live/band_tracks.py` has with the small one."""

ADVICE: Final = {
    "darwin": "get MuseScore_General.sf3 and put it into ~/Library/Audio/Sounds/Banks",
    "win32": "get MuseScore_General.sf3 and put it into C:/soundfonts",
}.get(
    sys.platform, "`sudo apt install musescore-general-soundfont-small`, or your system's package of FluidR3"
)
"""How to get a better one."""


@dataclass(frozen=True)
class SoundFont:
    """A SoundFont file.

    Attributes:
        path: The file.
        rank: Its place in `PREFERRED`; their number for one of another name.
    """

    path: Path
    rank: int

    @property
    def name(self) -> str:
        """Its name without the ending."""
        return self.path.stem

    @property
    def is_small(self) -> bool:
        """Whether it is the one that comes along, which is small and sounds so."""
        return self.rank == len(PREFERRED) - 1


def folders() -> tuple[Path, ...]:
    """Return the folders in which SoundFonts lie: the user's first, then the system's."""
    own = (
        user_data_path("tatumflow", appauthor=False) / "soundfonts",
        Path("~/.local/share/soundfonts").expanduser(),
        Path("~/.local/share/sounds/sf2").expanduser(),
    )
    if sys.platform == "darwin":
        system = (
            "~/Library/Audio/Sounds/Banks",
            "/Library/Audio/Sounds/Banks",
            "/opt/homebrew/share/soundfonts",
        )
    elif sys.platform == "win32":
        system = ("C:/soundfonts", os.path.expandvars("%PROGRAMDATA%/soundfonts"))
    else:
        system = (
            "/usr/share/sounds/sf3",
            "/usr/share/sounds/sf2",
            "/usr/share/soundfonts",
            "/usr/local/share/soundfonts",
        )
    return (*own, *(Path(folder).expanduser() for folder in system))


def installed(places: Sequence[Path] | None = None) -> list[SoundFont]:
    """Return the SoundFonts of this machine, the best first; each file once, links followed.

    Args:
        places: Folders to search; None for `folders()` and the one of pretty_midi.
    """
    if places is None:
        # Found without importing pretty_midi, which takes longer than starting a jam may.
        spec = find_spec("pretty_midi")
        places = (*folders(), *([Path(str(resources.files("pretty_midi")))] if spec else []))
    found: dict[Path, SoundFont] = {}
    for folder in places:
        try:
            files = sorted(path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES)
        except OSError:
            continue
        for path in files:
            if path.is_file():
                found.setdefault(path.resolve(), SoundFont(path.resolve(), _rank(path.resolve().stem)))
    fonts = list({font.path.name: font for font in reversed(found.values())}.values())
    # MuseScore General's big variant, HQ, takes longer to load than it gains.
    return sorted(fonts, key=lambda font: (font.rank, "hq" in font.name.lower(), font.name))


def best_soundfont(places: Sequence[Path] | None = None) -> Path | None:
    """Return the best SoundFont of a known name, None without one; see `installed`."""
    known = [font for font in installed(places) if font.rank < len(PREFERRED)]
    return known[0].path if known else None


def drums_level(path: Path) -> float:
    """Return the level in decibels at which the drums of a SoundFont are in balance with its piano."""
    name = _plain(path.resolve().stem)
    return next((level for known, level in _DRUMS_LEVELS.items() if name.startswith(known)), 0.0)


def _plain(stem: str) -> str:
    return stem.lower().replace(" ", "_").replace("-", "_")


def _rank(stem: str) -> int:
    name = _plain(stem)
    return next((rank for rank, known in enumerate(PREFERRED) if name.startswith(known)), len(PREFERRED))
