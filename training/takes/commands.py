"""The command `takes`: fits the weights by which a bundle's takes are chosen, and writes them into it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Final, Literal, cast

import numpy as np

from tatumflow.engine.errors import CorpusError
from tatumflow.engine.model.bundle import load_bundle
from tatumflow.engine.model.take_weights import TakeWeights
from tatumflow.engine.takes.take_chooser import TakeChooser
from tatumflow.training.data.packing import PackedCorpus
from tatumflow.training.evaluate.generations import Performer
from tatumflow.training.evaluate.primers import Primer, draw_primers
from tatumflow.training.export.write import write_manifest
from tatumflow.training.takes.fit import TakeFit, averaged, fit_weights
from tatumflow.training.takes.line_takes import (
    LINE_FEATURE_NAMES,
    LINE_GAINS,
    ChartedSolo,
    charted_solos,
    play_line,
)
from tatumflow.training.takes.piano_takes import PIANO_FEATURES, PIANO_GAINS, is_usable, play_primer
from tatumflow.training.takes.recorded_takes import Floats, RecordedTakes

Kind = Literal["piano", "line"]
Place = Primer | ChartedSolo

TAKES: Final = 6
"""Takes of each choice that weights are fitted on."""


FITTED: Final[Mapping[Kind, tuple[Sequence[str], Mapping[str, float]]]] = {
    "piano": (PIANO_FEATURES, PIANO_GAINS),
    "line": (LINE_FEATURE_NAMES, LINE_GAINS),
}
"""By kind, the features that are fitted and the gains of some; see `fit_weights`."""


@dataclass(frozen=True)
class TakeSettings:
    """How weights are fitted.

    Attributes:
        primers: Primers of pianists in each round.
        solos: Solos of each round; those of Parker count half.
        rounds: Rounds; the weights of those before choose in the next, so that takes follow chosen ones.
        jobs: Processes that play at the same time.
        seed: Seed of primers and samples.
    """

    primers: int = 200
    solos: int = 60
    rounds: int = 2
    jobs: int = 1
    seed: int = 0


def fit_takes(
    bundle_folder: Path,
    corpus: Path,
    solos: Path | None,
    settings: TakeSettings,
    progress: Callable[[str], None] = lambda _: None,
) -> dict[Kind, list[TakeFit]]:
    """Fit weights on the training side of a corpus and write them into a bundle's manifest.

    Args:
        bundle_folder: The bundle.
        corpus: The packed corpus of its training.
        solos: The Weimar Jazz Database, for lines; None leaves those weights as they are.
        settings: How to fit.
        progress: Called with the current step.

    Returns:
        The fits of each kind, a round each; their mean is in the manifest.

    Raises:
        BundleError: if the bundle cannot be opened.
        CorpusError: if a corpus cannot be read or is too small.
        ModelFault: if the model's output is not finite.
    """
    packed = PackedCorpus.open(corpus)
    bundle = load_bundle(bundle_folder)
    fits: dict[Kind, list[TakeFit]] = {}
    lines = charted_solos(solos, frozenset(piece.name for piece in packed.pieces("val"))) if solos else ()
    if solos and not lines:
        raise CorpusError(f"{solos}: has no solo to learn lines from; give the whole database")
    for kind in cast("tuple[Kind, ...]", ("piano", "line") if lines else ("piano",)):
        rounds = fits[kind] = []
        for number in range(settings.rounds):
            seed = settings.seed + number
            places = _primers(packed, settings, seed) if kind == "piano" else _solos(lines, settings)
            progress(f"{kind}, round {number + 1} of {settings.rounds}: {len(places)} beginnings")
            takes, played = _sampled(bundle_folder, places, rounds, settings.jobs, seed)
            if not len(takes) or not len(played):
                raise CorpusError(f"{corpus}: too little music to fit takes of the {kind}; give more of it")
            rounds.append(fit_weights(takes, played, *FITTED[kind]))
    chosen = {**bundle.manifest.takes, **{kind: averaged(rounds) for kind, rounds in fits.items()}}
    write_manifest(bundle_folder, bundle.manifest.model_copy(update={"takes": chosen}))
    return fits


def _primers(packed: PackedCorpus, settings: TakeSettings, seed: int) -> Sequence[Place]:
    drawn = draw_primers(packed, "train", settings.primers, seed=seed)
    return [primer for primer in drawn if is_usable(primer)]


def _solos(found: Sequence[ChartedSolo], settings: TakeSettings) -> Sequence[Place]:
    return [found[i % len(found)] for i in range(settings.solos)]


def _sampled(
    bundle: Path, places: Sequence[Place], rounds: Sequence[TakeFit], jobs: int, seed: int
) -> tuple[Floats, Floats]:
    """Return features of takes, (n, K, F), and of players' notes in their place, (m, F)."""
    rows = list(enumerate(places))
    shares = [rows[job::jobs] for job in range(jobs)]
    work = partial(_play, bundle, averaged(rounds) if rounds else None, seed)
    if jobs == 1:
        parts = [work(shares[0])]
    else:
        with ProcessPoolExecutor(jobs, get_context("spawn")) as pool:
            parts = list(pool.map(work, shares))
    takes, played = ([row for part in parts for row in part[side]] for side in (0, 1))
    return np.array(takes), np.array(played)


def _play(
    bundle: Path, weights: TakeWeights | None, seed: int, places: Sequence[tuple[int, Place]]
) -> tuple[list[Floats], list[Floats]]:
    recorded = RecordedTakes(None if weights is None else TakeChooser(weights))
    performer = Performer(load_bundle(bundle), chooser=recorded)
    played: list[Floats] = []
    for index, place in places:
        if isinstance(place, Primer):
            played += play_primer(performer, place, TAKES, seed, index)
        else:
            played += play_line(performer, place, TAKES, seed, index)
    return recorded.features, played


def fit_table(fits: Mapping[Kind, Sequence[TakeFit]]) -> Iterator[str]:
    """Write fits as lines of text: of each feature the weight that is used, and by round its means."""
    for kind, rounds in fits.items():
        for number, fit in enumerate(rounds, start=1):
            left = f"{fit.effective:.2f} of {TAKES} takes left to each"
            yield f"{kind}, round {number}: {fit.choices} choices, {left}"
        yield f"{'':<24} {'weight':>8}" + f" {'model':>8} {'chosen':>8} {'player':>8}" * len(rounds)
        for i, weight in enumerate(averaged(rounds).weight):
            rows = [fit.features[i] for fit in rounds]
            values = (weight, *(value for row in rows for value in (row.model, row.chosen, row.player)))
            yield f"{rows[0].name:<24} " + " ".join(f"{value:8.3f}" for value in values)
