"""The wheel plays where its own dependencies are installed and nothing else: no torch, and no repository."""

import os
import subprocess
import sys
import venv
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow


def _needed(names: list[str]) -> dict[str, Distribution]:
    """Return the installed distributions that requirements lead to, by canonical name."""
    from packaging.requirements import Requirement
    from packaging.utils import canonicalize_name

    found: dict[str, Distribution] = {}
    left = [(requirement, frozenset[str]()) for requirement in map(Requirement, names)]
    while left:
        requirement, extras = left.pop()
        marker = requirement.marker
        if marker and not any(marker.evaluate({"extra": extra}) for extra in ("", *extras)):
            continue
        name = canonicalize_name(requirement.name)
        if name not in found:
            found[name] = distribution(name)
            inner = frozenset(requirement.extras)
            left += [(Requirement(line), inner) for line in found[name].requires or ()]
    return found


@pytest.fixture(scope="module")
def bare(wheel: Path, project, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Python of an environment with the wheel and links to the distributions that it requires."""
    folder = tmp_path_factory.mktemp("bare")
    venv.create(folder, symlinks=os.name != "nt")
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    command = [str(python), "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]
    packages = Path(subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip())
    try:
        needed = _needed(project["project"]["dependencies"])
    except PackageNotFoundError as error:
        pytest.skip(f"{error.name} is not installed")
    for found in needed.values():
        tops = {file.parts[0] for file in found.files or () if file.parts[0] not in ("..", "__pycache__")}
        for top in tops:
            if not (packages / top).exists():
                (packages / top).symlink_to(Path(str(found.locate_file(top))))
    pip = [sys.executable, "-m", "pip", "--python", str(python), "--disable-pip-version-check"]
    subprocess.run([*pip, "install", "--quiet", "--no-deps", "--no-index", str(wheel)], check=True)
    return python


def _run(python: Path, folder: Path, *arguments: str) -> str:
    command = [str(python.with_name("tatumflow")), *arguments]
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder)}
    done = subprocess.run(command, capture_output=True, text=True, cwd=folder, env=environment, timeout=300)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.skipif(os.name == "nt", reason="links need a right of their own on Windows")
def test_the_wheel_answers_the_bundled_phrase_from_nothing(bare: Path, tmp_path: Path):
    command = [str(bare), "-c", "import torch"]
    assert b"ModuleNotFoundError" in subprocess.run(command, capture_output=True, check=False).stderr
    assert "tatumflow-live: sound" in _run(bare, tmp_path, "doctor")
    assert "answered with" in _run(bare, tmp_path, "play", "-o", "answer.mid", "--seed", "7")
    assert (tmp_path / "answer.mid").is_file()
    assert "needs" not in _run(bare, tmp_path, "models")


@pytest.mark.skipif(os.name == "nt", reason="links need a right of their own on Windows")
def test_a_command_of_an_extra_names_the_extra(bare: Path, tmp_path: Path):
    command = [str(bare.with_name("tatumflow")), "train", "none.yaml"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert done.returncode == 1
    assert "pip install 'tatumflow[training]'" in done.stderr
    assert done.stderr.count("\n") == 1
