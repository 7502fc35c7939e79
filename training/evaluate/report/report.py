"""The report of an evaluation: one HTML page, with its examples beside it."""

import base64
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import numpy as np

from tatumflow.engine.errors import SettingError
from tatumflow.engine.files.whole_file import write_whole
from tatumflow.engine.model.style_names import player_name
from tatumflow.training.evaluate.comparison import Figures
from tatumflow.training.evaluate.evaluation import EvaluationResult
from tatumflow.training.evaluate.metrics.music_metrics import METRICS
from tatumflow.training.evaluate.metrics.pitch import pitch_class_counts, pitch_class_transitions
from tatumflow.training.evaluate.parts.continuation_figures import Continuations
from tatumflow.training.evaluate.report import plots
from tatumflow.training.evaluate.report.examples import WriteSound, examples_of, write_examples
from tatumflow.training.pages.page import render, setting, words

PAGE: Final = "index.html"
EXAMPLES: Final = "examples"
_SOUND: Final = ".mp3"
_SHOWN: Final = (
    "pitch_entropy",
    "rhythm_diversity",
    "groove_similarity",
    "note_density",
    "polyphony",
    "distinct_voicings",
)


def write_report(result: EvaluationResult, folder: Path, write_sound: WriteSound | None) -> Path:
    """Write the page and the examples into a folder, which is made if it does not exist.

    Args:
        result: What was evaluated.
        folder: The folder; what a report wrote there before is replaced.
        write_sound: Makes sound files; None for MIDI only.

    Returns:
        The page.

    Raises:
        SettingError: if the folder cannot be written.
        MidiFileError: if an example cannot be written.
    """
    try:
        (folder / EXAMPLES).mkdir(parents=True, exist_ok=True)
        examples, silent = write_examples(examples_of(result), folder / EXAMPLES, write_sound, _SOUND)
        figures = result.figures
        content = render(
            "evaluation.html",
            "tatumflow.training.evaluate.report",
            title=f"Evaluation of {figures.get('model', 'a model')}",
            command=figures.get("command", ""),
            figures=figures,
            corpora=_corpora(figures),
            metrics=list(METRICS),
            plots={name: base64.b64encode(svg.encode()).decode() for name, svg in _plots(result).items()},
            examples=examples,
            silent=silent,
            folder=EXAMPLES,
            suffix=_SOUND,
        )
        page = folder / PAGE
        write_whole(page, content)
    except OSError as error:
        raise SettingError(f"{folder}: cannot be written ({error.strerror}); give another folder") from None
    return page


def _corpora(figures: Figures) -> dict[str, Figures]:
    """Return the likelihoods of all held-out pieces and of those of each corpus."""
    return {"all": figures, **figures.get("nll_corpora", {})}


def _plots(result: EvaluationResult) -> dict[str, str]:
    """Return the plots of the parts that were evaluated, SVG by name."""
    figures, played = result.figures, result.continuations
    svgs: dict[str, str] = {}
    if "nll_per_note" in figures:
        svgs["fields"] = _fields(figures)
    if "pitch_class_kl" in figures and played is not None:
        svgs |= _continuations(figures, played)
    if "listener" in figures:
        ratios = {
            name: {"ratio": row["ratio"]["value"], "interval": row["ratio"]["interval"]}
            for name, row in figures["listener"]["figures"].items()
        }
        svgs["listener"] = plots.ratios(ratios)
    if "style_match" in figures:
        svgs |= _styles(figures)
    if "answer_relevance" in figures:
        svgs["answers"] = _answers(figures)
    if "control_response" in figures:
        panels = {
            name: {**control, "settings": [setting(value) for value in control["settings"]]}
            for name, control in figures["control_response"].items()
        }
        svgs["controls"] = plots.curves(panels)
    return svgs


def _fields(figures: Figures) -> str:
    corpora = _corpora(figures)
    bars = {
        field: {
            name: (part["nll_fields"][field]["value"], part["nll_fields"][field]["interval"])
            for name, part in corpora.items()
            if field in part["nll_fields"]
        }
        for field in figures["nll_fields"]
    }
    return plots.bars(bars, "nats per value")


def _continuations(figures: Figures, played: Continuations) -> dict[str, str]:
    real = [primer.real for primer in played.primers]
    sides = (played.generated, real)
    pairs = {
        name: (
            [METRICS[name](notes, played.seconds) for notes in played.generated],
            [METRICS[name](notes, played.seconds) for notes in real],
        )
        for name in _SHOWN
    }
    counts, transitions = (
        [np.sum([count(notes) for notes in side], axis=0) for side in sides]
        for count in (pitch_class_counts, pitch_class_transitions)
    )
    return {
        "ratios": plots.ratios({name: figures[name] for name in METRICS}),
        "distributions": plots.distributions(pairs),
        "pitch_classes": plots.pitch_classes(*counts),
        "transitions": plots.transitions(*transitions),
    }


def _styles(figures: Figures) -> dict[str, str]:
    svgs: dict[str, str] = {}
    bars = {
        player_name(style): {
            "generated": (row["generated"], row["generated_interval"]),
            "real": (row["real"], row["real_interval"]),
            "unconditional": (row["no_style"], None),
        }
        for style, row in figures["style_match"].items()
    }
    if bars:
        svgs["styles"] = plots.bars(bars, "share of stretches that the classifier gives to the player")
    panels: dict[str, Figures] = {}
    for key, control, quantity in (
        ("style_blend", "blend", "log_odds"),
        ("style_strength", "strength", "log_probability"),
    ):
        rows = figures[key].get("rows", [])
        if rows:
            panels[key] = {
                "settings": [f"{row[control]:g}" for row in rows],
                "values": [row[quantity] for row in rows],
                "intervals": [row["interval"] for row in rows],
                "quantity": words(quantity),
            }
    if panels:
        svgs["blends"] = plots.curves(panels)
    return svgs


def _answers(figures: Figures) -> str:
    settings = {name: row for name, row in figures["answer_relevance"].items() if isinstance(row, Mapping)}
    bars = {
        f"{part}, {name}": {
            "own call": (row["parts"][part]["own"], row["parts"][part]["own_interval"]),
            "other calls": (row["parts"][part]["shuffled"], row["parts"][part]["shuffled_interval"]),
        }
        for part in next(iter(settings.values()))["parts"]
        for name, row in settings.items()
    }
    return plots.bars(bars, "distance")
