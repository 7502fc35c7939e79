"""The HTML page of samples: request, chosen candidate, the figures that chose it, and a player for each."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from tatumflow.engine.controls import ModeName
from tatumflow.engine.model.style_names import player_name
from tatumflow.training.evaluate.report.examples import Example
from tatumflow.training.pages.page import render
from tatumflow.training.samples.choice import OFF_CHORDS
from tatumflow.training.samples.play import Sample
from tatumflow.training.samples.real import Stretch
from tatumflow.training.samples.texture import (
    DENSEST,
    FEWEST_NOTES,
    LONGEST_GAP,
    MOST_REPEATED,
    REPEATED_WITHIN,
    Texture,
)

SOUND: Final = ".mp3"

_PARTS: Final = {
    "harmony": "distance of pitch classes, basses and fitting chords from {reference}",
    "melody": "distance of intervals and contour from {reference}",
    "rhythm": "distance of the times between onsets, durations and pulse from {reference}",
    OFF_CHORDS: "share of notes outside the chord at their onset",
}

_REFERENCES: Final[dict[ModeName, str]] = {
    "improvise": "stretches of the requested players",
    "restyle": "the call",
    "reharmonize": "the call",
}


@dataclass(frozen=True)
class Shown:
    """A sample on the page.

    Attributes:
        sample: The sample.
        real: The player's stretch beside it; None without one.
        example: The sample's files, as written.
        real_example: Those of the stretch.
    """

    sample: Sample
    real: Stretch | None
    example: Example
    real_example: Example | None


@dataclass(frozen=True)
class FigureRow:
    """A figure of a sample, as text.

    Attributes:
        name: The figure.
        value: That of the sample.
        candidates: Smallest and largest of the candidates; empty where it is not compared.
        real: That of the real stretch; empty where it is not measured.
        meaning: What it means, and which side is better.
    """

    name: str
    value: str
    candidates: str
    real: str
    meaning: str


def sample_page(shown: Sequence[Shown], header: Mapping[str, Any], silent: str) -> str:
    """Return the page.

    Args:
        shown: The samples, with their files.
        header: `model`, `command`, `calls` (where they come from), `candidates`, `credits` (whose real
            stretches these are), `blind` (the page of the blind test, empty without) and `no_blind` (why).
        silent: Why there is no sound; empty where there is.
    """
    return render(
        "samples.html",
        "tatumflow.training.samples",
        **header,
        title=f"Samples of {header['model']}",
        shown=shown,
        rows=[list(figure_rows(one)) for one in shown],
        silent=silent,
        suffix=SOUND,
    )


def figure_rows(shown: Shown) -> Iterator[FigureRow]:
    """Yield every figure that chose a sample, beside those of the candidates and of the real stretch."""
    sample, choice = shown.sample, shown.sample.choice
    reference = _REFERENCES.get(sample.request.mode) or _follows(sample)
    for name, value in sample.judgment.figures.items():
        low, high = choice.ranges[name]
        meaning = _PARTS[name].format(reference=reference) + "; less is nearer"
        yield FigureRow(name, _two(value), f"{_two(low)} to {_two(high)}", "", meaning)
    if np.isfinite(choice.rank):
        meaning = "mean place among the candidates over the distances above; 1 is nearest in all"
        yield FigureRow("mean rank", _two(choice.rank), "", "", meaning)
    own, real = sample.judgment.texture, None if shown.real is None else shown.real.texture
    for name, meaning, text in (
        ("notes", f"a fault below {FEWEST_NOTES}", _notes),
        ("notes a second", f"a fault above {DENSEST:g}", _density),
        ("longest silence", f"seconds; a fault above {LONGEST_GAP:g}", _silence),
        (
            "repeats",
            f"of one figure of 8 notes in {REPEATED_WITHIN:g} s; a fault above {MOST_REPEATED}",
            _repeats,
        ),
    ):
        yield FigureRow(name, text(own), "", "" if real is None else text(real), meaning)


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


def _follows(sample: Sample) -> str:
    known = sample.call is not None and len(sample.call.following) > 0
    return "what the player played next" if known else "the call"


def _two(value: float) -> str:
    return f"{value:.2f}" if np.isfinite(value) else "–"


def _notes(texture: Texture) -> str:
    return str(texture.notes)


def _density(texture: Texture) -> str:
    return f"{texture.density:.1f}"


def _silence(texture: Texture) -> str:
    return f"{texture.silence:.1f}"


def _repeats(texture: Texture) -> str:
    return str(texture.repeats)
