"""The commands of the pages in docs: those that are marked run, and every one names what exists.

A fenced `sh` block after a line `<!-- run -->` is run. The blocks of a page are run in their order in one
folder, which has the repository's `configs` and `exports` and a folder `music` of made MIDI files of two
players. A mark may shorten what would take long by substitutions, each applied to the whole block:
`<!-- run: "--seconds 60" -> "--seconds 5"; "max_steps=300" -> "max_steps=3" -->`.
"""

import re
import shlex
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from command_line import Run, run
from swing_pieces import swing_piece
from typer.main import get_command

from tatumflow.engine.midi.midi_file import MidiTrack, write_midi
from tatumflow.engine.midi.notes import Note
from tatumflow.live import cli

__all__ = ["run"]

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])
BLOCK = re.compile(
    r"(?:^<!-- run(?P<mark>:.*?)? -->\n)?^```(?P<language>\w*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL
)
MARK = re.compile(r"^<!-- run\b.*?-->$", re.MULTILINE | re.DOTALL)
SUBSTITUTION = re.compile(r'"(?P<old>[^"]+)" -> "(?P<new>[^"]*)"')

PLAYERS = {"ann": 30, "bob": 36}
"""The made players, each with the name of a piece that falls on the validation side."""


@dataclass(frozen=True)
class Block:
    """A fenced block of a page.

    Attributes:
        language: What follows the fence.
        text: Its lines.
        mark: What follows `run` in the mark before it; None without a mark.
    """

    language: str
    text: str
    mark: str | None

    @property
    def shortened(self) -> str:
        """The lines as the test runs them.

        Raises:
            AssertionError: if the mark replaces what the block does not have.
        """
        text = self.text
        for found in SUBSTITUTION.finditer(self.mark or ""):
            assert found["old"] in text, f"{found['old']!r} is not in the block"
            text = text.replace(found["old"], found["new"])
        return text


def blocks(page: str) -> list[Block]:
    """Return the fenced blocks of a page."""
    found: list[Block] = []
    for match in BLOCK.finditer(page):
        marked = match.group(0).startswith("<!--")
        found.append(Block(match["language"], match["text"], (match["mark"] or "") if marked else None))
    return found


def commands(text: str) -> Iterator[str]:
    """Yield the commands of a block, lines that end with a backslash joined, comments left out."""
    for line in text.replace("\\\n", " ").splitlines():
        if words := shlex.split(line, comments=True):
            yield shlex.join(words) if words[0] == "tatumflow" else line


def marked(page: Path) -> list[Block]:
    return [block for block in blocks(page.read_text(encoding="utf-8")) if block.mark is not None]


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to work in, with the repository's models and configurations and some music."""
    for name in ("configs", "exports"):
        (tmp_path / name).symlink_to(ROOT / name)
    for player, held_out in PLAYERS.items():
        (tmp_path / "music" / player).mkdir(parents=True)
        for number in (0, 1, held_out):
            piece = swing_piece(number, 24).notes
            notes = [
                Note(float(n["onset"]), float(n["duration"]), int(n["pitch"]), int(n["velocity"]))
                for n in piece
            ]
            write_midi(tmp_path / "music" / player / f"{number}.mid", [MidiTrack("piano", notes)])
    monkeypatch.chdir(tmp_path)
    for name in ("HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME"):
        monkeypatch.setenv(name, str(tmp_path / "home"))
    monkeypatch.setenv("TATUMFLOW_SETTINGS", str(tmp_path / "home" / "settings.yaml"))
    return tmp_path


@pytest.mark.parametrize("page", [page for page in PAGES if marked(page)], ids=lambda page: page.stem)
def test_the_marked_commands_run(page: Path, desk: Path, run: Run) -> None:
    for block in marked(page):
        assert block.language == "sh", f"a {block.language or 'plain'} block is marked to be run"
        for command in commands(block.shortened):
            words = shlex.split(command)
            if words[0] == "tatumflow":
                status, out, err = run(*words[1:])
                assert status == 0, f"{command}\n{out}{err}"
            else:
                subprocess.run(["bash", "-euo", "pipefail", "-c", command], check=True, cwd=desk)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_a_mark_stands_before_a_block(page: Path) -> None:
    assert len(MARK.findall(page.read_text(encoding="utf-8"))) == len(marked(page))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_commands_and_options_exist(page: Path) -> None:
    cli._mount_commands()
    app = get_command(cli.app)
    for block in blocks(page.read_text(encoding="utf-8")):
        if block.language != "sh":
            continue
        for command in commands(block.text):
            if not command.startswith("tatumflow "):
                continue
            words, found = shlex.split(command)[1:], app
            while words and words[0] in getattr(found, "commands", {}):
                found = getattr(found, "commands", {})[words.pop(0)]
            options = {
                name for parameter in found.params for name in (*parameter.opts, *parameter.secondary_opts)
            }
            given = {word.partition("=")[0] for word in words if re.match(r"--?[a-z]", word)}
            assert given - {"--help"} <= options, f"{command}: {sorted(given - options)}"


def test_blocks_are_found_and_shortened() -> None:
    page = '<!-- run: "60" -> "5" -->\n```sh\ntatumflow generate \\\n    --seconds 60  # long\n```\n\n'
    page += "```sh\nls\n```\n"
    first, second = blocks(page)
    assert list(commands(first.shortened)) == ["tatumflow generate --seconds 5"]
    assert second.mark is None
    with pytest.raises(AssertionError, match="not in the block"):
        _ = Block("sh", "ls\n", ': "60" -> "5"').shortened
