"""The known SoundFonts, and their split into training and validation.

The split is by family, not by file: SoundFonts that share recordings are one family. FluidR3 in all its forms
and MuseScore General, which derives from it, are one; TimGM6mb and Csound's sf_GMbank another, since 329 of
the 520 samples of the first are in the second, and none of either in FluidR3. OPL-3, recorded from an FM
chip, is a third, the second for training.
"""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from tatumflow.engine.errors import SettingError
from tatumflow.training.data.corpora.piece import Split
from tatumflow.training.separation.quartet.fluid import presets_of
from tatumflow.training.separation.quartet.instruments import INSTRUMENTS, Instrument

FOLDERS: Final = (
    Path("/usr/share/sounds/sf2"),
    Path("/usr/share/sounds/sf3"),
    Path("/usr/share/soundfonts"),
)
_UNKNOWN_LICENCE: Final = "not known; see the SoundFont"


@dataclass(frozen=True)
class _Known:
    """A SoundFont known by its file name."""

    name: re.Pattern[str]
    family: str
    split: Split
    licence: str


_KNOWN: Final = (
    _Known(re.compile(r"FluidR3(Mono)?_GM"), "fluidr3", "train", "MIT"),
    _Known(re.compile(r"MuseScore_General"), "fluidr3", "train", "MIT, parts public domain or CC0"),
    _Known(re.compile(r"OPL-3_FM_128M"), "opl3", "train", "CC-BY-SA-4.0"),
    _Known(re.compile(r"TimGM6mb"), "gmbank", "val", "GPL-2"),
    _Known(re.compile(r"sf_GMbank"), "gmbank", "val", "public domain"),
)


@dataclass(frozen=True)
class SoundFont:
    """A SoundFont that has an instrument for every stem.

    Attributes:
        path: The file.
        family: The same for SoundFonts that share recordings.
        licence: Its licence, if known.
        sha256: SHA-256 of the file, in hexadecimal.
        presets: Bank and program of its presets among `INSTRUMENTS`.
    """

    path: Path
    family: str
    licence: str
    sha256: str
    presets: frozenset[tuple[int, int]]

    def instruments(self, stem: str) -> list[Instrument]:
        """Return its instruments of a stem."""
        return [one for one in INSTRUMENTS[stem] if (one.bank, one.program) in self.presets]


def open_soundfont(path: Path) -> SoundFont:
    """Open a SoundFont and check its instruments.

    Raises:
        DeviceError: if FluidSynth is missing or cannot read it.
        SettingError: if it has no instrument for one of the stems.
    """
    path = Path(path).resolve()
    presets = presets_of(path)
    known = _known(path)
    with path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    font = SoundFont(
        path=path,
        family=known.family if known else path.stem.casefold(),
        licence=known.licence if known else _UNKNOWN_LICENCE,
        sha256=sha256,
        presets=presets,
    )
    for stem in INSTRUMENTS:
        if not font.instruments(stem):
            raise SettingError(
                f"{path.name}: has no {INSTRUMENTS[stem][0].name}; give a General MIDI SoundFont"
            )
    return font


def installed_soundfonts(split: Split) -> list[Path]:
    """Return the known SoundFonts of a side that are installed, one file each, by name.

    Raises:
        SettingError: if there are none.
    """
    places = [path for folder in FOLDERS if folder.is_dir() for path in folder.iterdir()]
    if find_spec("pretty_midi") is not None:
        places.append(Path(str(resources.files("pretty_midi"))) / "TimGM6mb.sf2")
    found: dict[str, Path] = {}
    for path in places:
        known = _known(path.resolve())
        if known is not None and known.split == split and path.is_file():
            found.setdefault(path.resolve().name, path.resolve())
    if not found:
        raise SettingError(
            f"no SoundFont for the {split} side is installed; run `sudo apt install fluid-soundfont-gm "
            "musescore-general-soundfont timgm6mb-soundfont`, or name files with --soundfont"
        )
    return [found[name] for name in sorted(found)]


def check_families(fonts: Sequence[SoundFont], families: Sequence[str], other: str) -> None:
    """Check that SoundFonts share no family with the opposite side of the split, named `other`.

    Raises:
        SettingError: if one shares a family.
    """
    for font in fonts:
        if font.family in families:
            raise SettingError(
                f"{font.path.name}: its recordings ({font.family}) are on the {other} side; "
                "give one of another family with --soundfont"
            )


def _known(path: Path) -> _Known | None:
    return next((known for known in _KNOWN if known.name.match(path.name)), None)
