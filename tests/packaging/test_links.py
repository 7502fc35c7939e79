"""Every link of the pages leads to a file or a heading that exists, and every file that they name exists."""

import re
from pathlib import Path

import pytest

TOP = ("configs", "docs", "engine", "exports", "live", "tests", "training", ".make", ".ci", ".github")
HISTORY = ("docs/log.md", "CHANGELOG.md")
"""Pages about earlier states, whose files may be gone."""

_LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
_FILE = re.compile(rf"`((?:{'|'.join(map(re.escape, TOP))})/[\w./-]+)`")
_FENCE = re.compile(r"(?ms)^( *)(```|~~~).*?^\1\2\s*$")


def pages(root: Path) -> list[Path]:
    return [*sorted(root.glob("*.md")), *sorted((root / "docs").rglob("*.md"))]


def prose(text: str) -> str:
    """Return a page without its blocks of code."""
    return _FENCE.sub("", text)


def anchors(page: Path) -> set[str]:
    """Return the anchors of a page's headings, as GitHub and the site make them."""
    found: set[str] = set()
    for heading in re.findall(r"(?m)^#{1,6} (.+)$", prose(page.read_text(encoding="utf-8"))):
        words = re.sub(r"[^\w\- ]", "", re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading.strip().lower()))
        found.add(words.replace(" ", "-"))
    return found


def broken(root: Path, page: Path) -> list[str]:
    """Return what a page links to or names and what does not exist."""
    text = prose(page.read_text(encoding="utf-8"))
    missing: list[str] = []
    for target in _LINK.findall(text):
        if re.match(r"[a-z]+:", target):
            continue
        name, _, anchor = target.partition("#")
        file = (page.parent / name).resolve() if name else page
        exists = file.is_relative_to(root) and file.exists()
        if not exists or (anchor and anchor not in anchors(file)):
            missing.append(target)
    if page.relative_to(root).as_posix() not in HISTORY:
        missing += [name for name in _FILE.findall(text) if not list(root.glob(name.rstrip("/")))]
    return missing


def test_links_and_files_exist(root: Path):
    found = {page.relative_to(root).as_posix(): broken(root, page) for page in pages(root)}
    assert len(found) > 15
    assert not {page: missing for page, missing in found.items() if missing}


@pytest.mark.parametrize(
    ("text", "missing"),
    [
        ("[a](docs/a.md#one-two) [b](#here) [c](https://x.org/y#z)\n\n# Here", []),
        ("[a](docs/b.md)", ["docs/b.md"]),
        ("[a](docs/a.md#three)", ["docs/a.md#three"]),
        ("[a](../outside.md)", ["../outside.md"]),
        ("`engine/a.py`, `live/tui/`", ["engine/a.py", "live/tui/"]),
        ("```\n[a](docs/b.md)\n```\n", []),
    ],
)
def test_what_does_not_exist_is_found(tmp_path: Path, text: str, missing: list[str]):
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "a.md").write_text("# A\n\n## One: two\n", encoding="utf-8")
    (tmp_path / "page.md").write_text(text, encoding="utf-8")
    assert broken(tmp_path, tmp_path / "page.md") == missing
