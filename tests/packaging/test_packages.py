import re
from pathlib import Path
from typing import Any

import pytest


def _listed(project: dict[str, Any]) -> list[str]:
    return project["tool"]["setuptools"]["packages"]


def test_listed_packages_are_those_of_the_tree(project: dict[str, Any], package_files: dict[str, Path]):
    found = {
        name.rpartition("/")[0].replace("/", ".") for name in package_files if name.endswith("/__init__.py")
    }
    assert sorted(_listed(project)) == sorted(found)


def test_every_module_lies_in_a_package(project: dict[str, Any], package_files: dict[str, Path]):
    listed = set(_listed(project))
    stray = [
        name
        for name in package_files
        if name.endswith(".py") and name.rpartition("/")[0].replace("/", ".") not in listed
    ]
    assert not stray


def test_every_package_is_typed(project: dict[str, Any], package_files: dict[str, Path]):
    # PEP 561: the marker of a package covers the packages inside it.
    for package in project["tool"]["setuptools"]["package-dir"]:
        assert f"{package.replace('.', '/')}/py.typed" in package_files


def test_package_data_takes_every_file_that_is_not_code(
    root: Path, project: dict[str, Any], package_files: dict[str, Path]
):
    folders = {name: root / place for name, place in project["tool"]["setuptools"]["package-dir"].items()}
    folders |= {name: root / Path(*name.split(".")[1:]) for name in _listed(project) if name.count(".") > 1}
    taken: set[Path] = set()
    for package, patterns in project["tool"]["setuptools"]["package-data"].items():
        for folder in folders.values() if package == "*" else [folders[package]]:
            taken.update(path for pattern in patterns for path in folder.glob(pattern))
    data = {path for path in package_files.values() if path.suffix != ".py"}
    assert data <= taken, f"these would not be in the wheel: {sorted(map(str, data - taken))}"


@pytest.mark.parametrize("package", ["tatumflow.configs", "tatumflow.live.tui"])
def test_package_data_patterns_match_files(root: Path, project: dict[str, Any], package: str):
    folder = root / Path(*package.split(".")[1:])
    for pattern in project["tool"]["setuptools"]["package-data"][package]:
        assert list(folder.glob(pattern)), f"{package}: nothing matches {pattern}"


def test_the_tensorrt_extra_is_of_the_version_that_is_loaded(root: Path, project: dict[str, Any]):
    from packaging.requirements import Requirement

    from tatumflow.engine.providers import CUDA, TENSORRT, choose_providers

    loaded: list[str] = []
    choose_providers((TENSORRT, CUDA), lambda name: not loaded.append(name), lambda: True, "13")
    (major,) = {re.sub(r"\D", "", name) for name in loaded if "nvinfer" in name}
    lines = map(Requirement, project["project"]["optional-dependencies"]["tensorrt"])
    wanted = next(line for line in lines if line.name.startswith("tensorrt"))
    lines = map(
        Requirement, re.findall(r"(?m)^[^#\n]+", (root / "constraints.txt").read_text(encoding="utf-8"))
    )
    (pinned,) = (str(line.specifier).lstrip("=") for line in lines if line.name == wanted.name)
    assert wanted.specifier.contains(pinned)
    assert pinned.startswith(f"{major}.")
    assert not wanted.specifier.contains(f"{int(major) + 1}.0")


def test_version_constraints_cover_the_direct_dependencies(root: Path, project: dict[str, Any]):
    from packaging.requirements import Requirement
    from packaging.utils import canonicalize_name

    pinned = {
        canonicalize_name(Requirement(line).name)
        for line in (root / "constraints.txt").read_text(encoding="utf-8").splitlines()
        if line and not line.startswith("#")
    }
    extras = project["project"]["optional-dependencies"]
    wanted = {
        canonicalize_name(Requirement(line).name)
        for line in [*project["project"]["dependencies"], *extras["training"], *extras["dev"]]
    }
    assert not wanted - pinned
