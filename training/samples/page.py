"""The page of samples: what was asked for, what was chosen and why, and a player for each."""

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import Any, Final

import numpy as np

from tatumflow.training.evaluate.report.examples import Example
from tatumflow.training.evaluate.report.page import document, midi_link, note, sound_player
from tatumflow.training.samples.choice import (
    DENSEST,
    FEWEST_NOTES,
    LONGEST_GAP,
    MOST_REPEATED,
    REPEATED_WITHIN,
)
from tatumflow.training.samples.play import Sample

SOUND: Final = ".mp3"

_HEADS: Final = ("", "mode", "style", "what is heard", "", "", "distances", "faults", "chosen")


def sample_page(
    samples: Sequence[Sample], examples: Sequence[Example], header: Mapping[str, Any], why: str
) -> str:
    """Return the page.

    Args:
        samples: The samples.
        examples: Their files, as written.
        header: `model`, `command`, `calls` (where they come from) and `candidates`.
        why: Why there is no sound; empty where there is.
    """
    return document(f"Samples of {header['model']}", _body(samples, examples, header, why))


def sample_title(sample: Sample) -> str:
    """Return what is heard, in words."""
    request = sample.request
    over = f"over {request.chords}" if request.chords else ""
    if sample.call is None:
        return f"{over}, {request.tempo:g} bpm" if over else "alone"
    call = " ".join(part for part in (sample.call.player, sample.call.piece) if part)
    return ", ".join(part for part in (call, over) if part)


def style_title(sample: Sample) -> str:
    """Return whom it should sound like, in words."""
    return " and ".join(sample.request.styles) or "nobody"


def _body(
    samples: Sequence[Sample], examples: Sequence[Example], header: Mapping[str, Any], why: str
) -> Iterator[str]:
    yield f"<h1>Samples of {escape(str(header['model']))}</h1>"
    yield f"<p><code>{escape(str(header['command']))}</code></p>"
    yield note(
        f"What is heard comes first, then what the companion played. Calls are {header['calls']}. Each "
        f"sample is the best of {header['candidates']} under as many seeds, chosen by figures, not by ear: "
        "the one with the fewest faults, and of those the one with the lowest mean rank over its distances."
    )
    yield note(
        f"Faults are fewer than {FEWEST_NOTES} notes, more than {DENSEST:g} a second, more than "
        f"{LONGEST_GAP:g} s of silence, and a figure of 8 notes more than {MOST_REPEATED} times in "
        f"{REPEATED_WITHIN:g} s, which real playing hardly "
        "has. Harmony, melody and rhythm are distances of the features of docs/theory.md: of answers and "
        "continuations from what the player did next (from the call, where that is not known), of restyled "
        "and reharmonized phrases from the call, of improvisations from the players asked for, where a "
        "corpus has them. Off the chords is the share of notes outside the chord of the chart at their onset."
    )
    if why:
        yield note(f"MIDI only: {why}")
    rows = ["<tr>" + "".join(f"<th>{head}</th>" for head in _HEADS) + "</tr>"]
    for number, (sample, example) in enumerate(zip(samples, examples, strict=True), start=1):
        cells = (
            str(number),
            sample.request.mode,
            escape(style_title(sample)),
            escape(sample_title(sample)),
            sound_player(f"{example.name}{SOUND}") if example.sound else "",
            midi_link(f"{example.name}.mid"),
            escape(_distances(sample)),
            escape(", ".join(sample.judgment.faults) or "none"),
            f"{sample.chosen} of {header['candidates']}",
        )
        rows.append("<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>")
    yield '<table id="samples">' + "\n".join(rows) + "</table>"


def _distances(sample: Sample) -> str:
    known = {name: value for name, value in sample.judgment.figures.items() if np.isfinite(value)}
    return ", ".join(f"{name} {value:.2f}" for name, value in known.items())
