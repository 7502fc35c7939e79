"""The workflows are YAML of jobs, cover the systems and Pythons that are promised, and run what is here."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

WORKFLOWS = ("ci", "release", "site")


def load(root: Path, name: str) -> dict[str, Any]:
    text = (root / ".github" / "workflows" / f"{name}.yml").read_text(encoding="utf-8")
    content = yaml.safe_load(text)
    # YAML 1.1 reads the key "on" as a truth value.
    return {("on" if key is True else key): value for key, value in content.items()}


def commands(workflow: dict[str, Any]) -> list[str]:
    return [step["run"] for job in workflow["jobs"].values() for step in job["steps"] if "run" in step]


@pytest.mark.parametrize("name", WORKFLOWS)
def test_a_workflow_is_made_of_jobs_with_steps_and_a_limit(root: Path, name: str):
    workflow = load(root, name)
    assert set(workflow) <= {"name", "on", "permissions", "concurrency", "jobs"}
    for job in workflow["jobs"].values():
        assert {"runs-on", "steps", "timeout-minutes"} <= set(job)
        for step in job["steps"]:
            assert ("run" in step) != ("uses" in step)
            assert "uses" not in step or re.fullmatch(r"actions/[a-z-]+@v\d+", step["uses"])


def test_ci_covers_the_systems_and_the_pythons(root: Path, project: dict[str, Any]):
    matrix = load(root, "ci")["jobs"]["systems"]["strategy"]["matrix"]
    assert {name.partition("-")[0] for name in matrix["os"]} == {"ubuntu", "macos", "windows"}
    prefix = "Programming Language :: Python :: "
    named = [line.removeprefix(prefix) for line in project["project"]["classifiers"] if prefix in line]
    assert matrix["python"] == sorted(named)


def test_ci_installs_the_extras_that_make_installs(root: Path):
    extras = r"\.\[([a-z,]+)\]"
    installed = re.findall(extras, "\n".join(commands(load(root, "ci"))))
    made = set(re.findall(extras, (root / "Makefile").read_text(encoding="utf-8")))
    assert set(installed) == made


@pytest.mark.parametrize("name", ["ci", "release"])
def test_the_scripts_that_a_workflow_runs_are_here(root: Path, name: str):
    scripts = re.findall(r"(?m)^\.(?:ci|make)/\S+", "\n".join(commands(load(root, name))))
    assert scripts
    assert all((root / script).stat().st_mode & 0o111 for script in scripts)


def test_a_release_builds_checks_tries_and_attaches_in_this_order(root: Path):
    workflow = load(root, "release")
    assert workflow["on"] == {"push": {"tags": ["v*"]}}
    text = "\n".join(commands(workflow))
    places = [text.index(part) for part in ("-m build\n", "twine check", "try-wheel.sh", "gh release create")]
    assert places == sorted(places)


def test_the_site_is_built_by_make_and_then_deployed(root: Path):
    workflow = load(root, "site")
    assert workflow["permissions"] == {"contents": "read", "pages": "write", "id-token": "write"}
    build, deploy = workflow["jobs"]["build"], workflow["jobs"]["deploy"]
    assert "make site" in commands({"jobs": {"build": build}})
    assert deploy["needs"] == "build"
    (uploaded,) = (step["with"]["path"] for step in build["steps"] if "upload-pages" in step.get("uses", ""))
    makefile = (root / "Makefile").read_text(encoding="utf-8")
    assert f".make/site.py {uploaded.removesuffix('/site')} " in makefile
