"""The `evaluate` command: figures of a checkpoint or a bundle on held-out pieces."""

import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from tatumflow.engine.bundle import load_bundle
from tatumflow.engine.errors import CorpusError
from tatumflow.engine.onnx_decoder import OnnxDecoder
from tatumflow.engine.providers import CPU
from tatumflow.training.corpora.piece import Split
from tatumflow.training.evaluate.nll import (
    DecoderLogits,
    Evaluation,
    NllReport,
    TorchLogits,
    WindowLogits,
    evaluate_nll,
)
from tatumflow.training.export.checkpoint import load_checkpoint
from tatumflow.training.packing import PackedCorpus


def evaluate(
    checkpoint_or_bundle: Path,
    corpus: Path,
    split: Split = "val",
    json_path: Path | None = None,
    limit: int | None = None,
) -> Evaluation:
    """Evaluate a model on one side of a packed corpus's split.

    Args:
        checkpoint_or_bundle: A checkpoint that `tatumflow train` wrote, or the folder of a bundle.
        corpus: Folder of the packed corpus.
        split: The side.
        json_path: Where to write the figures, with the command that made them.
        limit: Windows to read at most; all when None.

    Raises:
        ExportError: if the checkpoint cannot be read.
        BundleError: if the bundle cannot be.
        CorpusError: if the corpus cannot be, or holds nothing on that side.
    """
    path = Path(checkpoint_or_bundle)
    packed = PackedCorpus.open(corpus)
    if not packed.pieces(split):
        raise CorpusError(f"{corpus}: has no {split} pieces; choose the other side of the split")
    model, seq_len, styles = _opened(path)
    _check_styles(path, styles, packed)
    result = evaluate_nll(model, packed, split, seq_len=seq_len, limit=limit)
    if json_path is not None:
        command = f"tatumflow evaluate {path.name} CORPUS --split {split}"
        command += f" --limit {limit}" if limit is not None else ""
        content = {"command": command, **asdict(result)}
        Path(json_path).write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    return result


def table(result: Evaluation) -> Iterator[str]:
    """Write figures as lines of text: the total, then each corpus, with 95 % intervals."""
    for name, report in {"all": result.total, **result.corpora}.items():
        yield f"{name}: {report.pieces} pieces, {report.notes} notes"
        yield from _lines(report)


def _lines(report: NllReport) -> Iterator[str]:
    named = {
        "nats per note": report.per_note,
        **{f"  {field}": interval for field, interval in report.fields.items()},
        "nats per token": report.per_token,
        "perplexity": report.perplexity,
        "note accuracy": report.note_accuracy,
    }
    for name, interval in named.items():
        yield f"  {name:<16} {interval.value:7.3f}  [{interval.low:.3f}, {interval.high:.3f}]"


def _opened(path: Path) -> tuple[WindowLogits, int, tuple[str, ...]]:
    """Return a model's logits, its window in steps and its styles, row 0 of the table included."""
    if path.is_dir():
        bundle = load_bundle(path)
        decoder = OnnxDecoder(bundle, providers=(CPU,))
        return DecoderLogits(decoder), decoder.shape.window, bundle.styles
    trained = load_checkpoint(path)
    return TorchLogits(trained.model), trained.model.config.max_seq_len, trained.styles


def _check_styles(path: Path, styles: tuple[str, ...], corpus: PackedCorpus) -> None:
    known = corpus.index.styles
    if tuple(style for style in styles if style) != known:
        raise CorpusError(
            f"{corpus.path}: its {len(known)} styles are not those of {path.name}; evaluate on the corpus "
            "the model was trained on"
        )
