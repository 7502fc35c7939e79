"""Continuations by the companion beside the players' real ones."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from tatumflow.engine.controls import Controls
from tatumflow.training.evaluate import bootstrap
from tatumflow.training.evaluate.bootstrap import Floats, Interval
from tatumflow.training.evaluate.comparison import Figures, bounds, compare_pairs
from tatumflow.training.evaluate.generations import Performer, seed_of
from tatumflow.training.evaluate.metrics.music_metrics import METRICS, metrics_of
from tatumflow.training.evaluate.metrics.pitch import (
    kl_divergence,
    pitch_class_counts,
    pitch_class_transitions,
    transition_cosine,
)
from tatumflow.training.evaluate.primers import Primer

Notes = NDArray[np.void]
Progress = Callable[[str], None]


@dataclass(frozen=True)
class Continuations:
    """Primers and the companion's continuations.

    Attributes:
        primers: The primers.
        generated: Notes of each continuation, onsets in seconds from the primer's last.
        seconds: Length of each continuation.
        controls: How they were sampled; `style` is that of the primer's player where `own_style`.
        own_style: Whether the companion played in the style of the primer's player, where the model has it.
    """

    primers: tuple[Primer, ...]
    generated: tuple[Notes, ...]
    seconds: float
    controls: Controls
    own_style: bool = False

    @property
    def pieces(self) -> list[str]:
        """Name of the piece of each primer: the unit of resampling."""
        return [f"{primer.corpus}/{primer.piece}" for primer in self.primers]


def continue_primers(
    performer: Performer,
    primers: Sequence[Primer],
    seconds: float,
    controls: Controls,
    *,
    own_style: bool = False,
    seed: int = 0,
    progress: Progress = lambda _: None,
) -> Continuations:
    """Return the companion's continuation of every primer.

    Args:
        performer: The model.
        primers: The primers.
        seconds: Length of a continuation.
        controls: How to sample.
        own_style: Whether to play in the style of the primer's player, where the model has it; else in that
            of the controls.
        seed: Seed of the samples; each primer gets another.
        progress: Called with the number of finished ones.
    """
    generated: list[Notes] = []
    for i, primer in enumerate(primers):
        style = performer.style_of(primer.player) if own_style else controls.style
        drawn = replace(controls, style=style, style_b="" if own_style else controls.style_b)
        generated.append(performer.continuation(primer.notes, seconds, drawn, seed_of(seed, i)))
        progress(f"{i + 1} of {len(primers)}")
    return Continuations(tuple(primers), tuple(generated), seconds, controls, own_style)


def continuation_figures(played: Continuations, seed: int = 0) -> Figures:
    """Compare continuations with the real ones.

    Returns:
        `pitch_class_kl` and `pctm_cosine` as `divergence_figures` describes them, and every figure of
        `METRICS` as `Comparison.figures` writes it.
    """
    figures = divergence_figures(played, seed)
    generated = [metrics_of(notes, played.seconds) for notes in played.generated]
    real = [metrics_of(primer.real, played.seconds) for primer in played.primers]
    for name in METRICS:
        pairs = [row[name] for row in generated], [row[name] for row in real]
        figures[name] = compare_pairs(*pairs, groups=played.pieces, seed=seed).figures()
    return figures


def divergence_figures(played: Continuations, seed: int = 0) -> Figures:
    """Compare pitch-class distributions and transitions of continuations with those of the real ones.

    Each of `pitch_class_kl` (KL(real ‖ generated) in nats) and `pctm_cosine` has `per_primer`, the mean over
    primers, and `pooled`, of all primers' counts together, both with an `interval`; beside them the same of
    the player's later stretch (`real_later`) and of the real continuation of another primer of the corpus
    (`real_other`) in place of the generated. `value` is the stricter of the two where real music meets it:
    per primer for the divergence; pooled for the cosine, whose matrices of 144 cells are too thin in one
    stretch for two of one player to be alike.
    """
    other = shuffled(played.primers, seed)
    later = [i for i, primer in enumerate(played.primers) if primer.later is not None]
    real = [primer.real for primer in played.primers]
    sets: dict[str, tuple[list[Notes], list[Notes], list[str]]] = {
        "": (real, list(played.generated), played.pieces),
        "real_later": (
            [real[i] for i in later],
            [notes for primer in played.primers if (notes := primer.later) is not None],
            [played.pieces[i] for i in later],
        ),
        "real_other": (real, [real[i] for i in other], played.pieces),
    }
    figures: Figures = {}
    for name, count, measure, of in (
        ("pitch_class_kl", pitch_class_counts, kl_divergence, "per_primer"),
        ("pctm_cosine", pitch_class_transitions, transition_cosine, "pooled"),
    ):
        parts = {
            key: _divergence(count, measure, reference, compared, pieces, seed)
            for key, (reference, compared, pieces) in sets.items()
        }
        own = parts.pop("")
        figures[name] = {"value": own[of], "interval": own[f"{of}_interval"], "of": of, **own, **parts}
    return figures


def shuffled(primers: Sequence[Primer], seed: int = 0) -> list[int]:
    """Return for each primer the index of one of another piece of its corpus; its own where there is none."""
    rng = np.random.default_rng(seed)
    chosen: list[int] = []
    for i, primer in enumerate(primers):
        others = [j for j, p in enumerate(primers) if p.corpus == primer.corpus and p.piece != primer.piece]
        chosen.append(others[rng.integers(len(others))] if others else i)
    return chosen


def _divergence(
    count: Callable[[Notes], Floats],
    measure: Callable[[Floats, Floats], float],
    real: Sequence[Notes],
    compared: Sequence[Notes],
    pieces: Sequence[str],
    seed: int,
) -> Figures:
    counts = np.array([[count(one), count(other)] for one, other in zip(real, compared, strict=True)])
    each = bootstrap.mean([measure(*pair) for pair in counts], groups=pieces, seed=seed)
    pooled = bootstrap.bootstrap(
        counts, lambda sums: np.array([measure(*pair) for pair in sums]), groups=pieces, seed=seed
    )
    return {**_named("per_primer", each), **_named("pooled", pooled)}


def _named(name: str, interval: Interval) -> Figures:
    return {name: interval.value, f"{name}_interval": bounds(interval)}
