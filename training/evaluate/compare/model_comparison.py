"""The `compare` command: NLL of two models on the same notes, and the cost of a note of each."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from tatumflow.engine.errors import CorpusError, SettingError
from tatumflow.engine.files.regular_file import check_output
from tatumflow.engine.files.whole_file import write_whole
from tatumflow.engine.model.tokens import FIELDS
from tatumflow.training.data.packing import PackedCorpus, PackedPiece
from tatumflow.training.evaluate.bootstrap import Interval, bootstrap
from tatumflow.training.evaluate.compare.note_cost import NoteCost, note_cost
from tatumflow.training.evaluate.compare.overlap import overlapping, whole_piece
from tatumflow.training.evaluate.likelihood.piece_sums import (
    COUNTS,
    WIDTH,
    Floats,
    empty_sums,
    field_nats,
    nats_per_note,
    tally,
)
from tatumflow.training.evaluate.opened_model import OpenedModel, check_styles, open_model

SPLIT = "val"


@dataclass(frozen=True)
class ModelFigures:
    """One side of a comparison.

    Attributes:
        model: Its name.
        runtime: "torch" or "onnx".
        window: Steps of its context.
        nll_per_note: Nats per note.
        nll_fields: Nats per value of each field, by name; a field that no note has is left out.
        note_cost: Cost of a note.
    """

    model: str
    runtime: str
    window: int
    nll_per_note: Interval
    nll_fields: dict[str, Interval]
    note_cost: NoteCost


@dataclass(frozen=True)
class ModelComparison:
    """Two models on the same notes.

    Attributes:
        pieces: Number of pieces.
        notes: Number of predicted notes.
        a: The first model.
        b: The second.
        difference: Nats per note of the first less the second's; both are resampled together, by piece.
        cost_ratio: Median cost of a note of the first over the second's.
    """

    pieces: int
    notes: int
    a: ModelFigures
    b: ModelFigures
    difference: Interval
    cost_ratio: float


def compare(
    a: Path, b: Path, corpus: Path, pieces: int | None = None, json_path: Path | None = None
) -> ModelComparison:
    """Compare two models on the validation side of a packed corpus, as `tatumflow compare`.

    Args:
        a: A checkpoint, the folder of a run or of a bundle.
        b: Another.
        corpus: Folder of the packed corpus.
        pieces: Pieces to read at most, drawn at random; all when None.
        json_path: Where to write the figures, with the command that made them.

    Raises:
        CheckpointError: if a checkpoint cannot be read.
        BundleError: if a bundle cannot be read.
        CorpusError: if the corpus cannot be read, has no such side, or has other styles than a model.
        SettingError: if the figures cannot be written.
    """
    if json_path is not None:
        check_output(json_path)
    packed = PackedCorpus.open(corpus)
    models = (open_model(a), open_model(b))
    for model in models:
        check_styles(model, packed)
    result = compare_models(*models, packed, _chosen(packed, pieces))
    if json_path is not None:
        command = f"tatumflow compare {models[0].name} {models[1].name} --corpus PACKED"
        command += f" --pieces {pieces}" if pieces is not None else ""
        content = json.dumps({"command": command, **asdict(result)}, indent=1)
        try:
            write_whole(json_path, content + "\n")
        except OSError as error:
            raise SettingError(
                f"{json_path}: cannot be written ({error.strerror}); give another file"
            ) from None
    return result


def compare_models(
    a: OpenedModel, b: OpenedModel, corpus: PackedCorpus, pieces: Sequence[PackedPiece]
) -> ModelComparison:
    """Score two models on whole pieces, each in windows of its own length, and time their notes."""
    sums = _scores((a, b), corpus, pieces)
    figures = [_figures(model, own) for model, own in zip((a, b), sums, strict=True)]
    return ModelComparison(
        pieces=len(pieces),
        notes=int(sums[0][:, COUNTS].max(axis=1).sum()),
        a=figures[0],
        b=figures[1],
        difference=bootstrap(
            np.concatenate(sums, axis=1),
            lambda drawn: nats_per_note(drawn[:, :WIDTH]) - nats_per_note(drawn[:, WIDTH:]),
        ),
        cost_ratio=figures[0].note_cost.p50 / figures[1].note_cost.p50,
    )


def table(result: ModelComparison) -> Iterator[str]:
    """Write a comparison as lines of text."""
    yield f"{result.pieces} pieces, {result.notes} notes, {SPLIT} side"
    for name, side in (("A", result.a), ("B", result.b)):
        cost = side.note_cost
        yield f"{name} {side.model} ({side.runtime}, {side.window} steps)"
        yield f"  nats per note    {_shown(side.nll_per_note)}"
        for field, interval in side.nll_fields.items():
            yield f"    {field:<14} {_shown(interval)}"
        yield f"  ms per note      {cost.p50:7.3f}  99th percentile {cost.p99:.3f}, one thread, full context"
    yield f"A - B, nats        {_shown(result.difference)}"
    yield f"A / B, ms          {result.cost_ratio:7.3f}"


def _chosen(corpus: PackedCorpus, count: int | None) -> tuple[PackedPiece, ...]:
    every = corpus.played(SPLIT)
    if not every:
        raise CorpusError(f"{corpus.path}: has no {SPLIT} pieces; prepare a corpus that has")
    order = np.random.default_rng(0).permutation(len(every))[:count]
    return tuple(every[i] for i in sorted(order.tolist()))


def _scores(
    models: Sequence[OpenedModel], corpus: PackedCorpus, pieces: Sequence[PackedPiece]
) -> list[Floats]:
    sums = [empty_sums(len(pieces)) for _ in models]
    for i, piece in enumerate(pieces):
        whole = whole_piece(corpus, piece)
        for own, model in zip(sums, models, strict=True):
            for window in overlapping(whole, model.window):
                tally(own[i : i + 1], window, model.logits.logits(window))
    return sums


def _figures(model: OpenedModel, sums: Floats) -> ModelFigures:
    present = sums[:, COUNTS].sum(axis=0) > 0
    return ModelFigures(
        model=model.name,
        runtime=model.runtime,
        window=model.window,
        nll_per_note=bootstrap(sums, nats_per_note),
        nll_fields={
            name: bootstrap(sums, lambda drawn, i=i: field_nats(drawn)[:, i])
            for i, name in enumerate(FIELDS)
            if present[i]
        },
        note_cost=note_cost(model.stream(), model.window),
    )


def _shown(interval: Interval) -> str:
    return f"{interval.value:7.3f}  [{interval.low:.3f}, {interval.high:.3f}]"
