"""Names, docstrings, help texts and pages use the words of the field."""

import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

FORBIDDEN = {
    r"foret(ell|old)\w*": "predict",
    r"(re)?told": "conditioned on, given, shown; of a context: replayed",
    r"retells?": "replay",
    r"by chance|chance of its own": "at random; a random generator",
    r"fed again": "prefilled again",
    r"tak(e|es|ing|en) (\w+ ){0,3}apart": "separate into stems",
    r"made quartets?": "synthetic mixes",
    r"handed over|hands? over|handing over": "schedule, send, pass the turn",
    r"g(ive|ives|iven|iving|ave) up": "release, close, end",
    r"tak(e|es|en) (\w+ ){1,3}for lost|taken for lost": "reconnect",
    r"whoever|some(body|one)|nobody|anybody": "player, user, companion",
    r"has heard": "trained on; of a context: read",
    r"nobody chose|no outside|those who know": "a plain sentence",
    r"TurnPlan": "TurnWindow",
}
"""Pattern to what is said instead."""

NAMES = r"(^|_)(told|retold|asked|wanted|foretold)($|_)"
"""Words that no name holds, between underscores."""

ALLOWED_NAMES = ("training/models/tatumflow/flow.py: asked",)
"""Names in saved weights."""

SOURCES = ("engine", "live", "training", "configs")
PAGES = ("README.md", "CONTRIBUTING.md")
NO_PAGES = ("log.md",)


def _pages(root: Path) -> list[Path]:
    docs = [path for path in (root / "docs").rglob("*.md") if path.name not in NO_PAGES]
    return [*(root / name for name in PAGES), *docs]


def _texts(root: Path) -> Iterator[tuple[Path, str]]:
    """Yield every file that a reader reads, as one text without line breaks."""
    for package in SOURCES:
        for path in sorted((root / package).rglob("*")):
            if path.suffix in {".py", ".yaml", ".html"}:
                yield path, path.read_text(encoding="utf-8")
    for path in _pages(root):
        yield path, path.read_text(encoding="utf-8")


@pytest.mark.parametrize(("pattern", "instead"), FORBIDDEN.items())
def test_no_text_uses_the_word(root: Path, pattern: str, instead: str):
    word = re.compile(rf"\b({pattern})\b", re.IGNORECASE)
    found = [
        f"{path.relative_to(root)}: {match.group()!r}"
        for path, text in _texts(root)
        for match in word.finditer(re.sub(r"\s*\n\s*(# )?", " ", text))
    ]
    assert not found, f"say: {instead}"


def test_no_name_uses_the_words(root: Path):
    word, found = re.compile(NAMES), []
    for package in ("engine", "live", "training"):
        for path in sorted((root / package).rglob("*.py")):
            read = io.StringIO(path.read_text(encoding="utf-8")).readline
            found += [
                f"{path.relative_to(root)}: {token.string}"
                for token in tokenize.generate_tokens(read)
                if token.type == tokenize.NAME and word.search(token.string.lower())
            ]
    assert not set(found) - set(ALLOWED_NAMES)


def test_the_readme_is_short(root: Path):
    assert len((root / "README.md").read_text(encoding="utf-8").splitlines()) <= 120


def test_a_forbidden_word_is_found(tmp_path: Path):
    for package in SOURCES:
        (tmp_path / package).mkdir()
    (tmp_path / "docs").mkdir()
    for page in PAGES:
        (tmp_path / page).write_text("A page.\n", encoding="utf-8")
    (tmp_path / "engine" / "a.py").write_text('"""What takes\n# the sound apart."""\n', encoding="utf-8")
    with pytest.raises(AssertionError, match="separate"):
        test_no_text_uses_the_word(tmp_path, next(p for p in FORBIDDEN if "apart" in p), "separate")
