"""Figures of several models in one table."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from tatumflow.engine.errors import SettingError
from tatumflow.live import cli
from tatumflow.training.evaluate.report.families_table import families_table, read_figures

NOTES: dict[str, Any] = {
    "model": "notes",
    "command": "tatumflow evaluate notes --only nll",
    "note_accuracy": {"value": 0.25, "interval": [0.2, 0.3]},
    "pitch_entropy": {
        "generated": 4.1,
        "real": 4.0,
        "ratio": 1.02,
        "interval": [1.0, 1.1],
        "generated_interval": [3.9, 4.3],
    },
    "bebop": {
        "figures": {
            "enclosures": {
                "companion": {"value": 2.0, "interval": [1.0, 3.0]},
                "player": {"value": 2.5, "interval": [2.0, 3.0]},
            }
        }
    },
}
ROLLS: dict[str, Any] = {"model": "rolls", "played": {"pitch_entropy": 3.0, "rhythm_diversity": None}}


def cells(text: str) -> dict[str, list[str]]:
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if "|" in line
    ]
    return {row[0]: row[1:] for row in rows}


def test_each_model_has_a_column_and_each_figure_a_row():
    table = cells(families_table([("a", NOTES), ("b", ROLLS)]))
    assert table[""] == ["notes", "rolls"]
    assert table["notes predicted right"] == ["0.250 [0.200, 0.300]", "-"]
    assert table["pitch entropy (bits)"] == ["4.100 [3.900, 4.300] (real 4.000)", "3.000"]
    assert table["enclosures in 100 notes"] == ["2.000 [1.000, 3.000] (real 2.500)", "-"]


def test_rows_that_no_model_has_are_left_out():
    table = cells(families_table([("a", NOTES), ("b", ROLLS)]))
    assert "rhythm diversity (bits)" not in table
    assert "perplexity of a token" not in table


def test_the_commands_stand_below_and_equal_names_are_told_by_their_files():
    text = families_table([("a", NOTES), ("b", NOTES), ("c", ROLLS)])
    assert "- notes (a): `tatumflow evaluate notes --only nll`" in text
    assert "- notes (b): " in text
    assert "- rolls: `no command in the file`" in text


@pytest.mark.parametrize("content", ["no JSON", "[1]", "{}"])
def test_a_file_without_figures_is_refused(tmp_path: Path, content: str):
    (tmp_path / "x.json").write_text(content)
    with pytest.raises(SettingError, match=r"x\.json: has no figures"):
        read_figures(tmp_path / "x.json")
    with pytest.raises(SettingError, match="cannot be read"):
        read_figures(tmp_path / "absent.json")


def test_the_command_writes_the_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any):
    for figures in (NOTES, ROLLS):
        (tmp_path / f"{figures['model']}.json").write_text(json.dumps(figures))
    files, out = [str(tmp_path / "notes.json"), str(tmp_path / "rolls.json")], tmp_path / "table.md"
    for arguments in (files, [*files, "-o", str(out)]):
        monkeypatch.setattr(sys, "argv", ["tatumflow", "table", *arguments])
        with pytest.raises(SystemExit) as end:
            cli.main()
        assert not end.value.code
    printed = capsys.readouterr().out
    assert (
        out.read_text()
        == printed.removesuffix(f"{out}\n")
        == families_table([("notes", NOTES), ("rolls", ROLLS)])
    )
