"""Export of a trained separator: an ONNX graph, checked, with its manifest and card."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
import torch
from torch import Tensor

from tatumflow.engine.model.model_folder import CorpusCredit, Metric
from tatumflow.engine.separation.bundle import (
    SEPARATOR_FILE,
    SEPARATOR_FORMAT,
    SeparatorBundle,
    SeparatorManifest,
    StemEntry,
)
from tatumflow.engine.separation.onnx_separator import (
    PLANES_INPUT,
    STEMS_OUTPUT,
    OnnxBlockModel,
    state_names,
)
from tatumflow.training.export.card import CARD_FILE
from tatumflow.training.export.errors import ExportError
from tatumflow.training.export.files import own_version, whole_folder, write_graphs
from tatumflow.training.export.onnx_files import OPSET, traced
from tatumflow.training.export.parity import TOLERANCE
from tatumflow.training.models.tfswa_unet.graph import SeparatorGraph
from tatumflow.training.models.tfswa_unet.model import TfswaUnet
from tatumflow.training.separation.checkpoint import TrainedSeparator, open_separator
from tatumflow.training.separation.data.parts import Recording
from tatumflow.training.separation.data.stem_folder import read_stem_folder
from tatumflow.training.separation.export.card import separator_card
from tatumflow.training.separation.export.figures import streamed_gains
from tatumflow.training.separation.quartet.credits import quartet_credits

LICENCE: Final = "CC-BY-SA-4.0"
"""Licence of weights trained on synthetic mixes: notes of a free database, played by free SoundFonts, one of
which requires it."""

_GRAPH: Final = "separator"
_WRAP: Final = 1.5
"""Blocks of the check per block of the time attention's context."""


def export_separator(
    checkpoint: Path,
    out: Path,
    name: str,
    *,
    quartets: Path | None = None,
    licence: str = LICENCE,
) -> SeparatorManifest:
    """Export a checkpoint as a separator, and check the graph against the model.

    Args:
        checkpoint: A checkpoint of a causal model, which `tatumflow train` wrote.
        out: Folder of the separator; a separator there is replaced.
        name: Its name.
        quartets: Folder of the synthetic mixes that it was trained on: `train` in it for credits, `val` for
            measuring the graph; None for neither.
        licence: Licence of its weights.

    Raises:
        CheckpointError: if the checkpoint cannot be read or is of another family.
        CorpusError: if the mixes cannot be read.
        ExportError: if the model looks ahead, the graph differs from it, or `out` cannot be written.
    """
    trained = open_separator(checkpoint)
    command = f"tatumflow export {checkpoint.name} --name {name}"
    if quartets is None:
        return write_separator(trained, out, name, command, licence=licence)
    credits = quartet_credits(quartets / "train")
    held_out = read_stem_folder(quartets / "val", trained.model.config.stem_set)
    command += " --corpus QUARTETS"
    return write_separator(trained, out, name, command, credits, held_out, licence=licence)


def write_separator(
    trained: TrainedSeparator,
    out: Path,
    name: str,
    command: str,
    credits: tuple[CorpusCredit, ...] = (),
    held_out: Sequence[Recording] = (),
    *,
    licence: str = LICENCE,
) -> SeparatorManifest:
    """Write a model as a separator; see `export_separator`. The metrics name the command."""
    model = trained.model
    config = model.config
    if not config.causal:
        raise ExportError(f"{name}: the model looks ahead and cannot separate a stream; train a causal one")
    past = [state[0] for state in model.beginning()]
    inputs, outputs = state_names(len(past))
    planes = torch.zeros(4, config.stft.bins, config.block)
    with whole_folder(out, SEPARATOR_FILE) as folder:
        graph = traced(
            SeparatorGraph(model),
            (planes, *past),
            [PLANES_INPUT, *inputs],
            [STEMS_OUTPUT, *outputs],
            ({}, tuple({} for _ in past)),
        )
        files = write_graphs(folder, {_GRAPH: graph}, "fp32")
        manifest = SeparatorManifest(
            format_version=SEPARATOR_FORMAT,
            name=name,
            family="tfswa_unet",
            stems=tuple(StemEntry(name=s.name, sources=s.sources) for s in config.stem_set.stems),
            rate=config.rate,
            window=config.window,
            hop=config.hop,
            block=config.block,
            states=tuple(tuple(state.shape) for state in past),
            graph=files[_GRAPH],
            opset=OPSET,
            licence=licence,
            corpora=credits,
            metrics=(),
            created_with=own_version(),
        )
        block_model = OnnxBlockModel(SeparatorBundle(manifest, folder))
        measured = check_separator(model, block_model)
        if held_out:
            measured |= streamed_gains(block_model, held_out)
        metrics = tuple(Metric(name=key, value=value, command=command) for key, value in measured.items())
        manifest = manifest.model_copy(update={"metrics": metrics})
        content = manifest.model_dump_json(indent=2) + "\n"
        (folder / SEPARATOR_FILE).write_text(content, encoding="utf-8")
        parameters = sum(weight.numel() for weight in model.parameters())
        card = separator_card(manifest, parameters, trained.steps, config.latency)
        (folder / CARD_FILE).write_text(card, encoding="utf-8")
    return manifest


@torch.inference_mode()
def check_separator(model: TfswaUnet, graph: OnnxBlockModel, seed: int = 0) -> dict[str, float]:
    """Return the errors of a graph against its model.

    Args:
        model: The model.
        graph: Its graph.
        seed: Seed of the noise that both separate.

    Returns:
        Greatest errors, relative for values above 1: "onnx_error", the graph block by block against the model
        block by block, and "streaming_error", against the model on all frames at once.

    Raises:
        ExportError: if one exceeds `TOLERANCE`.
    """
    config = model.config
    blocks = max(round(_WRAP * config.look_back), 2)
    rng = torch.Generator().manual_seed(seed)
    mixture = torch.randn(1, 4, config.stft.bins, blocks * config.block, generator=rng)
    pieces = mixture.split(config.block, dim=-1)
    past = model.beginning()
    stepped: list[Tensor] = []
    for piece in pieces:
        stems, past = model.step(piece, past)
        stepped.append(stems)
    graph.reset()
    found = np.concatenate([graph.separate(piece[0].numpy()) for piece in pieces], axis=-1)
    errors = {
        "onnx_error": _error(found, torch.cat(stepped, dim=-1)[0]),
        "streaming_error": _error(found, model(mixture)[0]),
    }
    for name, error in errors.items():
        if not error <= TOLERANCE:
            raise ExportError(f"{name}: the graph differs from the model by {error:.2g}, above {TOLERANCE:g}")
    return errors


def write_torchscript(model: TfswaUnet, path: Path) -> None:
    """Write a causal model's step as TorchScript, with the inputs and outputs of the ONNX graph.

    Raises:
        SettingError: if the model looks ahead.
        ExportError: if the file cannot be written.
    """
    past = [state[0] for state in model.beginning()]
    planes = torch.zeros(4, model.config.stft.bins, model.config.block)
    with torch.inference_mode():
        script = torch.jit.trace(SeparatorGraph(model).eval(), (planes, *past), check_trace=False)
    try:
        script.save(str(path))  # pyright: ignore[reportAttributeAccessIssue]
    except (OSError, RuntimeError) as error:
        raise ExportError(f"{path}: cannot be written ({str(error).splitlines()[0]})") from None


def _error(found: np.ndarray, expected: Tensor) -> float:
    true = expected.numpy()
    return float((np.abs(found - true) / np.maximum(np.abs(true), 1)).max())
