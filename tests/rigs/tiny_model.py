"""A TatumFlow model small enough to export while tests wait."""

from functools import cache
from pathlib import Path
from unittest import mock

import torch
from torch import nn

from tatumflow.training.export import commands
from tatumflow.training.export.checkpoint import TrainedModel
from tatumflow.training.export.onnx_files import Model, float_models
from tatumflow.training.export.target import Target
from tatumflow.training.models.tatumflow.config import TatumFlowConfig
from tatumflow.training.models.tatumflow.decoder import Block, FieldHead
from tatumflow.training.models.tatumflow.model import TatumFlow

STYLES = ("", "art-tatum", "bud-powell", "charlie-parker")


def tiny_trained() -> TrainedModel:
    """Return a model of two layers with random weights, every part of which has an effect."""
    config = TatumFlowConfig(
        hidden_dim=64,
        condition_dim=32,
        num_layers=2,
        num_heads=4,
        num_kv_heads=2,
        mlp_dim=128,
        head_dim_inner=64,
        max_seq_len=128,
        num_styles=len(STYLES),
        latent_dim=8,
        theory_dim=4,
        encoder_dim=32,
        encoder_layers=1,
        encoder_heads=2,
        flow_dim=32,
        flow_layers=2,
        phrase_len=16,
    )
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = TatumFlow(config).eval()
        for block in (*model.flow.blocks, model.flow.leave):
            for parameter in block.parameters():
                nn.init.normal_(parameter, std=0.2)
        nn.init.normal_(model.decoder.style_embedding.weight, std=0.5)
        nn.init.normal_(model.decoder.style_input.weight, std=0.1)
        tables = [*model.decoder.metre_embeddings]
        for head in model.decoder.heads:
            assert isinstance(head, FieldHead)
            tables += [*head.metre, *([] if head.landing is None else [head.landing])]
        for table in tables:
            assert isinstance(table, nn.Embedding | nn.Linear)
            nn.init.normal_(table.weight, std=0.1)
        for block in model.decoder.blocks:
            assert isinstance(block, Block)
            nn.init.normal_(block.modulation.weight, std=0.5)
            nn.init.normal_(block.attention.sink)
            nn.init.normal_(block.attention.out.weight, std=0.1)
            nn.init.uniform_(block.norm_attention.weight, 0.5, 1.5)
            nn.init.uniform_(block.norm_mlp.weight, 0.5, 1.5)
    return TrainedModel(model, STYLES, steps=0, corpora=())


@cache
def tiny_float_models() -> dict[str, Model]:
    """Return the tiny model's graphs in float32, traced once for the whole suite."""
    model = tiny_trained().model
    return float_models(model, model.config.max_seq_len)


def export_tiny(out: Path, target: Target = Target.CPU) -> Path:
    """Export the tiny model to the folder `out` and return it."""
    with mock.patch.object(commands, "float_models", return_value=tiny_float_models()):
        commands.export_model(tiny_trained(), out, "tiny", command="pytest", target=target)
    return out
