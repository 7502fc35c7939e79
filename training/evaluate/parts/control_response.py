"""Response to controls: each at several settings, on the same primers with the same seeds."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from tatumflow.engine.controls import Controls
from tatumflow.training.evaluate.bootstrap import mean, paired_difference
from tatumflow.training.evaluate.comparison import Figures, bounds, value_and_interval
from tatumflow.training.evaluate.generations import DEFAULT_VELOCITY, Performer
from tatumflow.training.evaluate.metrics.pitch import pitch_entropy
from tatumflow.training.evaluate.metrics.rhythm import rhythm_diversity
from tatumflow.training.evaluate.metrics.texture import onset_density, polyphony
from tatumflow.training.evaluate.parts.continuation_figures import continue_primers
from tatumflow.training.evaluate.primers import Primer

CONTROL_SECONDS: Final = 12.0
"""Length of the continuations that are measured."""

Notes = NDArray[np.void]
Quantity = Callable[[Primer, Notes], float]
"""Quantity that a control should move, of a primer and its continuation of `CONTROL_SECONDS`; NaN where
undefined."""

Progress = Callable[[str], None]

_RECENT: Final = 8
_C_MAJOR: Final = sum(1 << pitch_class for pitch_class in (0, 2, 4, 5, 7, 9, 11))
_C_PENTATONIC: Final = sum(1 << pitch_class for pitch_class in (0, 2, 4, 7, 9))


@dataclass(frozen=True)
class ControlTest:
    """A control, its settings, and the quantity that they should move.

    Attributes:
        control: Name of the control.
        settings: At least three values of it, in the order in which the quantity should rise.
        quantity: Name of the quantity.
        measure: The quantity.
        beside: Values of other controls during the test.
    """

    control: str
    settings: tuple[Any, ...]
    quantity: str
    measure: Quantity
    beside: tuple[tuple[str, Any], ...] = ()


def _share_of_c_major(primer: Primer, notes: Notes) -> float:
    inside = (_C_MAJOR >> (notes["pitch"].astype(np.int64) % 12)) & 1
    return float(inside.mean()) if len(notes) else float("nan")


def _share_repeated(primer: Primer, notes: Notes) -> float:
    """Share of notes whose pitch is among the eight before them."""
    pitch = notes["pitch"].tolist()
    again = [pitch[i] in pitch[max(i - _RECENT, 0) : i] for i in range(1, len(pitch))]
    return float(np.mean(again)) if again else float("nan")


def _velocity_distance(primer: Primer, notes: Notes) -> float:
    """Distance of the mean velocity from that of the primer as the model reads it."""
    given = np.where(primer.notes["velocity"] == 0, DEFAULT_VELOCITY, primer.notes["velocity"])
    return abs(float(notes["velocity"].mean()) - float(given.mean())) if len(notes) else float("nan")


def _lowest(primer: Primer, notes: Notes) -> float:
    return float(notes["pitch"].min()) if len(notes) else float("nan")


def _highest(primer: Primer, notes: Notes) -> float:
    return float(notes["pitch"].max()) if len(notes) else float("nan")


def _onsets(primer: Primer, notes: Notes) -> float:
    return onset_density(notes, CONTROL_SECONDS)


def _polyphony(primer: Primer, notes: Notes) -> float:
    return polyphony(notes)


def _pitch_entropy(primer: Primer, notes: Notes) -> float:
    return pitch_entropy(notes)


def _rhythm_diversity(primer: Primer, notes: Notes) -> float:
    return rhythm_diversity(notes)


TESTS: Final = (
    ControlTest("density", (-1.0, 0.0, 1.0), "onsets per second", _onsets),
    ControlTest("register_low", (21, 48, 60), "lowest pitch", _lowest),
    ControlTest("register_high", (72, 84, 108), "highest pitch", _highest),
    ControlTest("max_polyphony", (1, 3, 10), "notes at once", _polyphony),
    # Measured on rhythm: the filters after it leave few pitches to choose from, and it makes rests, after
    # which too few notes are left for an entropy of pitches.
    ControlTest("temperature", (0.6, 1.0, 1.4), "rhythm diversity in bits", _rhythm_diversity),
    # Min-p cuts the same tail, and by default leaves the upper settings of top-p next to nothing to cut.
    ControlTest("top_p", (0.5, 0.8, 1.0), "pitch entropy in bits", _pitch_entropy, (("min_p", 0.0),)),
    ControlTest("repetition", (4.0, 1.5, 0.0), "share of pitches among the 8 before", _share_repeated),
    ControlTest(
        "velocity_follow", (1.0, 0.5, 0.0), "distance from the primer's mean velocity", _velocity_distance
    ),
    ControlTest(
        "pitch_classes", (0xFFF, _C_MAJOR | 1 << 6, _C_PENTATONIC), "share in C major", _share_of_c_major
    ),
)
"""Every control whose effect one continuation shows. The style classifier tests style and blend."""


def control_figures(
    performer: Performer,
    primers: Sequence[Primer],
    controls: Controls,
    *,
    tests: Sequence[ControlTest] = TESTS,
    seed: int = 0,
    progress: Progress = lambda _: None,
) -> Figures:
    """Measure the response to each control.

    Args:
        performer: The model.
        primers: The primers, the same for every setting.
        controls: All other controls.
        tests: The tests.
        seed: Seed of the samples, the same for every setting, and of the resampling.
        progress: Called with the control and its setting.

    Returns:
        By control: `quantity`, its `settings` in the order in which the quantity should rise, `values` with a
        mean and an `interval` for each, `steps`, the paired differences from each setting to the next, and
        `monotone`, whether every step rises.
    """
    figures: Figures = {}
    played: dict[Controls, Sequence[Notes]] = {}
    for test in tests:
        rows: list[list[float]] = []
        for setting in test.settings:
            drawn = replace(controls, **dict(test.beside), **{test.control: setting})
            if drawn not in played:
                progress(f"{test.control} {setting}")
                played[drawn] = continue_primers(
                    performer, primers, CONTROL_SECONDS, drawn, own_style=True, seed=seed
                ).generated
            rows.append([test.measure(*pair) for pair in zip(primers, played[drawn], strict=True)])
        figures[test.control] = _test_figures(test, rows, [f"{p.corpus}/{p.piece}" for p in primers], seed)
    return figures


def _test_figures(test: ControlTest, rows: list[list[float]], pieces: list[str], seed: int) -> Figures:
    means = [mean(row, groups=pieces, seed=seed) for row in rows]
    steps = [paired_difference(later, earlier, groups=pieces, seed=seed) for earlier, later in pairwise(rows)]
    return {
        "quantity": test.quantity,
        "settings": list(test.settings),
        "values": [value.value for value in means],
        "intervals": [bounds(value) for value in means],
        "steps": [value_and_interval(step) for step in steps],
        "monotone": all(step.value > 0 for step in steps),
    }
