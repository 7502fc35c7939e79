"""Accuracy of the tracker on held-out performances."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace

import numpy as np
from numpy.typing import NDArray

from tatumflow.engine.beats.network import BeatNetwork
from tatumflow.training.beats.chunks import merged, top_line
from tatumflow.training.beats.confidence import Calibration, fit, signs
from tatumflow.training.beats.decoding import DecodedBeats, decode
from tatumflow.training.beats.examples import BeatExample
from tatumflow.training.beats.labelling import TOGETHER, activations_of
from tatumflow.training.beats.measures import (
    accuracy,
    right_beats,
    within,
)


@dataclass(frozen=True)
class Figures:
    """Mean figures of a set of performances.

    Attributes:
        name: Name of the set.
        performances: Number of performances.
        f_measure: F-measure of beats within 70 ms.
        octave: The same, the best over half and twice the tempo and off-beats.
        downbeat: F-measure of downbeats.
        constant: F-measure of the best grid of constant tempo, fitted to the true beats.
    """

    name: str
    performances: int
    f_measure: float
    octave: float
    downbeat: float
    constant: float


@dataclass(frozen=True)
class _Tracked:
    example: BeatExample
    activation: NDArray[np.float32]
    found: DecodedBeats


def evaluate(network: BeatNetwork, examples: Sequence[BeatExample]) -> list[Figures]:
    """Measure the offline tracker on solos, with and without bass, and on piano, whole and top line."""
    figures: list[Figures] = []
    for name, chosen in example_sets(examples):
        rows = [
            accuracy(t.example.beats, t.example.position, t.found.onset, t.found.position)
            for t in _track(network, chosen)
        ]
        if rows:
            columns = {key: float(np.nanmean([asdict(row)[key] for row in rows])) for key in asdict(rows[0])}
            figures.append(Figures(name, len(rows), **columns))
    return figures


def calibrate(network: BeatNetwork, examples: Sequence[BeatExample]) -> Calibration:
    """Fit the confidence to held-out performances, solo lines and piano with equal weights.

    A beat counts as right if it matches a true beat in time and interval; see `right_beats`.
    A teacher's labels count as true beats, weighted by their certainty.
    """
    figures, right, weight = [], [], []
    for name, chosen in example_sets(examples):
        if name == "piano, top line":
            continue
        for tracked in _track(network, chosen):
            truth, onset = tracked.example.beats, tracked.found.onset
            found = within(truth, onset)
            if len(found) < 3:
                continue
            all_signs = signs(tracked.activation, tracked.example.notes.onset, onset)
            figures.append(all_signs[np.isin(onset, found)])
            right.append(right_beats(truth, found))
            weight.append(np.interp(found, truth, tracked.example.certainty) / len(chosen))
    return fit(np.concatenate(figures), np.concatenate(right), np.concatenate(weight))


def example_sets(examples: Sequence[BeatExample]) -> list[tuple[str, list[BeatExample]]]:
    """Return the named sets that the tracker is measured on: solos, with bass, piano, its top line."""
    solos = [example for example in examples if example.kind == "solo"]
    pianos = [example for example in examples if example.kind == "piano"]
    tops = [replace(example, notes=top_line(example.notes)) for example in pianos]
    accompanied = [replace(solo, notes=merged(solo.notes, solo.bass)) for solo in solos if len(solo.bass)]
    sets = [
        ("solo", solos),
        ("solo and bass", accompanied),
        ("piano", pianos),
        ("piano, top line", [top for top in tops if len(top.notes) > 20]),
    ]
    return [(name, chosen) for name, chosen in sets if chosen]


def _track(network: BeatNetwork, examples: Sequence[BeatExample]) -> list[_Tracked]:
    tracked = []
    for first in range(0, len(examples), TOGETHER):
        batch = examples[first : first + TOGETHER]
        activations = [activations_of(network, example.notes) for example in batch]
        for example, activation, found in zip(batch, activations, decode(activations), strict=True):
            tracked.append(_Tracked(example, activation, found))
    return tracked
