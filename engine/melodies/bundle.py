"""Exported models of melodies: folders with `melodies.json` and three ONNX graphs, checked before use."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, StringConstraints, model_validator

from tatumflow.engine.arrays import Floats
from tatumflow.engine.errors import SettingError
from tatumflow.engine.melodies.features import NUM_STYLE_FEATURES, style_features
from tatumflow.engine.melodies.melody import Melody
from tatumflow.engine.model.model_folder import (
    CorpusCredit,
    FolderKind,
    GraphFile,
    Line,
    ManifestPart,
    Metric,
    ModelName,
)

MELODY_FORMAT: Final = 1
"""The newest format this version reads."""

MELODY_FILE: Final = "melodies.json"

_MODELS: Final = FolderKind(
    "model of melodies",
    MELODY_FILE,
    MELODY_FORMAT,
    MELODY_FORMAT,
    "train one with configs/train/music-vae-2bar.yaml and export it with `tatumflow export`",
)

_Size = Annotated[int, Field(ge=1, le=1 << 16)]
_Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,63}$")]
_Number = Annotated[float, Field(allow_inf_nan=False)]
_Row = Annotated[tuple[_Number, ...], Field(max_length=1 << 16)]


class PlayerShares(ManifestPart):
    """A multinomial logistic regression from `style_features` of a melody to its player.

    Attributes:
        players: Names of the players, as slugs.
        mean: Mean of each feature.
        scale: Standard deviation of each feature.
        weight: Weights, one row a player.
        bias: Bias of each player.
        real: Mean share of each player in held-out melodies of that player; -1 where there are none.
    """

    players: tuple[_Name, ...] = Field(min_length=2, max_length=256)
    mean: _Row
    scale: _Row
    weight: tuple[_Row, ...] = Field(max_length=256)
    bias: _Row
    real: _Row

    @model_validator(mode="after")
    def _shapes_fit(self) -> "PlayerShares":
        rows = {len(self.mean), len(self.scale), *map(len, self.weight)}
        columns = {len(self.players), len(self.weight), len(self.bias), len(self.real)}
        if rows != {NUM_STYLE_FEATURES} or len(columns) != 1:
            raise ValueError(f"shares: not a row of {NUM_STYLE_FEATURES} numbers for each player")
        return self

    def of(self, melody: Melody) -> dict[str, float]:
        """Return the probability of each player, given a melody."""
        scaled = (style_features(melody) - np.array(self.mean)) / np.array(self.scale)
        logits = np.array(self.weight) @ scaled + np.array(self.bias)
        odds = np.exp(logits - logits.max())
        return dict(zip(self.players, (odds / odds.sum()).tolist(), strict=True))


class MelodyManifest(ManifestPart):
    """The manifest of a model of melodies.

    Attributes:
        format_version: Version of this schema.
        name: Its name.
        family: Model family.
        bars: Bars of a melody.
        segments: Segments that are decoded from an embedding each.
        latent_dim: Size of the latent.
        encoder: Graph from events to mean and deviation of the posterior.
        conductor: Graph from the latent to embeddings and first states of the segments.
        decoder: Graph of one step.
        opset: ONNX operator set of the graphs.
        attributes: For each attribute the mean latent of the training melodies that have it, less that of the
            others: players by their slugs, and "blues".
        shares: Classifier of players; None where the corpus has fewer than two.
        chance_distance: Mean distance of two random melodies of the corpus, as `features.distance`; -1 if not
            measured.
        licence: Licence of the weights.
        corpora: What the model was trained on.
        metrics: Figures measured at export.
        created_with: Version of TatumFlow that wrote it.
    """

    format_version: Literal[1]
    name: ModelName
    family: Literal["music_vae"]
    bars: int = Field(ge=1, le=64)
    segments: int = Field(ge=1, le=64)
    latent_dim: _Size
    encoder: GraphFile
    conductor: GraphFile
    decoder: GraphFile
    opset: int = Field(ge=1)
    attributes: dict[_Name, _Row] = Field(default_factory=dict, max_length=256)
    shares: PlayerShares | None = None
    chance_distance: float = Field(default=-1.0, ge=-1, le=1)
    licence: Line
    corpora: tuple[CorpusCredit, ...]
    metrics: tuple[Metric, ...]
    created_with: Line

    @model_validator(mode="after")
    def _agrees_with_itself(self) -> "MelodyManifest":
        if self.bars % self.segments:
            raise ValueError(f"segments: {self.segments} do not divide {self.bars} bars")
        for name, vector in self.attributes.items():
            if len(vector) != self.latent_dim:
                raise ValueError(f"attributes.{name}: {len(vector)} numbers, not {self.latent_dim}")
        return self


@dataclass(frozen=True)
class MelodyBundle:
    """A checked model of melodies: its manifest and its folder."""

    manifest: MelodyManifest
    path: Path

    def attribute(self, name: str) -> NDArray[np.float64]:
        """Return the vector of an attribute, (latent_dim,).

        Raises:
            SettingError: if the model has none of that name.
        """
        known = self.manifest.attributes
        if name not in known:
            choices = ", ".join(sorted(known)) or "none"
            raise SettingError(f"{name}: {self.manifest.name} has no such attribute; choose from {choices}")
        return np.array(known[name])

    def moved(self, latents: Floats, added: Sequence[str], removed: Sequence[str], strength: float) -> Floats:
        """Return latents (n, latent_dim) moved along attributes.

        Args:
            latents: The latents.
            added: Attributes to add.
            removed: Attributes to take away.
            strength: Share of the attributes' vectors.

        Raises:
            SettingError: if the model lacks an attribute.
        """
        change = np.zeros(self.manifest.latent_dim)
        for name in added:
            change += self.attribute(name)
        for name in removed:
            change -= self.attribute(name)
        return (latents + strength * change).astype(np.float32)


def load_melodies(path: Path) -> MelodyBundle:
    """Check a model's manifest and the hashes of its graphs, and return it.

    Raises:
        BundleError: if a part is missing, damaged, or of a newer format.
    """
    manifest = _MODELS.read(path, MelodyManifest)
    for graph in (manifest.encoder, manifest.conductor, manifest.decoder):
        _MODELS.check_graph(path, graph)
    return MelodyBundle(manifest, path)


def find_melody_models() -> list[Path]:
    """Return the folders of all models of melodies found, the package's first."""
    return _MODELS.find()


def melodies_path(name_or_path: str | Path) -> Path:
    """Return the folder of a model of melodies by path or by name; the empty string gives the first one.

    Raises:
        BundleError: if there is no such model.
    """
    return _MODELS.path_of(name_or_path)
