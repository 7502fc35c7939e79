"""Model bundles: folders with `manifest.json` and ONNX graphs, checked before a graph is run."""

from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Final, Literal

import numpy as np
from pydantic import Field, StringConstraints, model_validator

from tatumflow.engine.arrays import Floats
from tatumflow.engine.controls import Controls
from tatumflow.engine.errors import SettingError
from tatumflow.engine.model.decoder import DecoderShape
from tatumflow.engine.model.model_folder import (
    CorpusCredit,
    FolderKind,
    GraphFile,
    Line,
    ManifestPart,
    Metric,
    ModelName,
)
from tatumflow.engine.model.phrase_model import PhraseShape
from tatumflow.engine.model.take_weights import TakeWeights
from tatumflow.engine.model.tokens import FIELD_SIZES, FIELDS, INPUT_SIZES

FORMAT_VERSION: Final = 3
"""The newest manifest format this version reads."""

OLDEST_FORMAT: Final = 2
"""The oldest manifest format: its models count in seconds alone and encode phrases at their own pitch."""

METRE_VERSION: Final = 3
"""First format whose models read metrical places and encode phrases relative to the key of the moment."""

MANIFEST_FILE: Final = "manifest.json"

DECODER_GRAPH: Final = "decoder"
"""Graph of the trunk."""

HEAD_GRAPHS: Final = tuple(f"head_{field}" for field in FIELDS)
"""Graphs of the field heads, in the order of `tokens.FIELDS`."""

ENCODER_GRAPH: Final = "encoder"
"""Graph of the phrase encoder."""

THEORY_GRAPH: Final = "theory"
"""Graph of the theory encoder."""

FLOW_GRAPH: Final = "flow"
"""Graph of the latent flow's velocity."""

GRAPHS: Final = (DECODER_GRAPH, *HEAD_GRAPHS, ENCODER_GRAPH, THEORY_GRAPH, FLOW_GRAPH)
"""Every graph that a bundle must have."""

GPU_SUFFIX: Final = "_gpu"
"""Suffix of the name of a graph that GPU providers use in place of the one without it."""

_BUNDLES: Final = FolderKind(
    "model", MANIFEST_FILE, OLDEST_FORMAT, FORMAT_VERSION, "export one with `tatumflow export`"
)
_MATCHES_SHOWN: Final = 5

Slug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=80)]


class Dims(ManifestPart):
    """Sizes of the model; see `DecoderShape` and `PhraseShape` for what each means."""

    num_layers: int = Field(ge=1, le=256)
    num_kv_heads: int = Field(ge=1, le=256)
    head_dim: int = Field(ge=2, le=1024, multiple_of=2)
    hidden_dim: int = Field(ge=1, le=65536)
    cache_rows: int = Field(ge=2, le=65536)
    num_styles: int = Field(ge=1, le=65536)
    latent_dim: int = Field(ge=1, le=4096)
    theory_dim: int = Field(ge=1, le=1024)
    phrase_len: int = Field(ge=1, le=4096)
    rope_base: float = Field(gt=1)


class FieldVocabulary(ManifestPart):
    """One field of a note: its number of predictable values and of input values."""

    name: Line
    size: int = Field(ge=1)
    input_size: int = Field(ge=1)


class Manifest(ManifestPart):
    """The manifest of a bundle.

    Attributes:
        format_version: Version of this schema.
        name: Name of the bundle.
        family: Model family.
        dims: Sizes of the decoder.
        fields: Vocabulary of each field, in the order they are predicted.
        styles: Slug of each row of the style table; row 0 is the empty string, no style.
        line_styles: Those of players who play one note at a time, such as horns.
        takes: Weights by which takes of its notes are chosen, of pianists and of players of single lines;
            where there are none, there is one take alone.
        window: Steps back that a step attends to.
        graphs: File of each graph.
        opset: ONNX operator set of the graphs.
        licence: Licence of the weights.
        corpora: What the model was trained on.
        metrics: Figures measured at export and evaluation.
        created_with: Version of TatumFlow that wrote the bundle.
    """

    format_version: Literal[2, 3]
    name: ModelName
    family: Literal["tatumflow"]
    dims: Dims
    fields: tuple[FieldVocabulary, ...]
    styles: tuple[Slug | Literal[""], ...]
    line_styles: tuple[Slug, ...] = ()
    takes: dict[Literal["piano", "line"], TakeWeights] = Field(default_factory=dict)
    window: int = Field(ge=1)
    graphs: dict[Annotated[str, StringConstraints(pattern=r"^[a-z_]{1,40}$")], GraphFile]
    opset: int = Field(ge=1)
    licence: Line
    corpora: tuple[CorpusCredit, ...]
    metrics: tuple[Metric, ...]
    created_with: Line

    @model_validator(mode="after")
    def _agrees_with_itself(self) -> "Manifest":
        if len(self.styles) != self.dims.num_styles:
            raise ValueError(f"styles: {len(self.styles)} names for {self.dims.num_styles} rows")
        if self.styles[0] or "" in self.styles[1:] or len(set(self.styles)) < len(self.styles):
            raise ValueError("styles: row 0 must be empty and the others distinct")
        if unknown := sorted({*self.line_styles} - {*self.styles}):
            raise ValueError(f"line_styles: {', '.join(unknown)} not among the styles")
        if self.window >= self.dims.cache_rows:
            raise ValueError("window: must lie below dims.cache_rows")
        missing = [name for name in GRAPHS if name not in self.graphs]
        if missing:
            raise ValueError(f"graphs: {', '.join(missing)} missing")
        expected = tuple(zip(FIELDS, FIELD_SIZES, INPUT_SIZES, strict=True))
        if tuple((field.name, field.size, field.input_size) for field in self.fields) != expected:
            raise ValueError("fields: another note vocabulary than this version's")
        return self


@dataclass(frozen=True)
class Bundle:
    """A checked bundle: its manifest and its folder."""

    manifest: Manifest
    path: Path

    @property
    def name(self) -> str:
        """Name of the bundle."""
        return self.manifest.name

    @property
    def styles(self) -> tuple[str, ...]:
        """Slug of each row of the style table; row 0 is the empty string."""
        return self.manifest.styles

    @property
    def shape(self) -> DecoderShape:
        """Sizes of the decoder."""
        dims = self.manifest.dims
        return DecoderShape(
            num_layers=dims.num_layers,
            num_kv_heads=dims.num_kv_heads,
            head_dim=dims.head_dim,
            hidden_dim=dims.hidden_dim,
            cache_rows=dims.cache_rows,
            window=self.manifest.window,
            num_styles=dims.num_styles,
            phrase_dim=self.phrase_shape.condition_dim,
            rope_base=dims.rope_base,
            metre=self.manifest.format_version >= METRE_VERSION,
        )

    @property
    def phrase_shape(self) -> PhraseShape:
        """Sizes of the phrase model."""
        dims = self.manifest.dims
        relative = self.manifest.format_version >= METRE_VERSION
        return PhraseShape(dims.latent_dim, dims.theory_dim, dims.phrase_len, dims.num_styles, relative)

    def graph_file(self, graph: str, *, gpu: bool = False) -> GraphFile:
        """Return the file of a graph; with `gpu`, of the one made for GPU providers where there is one."""
        files = self.manifest.graphs
        return files[graph + GPU_SUFFIX if gpu and graph + GPU_SUFFIX in files else graph]

    def graph_path(self, graph: str, *, gpu: bool = False) -> Path:
        """Return the path of the file of a graph; see `graph_file`."""
        return self.path / self.graph_file(graph, gpu=gpu).file

    def resolve_style(self, name: str) -> str:
        """Return the slug for a name: a slug, or a part that only one slug has.

        Case does not matter and spaces count as hyphens; the empty string is no style.

        Raises:
            SettingError: if no style fits, or several do.
        """
        requested = "-".join(name.lower().split())
        if requested in self.styles:
            return requested
        known = self.styles[1:]
        fitting = [slug for slug in known if requested in slug]
        if len(fitting) == 1:
            return fitting[0]
        if fitting:
            shown = ", ".join(fitting[:_MATCHES_SHOWN])
            more = f" and {len(fitting) - _MATCHES_SHOWN} more" if len(fitting) > _MATCHES_SHOWN else ""
            raise SettingError(f"style: {name!r} could be {shown}{more}; give more of the name")
        close = get_close_matches(requested, known, n=_MATCHES_SHOWN, cutoff=0.5)
        hint = f"did you mean {', '.join(close)}?" if close else f"{self.name} has {len(known)} styles"
        raise SettingError(f"style: {name!r} is not in model {self.name}; {hint}")

    def plays_lines(self, controls: Controls) -> bool:
        """Return whether every style of the controls is that of a player of single lines.

        Raises:
            SettingError: if the model does not have a style.
        """
        share = controls.style_blend if controls.style_b else 0.0
        names = ((controls.style, 1.0 - share), (controls.style_b, share))
        styles = {self.resolve_style(name) for name, weight in names if weight > 0}
        return controls.style_strength > 0 and styles <= {*self.manifest.line_styles}

    def take_weights(self, controls: Controls) -> TakeWeights | None:
        """Return the weights by which takes in the style of the controls are chosen; None for none.

        Raises:
            SettingError: if the model does not have a style.
        """
        return self.manifest.takes.get("line" if self.plays_lines(controls) else "piano")

    def style_weights(self, controls: Controls) -> Floats:
        """Return the weight of each style row, (S,) float32 summing to 1, for style, blend and strength.

        The strength is a guidance scale: no style plus `style_strength` times the difference from there to
        the style (after Ho and Salimans 2022). The flow weights its velocities so; the decoder, where that
        would cost a second call for each note, weights the rows of its style table.

        Raises:
            SettingError: if the model does not have a style.
        """
        weights = np.zeros(len(self.styles), np.float32)
        share = controls.style_blend if controls.style_b else 0.0
        weights[self.styles.index(self.resolve_style(controls.style))] += 1.0 - share
        if controls.style_b:
            weights[self.styles.index(self.resolve_style(controls.style_b))] += share
        weights *= controls.style_strength
        weights[0] += 1.0 - controls.style_strength
        return weights


def load_bundle(path: Path) -> Bundle:
    """Check a bundle's manifest and the hash of every graph, and return it.

    Raises:
        BundleError: if a part is missing, damaged, or of a newer format.
    """
    manifest = _BUNDLES.read(path, Manifest)
    for graph in manifest.graphs.values():
        _BUNDLES.check_graph(path, graph)
    return Bundle(manifest, path)


def find_bundles() -> list[Path]:
    """Return the folders of all bundles found, the package's first; their contents are not checked."""
    return _BUNDLES.find()


def bundle_path(name_or_path: str | Path) -> Path:
    """Return the folder of a bundle by path or by name; the empty string gives the first one found.

    Raises:
        BundleError: if there is no such bundle.
    """
    return _BUNDLES.path_of(name_or_path)
