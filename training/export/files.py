"""Atomic writing of bundles."""

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Literal

from onnx import ModelProto

from tatumflow.engine.files.whole_file import recover_folder
from tatumflow.engine.files.whole_file import whole_folder as any_whole_folder
from tatumflow.engine.model.bundle import MANIFEST_FILE
from tatumflow.engine.model.model_folder import GraphFile
from tatumflow.training.export.errors import ExportError


def own_version() -> str:
    """Return the version of TatumFlow that is installed; "0" if it is not."""
    try:
        return version("tatumflow")
    except PackageNotFoundError:
        return "0"


def write_graphs(
    folder: Path, models: Mapping[str, ModelProto], precision: Literal["fp32", "int8"]
) -> dict[str, GraphFile]:
    """Write models as `<graph name>.onnx` and return their entries of the manifest."""
    files = {}
    for name, model in models.items():
        content = model.SerializeToString()
        file = f"{name}.onnx"
        (folder / file).write_bytes(content)
        files[name] = GraphFile(
            file=file, sha256=hashlib.sha256(content).hexdigest(), precision=precision, bytes=len(content)
        )
    return files


@contextmanager
def whole_folder(out: Path, marker: str = MANIFEST_FILE) -> Iterator[Path]:
    """Yield a temporary folder beside `out` that replaces it if the block ends without an error.

    `marker` is a file that marks a bundle, which may be replaced.

    Raises:
        ExportError: if `out` exists and is not a bundle, or cannot be written.
    """
    recover_folder(out)
    if out.exists() and not (out / marker).is_file():
        raise ExportError(f"{out}: exists and is not a model bundle; give another folder")
    try:
        with any_whole_folder(out) as new:
            yield new
    except OSError as error:
        raise ExportError(f"{out}: cannot be written ({error.strerror or error})") from None
