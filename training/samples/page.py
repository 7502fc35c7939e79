"""The HTML page of samples: request, chosen candidate, its figures, and a player for each."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np

from tatumflow.engine.model.style_names import player_name
from tatumflow.training.evaluate.report.examples import Example
from tatumflow.training.pages.page import render
from tatumflow.training.samples.choice import (
    DENSEST,
    FEWEST_NOTES,
    LONGEST_GAP,
    MOST_REPEATED,
    REPEATED_WITHIN,
)
from tatumflow.training.samples.play import Sample

SOUND: Final = ".mp3"


def sample_page(
    samples: Sequence[Sample], examples: Sequence[Example], header: Mapping[str, Any], silent: str
) -> str:
    """Return the page.

    Args:
        samples: The samples.
        examples: Their files, as written.
        header: `model`, `command`, `calls` (where they come from) and `candidates`.
        silent: Why there is no sound; empty where there is.
    """
    return render(
        "samples.html",
        "tatumflow.training.samples",
        **header,
        title=f"Samples of {header['model']}",
        samples=list(zip(samples, examples, strict=True)),
        distances=_distances,
        limits={
            "notes": FEWEST_NOTES,
            "density": DENSEST,
            "gap": LONGEST_GAP,
            "repeats": MOST_REPEATED,
            "within": REPEATED_WITHIN,
        },
        silent=silent,
        suffix=SOUND,
    )


def sample_title(sample: Sample) -> str:
    """Return what the companion is given, in words: player and piece of the call, chart, tempo."""
    request = sample.request
    over = f"over {request.chords}" if request.chords else ""
    if sample.call is None:
        return f"{over}, {request.tempo:g} bpm" if over else "alone"
    call = " ".join(part for part in (player_name(sample.call.player), sample.call.piece) if part)
    return ", ".join(part for part in (call, over) if part)


def style_title(sample: Sample) -> str:
    """Return the names of the requested players; "no style" without one."""
    return " and ".join(map(player_name, sample.request.styles)) or "no style"


def _distances(sample: Sample) -> str:
    known = {name: value for name, value in sample.judgment.figures.items() if np.isfinite(value)}
    return ", ".join(f"{name} {value:.2f}" for name, value in known.items())
