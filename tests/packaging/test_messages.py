"""Commands that messages and pages name exist, and troubleshooting quotes what a program says."""

import ast
import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import typer.main

from tatumflow.live import cli

SOURCES = ("engine", "live", "training")
HOLE = "…"
"""Stands for what a message fills in."""

_COMMAND = re.compile(r"(?<![\w./:-])tatumflow ((?:[a-z][a-z-]+ ?)+)([^`\n;]*)")


@cache
def commands() -> Any:
    cli._mount_commands()
    return typer.main.get_command(cli.app)


@cache
def trees(root: Path) -> tuple[tuple[Path, ast.Module], ...]:
    paths = [path for package in SOURCES for path in sorted((root / package).rglob("*.py"))]
    return tuple((path, ast.parse(path.read_text(encoding="utf-8"))) for path in paths)


def text_of(node: ast.AST) -> str:
    """Return the text of a string, with `HOLE` where it is filled in, by `%s` too; empty for no string."""
    if isinstance(node, ast.Constant):
        return node.value.replace("%s", HOLE) if isinstance(node.value, str) else ""
    if isinstance(node, ast.JoinedStr):
        return "".join(text_of(part) or HOLE for part in node.values)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return (text_of(node.left) or HOLE) + (text_of(node.right) or HOLE)
    return ""


def unknown(text: str) -> list[str]:
    """Return the commands and options that a text names after `tatumflow` and that do not exist."""
    missing: list[str] = []
    for match in _COMMAND.finditer(" ".join(text.split(" "))):
        command, words = commands(), match[1].split()
        depth = 0
        while words and hasattr(command, "commands") and words[0] in command.commands:
            command, depth = command.commands[words.pop(0)], depth + 1
        if depth == 0:
            missing.append(f"tatumflow {match[1].strip()}")
            continue
        known = {name for option in command.params for name in (*option.opts, *option.secondary_opts)} | {
            "--help"
        }
        rest = match[2].partition("#")[0].partition("|")[0]
        missing += [
            f"tatumflow {match[1].strip()}: {name}"
            for name in re.findall(r"(?<!\S)(--[a-z][a-z0-9-]+)", rest)
            if name not in known
        ]
    return missing


def code_of(page: str) -> list[str]:
    """Return what a page shows as code: blocks, a command a line, and spans."""
    blocks = re.findall(r"(?ms)^ *```\w*\n(.*?)^ *```", page)
    indented = re.findall(r"(?m)^    (tatumflow .*)$", page)
    lines = [line for block in blocks for line in block.replace("\\\n", " ").splitlines()]
    return [*lines, *indented, *re.findall(r"`([^`]+)`", re.sub(r"(?ms)^ *```.*?^ *```", "", page))]


def test_commands_named_by_messages_and_help_exist(root: Path):
    found = {
        f"{path.relative_to(root)}: {name}"
        for path, tree in trees(root)
        for node in ast.walk(tree)
        for quoted in re.findall(r"`([^`]+)`", text_of(node))
        for name in unknown(quoted.replace("\n", " "))
    }
    assert not found


def test_commands_named_by_pages_exist(root: Path):
    pages = [root / "README.md", root / "CONTRIBUTING.md", *(root / "docs").rglob("*.md")]
    found = {
        f"{page.relative_to(root)}: {name}"
        for page in pages
        if page.name != "log.md"
        for code in code_of(page.read_text(encoding="utf-8"))
        for name in unknown(code)
    }
    assert not found


@pytest.mark.parametrize(
    ("text", "missing"),
    [
        ("tatumflow play a.mid -o b.mid --seed 7", []),
        ("tatumflow data prepare a --beats B", []),
        ("tatumflow player a.mid", ["tatumflow player"]),
        ("tatumflow play --sed 7", ["tatumflow play: --sed"]),
        ("pip install tatumflow", []),
    ],
)
def test_what_does_not_exist_is_found(text: str, missing: list[str]):
    assert unknown(text) == missing


def quoted_messages(root: Path) -> list[str]:
    """Return what the first columns of troubleshooting quote, but for commands and settings."""
    page = (root / "docs" / "troubleshooting.md").read_text(encoding="utf-8")
    cells = re.findall(r"(?m)^\| (.+?) (?<!\\)\| ", page)
    return [
        quote.replace("\\|", "|")
        for cell in cells
        for quote in re.findall(r"`([^`]+)`", cell)
        if " " in quote
    ]


def says(quote: str, lines: str) -> bool:
    """Return whether one of the lines holds what is quoted, `HOLE` in either standing for any text."""
    return re.search("[^\n]*".join(re.escape(part.strip()) for part in quote.split(HOLE)), lines) is not None


@cache
def messages(root: Path) -> dict[str, str]:
    """Return the strings of the sources, a line each, by the class of the error that they are raised with."""
    found: dict[str, list[str]] = {}
    for _, tree in trees(root):
        raised: dict[int, str] = {}
        nodes = list(ast.walk(tree))
        for node in nodes:
            if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call):
                name = getattr(node.exc.func, "id", getattr(node.exc.func, "attr", ""))
                raised |= {id(part): name for part in ast.walk(node.exc)}
        for node in nodes:
            if text := text_of(node):
                found.setdefault(raised.get(id(node), ""), []).append(" ".join(text.split()))
    return {name: "\n".join(texts) for name, texts in found.items()}


NOT_OURS = ("No Python 3.11", "ensurepip")
"""Quoted messages of the shell scripts and of Python."""


def test_troubleshooting_quotes_what_a_program_says(root: Path):
    said = "\n".join(messages(root).values())
    quotes = [quote for quote in quoted_messages(root) if not quote.startswith(NOT_OURS)]
    assert len(quotes) > 60
    assert not [quote for quote in quotes if not says(quote, said)]


def test_troubleshooting_has_every_kind_of_error(root: Path):
    classes = {
        node.name: {getattr(base, "id", "") for base in node.bases}
        for _, tree in trees(root)
        for node in tree.body
        if isinstance(node, ast.ClassDef)
    }
    typed, grown = {"TatumFlowError"}, True
    while grown:
        more = {name for name, bases in classes.items() if bases & typed} - typed
        typed, grown = typed | more, bool(more)
    raised = {name: lines for name, lines in messages(root).items() if name in typed}
    quotes = quoted_messages(root)
    assert len(raised) > 12
    assert not [name for name, lines in raised.items() if not any(says(quote, lines) for quote in quotes)]
