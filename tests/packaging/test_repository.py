"""The repository is of use on any machine: nothing in it names one, and it stays small."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

EXPORTS_LIMIT = 30_000_000
FILE_LIMIT = 1_500_000
MACHINE_PATHS = re.compile(r"/(?:work|root|farm)/|/(?:home|Users)/[a-z]+/")
REGISTRY_HOSTS = re.compile(r"py[p]i\.org|python[h]osted|npm[j]s\.|deb\.debi[a]n\.org|index[-]url")
CI_VENDORS = (".gitlab-ci.yml", ".travis.yml", ".circleci", "azure-pipelines.yml", "Jenkinsfile")


@pytest.fixture(scope="module")
def tracked(root: Path) -> list[Path]:
    """Every file git tracks that is still in the tree."""
    result = subprocess.run(["git", "ls-files", "-z"], cwd=root, capture_output=True, text=True)
    if result.returncode != 0:
        pytest.skip("not a git checkout")
    return [path for name in result.stdout.split("\0") if name and (path := root / name).is_file()]


def _lines(paths: list[Path]) -> Iterator[tuple[Path, int, str]]:
    for path in paths:
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        for number, line in enumerate(text.splitlines(), 1):
            yield path, number, line


@pytest.mark.parametrize("pattern", [MACHINE_PATHS, REGISTRY_HOSTS], ids=["machine paths", "registry hosts"])
def test_no_text_names_one_machine_or_registry(tracked: list[Path], pattern: re.Pattern[str]):
    found = [
        f"{path}:{number}: {line.strip()}" for path, number, line in _lines(tracked) if pattern.search(line)
    ]
    assert not found


def test_the_patterns_see_what_they_look_for():
    assert MACHINE_PATHS.search("open('" + "/".join(["", "root", "x"]) + "')")
    assert REGISTRY_HOSTS.search("https://" + ".".join(["pypi", "org"]))


def test_exports_stay_small(tracked: list[Path], root: Path):
    assert (
        sum(path.stat().st_size for path in tracked if path.is_relative_to(root / "exports")) <= EXPORTS_LIMIT
    )


def test_other_files_stay_small(tracked: list[Path], root: Path):
    large = [
        path
        for path in tracked
        if not path.is_relative_to(root / "exports") and path.stat().st_size > FILE_LIMIT
    ]
    assert not large


def test_no_other_ci_vendor_is_needed(root: Path):
    assert [name for name in CI_VENDORS if (root / name).exists()] == []


def test_scripts_are_executable(root: Path):
    for script in (root / ".ci" / "run", *(root / ".make").glob("*.sh")):
        assert script.stat().st_mode & 0o111, script
