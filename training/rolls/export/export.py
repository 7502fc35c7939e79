"""Export of a trained roll model: ONNX graphs, checked, with their manifest and card."""

from pathlib import Path
from typing import Final

from tatumflow.engine.model.model_folder import CorpusCredit, Metric
from tatumflow.engine.rolls.bundle import ROLLS_FILE, ROLLS_FORMAT, RollBundle, RollManifest
from tatumflow.engine.rolls.onnx_levels import OnnxLevels
from tatumflow.training.data.packing import PackedCorpus
from tatumflow.training.export.card import (
    CARD_FILE,
    commands,
    corpus_table,
    counted,
    metric_table,
    model_card,
)
from tatumflow.training.export.files import own_version, whole_folder, write_graphs
from tatumflow.training.export.onnx_files import OPSET
from tatumflow.training.rolls.checkpoint import TrainedRolls, open_rolls_checkpoint
from tatumflow.training.rolls.export.graphs import roll_graphs
from tatumflow.training.rolls.export.parity import check_rolls
from tatumflow.training.rolls.torch_levels import TorchLevels

NAME: Final = "fractal-rolls"
LICENCE: Final = "CC-BY-NC-4.0"
"""Licence of weights trained on PiJAMA, whose licence requires it."""


def export_rolls(
    checkpoint: Path, out: Path, name: str, corpus: Path | None = None, licence: str = LICENCE
) -> RollManifest:
    """Export a checkpoint as a roll model, and check the graphs against the model.

    Args:
        checkpoint: A checkpoint that `tatumflow train` wrote.
        out: Folder of the model; a roll model there is replaced.
        name: Its name.
        corpus: The packed corpus it was trained on, for credits; None for none.
        licence: Licence of its weights.

    Raises:
        CheckpointError: if the checkpoint cannot be read or is of another family.
        CorpusError: if the corpus cannot be read.
        ExportError: if a graph differs from the model, or `out` cannot be written.
    """
    trained = open_rolls_checkpoint(checkpoint)
    config = trained.model.config
    credits = () if corpus is None else _credits(corpus, trained)
    with whole_folder(out, ROLLS_FILE) as folder:
        files = write_graphs(folder, roll_graphs(trained.model), "fp32")
        manifest = RollManifest(
            format_version=ROLLS_FORMAT,
            name=name,
            family="fractal_midi",
            kinds=config.kinds,
            order=config.order,
            width=trained.data.width,
            styles=trained.styles,
            graphs=files,
            opset=OPSET,
            licence=licence,
            corpora=credits,
            metrics=(),
            created_with=own_version(),
        )
        error = check_rolls(TorchLevels(trained.model), OnnxLevels(RollBundle(manifest, folder)), config)
        command = f"tatumflow export {checkpoint.name} --name {name}"
        metric = Metric(name="onnx_error", value=error, command=command)
        manifest = manifest.model_copy(update={"metrics": (metric,)})
        (folder / ROLLS_FILE).write_text(manifest.model_dump_json(indent=2) + "\n", encoding="utf-8")
        (folder / CARD_FILE).write_text(_card(manifest, trained), encoding="utf-8")
    return manifest


def _credits(corpus: Path, trained: TrainedRolls) -> tuple[CorpusCredit, ...]:
    named = trained.data.corpora
    return tuple(
        CorpusCredit(name=info.name, licence=info.licence)
        for info in PackedCorpus.open(corpus).index.corpora
        if not named or info.name in named
    )


def _card(manifest: RollManifest, trained: TrainedRolls) -> str:
    weights = sum(weight.numel() for weight in trained.model.parameters())
    facts = {
        "family": manifest.family,
        "levels": ", ".join(manifest.kinds),
        "scan order": manifest.order,
        "parameters": f"{weights:,}",
        "steps of a roll": str(manifest.width),
        "training": counted("step", trained.steps),
        "licence": manifest.licence,
    }
    sections = {
        "Use": commands(
            f"tatumflow roll sample -n 4 --width 256 --model {manifest.name} -o rolls",
            f"tatumflow fill take.mid --bars 5-8 --model {manifest.name} -o filled.mid",
        ),
        "Trained on": corpus_table(manifest.corpora),
        "Measured": metric_table(manifest.metrics),
        "Limits": "Onsets lie on sixteenths of the beat, or on an eighth of a second in free time: triplets "
        "and grace notes are moved to the nearest. The damper pedal is part of the durations.",
    }
    summary = "Samples piano rolls, continues them, and fills bars from what is on both sides of them."
    return model_card(manifest.name, summary, facts, sections)
