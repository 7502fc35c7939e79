"""Diversity of an adapted model's continuations, beside that of its base.

Training on one player narrows what a model plays; an adapter is merged only as far as diversity is kept.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import cycle, islice
from typing import Final

import numpy as np

from tatumflow.engine.controls import Controls
from tatumflow.engine.errors import CorpusError
from tatumflow.training.adapt.errors import AdaptError
from tatumflow.training.data.packing import PackedCorpus
from tatumflow.training.evaluate.generations import Performer, seed_of
from tatumflow.training.evaluate.metrics.onsets import first_notes
from tatumflow.training.evaluate.metrics.pitch import pitch_entropy
from tatumflow.training.evaluate.metrics.texture import voicings
from tatumflow.training.evaluate.primers import CONTINUATION_SECONDS, Notes, Primer, draw_primers

CONTINUATIONS: Final = 32
"""Most continuations of held-out music by each model; places are used again where there are fewer."""

KEPT: Final = 0.95
"""Least share of the base's diversity that an adapted model keeps."""

SCALES: Final = (1.0, 0.75, 0.5, 0.25)
"""Shares of an adapter that are tried, the largest first."""

_SHORTER: Final = (1.0, 0.5, 0.25)
"""Shares of `CONTINUATION_SECONDS` to try where the held-out pieces are short."""


@dataclass(frozen=True)
class Diversity:
    """Diversity of continuations.

    Attributes:
        voicings: Different voicings in all of them, as sets of MIDI pitches struck together; see
            `metrics.texture.voicings`.
        pitch_entropy: Entropy of the pitches of one in bits, on average.
        onsets: Onsets in all of them.
    """

    voicings: int
    pitch_entropy: float
    onsets: int


@dataclass(frozen=True)
class Trial:
    """An adapted model beside its base.

    Attributes:
        scale: Share of the adapter that was merged.
        base: Diversity of the base, without a style.
        adapted: Diversity of the adapted model, in the new style.
    """

    scale: float
    base: Diversity
    adapted: Diversity

    @property
    def voicings_kept(self) -> float:
        """Different voicings over those of the base."""
        return _ratio(self.adapted.voicings, self.base.voicings)

    @property
    def entropy_kept(self) -> float:
        """Pitch entropy over that of the base."""
        return _ratio(self.adapted.pitch_entropy, self.base.pitch_entropy)

    @property
    def kept(self) -> bool:
        """Whether the adapted model plays at all, and keeps `KEPT` of both."""
        return self.adapted.onsets > 0 and min(self.voicings_kept, self.entropy_kept) >= KEPT


@dataclass(frozen=True)
class Places:
    """Primers, `CONTINUATIONS` of them, and the seconds of their continuations."""

    primers: tuple[Primer, ...]
    seconds: float


def held_out_places(corpus: PackedCorpus, seed: int = 0) -> Places:
    """Draw primers in the held-out music, each as often as another or once more.

    Where the pieces are short, the continuations are shorter too.

    Raises:
        AdaptError: if the pieces are too short even for the shortest continuation.
    """
    for share in _SHORTER:
        seconds = share * CONTINUATION_SECONDS
        try:
            drawn = draw_primers(corpus, "val", CONTINUATIONS, seconds=seconds, seed=seed)
        except CorpusError:
            continue
        return Places(tuple(islice(cycle(drawn), CONTINUATIONS)), seconds)
    raise AdaptError(
        "the held-out files are too short to play on from; give at least one file of "
        f"{2 * CONTINUATION_SECONDS:g} s"
    )


def play_on(
    performer: Performer,
    places: Places,
    style: str,
    seed: int = 0,
    progress: Callable[[str], None] = lambda _: None,
    go_on: Callable[[], bool] = lambda: True,
) -> tuple[Notes, ...]:
    """Continue primers in a style, empty for none, under the controls' defaults.

    Args:
        performer: The model.
        places: The primers.
        style: Slug of the style.
        seed: Seed of the samples; each primer gets another.
        progress: Called with the number of finished ones.
        go_on: Whether there is time for one more; called before each but the first.

    Returns:
        The continuations of the first primers, at least one.
    """
    controls = Controls(style=style)
    played: list[Notes] = []
    for i, primer in enumerate(places.primers):
        if played and not go_on():
            break
        played.append(performer.continuation(primer.notes, places.seconds, controls, seed_of(seed, i)))
        progress(f"{i + 1} of {len(places.primers)}")
    return tuple(played)


def compare_diversity(scale: float, base: Sequence[Notes], adapted: Sequence[Notes]) -> Trial:
    """Compare continuations of the same primers, each pair cut to as many onsets as the shorter one has.

    Without the cut, the denser player would count as more diverse. Where one model has fewer continuations,
    these count.
    """
    pairs = [_alike(*pair) for pair in zip(base, adapted, strict=False)]
    return Trial(scale, _diversity([one for one, _ in pairs]), _diversity([other for _, other in pairs]))


def largest_kept(
    play: Callable[[float], Sequence[Notes]],
    base: Sequence[Notes],
    affordable: Callable[[], int] = lambda: len(SCALES),
) -> tuple[Trial, ...]:
    """Merge smaller and smaller shares of an adapter until enough diversity is kept.

    Args:
        play: Plays the same continuations with a share of the adapter merged.
        base: Those of the base.
        affordable: Returns how many more trials there is time for; the smallest shares are tried where
            there is none for all.

    Returns:
        The trials, the last of which is kept.

    Raises:
        AdaptError: if none of `SCALES` keeps enough, or there is no time to try.
    """
    trials: list[Trial] = []
    scales = SCALES
    while scales:
        trials.append(compare_diversity(scales[0], base, play(scales[0])))
        if trials[-1].kept:
            return tuple(trials)
        scales = scales[1:]
        if scales:
            count = affordable()
            scales = scales[-count:] if count > 0 else ()
    last = trials[-1]
    if last.scale > SCALES[-1]:
        raise AdaptError(
            f"{last.scale:.0%} of the adapter keeps only {last.voicings_kept:.0%} of the base's voicings and "
            f"{last.entropy_kept:.0%} of its pitch entropy, and no time is left to try less; "
            "give more --minutes"
        )
    raise AdaptError(
        f"even {last.scale:.0%} of the adapter keeps only {last.voicings_kept:.0%} of the base's voicings "
        f"and {last.entropy_kept:.0%} of its pitch entropy (at least {KEPT:.0%}); give more varied music"
    )


def _alike(one: Notes, other: Notes) -> tuple[Notes, Notes]:
    firsts = [first_notes(notes) for notes in (one, other)]
    count = min(map(len, firsts))
    ends = [
        int(first[count]) if len(first) > count else len(notes)
        for first, notes in zip(firsts, (one, other), strict=True)
    ]
    return one[: ends[0]], other[: ends[1]]


def _diversity(continuations: Sequence[Notes]) -> Diversity:
    found = {voicing for notes in continuations for voicing in voicings(notes)}
    entropies = [pitch_entropy(notes) for notes in continuations if len(notes)]
    onsets = sum(len(first_notes(notes)) for notes in continuations)
    return Diversity(len(found), float(np.mean(entropies)) if entropies else 0.0, onsets)


def _ratio(value: float, of: float) -> float:
    """Return the share that is kept; 1 where the base has no diversity."""
    return value / of if of else 1.0
