"""Benchmarks measure what they say, and their report states targets and verdicts."""

import io
import json
from pathlib import Path

import pytest
from rich.console import Console

from tatumflow.engine.errors import SettingError
from tatumflow.live.bench.command import bench
from tatumflow.live.bench.report import Figure, Target, print_figures, write_figures


def test_a_figure_is_held_to_every_part_of_its_target() -> None:
    samples = [1.0] * 99 + [9.0]
    figure = Figure.of("cost", "ms", samples, Target(p50=2.0, max=9.0))
    assert (figure.count, figure.p50, figure.max, figure.met) == (100, 1.0, 9.0, True)
    assert not Figure.of("cost", "ms", samples, Target(p50=2.0, max=8.0)).met
    assert not Figure.of("cost", "ms", samples, Target(p50=0.5)).met


def test_the_table_names_target_and_verdict() -> None:
    out = io.StringIO()
    figures = [
        Figure.of("cost", "ms", [1.0], Target(p99=2.0)),
        Figure.of("lag", "ms", [3.0], Target(max=2.0)),
    ]
    print_figures(figures, "tiny", Console(file=out, width=120))
    cost, lag = (line for line in out.getvalue().splitlines() if "(ms)" in line)
    assert "p99 <= 2" in cost
    assert "met" in cost
    assert "missed" in lag


def test_an_unwritable_file_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="cannot be written"):
        write_figures([], "tiny", "tatumflow bench", tmp_path / "no" / "folder.json")


def test_a_whole_run_on_a_small_model(tiny_bundle: Path, tmp_path: Path) -> None:
    file = tmp_path / "bench.json"
    figures = bench(str(tiny_bundle), file, notes=100)
    content = json.loads(file.read_text())
    assert content["command"] == "tatumflow bench --model tiny"
    for figure in figures:
        assert content[f"{figure.name}_{figure.unit}"]["p99"] == figure.p99
    assert [figure.name for figure in figures] == ["note_cost", "absorb", "thru", "jitter", "startup"]
    for figure in figures:
        assert figure.count == (3 if figure.name == "startup" else 100)
        assert 0 < figure.p50 <= figure.p99 <= figure.max < 10_000
