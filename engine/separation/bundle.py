"""Separators on disk: a folder with `separator.json` and an ONNX graph, checked before anything of it runs.

They lie beside the bundles of note models and are not taken for them, which have a `manifest.json`.
"""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from tatumflow.engine.bundle import CorpusCredit, GraphFile, Line, Metric, bundle_folders
from tatumflow.engine.errors import BundleError, SettingError
from tatumflow.engine.separation.stems import Stem, StemSet
from tatumflow.engine.separation.stft import StftSettings

SEPARATOR_FORMAT: Final = 1
"""The newest format this version reads."""

SEPARATOR_FILE: Final = "separator.json"

_MOST_FLOATS: Final = 1 << 26
"""Numbers that a state may have: a manifest from elsewhere must not fill the memory."""

_Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
_Size = Annotated[int, Field(ge=1, le=1 << 20)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class StemEntry(_Part):
    """A stem; see `Stem`."""

    name: Annotated[str, StringConstraints(max_length=40)]
    sources: tuple[Annotated[str, StringConstraints(max_length=40)], ...] = Field(max_length=64)


class SeparatorManifest(_Part):
    """What a separator says about itself.

    Attributes:
        format_version: Version of this schema.
        name: Its name.
        family: Model family.
        stems: What it takes a mixture apart into, in the order of its outputs.
        rate: Samples a second.
        window: Samples of a frame.
        hop: Samples from one frame to the next.
        block: Frames that the graph takes in one call.
        states: Shape of each tensor that the graph takes back in the next call; zeros at the beginning.
        graph: The graph's file.
        opset: ONNX operator set of the graph.
        licence: Licence of the weights.
        corpora: What the model was trained on.
        metrics: Figures measured at export and evaluation.
        created_with: Version of TatumFlow that wrote it.
    """

    format_version: Literal[1]
    name: _Name
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
    """A checked separator: what it says, and the folder it lies in."""

    manifest: SeparatorManifest
    path: Path

    @property
    def graph_path(self) -> Path:
        """File of the graph."""
        return self.path / self.manifest.graph.file


def load_separator(path: Path) -> SeparatorBundle:
    """Check a separator's manifest and the hash of its graph, and return it.

    Raises:
        BundleError: if something of it is missing, damaged, or of a newer format.
    """
    manifest = _read(path / SEPARATOR_FILE)
    file = path / manifest.graph.file
    try:
        content = file.read_bytes() if file.stat().st_size == manifest.graph.bytes else b""
    except OSError as error:
        reason = "missing" if isinstance(error, FileNotFoundError) else error.strerror
        raise BundleError(f"{file}: graph file {reason}; fetch or export the model again") from None
    if hashlib.sha256(content).hexdigest() != manifest.graph.sha256:
        raise BundleError(f"{file}: differs from its manifest, damaged; fetch or export the model again")
    return SeparatorBundle(manifest, path)


def find_separators() -> list[Path]:
    """Return the folders of every separator at hand, the package's first; their contents are not checked."""
    return [
        manifest.parent
        for folder in bundle_folders()
        for manifest in sorted(folder.glob(f"*/{SEPARATOR_FILE}"))
    ]


def separator_path(name_or_path: str | Path) -> Path:
    """Return the folder of a separator given by path or by name; the empty string takes the first at hand.

    Raises:
        BundleError: if there is no such separator.
    """
    found = find_separators()
    if not str(name_or_path):
        if found:
            return found[0]
        places = " or ".join(str(folder) for folder in bundle_folders())
        raise BundleError(
            f"no separator in {places}; export one with `tatumflow export`, or run `tatumflow get-spleeter`"
        )
    path = Path(name_or_path)
    if (path / SEPARATOR_FILE).is_file():
        return path
    for candidate in found:
        if candidate.name == str(name_or_path):
            return candidate
    names = ", ".join(candidate.name for candidate in found) or "none"
    raise BundleError(f"{name_or_path}: no such separator; at hand: {names}; give a name or a folder")


def _read(file: Path) -> SeparatorManifest:
    if not file.is_file():
        raise BundleError(f"{file}: no such file; give the folder of an exported separator")
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise BundleError(f"{file}: not JSON ({error}); fetch or export the model again") from None
    version = content.get("format_version") if isinstance(content, dict) else None
    if isinstance(version, int) and version > SEPARATOR_FORMAT:
        raise BundleError(f"{file}: format {version} is newer than {SEPARATOR_FORMAT}; update TatumFlow")
    try:
        return SeparatorManifest.model_validate_json(json.dumps(content), strict=False)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "separator"
        what = first["msg"].removeprefix("Value error, ")
        raise BundleError(f"{file}: {where}: {what}; fetch or export the model again") from None
