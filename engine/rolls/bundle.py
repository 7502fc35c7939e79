"""Bundles of roll models: folders with `rolls.json` and an ONNX graph for each level, checked before use."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import Field, StringConstraints, model_validator

from tatumflow.engine.model.model_folder import (
    CorpusCredit,
    FolderKind,
    GraphFile,
    Line,
    ManifestPart,
    Metric,
    ModelName,
)
from tatumflow.engine.rolls.levels import LevelKind
from tatumflow.engine.rolls.patches import LEVELS, Order

ROLLS_FORMAT: Final = 2
"""The newest format this version reads."""

ROLLS_FILE: Final = "rolls.json"

GRAPHS: Final = ("level0", "level1", "level2", "velocity")
"""Names of the graphs: the levels, and the velocities of onsets."""

_ROLLS: Final = FolderKind(
    "roll model",
    ROLLS_FILE,
    ROLLS_FORMAT,
    ROLLS_FORMAT,
    "train one with `tatumflow train configs/train/fractal-small.yaml`, then run `tatumflow export`",
)

_Slug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]{0,64}$")]


class RollManifest(ManifestPart):
    """The manifest of a roll model.

    Attributes:
        format_version: Version of this schema.
        name: Its name.
        family: Model family.
        kinds: The kind of each level.
        order: Scan order of the autoregressive levels.
        width: Steps of the rolls it was trained on.
        styles: Slug of each style id; the first is the empty string, no style.
        graphs: The graphs' files, by the names in `GRAPHS`.
        opset: ONNX operator set of the graphs.
        licence: Licence of the weights.
        corpora: What the model was trained on.
        metrics: Figures measured at export and evaluation.
        created_with: Version of TatumFlow that wrote it.
    """

    format_version: Literal[2]
    name: ModelName
    family: Literal["fractal_midi"]
    kinds: tuple[LevelKind, LevelKind, LevelKind]
    order: Order
    width: int = Field(ge=64, le=1024, multiple_of=4)
    styles: tuple[_Slug, ...] = Field(min_length=1, max_length=4096)
    graphs: dict[str, GraphFile]
    opset: int = Field(ge=1)
    licence: Line
    corpora: tuple[CorpusCredit, ...]
    metrics: tuple[Metric, ...]
    created_with: Line

    @model_validator(mode="after")
    def _has_its_graphs(self) -> "RollManifest":
        if set(self.graphs) != set(GRAPHS) or len(self.kinds) != LEVELS:
            raise ValueError(f"graphs: must be {', '.join(GRAPHS)}")
        return self


@dataclass(frozen=True)
class RollBundle:
    """A checked roll model: its manifest and its folder."""

    manifest: RollManifest
    path: Path

    def graph_path(self, name: str) -> Path:
        """Return the file of a graph."""
        return self.path / self.manifest.graphs[name].file


def load_rolls(path: Path) -> RollBundle:
    """Check a roll model's manifest and the hashes of its graphs, and return it.

    Raises:
        BundleError: if a part is missing, damaged, or of a newer format.
    """
    manifest = _ROLLS.read(path, RollManifest)
    for graph in manifest.graphs.values():
        _ROLLS.check_graph(path, graph)
    return RollBundle(manifest, path)


def find_roll_models() -> list[Path]:
    """Return the folders of all roll models found, the package's first."""
    return _ROLLS.find()


def rolls_path(name_or_path: str | Path) -> Path:
    """Return the folder of a roll model by path or by name; the empty string gives the first one found.

    Raises:
        BundleError: if there is no such model.
    """
    return _ROLLS.path_of(name_or_path)
