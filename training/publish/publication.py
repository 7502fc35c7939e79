"""What of an exported model is published, whatever its kind."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tatumflow.engine.errors import BundleError
from tatumflow.engine.model.bundle import MANIFEST_FILE, Bundle, bundle_path, load_bundle
from tatumflow.engine.model.model_folder import CorpusCredit, GraphFile, Metric
from tatumflow.engine.separation.bundle import (
    SEPARATOR_FILE,
    SeparatorBundle,
    find_separators,
    load_separator,
    separator_path,
)

_TAGS: Final = ("music", "jazz", "onnx", "tatumflow")


@dataclass(frozen=True)
class Publication:
    """A checked model of any kind, as its repository describes it.

    Attributes:
        path: Its folder.
        name: Its name.
        family: Its model family.
        manifest_file: File name of its manifest.
        graphs: Its graphs by name.
        licence: Licence of the weights.
        corpora: What it was trained on.
        metrics: Figures and the commands that measured them.
        tags: Tags for the Hub's search.
        task: The task that the figures measure, as the Hub names tasks.
        bundle: The bundle where it predicts notes; None for a separator.
    """

    path: Path
    name: str
    family: str
    manifest_file: str
    graphs: Mapping[str, GraphFile]
    licence: str
    corpora: tuple[CorpusCredit, ...]
    metrics: tuple[Metric, ...]
    tags: tuple[str, ...]
    task: str
    bundle: Bundle | None = None

    @property
    def bytes(self) -> int:
        """Length of all graphs."""
        return sum(graph.bytes for graph in self.graphs.values())


def open_publication(name_or_path: str) -> Publication:
    """Open a model or a separator by name or by folder.

    Raises:
        BundleError: if there is none, or it is damaged.
    """
    if (Path(name_or_path) / SEPARATOR_FILE).is_file():
        return _of_separator(load_separator(Path(name_or_path)))
    try:
        path = bundle_path(name_or_path)
    except BundleError:
        if not any(path.name == name_or_path for path in find_separators()):
            raise
        return _of_separator(load_separator(separator_path(name_or_path)))
    return _of_bundle(load_bundle(path))


def _of_bundle(bundle: Bundle) -> Publication:
    manifest = bundle.manifest
    return Publication(
        bundle.path,
        manifest.name,
        manifest.family,
        MANIFEST_FILE,
        manifest.graphs,
        manifest.licence,
        manifest.corpora,
        manifest.metrics,
        (*_TAGS, "midi", "symbolic-music", "improvisation"),
        "note-prediction",
        bundle,
    )


def _of_separator(separator: SeparatorBundle) -> Publication:
    manifest = separator.manifest
    return Publication(
        separator.path,
        manifest.name,
        manifest.family,
        SEPARATOR_FILE,
        {"separator": manifest.graph},
        manifest.licence,
        manifest.corpora,
        manifest.metrics,
        (*_TAGS, "audio", "source-separation"),
        "audio-source-separation",
    )
