"""Whether the companion sounds like the requested player, by the style classifier."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Final

import numpy as np

from tatumflow.engine.controls import Controls
from tatumflow.engine.errors import CorpusError
from tatumflow.training.data.corpora.piece import Split
from tatumflow.training.data.packing import PackedCorpus
from tatumflow.training.evaluate.bootstrap import Floats, mean
from tatumflow.training.evaluate.classifiers.style_classifier import LabelledStretches, StyleClassifier
from tatumflow.training.evaluate.comparison import Figures, bounds, compare_sets
from tatumflow.training.evaluate.generations import Performer
from tatumflow.training.evaluate.parts.continuation_figures import Continuations, continue_primers
from tatumflow.training.evaluate.primers import Primer, draw_primers

BLENDED: Final = ("art-tatum", "charlie-parker")
"""The two blended players; always tested, where the corpus and the model have them."""

BLENDS: Final = (0.0, 0.25, 0.5, 0.75, 1.0)
"""Shares of the second player."""

STRENGTHS: Final = (0.0, 1.0, 2.0)
"""Guidance scales of the style of the first of `BLENDED`."""

FURTHER: Final = 4
"""Number of further tested players: those with most training music."""

TEMPERATURE: Final = 1.0
"""Temperature at which styles are tested."""

NO_STYLE: Final = ""

_LEAST: Final = 1e-9

Progress = Callable[[str], None]


@dataclass(frozen=True)
class StyleTrial:
    """The companion's continuations in the tested styles.

    Attributes:
        styled: Continuations of other players' primers, by requested style; under the empty string those
            without a style.
        own: Continuations of the player's own primers, by style, where there are any.
        blends: Continuations by share of the second of `BLENDED`, on the same primers; empty where the model
            lacks one of the two.
        strengths: Continuations in the style of the first of `BLENDED`, by guidance scale; empty where the
            model lacks it.
    """

    styled: Mapping[str, Continuations]
    own: Mapping[str, Continuations]
    blends: Mapping[float, Continuations]
    strengths: Mapping[float, Continuations]


def tested_styles(
    performer: Performer, classifier: StyleClassifier, stretches: LabelledStretches
) -> list[str]:
    """Return the styles to test: `BLENDED` and those with most stretches, of both model and classifier.

    Further players have at least one stretch on the validation side.
    """
    common = [style for style in classifier.styles if performer.style_of(style)]
    counts = np.bincount(stretches.style[~stretches.held_out], minlength=len(classifier.styles))
    held_out = set(stretches.style[stretches.held_out].tolist())
    further = [s for s in common if s not in BLENDED and classifier.index(s) in held_out]
    further.sort(key=lambda style: -counts[classifier.index(style)])
    return [style for style in BLENDED if style in common] + further[:FURTHER]


def play_styles(
    performer: Performer,
    corpus: PackedCorpus,
    split: Split,
    styles: Sequence[str],
    primers: Sequence[Primer],
    *,
    seconds: float,
    controls: Controls,
    seed: int = 0,
    progress: Progress = lambda _: None,
) -> StyleTrial:
    """Return the companion's continuations in each style, at temperature 1.

    The two of `BLENDED` continue all primers but their own, the further players 2 in 5, and the two of
    `BLENDED` a third as many of their own. Blends, guidance scales and no style continue a third of all.

    Args:
        performer: The model.
        corpus: Source of own primers.
        split: The side of its split.
        styles: The styles to test.
        primers: Primers of any players.
        seconds: Length of the continuations.
        controls: How to sample, apart from style and temperature.
        seed: Seed of the samples.
        progress: Called with style and number.
    """
    neutral = replace(controls, temperature=TEMPERATURE, style=NO_STYLE, style_b="", style_blend=0.0)
    third = max(len(primers) // 3, 1)

    def play(chosen: Sequence[Primer], name: str, **changes: object) -> Continuations:
        drawn = replace(neutral, **changes)
        return continue_primers(
            performer, chosen, seconds, drawn, seed=seed, progress=lambda done: progress(f"{name}: {done}")
        )

    styled: dict[str, Continuations] = {NO_STYLE: play(primers[:third], "no style")}
    own: dict[str, Continuations] = {}
    for style in styles:
        of_others = [primer for primer in primers if primer.player != style]
        count = len(of_others) if style in BLENDED else max(2 * len(of_others) // 5, 1)
        styled[style] = play(of_others[:count], style, style=style)
        if style not in BLENDED:
            continue
        try:
            own_primers = draw_primers(corpus, split, third, seconds=seconds, seed=seed, players=[style])
        except CorpusError:
            continue
        own[style] = play(own_primers, f"{style}, own primers", style=style)
    blends: dict[float, Continuations] = {}
    if all(style in styles for style in BLENDED):
        of_neither = [primer for primer in primers if primer.player not in BLENDED][:third]
        for share in BLENDS:
            name = f"{share:.0%} {BLENDED[1]}"
            blends[share] = play(of_neither, name, style=BLENDED[0], style_b=BLENDED[1], style_blend=share)
    strengths: dict[float, Continuations] = {}
    if BLENDED[0] in styles:
        of_others = [primer for primer in primers if primer.player != BLENDED[0]][:third]
        for strength in STRENGTHS:
            name = f"{BLENDED[0]}, strength {strength:g}"
            strengths[strength] = play(of_others, name, style=BLENDED[0], style_strength=strength)
    return StyleTrial(styled, own, blends, strengths)


def style_figures(
    trial: StyleTrial,
    classifier: StyleClassifier,
    stretches: LabelledStretches,
    cross_fitted: Floats,
    seed: int = 0,
) -> Figures:
    """Return the figures of the classifier on the companion's continuations and on real stretches.

    Args:
        trial: The continuations.
        classifier: The classifier, trained on the training side.
        stretches: Real stretches.
        cross_fitted: Probabilities of the real stretches, (n, S), by classifiers trained without their
            pieces.
        seed: Seed of the resampling.

    Returns:
        `style_match` by style: the share of the continuations that the classifier gives to the player, beside
        the share of the player's real stretches, as `Comparison.figures` writes them; `own_primers`, the
        share where the player's own playing is continued; `no_style`, the share without a style;
        `probability`, the same comparison of the mean probability; and the counts `continuations`,
        `real_stretches`, `real_pieces`.
        `style_blend`: `styles`, the two of `BLENDED`; `rows`, one for each share of the second with the mean
        probability of each, the second's `share` of their sum and the mean `log_odds` of the second against
        the first with its `interval`; `monotone`, whether those rise from row to row. `style_strength`:
        `style`; `rows`, one for each strength with the `share` of the continuations that the classifier gives
        to the style, the mean `log_probability` and its `interval`; `monotone`, whether those rise.
    """
    judged = {style: classifier.probabilities(played.generated) for style, played in trial.styled.items()}
    match: Figures = {}
    for style, played in trial.styled.items():
        if style == NO_STYLE:
            continue
        column = classifier.index(style)
        real = stretches.style == column
        known = real & np.isfinite(cross_fitted[:, column])
        hits, real_hits = _hits(judged[style], column), _hits(cross_fitted[known], column)
        groups = {"groups": played.pieces, "real_groups": stretches.piece[known], "seed": seed}
        probabilities = judged[style][:, column], cross_fitted[known, column]
        match[style] = {
            **compare_sets(hits, real_hits, **groups).figures(),
            "probability": compare_sets(*probabilities, **groups).figures(),
            "no_style": float(_hits(judged[NO_STYLE], column).mean()),
            "own_primers": None,
            "continuations": len(played.generated),
            "real_stretches": int(known.sum()),
            "real_pieces": len(np.unique(stretches.piece[known])),
        }
        if style in trial.own:
            own = trial.own[style]
            own_hits = _hits(classifier.probabilities(own.generated), column)
            share = mean(own_hits, groups=own.pieces, seed=seed)
            match[style] |= {"own_primers": share.value, "own_primers_interval": bounds(share)}
    return {
        "style_match": match,
        "style_blend": _blend_figures(trial.blends, classifier, seed),
        "style_strength": _strength_figures(trial.strengths, classifier, seed),
    }


def _hits(probabilities: Floats, column: int) -> Floats:
    """Return whether a style has the highest probability of each row, (n,) float64; 0 of a row of zeros."""
    best = probabilities.argmax(axis=1) == column
    return (best & (probabilities[:, column] > 0)).astype(np.float64)


def _blend_figures(blends: Mapping[float, Continuations], classifier: StyleClassifier, seed: int) -> Figures:
    rows: list[Figures] = []
    for share, played in blends.items():
        probability = classifier.probabilities(played.generated)
        one, other = (probability[:, classifier.index(style)] for style in BLENDED)
        odds = mean(_log(other) - _log(one), groups=played.pieces, seed=seed)
        total = float((one + other).mean())
        rows.append(
            {
                "blend": share,
                BLENDED[0]: float(one.mean()),
                BLENDED[1]: float(other.mean()),
                "share": float(other.mean()) / total if total > 0 else float("nan"),
                "log_odds": odds.value,
                "interval": bounds(odds),
                "continuations": len(played.generated),
            }
        )
    return {"styles": list(BLENDED), "rows": rows, "monotone": _rises(rows, "log_odds")} if rows else {}


def _strength_figures(
    strengths: Mapping[float, Continuations], classifier: StyleClassifier, seed: int
) -> Figures:
    rows: list[Figures] = []
    for strength, played in strengths.items():
        column = classifier.index(BLENDED[0])
        probability = classifier.probabilities(played.generated)
        logs = mean(_log(probability[:, column]), groups=played.pieces, seed=seed)
        rows.append(
            {
                "strength": strength,
                "share": float(_hits(probability, column).mean()),
                "log_probability": logs.value,
                "interval": bounds(logs),
                "continuations": len(played.generated),
            }
        )
    return {"style": BLENDED[0], "rows": rows, "monotone": _rises(rows, "log_probability")} if rows else {}


def _log(probability: Floats) -> Floats:
    return np.log(np.maximum(probability, _LEAST))


def _rises(rows: Sequence[Figures], key: str) -> bool:
    return all(later[key] > earlier[key] for earlier, later in pairwise(rows))
