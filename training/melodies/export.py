"""Export of a model of melodies: three ONNX graphs, checked, with attributes, classifier and card."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from tatumflow.engine.melodies.bundle import (
    MELODY_FILE,
    MELODY_FORMAT,
    MelodyBundle,
    MelodyManifest,
    PlayerShares,
)
from tatumflow.engine.melodies.features import distance
from tatumflow.engine.melodies.onnx_melody_model import OnnxMelodyModel
from tatumflow.engine.model.model_folder import CorpusCredit, GraphFile, Metric
from tatumflow.training.data.packing import PackedCorpus
from tatumflow.training.export.card import CARD_FILE
from tatumflow.training.export.files import own_version, whole_folder, write_graphs
from tatumflow.training.export.onnx_files import OPSET
from tatumflow.training.melodies.attributes import attribute_vectors
from tatumflow.training.melodies.card import melody_card
from tatumflow.training.melodies.checkpoint import TrainedMelodies, open_melodies
from tatumflow.training.melodies.graphs import melody_graphs
from tatumflow.training.melodies.parity import check_melodies, int8_figures
from tatumflow.training.melodies.shares import player_shares
from tatumflow.training.melodies.weights import int8_weights
from tatumflow.training.melodies.windows import MelodyWindows
from tatumflow.training.models.music_vae.config import MusicVaeConfig

UNSTATED: Final = "unstated"
_PAIRS: Final = 2000
_DIGITS: Final = 4


@dataclass(frozen=True)
class Learned:
    """What an exported model knows of its corpus.

    Attributes:
        attributes: Attribute vectors by name.
        shares: Classifier of players; None without.
        chance_distance: Mean distance of two random melodies; -1 if unknown.
        credits: Corpora it was trained on.
        held_out: Melodies to measure on.
    """

    attributes: Mapping[str, tuple[float, ...]]
    shares: PlayerShares | None
    chance_distance: float
    credits: tuple[CorpusCredit, ...]
    held_out: MelodyWindows | None


NOTHING: Final = Learned({}, None, -1.0, (), None)


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
    learned = learned_of(trained, PackedCorpus.open(corpus))
    return write_melodies(trained, out, name, f"{command} --corpus CORPUS", learned)


def learned_of(trained: TrainedMelodies, corpus: PackedCorpus) -> Learned:
    """Return what a model brings along of the corpus that it was trained on."""
    data, bars = trained.config.data, trained.model.config.bars
    train, held_out = (
        MelodyWindows.read(corpus, split, bars, data.corpora, data.notes_per_bar)
        for split in ("train", "val")
    )
    vectors = attribute_vectors(trained.model, train, corpus)
    used = {piece.corpus for piece in train.pieces}
    return Learned(
        {name: tuple(np.round(vector, _DIGITS).tolist()) for name, vector in vectors.items()},
        player_shares(train, held_out),
        chance_distance(train),
        tuple(CorpusCredit(name=c.name, licence=c.licence) for c in corpus.index.corpora if c.name in used),
        held_out if len(held_out) else None,
    )


def chance_distance(windows: MelodyWindows, seed: int = 0) -> float:
    """Return the mean distance of two random melodies; -1 if there are none."""
    if not len(windows):
        return -1.0
    chosen = np.random.default_rng(seed).integers(0, len(windows), (2, _PAIRS))
    return round(float(distance(*(windows.melodies(side) for side in chosen)).mean()), _DIGITS)


def write_melodies(
    trained: TrainedMelodies, out: Path, name: str, command: str, learned: Learned = NOTHING
) -> MelodyManifest:
    """Write a model; see `export_melodies`. The metrics name the command.

    The graphs are proven equal in float32; their large weights are then written in int8, with the share of
    events that this changes among the figures.
    """
    model = trained.model
    exact = melody_graphs(model)
    with whole_folder(out, MELODY_FILE) as folder:
        files = write_graphs(folder, exact, "fp32")
        manifest = _manifest(model.config, name, learned, files)
        measured = check_melodies(model, MelodyBundle(manifest, folder))
        small = {graph: int8_weights(content) for graph, content in exact.items()}
        manifest = _manifest(model.config, name, learned, write_graphs(folder, small, "int8"))
        measured |= int8_figures(model, OnnxMelodyModel(MelodyBundle(manifest, folder)), learned.held_out)
        metrics = tuple(Metric(name=key, value=value, command=command) for key, value in measured.items())
        manifest = manifest.model_copy(update={"metrics": metrics})
        (folder / MELODY_FILE).write_text(manifest.model_dump_json(indent=1) + "\n", encoding="utf-8")
        parameters = sum(weight.numel() for weight in model.parameters())
        card = melody_card(manifest, parameters, trained.steps)
        (folder / CARD_FILE).write_text(card, encoding="utf-8")
    return manifest


def _manifest(
    config: MusicVaeConfig, name: str, learned: Learned, files: Mapping[str, GraphFile]
) -> MelodyManifest:
    return MelodyManifest(
        format_version=MELODY_FORMAT,
        name=name,
        family="music_vae",
        bars=config.bars,
        segments=config.segments,
        latent_dim=config.latent_dim,
        embedding_dim=config.conductor_dim,
        state=(2 * config.decoder_layers, config.decoder_dim),
        encoder=files["encoder"],
        conductor=files["conductor"],
        decoder=files["decoder"],
        opset=OPSET,
        attributes=dict(learned.attributes),
        shares=learned.shares,
        chance_distance=learned.chance_distance,
        licence=_licence(learned.credits),
        corpora=learned.credits,
        metrics=(),
        created_with=own_version(),
    )


def _licence(credits: tuple[CorpusCredit, ...]) -> str:
    """Return the licence of the weights: those of the corpora, since each binds them."""
    return " and ".join(dict.fromkeys(credit.licence for credit in credits)) or UNSTATED
