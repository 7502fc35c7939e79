"""What an exported model brings along of its corpus: attributes, classifier, credits."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tatumflow.engine.melodies.bundle import MELODY_FILE, PlayerShares, load_melodies
from tatumflow.engine.melodies.features import distance
from tatumflow.engine.model.model_folder import CorpusCredit
from tatumflow.training.data.packing import PackedCorpus
from tatumflow.training.melodies.checkpoint import TrainedMelodies, open_melodies
from tatumflow.training.melodies.data.windows import MelodyWindows
from tatumflow.training.melodies.export.attributes import attribute_vectors
from tatumflow.training.melodies.export.shares import player_shares

_PAIRS: Final = 2000
_DIGITS: Final = 4


@dataclass(frozen=True)
class CorpusKnowledge:
    """What an exported model brings along of its corpus.

    Attributes:
        attributes: Attribute vectors by name.
        shares: Classifier of players; None without.
        chance_distance: Mean distance of two random melodies; -1 if unknown.
        credits: Corpora it was trained on.
        held_out: Melodies to measure on; None if there are none.
    """

    attributes: Mapping[str, tuple[float, ...]]
    shares: PlayerShares | None
    chance_distance: float
    credits: tuple[CorpusCredit, ...]
    held_out: MelodyWindows | None


NO_KNOWLEDGE: Final = CorpusKnowledge({}, None, -1.0, (), None)


def knowledge_of(trained: TrainedMelodies, corpus: PackedCorpus) -> CorpusKnowledge:
    """Return what a model brings along of the packed corpus that it was trained on."""
    data, bars = trained.config.data, trained.model.config.bars
    train, held_out = (
        MelodyWindows.read(corpus, split, bars, data.corpora, data.notes_per_bar)
        for split in ("train", "val")
    )
    vectors = attribute_vectors(trained.model, train, corpus)
    used = {piece.corpus for piece in train.pieces}
    return CorpusKnowledge(
        {name: tuple(np.round(vector, _DIGITS).tolist()) for name, vector in vectors.items()},
        player_shares(train, held_out),
        chance_distance(train),
        tuple(CorpusCredit(name=c.name, licence=c.licence) for c in corpus.index.corpora if c.name in used),
        held_out if len(held_out) else None,
    )


def attributes_and_shares(
    model: Path, corpus: PackedCorpus
) -> tuple[dict[str, NDArray[np.float64]], PlayerShares | None]:
    """Return a model's attribute vectors and classifier: an exported one's own, or those of its corpus.

    Raises:
        CheckpointError: if a checkpoint cannot be read.
        BundleError: if an exported model is damaged.
    """
    if (model / MELODY_FILE).is_file():
        manifest = load_melodies(model).manifest
        vectors, shares = manifest.attributes, manifest.shares
    else:
        knowledge = knowledge_of(open_melodies(model), corpus)
        vectors, shares = knowledge.attributes, knowledge.shares
    return {name: np.array(vector) for name, vector in vectors.items()}, shares


def chance_distance(windows: MelodyWindows, seed: int = 0) -> float:
    """Return the mean distance of two random melodies; -1 if there are none."""
    if not len(windows):
        return -1.0
    chosen = np.random.default_rng(seed).integers(0, len(windows), (2, _PAIRS))
    return round(float(distance(*(windows.melodies(side) for side in chosen)).mean()), _DIGITS)
