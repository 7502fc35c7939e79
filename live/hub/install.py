"""Installation of a model from the Hub: its manifest first, then the graphs that the manifest lists."""

import hashlib
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from platformdirs import user_cache_path
from pydantic import BaseModel, ConfigDict, ValidationError

from tatumflow.engine.errors import DownloadError
from tatumflow.engine.files.whole_file import recover_folder, whole_folder
from tatumflow.engine.melodies.bundle import MELODY_FILE, load_melodies
from tatumflow.engine.model.bundle import MANIFEST_FILE, load_bundle
from tatumflow.engine.model.model_folder import GraphFile, Line, ModelName, bundle_folders
from tatumflow.engine.rolls.bundle import ROLLS_FILE, load_rolls
from tatumflow.engine.separation.bundle import SEPARATOR_FILE, load_separator
from tatumflow.live.hub.catalogue import CatalogueEntry, ModelSource
from tatumflow.live.hub.download import (
    NotFoundError,
    Progress,
    RemoteFile,
    check_endpoint,
    fetch_file,
    fetch_text,
)

HUB: Final = "https://huggingface.co"
LARGEST_MANIFEST: Final = 4 << 20
"""Most bytes of a manifest."""

KINDS: Final[Mapping[str, Callable[[Path], Any]]] = {
    MANIFEST_FILE: load_bundle,
    SEPARATOR_FILE: load_separator,
    MELODY_FILE: load_melodies,
    ROLLS_FILE: load_rolls,
}
"""Manifest's file name of each kind of model, and what checks a folder of that kind."""


class _Manifest(BaseModel):
    """What the manifests of all kinds have; the checks of a kind follow when its files are there."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    name: ModelName
    licence: Line
    graphs: dict[str, GraphFile] = {}
    graph: GraphFile | None = None
    encoder: GraphFile | None = None
    conductor: GraphFile | None = None
    decoder: GraphFile | None = None

    @property
    def files(self) -> dict[str, GraphFile]:
        """The graphs, by file name."""
        single = (self.graph, self.encoder, self.conductor, self.decoder)
        return {graph.file: graph for graph in (*self.graphs.values(), *single) if graph is not None}


@dataclass(frozen=True)
class RemoteModel:
    """A model that is on the Hub and not yet here.

    Attributes:
        source: Where it is.
        manifest_file: File name of its manifest.
        content: The manifest.
        name: Its name.
        licence: Licence of its weights.
        files: Its graphs by file name.
    """

    source: ModelSource
    manifest_file: str
    content: bytes
    name: str
    licence: str
    files: Mapping[str, GraphFile]

    @property
    def bytes(self) -> int:
        """Length of all graphs."""
        return sum(file.bytes for file in self.files.values())

    @property
    def url(self) -> str:
        """Address of its page."""
        return f"{hub()}/{self.source.repo}"

    def file_url(self, name: str) -> str:
        """Return the address of one of its files."""
        return _file_url(self.source, name)


def hub() -> str:
    """Return the address of the Hub, or of the mirror that HF_ENDPOINT names.

    Raises:
        DownloadError: if that is no https address.
    """
    return check_endpoint(os.environ.get("HF_ENDPOINT") or HUB)


def models_folder() -> Path:
    """Return the folder of the user's own models."""
    return bundle_folders()[-1]


def look_up(source: ModelSource) -> RemoteModel:
    """Return a model on the Hub after a check of its manifest's hash, where the source states one.

    Raises:
        NotFoundError: if there is no such repository, or no model in it.
        DownloadError: if the Hub cannot be reached, or the manifest is damaged or another one.
    """
    missing: NotFoundError | None = None
    for manifest_file in KINDS:
        url = _file_url(source, manifest_file)
        try:
            content = fetch_text(url, LARGEST_MANIFEST)
        except NotFoundError as error:
            missing = missing or error
            continue
        if source.sha256 and hashlib.sha256(content).hexdigest() != source.sha256:
            raise DownloadError(f"{url}: its hash differs from the catalogue's; not used, update TatumFlow")
        return _remote_model(source, manifest_file, content, url)
    assert missing is not None
    raise missing


def install(model: RemoteModel, folder: Path, progress: Progress = lambda _: None) -> Path:
    """Download a model into a folder of its name within `folder`, in place of one there, and return it.

    Raises:
        DownloadError: if a file cannot be downloaded, differs from its hash, or cannot be written.
        BundleError: if the model is of another version or does not fit together.
    """
    target, cache = folder / model.name, user_cache_path("tatumflow", appauthor=False) / "downloads"
    fetched = {
        name: fetch_file(RemoteFile(model.file_url(name), file.sha256, file.bytes), cache, progress)
        for name, file in model.files.items()
    }
    try:
        with whole_folder(target) as staging:
            (staging / model.manifest_file).write_bytes(model.content)
            for name, path in fetched.items():
                (staging / name).write_bytes(path.read_bytes())
            KINDS[model.manifest_file](staging)
    except OSError as error:
        raise DownloadError(
            f"{target}: cannot be written ({error.strerror or error}); make room or check its rights"
        ) from None
    for path in fetched.values():
        path.unlink(missing_ok=True)
    return target


def installed_at(name: str) -> Path | None:
    """Return the folder of a model of this name, the package's before the user's own; None without one."""
    for folder in bundle_folders():
        recover_folder(folder / name)
        if any((folder / name / manifest).is_file() for manifest in KINDS):
            return folder / name
    return None


def is_same(model: RemoteModel, folder: Path) -> bool:
    """Return whether a folder holds this model: the same manifest."""
    file = folder / model.manifest_file
    return file.is_file() and file.read_bytes() == model.content


def is_pinned(entry: CatalogueEntry, folder: Path) -> bool:
    """Return whether a folder holds the model of an entry of the catalogue."""
    manifests = (folder / name for name in KINDS)
    return any(
        file.is_file() and hashlib.sha256(file.read_bytes()).hexdigest() == entry.sha256 for file in manifests
    )


def comes_along(folder: Path) -> bool:
    """Return whether a model's folder is the package's, and not the user's own."""
    return folder.parent != models_folder()


def _file_url(source: ModelSource, name: str) -> str:
    return f"{hub()}/{source.repo}/resolve/{source.revision}/{name}"


def _remote_model(source: ModelSource, manifest_file: str, content: bytes, url: str) -> RemoteModel:
    try:
        manifest = _Manifest.model_validate_json(content)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "manifest"
        raise DownloadError(f"{url}: {where}: {first['msg']}; ask its author to publish it again") from None
    if not manifest.files:
        raise DownloadError(f"{url}: lists no graphs; ask its author to publish it again")
    return RemoteModel(source, manifest_file, content, manifest.name, manifest.licence, manifest.files)
