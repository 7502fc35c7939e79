"""Two models on the same notes: paired figures, and the command on checkpoints, runs and bundles."""

import json
import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from swing_pieces import swing_piece
from tiny_model import STYLES, tiny_trained
from torch import nn

from tatumflow.engine.errors import CorpusError
from tatumflow.engine.midi.notes import Note, Role
from tatumflow.engine.model.sampling import Sampling
from tatumflow.engine.model.tokens import FIELD_SIZES
from tatumflow.training.data.packing import PackedCorpus, pack
from tatumflow.training.data.windows import Window
from tatumflow.training.evaluate.commands import evaluate
from tatumflow.training.evaluate.compare.model_comparison import compare, compare_models, table
from tatumflow.training.evaluate.opened_model import OpenedModel
from tatumflow.training.evaluate.settings import EvaluationSettings
from tatumflow.training.export.checkpoint import load_checkpoint
from tatumflow.training.export.errors import ExportError
from tatumflow.training.fit.checkpoint import CheckpointError, open_checkpoint
from tatumflow.training.fit.trainable import CHECKPOINT_KEY
from tatumflow.training.models import build_model

pytestmark = pytest.mark.slow

UNIFORM = sum(math.log(size) for size in FIELD_SIZES)


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a corpus with the styles of the tiny bundle."""
    path = tmp_path_factory.mktemp("comparison") / "packed"
    players = [name.replace("-", " ").title() for name in STYLES[1:]]
    pieces = [replace(swing_piece(i, 8, name=f"train-{i}"), player=name) for i, name in enumerate(players)]
    for i, name in enumerate([*players, *players]):
        piece = replace(swing_piece(10 + i, 6 + 2 * i, "val", f"val-{i}"), player=name)
        if i % 2:
            piece.notes["velocity"] = 0
        pieces.append(piece)
    pack(pieces, path, min_style_notes=1)
    return path


class Foretelling:
    """Logits that favour the true value by a bonus, or the next one where `right` says no."""

    def __init__(self, bonus: float, right: Callable[[int], bool] = lambda _: True) -> None:
        self.bonus, self.right, self.seen = bonus, right, 0

    def logits(self, window: Window) -> list[NDArray[np.float32]]:
        self.seen += 1
        found = []
        for field, size in enumerate(FIELD_SIZES):
            scores = np.zeros((len(window.role), size), np.float32)
            wrong = 0 if self.right(self.seen) else 1
            scores[np.arange(len(scores)), (window.target[:, field] + wrong) % size] = self.bonus
            found.append(scores)
        return found


class Silent:
    """A stream of one note that does not change."""

    def turn(self, role: Role, style: int) -> None:
        pass

    def add(self, note: Note) -> None:
        pass

    def next_note(self, sampling: Sampling, rng: np.random.Generator) -> Note:
        return Note(0.0, 0.1, 60, 64)


def opened(logits: Foretelling, window: int = 64) -> OpenedModel:
    return OpenedModel("predicting", "torch", logits, window, STYLES, Silent)


def nats(bonus: float) -> float:
    """Return nats per note of values that a bonus is given to."""
    return sum(math.log(size - 1 + math.exp(bonus)) - bonus for size in FIELD_SIZES)


def test_the_difference_is_exact_where_it_is_the_same_everywhere(packed: Path) -> None:
    corpus = PackedCorpus.open(packed)
    pieces = corpus.pieces("val")
    result = compare_models(opened(Foretelling(0)), opened(Foretelling(2), window=100), corpus, pieces)
    assert result.pieces == len(pieces)
    assert result.notes == sum(piece.length for piece in pieces)
    assert result.a.nll_per_note.value == pytest.approx(UNIFORM, abs=1e-4)
    assert result.b.nll_per_note.value == pytest.approx(nats(2), abs=1e-4)
    assert result.difference.value == pytest.approx(UNIFORM - nats(2), abs=1e-4)
    assert result.difference.low > 0
    assert sum(field.value for field in result.a.nll_fields.values()) == pytest.approx(UNIFORM, abs=1e-4)


def test_a_model_does_not_differ_from_itself(packed: Path) -> None:
    corpus = PackedCorpus.open(packed)
    result = compare_models(opened(Foretelling(3)), opened(Foretelling(3)), corpus, corpus.pieces("val")[:2])
    assert (result.difference.value, result.difference.low, result.difference.high) == (0, 0, 0)


def test_a_difference_that_pieces_disagree_on_is_uncertain(packed: Path) -> None:
    corpus = PackedCorpus.open(packed)
    # Each piece fits one window, so the number of the window is that of the piece.
    unsure = opened(Foretelling(10, right=lambda number: number % 2 == 0), window=1000)
    result = compare_models(opened(Foretelling(0), window=1000), unsure, corpus, corpus.pieces("val"))
    assert result.difference.low < 0 < result.difference.high


def save(path: Path, family: str, model: nn.Module, settings: dict[str, object]) -> Path:
    """Write a checkpoint as a run does."""
    path.parent.mkdir(parents=True, exist_ok=True)
    identity = {"family": family, "model": settings, "config": {}, "styles": list(STYLES[1:])}
    weights = {f"model.{name}": tensor for name, tensor in model.state_dict().items()}
    torch.save({"global_step": 3, "state_dict": weights, CHECKPOINT_KEY: identity}, path)
    return path


@pytest.fixture(scope="module")
def baseline(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a run of a small Music Transformer."""
    settings: dict[str, object] = {"hidden_dim": 16, "num_layers": 1, "num_heads": 2, "mlp_dim": 16}
    settings |= {"max_seq_len": 32, "num_styles": len(STYLES)}
    torch.manual_seed(0)
    run = tmp_path_factory.mktemp("runs") / "baseline"
    save(run / "best.ckpt", "music_transformer", build_model("music_transformer", settings), settings)
    return run


def test_a_checkpoint_of_the_baseline_opens_again(baseline: Path) -> None:
    checkpoint = open_checkpoint(baseline / "best.ckpt")
    assert (checkpoint.family.name, checkpoint.max_seq_len, checkpoint.steps) == ("music_transformer", 32, 3)
    stored = torch.load(baseline / "best.ckpt", weights_only=True)["state_dict"]
    for name, weight in checkpoint.model.state_dict().items():
        assert torch.equal(stored[f"model.{name}"], weight)


def test_checkpoints_bundles_and_runs_are_compared(
    packed: Path, baseline: Path, tiny_bundle: Path, tmp_path: Path
) -> None:
    model = tiny_trained().model
    trained = save(tmp_path / "tiny" / "last.ckpt", "tatumflow", model, model.config.model_dump())
    result = compare(trained, baseline, packed, pieces=3, json_path=tmp_path / "figures.json")
    assert (result.a.model, result.a.runtime, result.a.window) == ("tiny/last.ckpt", "torch", 128)
    assert (result.b.model, result.b.runtime, result.b.window) == ("baseline/best.ckpt", "torch", 32)
    assert result.difference.value == pytest.approx(result.a.nll_per_note.value - result.b.nll_per_note.value)
    assert result.cost_ratio == pytest.approx(result.a.note_cost.p50 / result.b.note_cost.p50)
    content = json.loads((tmp_path / "figures.json").read_text())
    assert content["command"] == (
        "tatumflow compare tiny/last.ckpt baseline/best.ckpt --corpus PACKED --pieces 3"
    )
    assert content["difference"]["value"] == result.difference.value
    lines = "\n".join(table(result))
    assert "3 pieces" in lines
    assert f"{result.difference.value:7.3f}" in lines

    exported = compare(tiny_bundle, baseline, packed, pieces=3)
    assert exported.a.runtime == "onnx"
    assert exported.b.nll_per_note == result.b.nll_per_note
    # The bundle is the same model with int8 weights and a slightly shorter window.
    assert exported.a.nll_per_note.value == pytest.approx(result.a.nll_per_note.value, abs=0.05)


def test_the_baseline_is_evaluated_like_any_model(packed: Path, baseline: Path) -> None:
    figures = evaluate(baseline, [packed], EvaluationSettings(only=("nll",), limit=2)).figures
    assert figures["model"] == "baseline/best.ckpt"
    assert figures["nll_per_note"]["value"] == pytest.approx(UNIFORM, abs=2)


def test_what_has_no_graphs_is_not_exported(baseline: Path) -> None:
    with pytest.raises(ExportError, match="family 'music_transformer' has no graphs to export"):
        load_checkpoint(baseline / "best.ckpt")


def test_faults_of_a_comparison_are_reported_in_one_line(
    packed: Path, baseline: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    pack([swing_piece(0, 4, "val", "alone")], other)
    with pytest.raises(CorpusError, match="its 0 styles are not those of baseline/best"):
        compare(baseline, baseline, other)
    with pytest.raises(CheckpointError, match="no such checkpoint"):
        compare(tmp_path / "missing.ckpt", baseline, packed)
