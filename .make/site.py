"""Build the site: README, the guides and every other page, with a page of samples: `make site`.

Zensical builds it, from a copy of the pages that keeps their places, so that a link that works in the
repository works on the site too. Its strict mode ends the build at a link or an anchor that does not exist.
"""

import argparse
import json
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[1]

HOME: Final = "README.md"
LISTEN: Final = "listen.md"
"""Page of the samples, on the site alone."""

_FILES: Final = (HOME, "CONTRIBUTING.md", "CHANGELOG.md", "LICENSE")

_GUIDES: Final = {
    "Play": (
        *("install", "keyboard", "horn", "daw", "band", "bird", "own-style"),
        *("generation", "book", "score", "musicgen"),
    ),
    "Train": (
        *("setup", "data", "small-experiment", "production-training", "evaluation"),
        *("researcher", "gpu"),
    ),
    "Share": ("publish", "portfolio"),
}
"""Guides by section, in order; others of the folder follow in a section of their own."""

_REFERENCE: Final = ("controls", "troubleshooting", "theory", "figures", "families", "hyperparameters")
"""Pages of docs/ in order; others follow."""

_FOLDERS: Final = {
    "samples": """- [Samples](samples/index.html) in every mode and several styles, as MIDI and MP3; each is
  the best of several by figures that stand beside it.""",
    "portfolio": """- [The model's figures](portfolio/index.html) beside their commands, demos that were not
  chosen, and [slides](portfolio/slides.html).""",
}
"""What is said of a folder of pages to listen to."""

_CORPUS: Final = """
`tatumflow samples -o DIR --corpus PACKED` makes such a page with players' real stretches beside the
samples, and a blind test; [the guide](docs/guide/generation.md#listen-and-compare) says how. Corpora are not
part of this site."""

_LAST: Final = ("docs/architecture.md", "CONTRIBUTING.md", "docs/log.md", "CHANGELOG.md")


def navigation(root: Path) -> dict[str, list[str]]:
    """Return the pages of each section; every page of the repository but the first is in one of them.

    Args:
        root: The repository.
    """
    guides = [path.stem for path in sorted((root / "docs" / "guide").glob("*.md"))]
    others = [path.stem for path in sorted((root / "docs").glob("*.md"))]
    listed = {name for names in _GUIDES.values() for name in names}
    sections = {
        title: [f"docs/guide/{name}.md" for name in names if name in guides]
        for title, names in _GUIDES.items()
    }
    sections["More guides"] = [f"docs/guide/{name}.md" for name in guides if name not in listed]
    pages = [f"docs/{name}.md" for name in (*_REFERENCE, *others) if name in others]
    sections["Reference"] = [page for page in dict.fromkeys(pages) if page not in _LAST]
    sections["Project"] = [page for page in _LAST if (root / page).is_file()]
    return {title: pages for title, pages in sections.items() if pages}


def gather(root: Path, source: Path, folders: Mapping[str, Path]) -> None:
    """Copy the pages and what they show to a new folder.

    Args:
        root: The repository.
        source: The folder; one of an earlier build is replaced.
        folders: Folders of pages to listen to, by their name on the site.
    """
    shutil.rmtree(source, ignore_errors=True)
    source.mkdir(parents=True)
    for name in _FILES:
        shutil.copyfile(root / name, source / name)
    shutil.copytree(root / "docs", source / "docs")
    for name, folder in folders.items():
        shutil.copytree(folder, source / name)
    if folders:
        (source / LISTEN).write_text("\n".join(_listen(folders)) + "\n", encoding="utf-8")


def configuration(sections: Mapping[str, Sequence[str]], *, listen: bool) -> str:
    """Return the text of zensical.toml.

    Args:
        sections: The pages of each section.
        listen: Whether there is a page of samples.
    """
    entries = [{"Home": HOME}, *([{"Listen": LISTEN}] if listen else ())]
    entries += [{title: list(pages)} for title, pages in sections.items()]
    return "\n".join(
        [
            "[project]",
            'site_name = "TatumFlow"',
            'site_description = "A companion that improvises with you."',
            'docs_dir = "pages"',
            'site_dir = "site"',
            f"nav = [{', '.join(map(_inline, entries))}]",
            "",
            "[project.theme]",
            "# No fonts or scripts of other hosts.",
            "font = false",
            'features = ["navigation.sections", "navigation.top", "content.code.copy"]',
            "",
        ]
    )


def _inline(entry: Mapping[str, object]) -> str:
    """Return an entry as an inline table of TOML, whose strings and arrays are those of JSON."""
    return "{" + ", ".join(f"{json.dumps(key)} = {json.dumps(value)}" for key, value in entry.items()) + "}"


def _listen(folders: Iterable[str]) -> Iterator[str]:
    yield "# Listen\n"
    for name in folders:
        yield _FOLDERS[name]
    yield _CORPUS


def main() -> int:
    """Build the site and return the exit status of its tool."""
    parser = argparse.ArgumentParser(description="Build the site into FOLDER/site.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--samples", type=Path, help="a folder that `tatumflow samples` wrote")
    parser.add_argument("--portfolio", type=Path, help="a folder that `tatumflow portfolio` wrote")
    given = parser.parse_args()
    folders = {name: getattr(given, name) for name in ("samples", "portfolio")}
    folders = {name: folder for name, folder in folders.items() if folder is not None}
    for folder in folders.values():
        if not (folder / "index.html").is_file():
            parser.error(f"{folder}: has no index.html")
    gather(ROOT, given.folder / "pages", folders)
    file = given.folder / "zensical.toml"
    file.write_text(configuration(navigation(ROOT), listen=bool(folders)), encoding="utf-8")
    command = [sys.executable, "-m", "zensical", "build", "--strict", "--clean", "--config-file", str(file)]
    return subprocess.run(command, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
