"""Model bundles: a folder with `manifest.json` and ONNX graphs, checked before anything of it runs.

Bundles hold JSON and ONNX only; nothing in them is unpickled. Every name in a manifest is confined to a
plain slug or file name, so that a foreign bundle can neither reach outside its folder nor write control
characters to a terminal.
"""

import hashlib
import json
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Final, Literal

import numpy as np
from platformdirs import user_data_path
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

import tatumflow.exports
from tatumflow.engine.controls import Controls
from tatumflow.engine.decoder import DecoderShape, Floats
from tatumflow.engine.errors import BundleError, SettingError
from tatumflow.engine.phrase_model import PhraseShape
from tatumflow.engine.tokens import FIELD_SIZES, FIELDS, INPUT_SIZES

FORMAT_VERSION: Final = 2
"""The newest manifest format this version reads."""

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
"""Ends the name of a graph that GPU providers use in place of the one without it."""

_MATCHES_SHOWN: Final = 5

Slug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=80)]
Line = Annotated[str, StringConstraints(pattern=r"^[^\x00-\x1f\x7f-\x9f]*$", max_length=500)]
_Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
_File = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}\.onnx$")]
_Hash = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Dims(_Part):
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


class FieldVocabulary(_Part):
    """One field of a note: how many values it can be predicted to take, and how many it can be read as."""

    name: Line
    size: int = Field(ge=1)
    input_size: int = Field(ge=1)


class GraphFile(_Part):
    """One ONNX file of the bundle: its name, hash, weight precision and length in bytes."""

    file: _File
    sha256: _Hash
    precision: Literal["fp32", "fp16", "int8"]
    bytes: int = Field(ge=1)


class CorpusCredit(_Part):
    """A corpus the model was trained on, and its licence."""

    name: Line
    licence: Line


class Metric(_Part):
    """A measured figure and the command that measured it."""

    name: Line
    value: float
    command: Line


class Manifest(_Part):
    """What a bundle says about itself.

    Attributes:
        format_version: Version of this schema.
        name: Name of the bundle.
        family: Model family.
        dims: Sizes of the decoder.
        fields: Vocabulary of each field, in the order they are predicted.
        styles: Slug of each row of the style table; row 0 is the empty string, no style.
        window: Steps a step can look back on.
        graphs: File of each graph.
        opset: ONNX operator set of the graphs.
        licence: Licence of the weights.
        corpora: What the model was trained on.
        metrics: Figures measured at export and evaluation.
        created_with: Version of TatumFlow that wrote the bundle.
    """

    format_version: Literal[2]
    name: _Name
    family: Literal["tatumflow"]
    dims: Dims
    fields: tuple[FieldVocabulary, ...]
    styles: tuple[Slug | Literal[""], ...]
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
    """A checked bundle: what it says, and the folder it lies in."""

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
        )

    @property
    def phrase_shape(self) -> PhraseShape:
        """Sizes of the phrase model."""
        dims = self.manifest.dims
        return PhraseShape(dims.latent_dim, dims.theory_dim, dims.phrase_len, dims.num_styles)

    def graph_file(self, graph: str, *, gpu: bool = False) -> GraphFile:
        """Return the file of a graph; with `gpu`, of the one made for GPU providers where there is one."""
        files = self.manifest.graphs
        return files[graph + GPU_SUFFIX if gpu and graph + GPU_SUFFIX in files else graph]

    def graph_path(self, graph: str, *, gpu: bool = False) -> Path:
        """Return the path of the file of a graph; see `graph_file`."""
        return self.path / self.graph_file(graph, gpu=gpu).file

    def resolve_style(self, name: str) -> str:
        """Return the slug that a name stands for: a slug, or a part that only one slug has.

        Case does not matter and spaces count as hyphens; the empty string stands for no style.

        Raises:
            SettingError: if no style fits, or several do.
        """
        wanted = "-".join(name.lower().split())
        if wanted in self.styles:
            return wanted
        known = self.styles[1:]
        fitting = [slug for slug in known if wanted in slug]
        if len(fitting) == 1:
            return fitting[0]
        if fitting:
            shown = ", ".join(fitting[:_MATCHES_SHOWN])
            more = f" and {len(fitting) - _MATCHES_SHOWN} more" if len(fitting) > _MATCHES_SHOWN else ""
            raise SettingError(f"style: {name!r} could be {shown}{more}; give more of the name")
        close = get_close_matches(wanted, known, n=_MATCHES_SHOWN, cutoff=0.5)
        hint = f"did you mean {', '.join(close)}?" if close else f"{self.name} knows {len(known)} styles"
        raise SettingError(f"style: {name!r} is not in model {self.name}; {hint}")

    def style_weights(self, controls: Controls) -> Floats:
        """Return the weight of each style row, (S,) float32 summing to 1, for style, blend and strength.

        Strength is guidance: no style plus `style_strength` times the way from there to the style (after Ho
        and Salimans 2022). The flow weights velocities so; the decoder, where that would cost a second call
        for each note, the rows of its table.

        Raises:
            SettingError: if the model does not know a style.
        """
        weights = np.zeros(len(self.styles), np.float32)
        share = controls.style_blend if controls.style_b else 0.0
        weights[self.styles.index(self.resolve_style(controls.style))] += 1.0 - share
        if controls.style_b:
            weights[self.styles.index(self.resolve_style(controls.style_b))] += share
        weights *= controls.style_strength
        weights[0] += 1.0 - controls.style_strength
        return weights


def _read_manifest(file: Path) -> Manifest:
    if not file.is_file():
        raise BundleError(f"{file}: no manifest; give the folder of an exported model")
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise BundleError(f"{file}: not JSON ({error}); fetch or export the model again") from None
    version = content.get("format_version") if isinstance(content, dict) else None
    if isinstance(version, int) and version > FORMAT_VERSION:
        raise BundleError(f"{file}: format {version} is newer than {FORMAT_VERSION}; update TatumFlow")
    if isinstance(version, int) and version < FORMAT_VERSION:
        raise BundleError(f"{file}: format {version} is older than {FORMAT_VERSION}; export the model again")
    try:
        return Manifest.model_validate_json(json.dumps(content), strict=False)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "manifest"
        what = first["msg"].removeprefix("Value error, ")
        raise BundleError(f"{file}: {where}: {what}; fetch or export the model again") from None


def _check_graph(file: Path, graph: GraphFile) -> None:
    try:
        size = file.stat().st_size
        digest = hashlib.sha256(file.read_bytes()).hexdigest() if size == graph.bytes else ""
    except OSError as error:
        reason = "missing" if isinstance(error, FileNotFoundError) else error.strerror
        raise BundleError(f"{file}: graph file {reason}; fetch or export the model again") from None
    if digest != graph.sha256:
        raise BundleError(f"{file}: differs from its manifest, damaged; fetch or export the model again")


def load_bundle(path: Path) -> Bundle:
    """Check a bundle's manifest and the hash of every graph, and return it.

    Raises:
        BundleError: if something of it is missing, damaged, or of a newer format.
    """
    manifest = _read_manifest(path / MANIFEST_FILE)
    for graph in manifest.graphs.values():
        _check_graph(path / graph.file, graph)
    return Bundle(manifest, path)


def bundle_folders() -> list[Path]:
    """Return the folders that hold bundles: the installed package's, then the user's own."""
    return [
        *(Path(folder) for folder in tatumflow.exports.__path__),
        user_data_path("tatumflow", appauthor=False) / "models",
    ]


def find_bundles() -> list[Path]:
    """Return the folders of every bundle at hand, the package's first; their contents are not checked."""
    return [
        manifest.parent
        for folder in bundle_folders()
        for manifest in sorted(folder.glob(f"*/{MANIFEST_FILE}"))
    ]


def bundle_path(name_or_path: str | Path) -> Path:
    """Return the folder of a bundle given by path or by name; the empty string takes the first at hand.

    Raises:
        BundleError: if there is no such bundle.
    """
    found = find_bundles()
    if not str(name_or_path):
        if found:
            return found[0]
        places = " or ".join(str(folder) for folder in bundle_folders())
        raise BundleError(f"no model in {places}; export one with `tatumflow export`")
    path = Path(name_or_path)
    if (path / MANIFEST_FILE).is_file():
        return path
    for candidate in found:
        if candidate.name == str(name_or_path):
            return candidate
    names = ", ".join(candidate.name for candidate in found) or "none"
    raise BundleError(
        f"{name_or_path}: no such model; at hand: {names}; give a name or the folder of a bundle"
    )
