"""Export of a model of melodies: three ONNX graphs, checked, with attributes, classifier and card."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from tatumflow.engine.melodies.bundle import (
    MELODY_FILE,
    MELODY_FORMAT,
    MelodyBundle,
    MelodyManifest,
)
from tatumflow.engine.melodies.onnx_melody_model import OnnxMelodyModel
from tatumflow.engine.model.model_folder import CorpusCredit, GraphFile, Metric
from tatumflow.training.data.packing import PackedCorpus
from tatumflow.training.export.card import CARD_FILE
from tatumflow.training.export.files import own_version, whole_folder, write_graphs
from tatumflow.training.export.onnx_files import OPSET
from tatumflow.training.melodies.checkpoint import TrainedMelodies, open_melodies
from tatumflow.training.melodies.export.card import melody_card
from tatumflow.training.melodies.export.graphs import melody_graphs
from tatumflow.training.melodies.export.knowledge import NO_KNOWLEDGE, CorpusKnowledge, knowledge_of
from tatumflow.training.melodies.export.parity import check_melodies, int8_figures
from tatumflow.training.melodies.export.weights import int8_weights
from tatumflow.training.models.music_vae.config import MusicVaeConfig

UNSTATED: Final = "unstated"


def export_melodies(checkpoint: Path, out: Path, name: str, corpus: Path | None) -> MelodyManifest:
    """Export a checkpoint, and check the graphs against the model.

    Args:
        checkpoint: A checkpoint of a model of melodies, which `tatumflow train` wrote, or a run's folder.
        out: Folder of the exported model; one there is replaced.
        name: Its name.
        corpus: The packed corpus that it was trained on, for attributes, classifier, credits and figures;
            None for none of them.

    Raises:
        CheckpointError: if the checkpoint cannot be read or is of another family.
        CorpusError: if the corpus cannot be read.
        ExportError: if a graph differs from the model, or `out` cannot be written.
    """
    trained = open_melodies(checkpoint)
    command = f"tatumflow export {checkpoint.name} --name {name}"
    if corpus is None:
        return write_melodies(trained, out, name, command)
    knowledge = knowledge_of(trained, PackedCorpus.open(corpus))
    return write_melodies(trained, out, name, f"{command} --corpus CORPUS", knowledge)


def write_melodies(
    trained: TrainedMelodies, out: Path, name: str, command: str, knowledge: CorpusKnowledge = NO_KNOWLEDGE
) -> MelodyManifest:
    """Write a model; see `export_melodies`. The metrics name the command.

    The graphs are proven equal in float32; their large weights are then written in int8, with the share of
    events that this changes among the figures.
    """
    model = trained.model
    exact = melody_graphs(model)
    with whole_folder(out, MELODY_FILE) as folder:
        files = write_graphs(folder, exact, "fp32")
        manifest = _manifest(model.config, name, knowledge, files)
        measured = check_melodies(model, MelodyBundle(manifest, folder))
        small = {graph: int8_weights(content) for graph, content in exact.items()}
        manifest = _manifest(model.config, name, knowledge, write_graphs(folder, small, "int8"))
        measured |= int8_figures(model, OnnxMelodyModel(MelodyBundle(manifest, folder)), knowledge.held_out)
        metrics = tuple(Metric(name=key, value=value, command=command) for key, value in measured.items())
        manifest = manifest.model_copy(update={"metrics": metrics})
        (folder / MELODY_FILE).write_text(manifest.model_dump_json(indent=1) + "\n", encoding="utf-8")
        parameters = sum(weight.numel() for weight in model.parameters())
        card = melody_card(manifest, parameters, trained.steps)
        (folder / CARD_FILE).write_text(card, encoding="utf-8")
    return manifest


def _manifest(
    config: MusicVaeConfig, name: str, knowledge: CorpusKnowledge, files: Mapping[str, GraphFile]
) -> MelodyManifest:
    return MelodyManifest(
        format_version=MELODY_FORMAT,
        name=name,
        family="music_vae",
        bars=config.bars,
        segments=config.segments,
        latent_dim=config.latent_dim,
        encoder=files["encoder"],
        conductor=files["conductor"],
        decoder=files["decoder"],
        opset=OPSET,
        attributes=dict(knowledge.attributes),
        shares=knowledge.shares,
        chance_distance=knowledge.chance_distance,
        licence=_licence(knowledge.credits),
        corpora=knowledge.credits,
        metrics=(),
        created_with=own_version(),
    )


def _licence(credits: tuple[CorpusCredit, ...]) -> str:
    """Return the licence of the weights: those of the corpora, since each binds them."""
    return " and ".join(dict.fromkeys(credit.licence for credit in credits)) or UNSTATED
