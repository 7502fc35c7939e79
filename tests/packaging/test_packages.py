import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from packaging.requirements import Requirement


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

    from tatumflow.engine.model.providers import CUDA, TENSORRT, choose_providers

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


def _constraints(file: Path) -> dict[str, str]:
    """Return what a file of constraints pins, by canonical name."""
    from packaging.requirements import Requirement
    from packaging.utils import canonicalize_name

    lines = map(Requirement, re.findall(r"(?m)^[^#\n]+", file.read_text(encoding="utf-8")))
    return {canonicalize_name(line.name): str(line.specifier).removeprefix("==") for line in lines}


def _dependencies(project: dict[str, Any], *extras: str) -> "list[Requirement]":
    from packaging.requirements import Requirement

    tables = project["project"]["optional-dependencies"]
    lines = [*project["project"]["dependencies"], *(line for extra in extras for line in tables[extra])]
    return [Requirement(line) for line in lines]


_PINNED_EXTRAS = ("training", "link", "separation", "musicgen", "score", "publish", "spleeter", "docs", "dev")


def test_version_constraints_cover_and_fit_the_direct_dependencies(root: Path, project: dict[str, Any]):
    from packaging.utils import canonicalize_name

    pinned = _constraints(root / "constraints.txt")
    for wanted in _dependencies(project, *_PINNED_EXTRAS):
        assert wanted.specifier.contains(pinned[canonicalize_name(wanted.name)]), wanted


def test_minimum_constraints_are_the_lower_bounds_of_all_dependencies(root: Path, project: dict[str, Any]):
    from packaging.utils import canonicalize_name
    from packaging.version import Version

    pinned = _constraints(root / "constraints-minimum.txt")
    for wanted in _dependencies(project, *_PINNED_EXTRAS):
        bounds = [part.version for part in wanted.specifier if part.operator == ">="]
        assert len(bounds) == 1, f"{wanted} has no lower bound, or several"
        assert Version(pinned[canonicalize_name(wanted.name)]) == Version(bounds[0]), wanted


def test_classifiers_name_the_pythons_that_are_allowed(project: dict[str, Any]):
    from packaging.specifiers import SpecifierSet

    allowed = SpecifierSet(project["project"]["requires-python"])
    classifiers = project["project"]["classifiers"]
    named = {
        line.rpartition(" ")[2]
        for line in classifiers
        if line.startswith("Programming Language :: Python ::")
    }
    assert named == {f"3.{minor}" for minor in range(40) if allowed.contains(f"3.{minor}")}
