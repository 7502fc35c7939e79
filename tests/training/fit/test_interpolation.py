"""Weights between those of two checkpoints."""

from pathlib import Path

import pytest
import torch
from tiny_model import tiny_trained
from torch import nn

from tatumflow.engine.errors import SettingError
from tatumflow.training.export.checkpoint import load_checkpoint
from tatumflow.training.fit.checkpoint import CheckpointError
from tatumflow.training.fit.ema import EMA_KEY
from tatumflow.training.fit.interpolation import interpolate
from tatumflow.training.fit.start import start_from
from tatumflow.training.fit.trainable import CHECKPOINT_KEY
from tatumflow.training.models.tatumflow.model import TatumFlow

pytestmark = pytest.mark.slow


def model_of(seed: int, **changes: object) -> TatumFlow:
    torch.manual_seed(seed)
    model = TatumFlow(tiny_trained().model.config.model_copy(update=changes))
    for weight in model.parameters():
        nn.init.normal_(weight)
    return model.eval()


def save(
    path: Path, model: TatumFlow, *, average: TatumFlow | None = None, players: tuple[str, ...] = ()
) -> Path:
    """Write a checkpoint as a run does."""
    identity = {
        "family": "tatumflow",
        "model": model.config.model_dump(),
        "config": {"data": {"corpora": ["mine"]}},
        "styles": list(players),
    }
    content = {
        "global_step": 3,
        "state_dict": {f"model.{name}": tensor for name, tensor in model.state_dict().items()},
        CHECKPOINT_KEY: identity,
    }
    torch.save(content if average is None else content | {EMA_KEY: average.state_dict()}, path)
    return path


@pytest.mark.parametrize("share", [0.0, 0.25, 1.0])
def test_the_weights_lie_between_and_can_be_exported_and_begun_with(tmp_path: Path, share: float) -> None:
    one, two = model_of(1), model_of(2)
    # What counts of the second is its average.
    first = save(tmp_path / "first.ckpt", one)
    second = save(tmp_path / "second.ckpt", model_of(3), average=two)
    out = tmp_path / "new" / "between.ckpt"
    interpolate(first, second, share, out)
    found = load_checkpoint(out)
    assert (found.steps, found.corpora) == (3, ("mine",))
    begun = model_of(4)
    start_from(begun, out)
    for model in (found.model, begun):
        for (_, a), (_, b), (name, weight) in zip(
            one.named_parameters(), two.named_parameters(), model.named_parameters(), strict=True
        ):
            torch.testing.assert_close(weight, (1 - share) * a + share * b, msg=name)


def test_what_does_not_fit_together_is_refused(tmp_path: Path) -> None:
    first = save(tmp_path / "first.ckpt", model_of(1))
    wider = save(tmp_path / "wider.ckpt", model_of(1, hidden_dim=32))
    others = save(tmp_path / "others.ckpt", model_of(1), players=("art-tatum", "bud-powell"))
    out = tmp_path / "between.ckpt"
    for second in (wider, others):
        with pytest.raises(SettingError, match="differ in family, sizes or styles"):
            interpolate(first, second, 0.5, out)
    with pytest.raises(SettingError, match=r"share: 1\.5 is outside"):
        interpolate(first, first, 1.5, out)
    with pytest.raises(CheckpointError, match="no such checkpoint"):
        interpolate(first, tmp_path / "none.ckpt", 0.5, out)
    with pytest.raises(SettingError, match="cannot be written"):
        interpolate(first, first, 0.5, tmp_path)
    assert not out.exists()
