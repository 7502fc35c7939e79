import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def unpacked(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("unpacked")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    return folder


def _run(code: str, unpacked: Path) -> str:
    environment = os.environ | {"PYTHONPATH": str(unpacked)}
    command = [sys.executable, "-c", code]
    result = subprocess.run(command, cwd=unpacked, env=environment, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    return result.stdout.strip()


def test_wheel_holds_every_file_of_the_packages_and_nothing_else(wheel: Path, package_files: dict[str, Path]):
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}
    assert names == set(package_files)


def test_wheel_carries_the_licence_and_the_command(wheel: Path):
    with zipfile.ZipFile(wheel) as archive:
        texts = {name.split(".dist-info/")[-1]: name for name in archive.namelist() if ".dist-info/" in name}
        entry_points = archive.read(texts["entry_points.txt"]).decode()
    assert "licenses/LICENSE" in texts
    assert "tatumflow = tatumflow.live.cli:main" in entry_points


def test_wheel_serves_its_modules_and_data(unpacked: Path):
    code = (
        "import tatumflow.live.cli as cli; from importlib.resources import files;"
        "print(cli.__file__); print(files('tatumflow.configs').joinpath('live/phrase.mid'))"
    )
    module, phrase = (Path(line) for line in _run(code, unpacked).splitlines())
    assert module.is_relative_to(unpacked)
    assert phrase.is_relative_to(unpacked)
    assert phrase.is_file()
