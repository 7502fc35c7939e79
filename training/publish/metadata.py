"""Metadata of a model card, in huggingface_hub's own classes, which check it."""

import math
import re
from typing import Final

from huggingface_hub import EvalResult, ModelCard, ModelCardData

from tatumflow.training.publish.errors import PublishError
from tatumflow.training.publish.publication import Publication

_LICENCES: Final = (
    *("apache-2.0", "mit", "cc0-1.0", "cc-by-4.0", "cc-by-sa-4.0", "cc-by-nc-4.0", "cc-by-nc-sa-4.0"),
    *("odbl", "bsd-3-clause", "gpl-3.0", "lgpl-3.0"),
)
"""Identifiers of licences that the Hub knows; any other is named as it is."""

HELD_OUT: Final = "val_"
"""Beginning of the names of figures measured on held-out pieces; the others compare graphs with the model."""


def card_data(model: Publication) -> ModelCardData:
    """Return the metadata: licence, tags, and the figures on held-out pieces with their commands.

    Raises:
        PublishError: if a figure is not finite.
    """
    licence = model.licence.lower().replace(" ", "-")
    known = licence in _LICENCES
    return ModelCardData(
        model_name=model.name,
        license=licence if known else "other",
        license_name=None if known else model.licence,
        library_name="onnxruntime",
        tags=list(model.tags),
        eval_results=_results(model) or None,
    )


def check_card(text: str, model: Publication) -> None:
    """Read a card as the Hub does, and compare its figures with the manifest's.

    Raises:
        PublishError: if huggingface_hub refuses the metadata, or a figure differs.
    """
    try:
        data = ModelCard(text).data
    except (TypeError, ValueError, KeyError) as error:
        raise PublishError(f"{model.name}: the Hub would refuse its card ({error})") from None
    read = {result.metric_type: result.metric_value for result in data.get("eval_results") or ()}
    expected = {result.metric_type: result.metric_value for result in _results(model)}
    if read != expected:
        raise PublishError(f"{model.name}: the card's figures are not the manifest's; export it again")


def _results(model: Publication) -> list[EvalResult]:
    corpora = [corpus.name for corpus in model.corpora]
    dataset = re.sub(r"[^a-z0-9]+", "-", "-".join(corpora).lower()).strip("-") or "unstated"
    results = []
    for metric in model.metrics:
        if not math.isfinite(metric.value):
            raise PublishError(f"{model.name}: {metric.name} is not finite; measure and export it again")
        if not metric.name.startswith(HELD_OUT):
            continue
        results.append(
            EvalResult(
                task_type=model.task,
                dataset_type=dataset,
                dataset_name=f"held-out pieces of {', '.join(corpora) or 'an unstated corpus'}",
                dataset_split="validation",
                metric_type=metric.name,
                metric_name=metric.name.removeprefix(HELD_OUT).replace("_", " "),
                metric_value=metric.value,
                metric_args={"command": metric.command},
            )
        )
    return results
