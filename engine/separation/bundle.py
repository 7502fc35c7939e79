"""Separator bundles: folders with `separator.json` and an ONNX graph, checked before the graph is run.

They lie beside the bundles of note models, which have a `manifest.json` instead.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import Field, StringConstraints, model_validator

from tatumflow.engine.errors import SettingError
from tatumflow.engine.model.model_folder import (
    CorpusCredit,
    FolderKind,
    GraphFile,
    Line,
    ManifestPart,
    Metric,
    ModelName,
)
from tatumflow.engine.separation.stems import Stem, StemSet
from tatumflow.engine.separation.stft import StftSettings

SEPARATOR_FORMAT: Final = 1
"""The newest format this version reads."""

SEPARATOR_FILE: Final = "separator.json"

_SEPARATORS: Final = FolderKind(
    "separator",
    SEPARATOR_FILE,
    SEPARATOR_FORMAT,
    SEPARATOR_FORMAT,
    "export one with `tatumflow export`, or run `tatumflow get-spleeter`",
)

_MOST_FLOATS: Final = 1 << 26
"""Most numbers of all states: an untrusted manifest must not exhaust the memory."""

_Size = Annotated[int, Field(ge=1, le=1 << 20)]


class StemEntry(ManifestPart):
    """A stem; see `Stem`."""

    name: Annotated[str, StringConstraints(max_length=40)]
    sources: tuple[Annotated[str, StringConstraints(max_length=40)], ...] = Field(max_length=64)


class SeparatorManifest(ManifestPart):
    """The manifest of a separator.

    Attributes:
        format_version: Version of this schema.
        name: Its name.
        family: Model family.
        stems: The stems that it separates a mixture into, in the order of its outputs.
        rate: Sample rate in hertz.
        window: Samples of a frame.
        hop: Samples from one frame to the next.
        block: Frames of one call of the graph.
        states: Shape of each state tensor, an output that is an input of the next call; zeros at first.
        graph: The graph's file.
        opset: ONNX operator set of the graph.
        licence: Licence of the weights.
        corpora: What the model was trained on.
        metrics: Figures measured at export and evaluation.
        created_with: Version of TatumFlow that wrote it.
    """

    format_version: Literal[1]
    name: ModelName
    family: Literal["tfswa_unet", "spleeter"]
    stems: tuple[StemEntry, ...] = Field(min_length=1, max_length=64)
    rate: int = Field(ge=4000, le=192_000)
    window: int = Field(ge=16, le=1 << 16)
    hop: int = Field(ge=1, le=1 << 15)
    block: int = Field(ge=1, le=1024)
    states: tuple[tuple[_Size, ...], ...] = Field(max_length=1024)
    graph: GraphFile
    opset: int = Field(ge=1)
    licence: Line
    corpora: tuple[CorpusCredit, ...]
    metrics: tuple[Metric, ...]
    created_with: Line

    @model_validator(mode="after")
    def _agrees_with_itself(self) -> "SeparatorManifest":
        try:
            _ = self.stem_set, self.transform
        except SettingError as error:
            raise ValueError(str(error)) from None
        numbers = 0
        for shape in self.states:
            size = 1
            for length in shape:
                size *= length
            numbers += size
        if numbers > _MOST_FLOATS:
            raise ValueError(f"states: {numbers} numbers are more than {_MOST_FLOATS}")
        return self

    @property
    def stem_set(self) -> StemSet:
        """The stems."""
        return StemSet(tuple(Stem(stem.name, stem.sources) for stem in self.stems))

    @property
    def transform(self) -> StftSettings:
        """Window and hop."""
        return StftSettings(self.window, self.hop)


@dataclass(frozen=True)
class SeparatorBundle:
    """A checked separator: its manifest and its folder."""

    manifest: SeparatorManifest
    path: Path

    @property
    def graph_path(self) -> Path:
        """File of the graph."""
        return self.path / self.manifest.graph.file


def load_separator(path: Path) -> SeparatorBundle:
    """Check a separator's manifest and the hash of its graph, and return it.

    Raises:
        BundleError: if a part is missing, damaged, or of a newer format.
    """
    manifest = _SEPARATORS.read(path, SeparatorManifest)
    _SEPARATORS.check_graph(path, manifest.graph)
    return SeparatorBundle(manifest, path)


def find_separators() -> list[Path]:
    """Return the folders of all separators found, the package's first; their contents are not checked."""
    return _SEPARATORS.find()


def separator_path(name_or_path: str | Path) -> Path:
    """Return the folder of a separator by path or by name; the empty string gives the first one found.

    Raises:
        BundleError: if there is no such separator.
    """
    return _SEPARATORS.path_of(name_or_path)
