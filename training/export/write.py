"""The manifest of a bundle."""

from pathlib import Path

from tatumflow.engine.model.bundle import (
    FORMAT_VERSION,
    MANIFEST_FILE,
    OLDEST_FORMAT,
    Dims,
    FieldVocabulary,
    Manifest,
)
from tatumflow.engine.model.model_folder import CorpusCredit, GraphFile
from tatumflow.engine.model.tokens import FIELD_SIZES, FIELDS, INPUT_SIZES
from tatumflow.training.export.files import own_version
from tatumflow.training.export.onnx_files import OPSET
from tatumflow.training.models.tatumflow.config import TatumFlowConfig

_ROLLBACK_SHARE = 8


def describe(
    name: str,
    config: TatumFlowConfig,
    styles: tuple[str, ...],
    graphs: dict[str, GraphFile],
    licence: str,
    corpora: tuple[CorpusCredit, ...] = (),
    line_styles: tuple[str, ...] = (),
) -> Manifest:
    """Return the manifest of a model's graphs, without metrics; line styles it does not have are left out.

    The cache has as many rows as the model's training window. A step attends to an eighth less, so that the
    last eighth can be rolled back without a change in the attention of the steps before.
    """
    rows = config.max_seq_len
    return Manifest(
        format_version=FORMAT_VERSION if config.metre_and_key else OLDEST_FORMAT,
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
        line_styles=tuple(sorted({*line_styles} & {*styles})),
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
