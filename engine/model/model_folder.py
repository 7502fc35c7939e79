"""Folders of exported models: where they are, and the checks of their manifests and graphs.

They hold JSON and ONNX only; nothing in them is unpickled. Every name in a manifest is confined to a plain
slug or file name, so that an untrusted folder can neither refer outside itself nor write control characters
to a terminal.
"""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal, TypeVar

from platformdirs import user_data_path
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

import tatumflow.exports
from tatumflow.engine.errors import BundleError
from tatumflow.engine.files.whole_file import recover_folder, recover_folders

Line = Annotated[str, StringConstraints(pattern=r"^[^\x00-\x1f\x7f-\x9f]*$", max_length=500)]
ModelName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
_File = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}\.onnx$")]
_Hash = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class ManifestPart(BaseModel):
    """A part of a manifest, or the whole of one: frozen; unknown fields are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


_Manifest = TypeVar("_Manifest", bound=ManifestPart)


class GraphFile(ManifestPart):
    """One ONNX file of the folder: its name, hash, weight precision and length in bytes."""

    file: _File
    sha256: _Hash
    precision: Literal["fp32", "fp16", "int8"]
    bytes: int = Field(ge=1)


class CorpusCredit(ManifestPart):
    """A corpus the model was trained on, and its licence."""

    name: Line
    licence: Line


class Metric(ManifestPart):
    """A measured figure and the command that measured it."""

    name: Line
    value: float
    command: Line


@dataclass(frozen=True)
class FolderKind:
    """A kind of exported model, identified by the file name of its manifest.

    Attributes:
        noun: Its name in messages.
        manifest: File name of its manifest.
        oldest: The oldest manifest format that is read.
        newest: The newest.
        source: Advice on where to get one.
    """

    noun: str
    manifest: str
    oldest: int
    newest: int
    source: str

    def find(self) -> list[Path]:
        """Return the folders of all models found, the package's first; their contents are not checked."""
        folders = bundle_folders()
        for folder in folders:
            recover_folders(folder, self.manifest)
        manifests = (sorted(folder.glob(f"[!.]*/{self.manifest}")) for folder in folders)
        return [manifest.parent for found in manifests for manifest in found]

    def path_of(self, name_or_path: str | Path) -> Path:
        """Return the folder of a model by path or by name; the empty string gives the first one found.

        Raises:
            BundleError: if there is none.
        """
        found = self.find()
        if not str(name_or_path):
            if found:
                return found[0]
            places = " or ".join(str(folder) for folder in bundle_folders())
            raise BundleError(f"no {self.noun} in {places}; {self.source}")
        path = Path(name_or_path)
        recover_folder(path)
        if (path / self.manifest).is_file():
            return path
        for candidate in found:
            if candidate.name == str(name_or_path):
                return candidate
        names = ", ".join(candidate.name for candidate in found) or "none"
        raise BundleError(
            f"{name_or_path}: no such {self.noun}; found: {names}; give a name or the folder of one"
        )

    def read(self, folder: Path, schema: type[_Manifest]) -> _Manifest:
        """Return the manifest of a folder.

        Raises:
            BundleError: if it is missing, damaged, or of a format that is not read.
        """
        file = folder / self.manifest
        if not file.is_file():
            raise BundleError(f"{file}: no manifest; give the folder of an exported {self.noun}")
        try:
            content = json.loads(file.read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError) as error:
            raise BundleError(f"{file}: not JSON ({error}); fetch or export the {self.noun} again") from None
        version = content.get("format_version") if isinstance(content, dict) else None
        if isinstance(version, int) and version > self.newest:
            raise BundleError(f"{file}: format {version} is newer than {self.newest}; update TatumFlow")
        if isinstance(version, int) and version < self.oldest:
            raise BundleError(
                f"{file}: format {version} is older than {self.oldest}; export the {self.noun} again"
            )
        try:
            return schema.model_validate_json(json.dumps(content), strict=False)
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"]) or "manifest"
            what = first["msg"].removeprefix("Value error, ")
            raise BundleError(f"{file}: {where}: {what}; fetch or export the {self.noun} again") from None

    def check_graph(self, folder: Path, graph: GraphFile) -> None:
        """Check the size and hash of a graph's file against the manifest.

        Raises:
            BundleError: if it is missing, or differs.
        """
        file = folder / graph.file
        try:
            same = file.stat().st_size == graph.bytes
            digest = hashlib.sha256(file.read_bytes()).hexdigest() if same else ""
        except OSError as error:
            reason = "missing" if isinstance(error, FileNotFoundError) else error.strerror
            raise BundleError(f"{file}: graph file {reason}; fetch or export the {self.noun} again") from None
        if digest != graph.sha256:
            raise BundleError(
                f"{file}: differs from its manifest, damaged; fetch or export the {self.noun} again"
            )


def bundle_folders() -> list[Path]:
    """Return the folders that hold exported models: the installed package's, then the user's own."""
    return [
        *(Path(folder) for folder in tatumflow.exports.__path__),
        user_data_path("tatumflow", appauthor=False) / "models",
    ]
