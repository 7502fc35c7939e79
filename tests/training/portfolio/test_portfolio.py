"""The portfolio: figures of files alone, each beside its command; slides that need no other file."""

import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest

from tatumflow.engine.errors import SettingError
from tatumflow.engine.midi.midi_file import read_midi
from tatumflow.engine.model.bundle import load_bundle
from tatumflow.live import cli
from tatumflow.live.bench.report import Figure, Target
from tatumflow.live.bench.report import write_figures as write_bench
from tatumflow.training.portfolio.commands import SLIDE_ROWS, make_portfolio
from tatumflow.training.portfolio.figures import FigureRow, read_tables


def figures_file(path: Path, **figures: Any) -> Path:
    header = {"command": "tatumflow evaluate mine --only nll", "model": "mine", "seed": 3}
    path.write_text(json.dumps(header | figures), encoding="utf-8")
    return path


def test_every_kind_of_figure_becomes_a_row(tmp_path: Path) -> None:
    file = figures_file(
        tmp_path / "f.json",
        nll_per_note={"value": 7.25, "interval": [7.0, 7.5]},
        music={"density": {"generated": 8.3, "generated_interval": [8.0, 8.6], "real": 8.5}},
        skipped={"latent": "no encoder"},
    )
    (table,) = read_tables([file])
    assert (table.source, table.command, table.model) == (
        "f.json",
        "tatumflow evaluate mine --only nll",
        "mine",
    )
    assert table.rows == (
        FigureRow("nll per note", "7.250 [7.000, 7.500]"),
        FigureRow("music: density", "8.300 [8.000, 8.600] (real 8.500)"),
    )


def test_a_file_of_the_benchmark_keeps_its_targets(tmp_path: Path) -> None:
    figures = [
        Figure.of("note_cost", "ms", [1.0, 2.0, 3.0], Target(p50=3.0, p99=6.0)),
        Figure.of("peer", "ratio", [0.5, 0.5], Target(max=0.25)),
        Figure.of("start", "s", [1.0], Target()),
    ]
    write_bench(figures, "mine", "tatumflow bench --model mine", tmp_path / "bench.json")
    (table,) = read_tables([tmp_path / "bench.json"])
    assert table.rows == (
        FigureRow("note cost ms", "2.00 / 2.98 / 3.00 (p50 / p99 / max)", "p50 ≤ 3, p99 ≤ 6: met"),
        FigureRow("peer ratio", "0.50 / 0.50 / 0.50 (p50 / p99 / max)", "max ≤ 0.25: missed"),
        FigureRow("start s", "1.00 / 1.00 / 1.00 (p50 / p99 / max)"),
    )


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('{"model": "mine", "nll": {"value": 1.0}}', "does not name its command"),
        ('{"model": "mine", "command": "tatumflow bench"}', "holds no figures"),
        ('{"nll": 1.0}', "has no figures of a model"),
        ("[", "has no figures of a model"),
    ],
)
def test_a_file_without_command_or_figures_is_refused(tmp_path: Path, content: str, message: str) -> None:
    file = tmp_path / "f.json"
    file.write_text(content, encoding="utf-8")
    with pytest.raises(SettingError, match=message):
        read_tables([file])


def test_the_command_writes_page_demos_and_slides(
    tiny_bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    many = {f"figure_{i}": {"value": i + 0.125} for i in range(SLIDE_ROWS + 1)}
    file, out = figures_file(tmp_path / "f.json", **many), tmp_path / "new" / "portfolio"
    arguments = [tiny_bundle, "-o", out, "--figures", file, "--seed", 3]
    monkeypatch.setattr(sys, "argv", ["tatumflow", "portfolio", *map(str, arguments)])
    monkeypatch.setattr(cli, "_write_sound", lambda path, tracks: path.write_bytes(b"sound"))
    for _ in range(2):
        with pytest.raises(SystemExit) as end:
            cli.main()
        assert not end.value.code
    assert f"page {out / 'index.html'}, slides {out / 'slides.html'}" in capsys.readouterr().out
    page, slides = ((out / name).read_text(encoding="utf-8") for name in ("index.html", "slides.html"))
    for text in (page, slides):
        assert "tatumflow evaluate mine --only nll" in text
        assert all(f"{i + 0.125:.3f}" in text for i in range(SLIDE_ROWS + 1))
        assert "tatumflow portfolio tiny -o DIR --figures f.json --seed 3" in text
        assert not re.search(r"(src|href)=\"(https?:)?//", text)
    assert slides.count("Measured: mine") == 2
    assert 'src="data:audio/mpeg;base64,' in slides
    assert not re.findall(r'(?:src|href)="(?!data:)', slides), "slides are one file"
    linked = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert all((out / name).is_file() for name in linked)
    demos = [name for name in linked if name.endswith(".mid")]
    assert demos
    assert len(read_midi(out / demos[0]).notes) > 8
    for metric in load_bundle(tiny_bundle).manifest.metrics:
        assert f"{metric.value:.4g}" in page or f"{metric.value:,.0f}" in page


def test_without_a_synthesizer_the_demos_are_midi(tiny_bundle: Path, tmp_path: Path) -> None:
    made = make_portfolio(str(tiny_bundle), tmp_path / "out")
    assert made.silent
    assert "MIDI only" in made.page.read_text(encoding="utf-8")
    assert "<audio" not in made.slides.read_text(encoding="utf-8")
    with pytest.raises(SettingError, match="is a file"):
        make_portfolio(str(tiny_bundle), made.page)
