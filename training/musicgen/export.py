"""Export of a fine-tuned MusicGen model: a folder of transformers with its adapters merged, and checked."""

from pathlib import Path
from typing import Final

import torch
from torch import Tensor
from transformers import AutoProcessor

from tatumflow.engine.errors import BundleError
from tatumflow.engine.model.model_folder import Metric
from tatumflow.training.evaluate.settings import EvaluationSettings
from tatumflow.training.export.card import CARD_FILE
from tatumflow.training.export.errors import ExportError
from tatumflow.training.export.files import own_version, whole_folder
from tatumflow.training.export.parity import TOLERANCE
from tatumflow.training.models.musicgen.config import MusicgenModelConfig
from tatumflow.training.models.musicgen.manifest import (
    MUSICGEN_FILE,
    MUSICGEN_FORMAT,
    MusicgenManifest,
    TrainingRecordings,
    weight_file,
)
from tatumflow.training.models.musicgen.model import Musicgen
from tatumflow.training.models.musicgen.pretrained import quiet_library
from tatumflow.training.musicgen.card import musicgen_card
from tatumflow.training.musicgen.checkpoint import TrainedMusicgen, open_musicgen
from tatumflow.training.musicgen.evaluation import evaluate_musicgen

_CHECKED_FRAMES: Final = 50
_TEXTS: Final = ("be-bop jazz solo in F", "slow ballad")


def export_musicgen(checkpoint: Path, out: Path, name: str, corpus: Path | None = None) -> MusicgenManifest:
    """Export a checkpoint, and check the merged model against the one with adapters.

    Args:
        checkpoint: A checkpoint that `tatumflow train` wrote.
        out: Folder of the model; an exported MusicGen model there is replaced.
        name: Its name.
        corpus: Folder of recordings whose held-out side is measured; None for no figures.

    Raises:
        CheckpointError: if the checkpoint cannot be read or is of another family.
        CorpusError: if the recordings cannot be read.
        ExportError: if the merged model differs, or `out` cannot be written.
    """
    trained = open_musicgen(checkpoint)
    if trained.data is None:
        raise ExportError(f"{checkpoint}: is exported already; give a checkpoint of `tatumflow train`")
    command = f"tatumflow export {checkpoint.name} --name {name}"
    figures: dict[str, float] = {}
    if corpus is not None:
        command += " --corpus RECORDINGS"
        measured = evaluate_musicgen(checkpoint, corpus, EvaluationSettings())
        figures["held_out_cross_entropy"] = measured["cross-entropy"]["value"]
    return write_musicgen(trained, out, name, command, figures)


def write_musicgen(
    trained: TrainedMusicgen, out: Path, name: str, command: str, figures: dict[str, float]
) -> MusicgenManifest:
    """Write a trained model, whose adapters are merged in place; see `export_musicgen`."""
    model, codec = trained.model, trained.model.codec
    expected = _logits(model)
    merged = model.merged()
    with whole_folder(out, MUSICGEN_FILE) as folder:
        _save(model, folder)
        written = Musicgen(MusicgenModelConfig(base=str(folder), method="full")).eval()
        figures = {"merged_error": _error(_logits(written), expected), **figures}
        if not figures["merged_error"] <= TOLERANCE:
            raise ExportError(
                f"{name}: the merged model differs from the trained one by {figures['merged_error']:.2g}, "
                f"above {TOLERANCE:g}"
            )
        manifest = MusicgenManifest(
            format_version=MUSICGEN_FORMAT,
            name=name,
            family="musicgen",
            base=model.pretrained.name,
            method=model.config.method,
            rate=codec.rate,
            channels=codec.channels,
            codebooks=codec.codebooks,
            steps=trained.steps,
            weights=tuple(weight_file(file) for file in sorted(folder.glob("*.safetensors"))),
            licence=model.pretrained.licence,
            recordings=TrainingRecordings(
                names=trained.recordings,
                seconds=trained.seconds,
                licence=trained.data.licence if trained.data else "not stated",
            ),
            metrics=tuple(Metric(name=key, value=value, command=command) for key, value in figures.items()),
            created_with=own_version(),
        )
        content = manifest.model_dump_json(indent=2) + "\n"
        (folder / MUSICGEN_FILE).write_text(content, encoding="utf-8")
        parameters = sum(weight.numel() for weight in merged.parameters())
        (folder / CARD_FILE).write_text(musicgen_card(manifest, parameters), encoding="utf-8")
    return manifest


def _save(model: Musicgen, folder: Path) -> None:
    """Write the model of transformers, and its processor or else its tokenizer."""
    source = model.pretrained.source
    with quiet_library():
        model.transformer.save_pretrained(folder)
        try:
            AutoProcessor.from_pretrained(source, local_files_only=True).save_pretrained(folder)
        except (OSError, ValueError):
            model.pretrained.tokenizer.save_pretrained(folder)
    if not any(folder.glob("*.safetensors")):
        raise BundleError(f"{folder}: no weights were written; update transformers")


@torch.inference_mode()
def _logits(model: Musicgen) -> Tensor:
    """Return the model's logits on random codes, with and without a text."""
    random = torch.Generator().manual_seed(0)
    shape = (len(_TEXTS), model.codec.codebooks, _CHECKED_FRAMES)
    codes = torch.randint(model.codec.codes, shape, generator=random)
    condition = model.encode_text(_TEXTS).without(torch.tensor([False, True]))
    return model(codes, condition).clone()


def _error(found: Tensor, expected: Tensor) -> float:
    """Return the greatest error, relative for values above 1."""
    return float(((found - expected).abs() / expected.abs().clamp(min=1)).max())
