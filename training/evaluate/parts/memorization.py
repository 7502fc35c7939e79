"""Runs of notes that generated music shares with the training set, beside those of real music."""

from collections.abc import Sequence
from typing import Final

from tatumflow.training.evaluate.bootstrap import paired_difference
from tatumflow.training.evaluate.comparison import Figures, compare_pairs, value_and_interval
from tatumflow.training.evaluate.metrics.runs import common_runs, covered
from tatumflow.training.evaluate.parts.continuation_figures import Continuations
from tatumflow.training.evaluate.primers import Notes

LONG_RUN: Final = 16
"""Notes in a run that is hardly a coincidence between two performances."""


def memorization_figures(played: Continuations, pieces: Sequence[Notes], seed: int = 0) -> Figures:
    """Measure the runs of notes that continuations share with the pieces of the training set.

    The real continuations of the same primers, which are not in the training set, are the baseline: players
    share tunes, scales, figures and repeated notes.

    Args:
        played: Continuations, generated and real.
        pieces: Notes of the pieces of the training set.
        seed: Seed of the resampling.

    Returns:
        `exact` for runs at the same pitches and `transposed` for runs in any transposition, each with
        `longest_run` and `long_run_share`, the mean over primers of the longest run in notes and of the share
        of notes in runs of `LONG_RUN` or more, as `Comparison.figures` writes them, each with the paired
        `difference` of generated less real; and with `longest`, the longest run of all, generated and real.
    """
    figures: Figures = {"long_run": LONG_RUN, "training_notes": int(sum(len(piece) for piece in pieces))}
    sides = (list(played.generated), [primer.real for primer in played.primers])
    for name, transposed in (("exact", False), ("transposed", True)):
        # Both sides in one search, since each search reads the whole training set.
        runs = common_runs([*sides[0], *sides[1]], pieces, transposed=transposed)
        halves = runs[: len(runs) // 2], runs[len(runs) // 2 :]
        part: Figures = {}
        for key, measure in (
            ("longest_run", lambda run: float(run.max(initial=0))),
            ("long_run_share", lambda run: covered(run, LONG_RUN)),
        ):
            generated, real = ([measure(run) for run in half] for half in halves)
            part[key] = compare_pairs(generated, real, groups=played.pieces, seed=seed).figures()
            difference = paired_difference(generated, real, groups=played.pieces, seed=seed)
            part[key]["difference"] = value_and_interval(difference)
        longest = [max((int(run.max(initial=0)) for run in half), default=0) for half in halves]
        part["longest"] = dict(zip(("generated", "real"), longest, strict=True))
        figures[name] = part
    return figures
