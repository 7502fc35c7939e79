"""The site: every page is in its navigation, and the strict build finds nothing to warn of."""

import importlib.util
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from types import ModuleType

import pytest

SAMPLES = "<!doctype html><title>Samples</title>"


@pytest.fixture(scope="module")
def site(root: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("site_script", root / ".make" / "site.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_page_is_in_the_navigation_once(root: Path, site: ModuleType):
    listed = [page for pages in site.navigation(root).values() for page in pages]
    found = [path.relative_to(root).as_posix() for path in (root / "docs").rglob("*.md")]
    assert sorted(listed) == sorted([*found, "CONTRIBUTING.md", "CHANGELOG.md"])


def test_a_new_guide_is_taken_in(tmp_path: Path, site: ModuleType):
    (tmp_path / "docs" / "guide").mkdir(parents=True)
    for name in ("docs/guide/keyboard.md", "docs/guide/unheard-of.md", "docs/new.md", "docs/theory.md"):
        (tmp_path / name).touch()
    assert site.navigation(tmp_path) == {
        "Play": ["docs/guide/keyboard.md"],
        "More guides": ["docs/guide/unheard-of.md"],
        "Reference": ["docs/theory.md", "docs/new.md"],
    }


def test_the_configuration_is_toml_with_all_pages(root: Path, site: ModuleType):
    sections = site.navigation(root)
    project = tomllib.loads(site.configuration(sections, listen=True))["project"]
    assert project["nav"][:2] == [{"Home": "README.md"}, {"Listen": "listen.md"}]
    assert project["nav"][2:] == [{title: pages} for title, pages in sections.items()]
    assert {"Listen": "listen.md"} not in tomllib.loads(site.configuration(sections, listen=False))[
        "project"
    ]["nav"]


def test_pages_keep_their_places(root: Path, site: ModuleType, tmp_path: Path):
    samples = tmp_path / "made"
    samples.mkdir()
    (samples / "index.html").write_text(SAMPLES, encoding="utf-8")
    for _ in range(2):
        site.gather(root, tmp_path / "pages", {"samples": samples})
    for pages in site.navigation(root).values():
        for page in pages:
            assert (tmp_path / "pages" / page).read_bytes() == (root / page).read_bytes()
    assert (tmp_path / "pages" / "samples" / "index.html").read_text(encoding="utf-8") == SAMPLES
    assert "(samples/index.html)" in (tmp_path / "pages" / site.LISTEN).read_text(encoding="utf-8")


def test_no_table_has_code_with_a_bar(root: Path):
    # GitHub drops the backslash of a bar in code, the site's Markdown shows it.
    found = [
        f"{page.relative_to(root)}: {code}"
        for page in (root / "docs").rglob("*.md")
        for line in page.read_text(encoding="utf-8").splitlines()
        if line.startswith("|")
        for code in re.findall(r"`[^`]*\\\|[^`]*`", line)
    ]
    assert not found


@pytest.mark.slow
def test_the_strict_build_ends_without_a_warning(root: Path, tmp_path: Path):
    pytest.importorskip("zensical", reason="the extra docs is not installed")
    samples = tmp_path / "made"
    samples.mkdir()
    (samples / "index.html").write_text(SAMPLES, encoding="utf-8")
    command = [
        sys.executable,
        str(root / ".make" / "site.py"),
        str(tmp_path / "out"),
        "--samples",
        str(samples),
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "No issues found" in done.stdout + done.stderr
    built = tmp_path / "out" / "site"
    assert (built / "samples" / "index.html").read_text(encoding="utf-8") == SAMPLES
    for page in (root / "docs").rglob("*.md"):
        text = (built / page.relative_to(root).with_suffix("") / "index.html").read_text(encoding="utf-8")
        assert "fonts.googleapis" not in text
