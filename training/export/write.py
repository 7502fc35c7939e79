"""Bundles on disk, whole or not at all."""

import hashlib
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Literal

from tatumflow.engine.bundle import (
    FORMAT_VERSION,
    MANIFEST_FILE,
    CorpusCredit,
    Dims,
    FieldVocabulary,
    GraphFile,
    Manifest,
)
from tatumflow.engine.tokens import FIELD_SIZES, FIELDS, INPUT_SIZES
from tatumflow.training.export.errors import ExportError
from tatumflow.training.export.onnx_files import OPSET, Model
from tatumflow.training.families.tatumflow.config import TatumFlowConfig

_ROLLBACK_SHARE = 8


def own_version() -> str:
    """Return the version of TatumFlow that is installed; "0" if it is not."""
    try:
        return version("tatumflow")
    except PackageNotFoundError:
        return "0"


def write_graphs(
    folder: Path, models: Mapping[str, Model], precision: Literal["fp32", "int8"]
) -> dict[str, GraphFile]:
    """Write models as `<graph name>.onnx` and return what the manifest says of them."""
    files = {}
    for name, model in models.items():
        content = model.SerializeToString()
        file = f"{name}.onnx"
        (folder / file).write_bytes(content)
        files[name] = GraphFile(
            file=file, sha256=hashlib.sha256(content).hexdigest(), precision=precision, bytes=len(content)
        )
    return files


def describe(
    name: str,
    config: TatumFlowConfig,
    styles: tuple[str, ...],
    graphs: dict[str, GraphFile],
    licence: str,
    corpora: tuple[CorpusCredit, ...] = (),
) -> Manifest:
    """Return the manifest of a model's graphs, without metrics.

    The cache has as many rows as the model's training window. A step looks back an eighth less, so that the
    last eighth can be taken back without a change in what the steps before saw.
    """
    rows = config.max_seq_len
    return Manifest(
        format_version=FORMAT_VERSION,
        name=name,
        family="tatumflow",
        dims=Dims(
            num_layers=config.num_layers,
            num_kv_heads=config.num_kv_heads,
            head_dim=config.head_dim,
            hidden_dim=config.hidden_dim,
            cache_rows=rows,
            num_styles=config.num_styles,
            latent_dim=config.latent_dim,
            theory_dim=config.theory_dim,
            phrase_len=config.phrase_len,
            rope_base=config.rope_base,
        ),
        fields=tuple(
            FieldVocabulary(name=field, size=size, input_size=inputs)
            for field, size, inputs in zip(FIELDS, FIELD_SIZES, INPUT_SIZES, strict=True)
        ),
        styles=styles,
        window=rows - rows // _ROLLBACK_SHARE,
        graphs=graphs,
        opset=OPSET,
        licence=licence,
        corpora=corpora,
        metrics=(),
        created_with=own_version(),
    )


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Write the manifest of a bundle."""
    (folder / MANIFEST_FILE).write_text(manifest.model_dump_json(indent=2) + "\n", encoding="utf-8")


@contextmanager
def whole_folder(out: Path, marker: str = MANIFEST_FILE) -> Iterator[Path]:
    """Give a temporary folder beside `out` that takes its place if the block ends without an error.

    Args:
        out: The folder.
        marker: A file that shows that what lies there is a bundle, and may be replaced.

    Raises:
        ExportError: if `out` exists and is not a bundle, or cannot be written.
    """
    if out.exists() and not (out / marker).is_file():
        raise ExportError(f"{out}: exists and is not a model bundle; give another folder")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{out.name}-", dir=out.parent) as scratch:
            new, old = Path(scratch) / "new", Path(scratch) / "old"
            new.mkdir()
            yield new
            if out.exists():
                out.rename(old)
            try:
                new.rename(out)
            except OSError:
                if old.exists():
                    shutil.move(old, out)
                raise
    except OSError as error:
        raise ExportError(f"{out}: cannot be written ({error.strerror or error})") from None
