"""The `evaluate` command: figures of a checkpoint or a bundle on held-out pieces."""

import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from tatumflow.engine.errors import CorpusError
from tatumflow.training.corpora.piece import Split
from tatumflow.training.evaluate.nll import Evaluation, NllReport, evaluate_nll
from tatumflow.training.evaluate.opened_model import check_styles, open_model
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
        checkpoint_or_bundle: A checkpoint that `tatumflow train` wrote, or the folder of a run or a bundle.
        corpus: Folder of the packed corpus.
        split: The side.
        json_path: Where to write the figures, with the command that made them.
        limit: Windows to read at most; all when None.

    Raises:
        CheckpointError: if the checkpoint cannot be read.
        BundleError: if the bundle cannot be.
        CorpusError: if the corpus cannot be, or holds nothing on that side.
    """
    path = Path(checkpoint_or_bundle)
    packed = PackedCorpus.open(corpus)
    if not packed.pieces(split):
        raise CorpusError(f"{corpus}: has no {split} pieces; choose the other side of the split")
    model = open_model(path)
    check_styles(model, packed)
    result = evaluate_nll(model.logits, packed, split, seq_len=model.window, limit=limit)
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
