"""Benchmarks measure what they say, and their report states targets and verdicts."""

import gc
import io
import json
from pathlib import Path

import pytest
from mock_melody_model import MockMelodyModel
from rich.console import Console

from tatumflow.engine.errors import SettingError
from tatumflow.engine.model.bundle import HEAD_GRAPHS, load_bundle
from tatumflow.engine.model.kv_cache import KVCache
from tatumflow.engine.model.onnx_decoder import OnnxDecoder
from tatumflow.live.bench import command, morph_cost
from tatumflow.live.bench.command import bench
from tatumflow.live.bench.report import Figure, Target, print_figures, write_figures
from tatumflow.live.bench.roofline import bytes_per_note, cache_bytes


def test_a_figure_is_held_to_every_part_of_its_target() -> None:
    samples = [1.0] * 99 + [9.0]
    figure = Figure.of("cost", "ms", samples, Target(p50=2.0, max=9.0))
    assert (figure.count, figure.p50, figure.max, figure.met) == (100, 1.0, 9.0, True)
    assert not Figure.of("cost", "ms", samples, Target(p50=2.0, max=8.0)).met
    assert not Figure.of("cost", "ms", samples, Target(p50=0.5)).met
    assert Figure.of("ready", "ratio", [True] * 19 + [False], Target(least_mean=0.95)).met
    assert not Figure.of("ready", "ratio", [True, False], Target(least_mean=0.95)).met


def test_the_collector_leaves_alone_what_was_there_before_as_in_the_engine(
    tiny_bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    frozen: list[int] = []

    def look(*_: object) -> tuple[Figure, ...]:
        frozen.append(gc.get_freeze_count())
        return (Figure.of("cost", "ms", [1.0], Target()),)

    monkeypatch.setattr(command, "BENCHMARKS", (look,))
    bench(str(tiny_bundle))
    assert frozen[0] > 10_000
    assert gc.get_freeze_count() < frozen[0]


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


def test_eighty_columns_cut_nothing_off() -> None:
    out = io.StringIO()
    target = Target(p50=3.0, p99=6.0, max=12.0)
    print_figures(
        [Figure.of("last_tenth_note_cost", "ms", [998.25], target)], "tiny", Console(file=out, width=80)
    )
    assert "…" not in out.getvalue()
    assert out.getvalue().count("998.25") == 4


def test_a_figure_without_a_target_has_no_verdict() -> None:
    out = io.StringIO()
    print_figures([Figure.of("ratio", "x", [3.0], Target())], "tiny", Console(file=out, width=120))
    assert "met" not in out.getvalue()


def test_a_note_reads_every_weight_and_every_cached_row(tiny_bundle: Path) -> None:
    bundle = load_bundle(tiny_bundle)
    cache = KVCache(bundle.shape)
    assert cache_bytes(bundle.shape) == cache.keys.nbytes + cache.values.nbytes
    weights = sum((tiny_bundle / f"{name}.onnx").stat().st_size for name in ("decoder", *HEAD_GRAPHS))
    assert bytes_per_note(bundle) == weights + cache_bytes(bundle.shape)


def test_an_unwritable_file_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="cannot be written"):
        write_figures([], "tiny", "tatumflow bench", tmp_path / "no" / "folder.json")


def test_a_morph_is_encoded_and_decoded_as_often_as_it_is_counted(
    monkeypatch: pytest.MonkeyPatch, tiny_bundle: Path
) -> None:
    model, bundle = MockMelodyModel(), load_bundle(tiny_bundle)
    monkeypatch.setattr(morph_cost, "find_melody_models", lambda: [tiny_bundle])
    monkeypatch.setattr(morph_cost, "open_melodies", lambda: model)
    (figure,) = morph_cost.morph(bundle, OnnxDecoder(bundle), 100)
    assert (figure.name, figure.unit, figure.count) == ("morph", "ms", 20)
    assert len(model.encoded) == 2 * model.decoded == 50
    monkeypatch.setattr(morph_cost, "find_melody_models", list)
    assert morph_cost.morph(bundle, OnnxDecoder(bundle), 100) == ()


@pytest.mark.slow
def test_a_whole_run_on_a_small_model(
    tiny_bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(morph_cost, "find_melody_models", list)
    file = tmp_path / "bench.json"
    figures = bench(str(tiny_bundle), file, notes=100)
    content = json.loads(file.read_text())
    assert content["command"] == "tatumflow bench --model tiny"
    for figure in figures:
        assert content[f"{figure.name}_{figure.unit}"]["p99"] == figure.p99
    keys = {f"{figure.name}_{figure.unit}" for figure in figures}
    assert keys == {
        *("note_cost_ms", "notes_per_second", "absorb_ms", "thru_ms", "jitter_ms", "turn_ready_ratio"),
        *("first_note_ms", "bar_line_ms", "startup_s", "roofline_ratio"),
    }
    counts = {"startup": 3, "turn_ready": 5, "first_note": 5, "bar_line": 2}
    for figure in figures:
        assert figure.count == counts.get(figure.name, 100)
        least = 0 if figure.name in ("turn_ready", "first_note") else 1e-9
        assert least <= figure.p50 <= figure.p99 <= figure.max < 1e6
