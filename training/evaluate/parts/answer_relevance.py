"""Relevance of replies: distance to their own call and to other calls, beside a player's next phrase."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from tatumflow.engine.controls import Controls
from tatumflow.engine.errors import CorpusError
from tatumflow.engine.offline import split_phrases
from tatumflow.training.data.corpora.piece import Split
from tatumflow.training.data.packing import PackedCorpus, PackedPiece, style_slug
from tatumflow.training.evaluate.bootstrap import Floats, Interval, mean, paired_difference
from tatumflow.training.evaluate.comparison import Figures, bounds, value_and_interval
from tatumflow.training.evaluate.generations import Performer, seed_of, to_array, to_notes
from tatumflow.training.evaluate.metrics.phrase_features import PART_NAMES, part_distance, phrase_parts
from tatumflow.training.evaluate.primers import PRIMER_SECONDS, Notes

SETTINGS: Final[Mapping[str, Mapping[str, Any]]] = MappingProxyType(
    {"follow": {"surprise": 0.0}, "default": {}, "surprise": {"surprise": 1.0}}
)
"""Changes of the controls for the replies, by name of the setting."""

_FEWEST_NOTES: Final = 8
_SHORTEST: Final = 1.0
_LONGEST: Final = 6.0
_EXCERPT_SECONDS: Final = 60.0

Progress = Callable[[str], None]
_Parts = Mapping[str, NDArray[np.float32] | None]


@dataclass(frozen=True)
class Call:
    """A real phrase with its context and the phrase that follows.

    Attributes:
        piece: Corpus and name of the piece.
        corpus: Name of the corpus.
        player: Slug of the player.
        context: Notes of the `PRIMER_SECONDS` before, on the phrase's clock; may be empty.
        notes: The phrase.
        following: The player's next phrase.
    """

    piece: str
    corpus: str
    player: str
    context: Notes
    notes: Notes
    following: Notes


def draw_calls(corpus: PackedCorpus, split: Split, count: int, seed: int = 0) -> tuple[Call, ...]:
    """Draw phrases at random, one from a piece, cut by the rule that ends phrases in a jam.

    Args:
        corpus: The packed corpus.
        split: The side of its split.
        count: Number of calls; fewer where fewer pieces hold two successive phrases.
        seed: Seed of the choice.

    Raises:
        CorpusError: if no piece holds two phrases.
    """
    rng = np.random.default_rng((seed, 1))
    pieces = corpus.played(split)
    calls: list[Call] = []
    for index in rng.permutation(len(pieces)).tolist():
        call = _draw(corpus, pieces[index], rng)
        if call is not None:
            calls.append(call)
        if len(calls) == count:
            break
    if not calls:
        raise CorpusError(f"{corpus.path}: no {split} piece holds two phrases; give longer pieces")
    return tuple(calls)


def answer_calls(
    performer: Performer,
    calls: Sequence[Call],
    controls: Controls,
    *,
    seed: int = 0,
    progress: Progress = lambda _: None,
) -> tuple[Notes, ...]:
    """Return the companion's answer to every call, in the style of its player where the model has it.

    Each call gets another seed. `progress` is called with the number of finished ones.
    """
    replies: list[Notes] = []
    for i, call in enumerate(calls):
        drawn = replace(controls, mode="answer", style=performer.style_of(call.player), style_b="")
        replies.append(performer.answer(call.context, call.notes, drawn, seed_of(seed, i)))
        progress(f"{i + 1} of {len(calls)}")
    return tuple(replies)


def answer_figures(calls: Sequence[Call], replies: Mapping[str, Sequence[Notes]], seed: int = 0) -> Figures:
    """Compare the distances of replies to their own calls and to other calls of the same corpus.

    Args:
        calls: The calls.
        replies: The companion's reply to each call, by setting.
        seed: Seed of the resampling.

    Returns:
        Distances are the mean over parts of multiples of the mean distance between calls of one corpus, so
        that 1 is the distance of unrelated phrases. `real` for the players'
        next phrases and each setting of `replies` for the companion's, with `own`, the mean distance to the
        own call, `shuffled`, that to the other calls, `difference`, shuffled less own with its `interval`,
        and the same by part; each setting also with `against_real`, own less the real phrases' own, and
        `against_first`, own less that under the first setting. `calls` is their number.
    """
    described = [phrase_parts(call.notes) for call in calls]
    between = _distances(calls, described, described)
    scale = np.array([_mean_or_one(part[_other_pieces(calls) & np.isfinite(part)]) for part in between])

    def scaled(phrases: Sequence[Notes]) -> Floats:
        parts = [phrase_parts(notes) if len(notes) else None for notes in phrases]
        return _distances(calls, parts, described) / scale[:, None, None]

    real = scaled([call.following for call in calls])
    figures: Figures = {"calls": len(calls), "real": _setting_figures(calls, real, seed)}
    real_own = _over_parts(real).diagonal()
    first_own: Floats | None = None
    for name, answers in replies.items():
        generated = scaled(answers)
        own = _over_parts(generated).diagonal()
        first_own = own if first_own is None else first_own
        figures[name] = _setting_figures(calls, generated, seed)
        for key, other in (("against_real", real_own), ("against_first", first_own)):
            figures[name][key] = value_and_interval(
                paired_difference(own, other, groups=_pieces(calls), seed=seed)
            )
    return figures


def _draw(corpus: PackedCorpus, piece: PackedPiece, rng: np.random.Generator) -> Call | None:
    notes = corpus.notes(piece)
    # An excerpt at a random place holds enough phrases, and cutting a whole piece takes long.
    onset = notes["onset"].astype(np.float64)
    begin = rng.uniform(0.0, max(float(onset[-1]) - _EXCERPT_SECONDS, 0.0))
    excerpt = notes[(onset >= begin) & (onset < begin + _EXCERPT_SECONDS)]
    phrases = split_phrases(to_notes(excerpt), max_phrase=_LONGEST)
    pairs = [
        i
        for i in range(len(phrases) - 1)
        if all(
            len(phrase) >= _FEWEST_NOTES and phrase[-1].offset - phrase[0].onset >= _SHORTEST
            for phrase in phrases[i : i + 2]
        )
    ]
    if not pairs:
        return None
    chosen = pairs[rng.integers(len(pairs))]
    start = phrases[chosen][0].onset
    before = [note for phrase in phrases[:chosen] for note in phrase if note.onset >= start - PRIMER_SECONDS]
    unknown = not excerpt["velocity"].any()
    context, call, following = (to_array(part) for part in (before, phrases[chosen], phrases[chosen + 1]))
    for part in (context, call, following):
        if unknown:
            part["velocity"] = 0
    return Call(
        f"{piece.corpus}/{piece.name}", piece.corpus, style_slug(piece.player), context, call, following
    )


def _distances(
    calls: Sequence[Call], phrases: Sequence[_Parts | None], described: Sequence[_Parts]
) -> Floats:
    """Return the distance from each phrase to each call of its corpus by part, (parts, n, n); else NaN."""
    result = np.full((len(PART_NAMES), len(calls), len(calls)), np.nan)
    for i, own in enumerate(phrases):
        if own is None:
            continue
        for j, other in enumerate(described):
            if calls[j].corpus == calls[i].corpus:
                result[:, i, j] = [part_distance(own[part], other[part]) for part in PART_NAMES]
    return result


def _other_pieces(calls: Sequence[Call]) -> NDArray[np.bool_]:
    """Return which pairs of calls are of different pieces, (n, n)."""
    pieces = np.array(_pieces(calls))
    return pieces[:, None] != pieces[None]


def _mean_or_one(values: Floats) -> float:
    return float(values.mean()) if len(values) and values.mean() > 0 else 1.0


def _setting_figures(calls: Sequence[Call], distances: Floats, seed: int) -> Figures:
    figures = _summary(calls, _over_parts(distances), seed)
    figures["parts"] = {part: _summary(calls, distances[k], seed) for k, part in enumerate(PART_NAMES)}
    return figures


def _summary(calls: Sequence[Call], distance: Floats, seed: int) -> Figures:
    """Return the figures of distances (n, n) of replies, in rows, to calls."""
    own = distance.diagonal()
    compared = _other_pieces(calls) & np.isfinite(distance)
    others, count = np.where(compared, distance, 0.0).sum(axis=1), compared.sum(axis=1)
    shuffled = np.divide(others, count, out=np.full(len(calls), np.nan), where=count > 0)
    difference = paired_difference(shuffled, own, groups=_pieces(calls), seed=seed)
    return {
        **_named("own", mean(own, groups=_pieces(calls), seed=seed)),
        **_named("shuffled", mean(shuffled, groups=_pieces(calls), seed=seed)),
        "difference": difference.value,
        "interval": bounds(difference),
    }


def _over_parts(distances: Floats) -> Floats:
    """Return the mean over the known parts, (n, n)."""
    known = np.isfinite(distances)
    total, count = np.where(known, distances, 0.0).sum(axis=0), known.sum(axis=0)
    return np.divide(total, count, out=np.full(total.shape, np.nan), where=count > 0)


def _pieces(calls: Sequence[Call]) -> list[str]:
    return [call.piece for call in calls]


def _named(name: str, interval: Interval) -> Figures:
    return {name: interval.value, f"{name}_interval": bounds(interval)}
