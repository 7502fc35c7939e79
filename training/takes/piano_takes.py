"""Takes after primers of a packed corpus, each in the style of its player, beside what the player played."""

from dataclasses import replace
from typing import Final

from tatumflow.engine.controls import Controls
from tatumflow.engine.takes.key_features import KEY_FEATURES
from tatumflow.engine.takes.motif_features import MOTIF_FEATURES
from tatumflow.engine.takes.texture_features import TEXTURE_FEATURES
from tatumflow.training.data.corpora.piece import UNKNOWN_VELOCITY
from tatumflow.training.evaluate.generations import Performer, seed_of, to_notes
from tatumflow.training.evaluate.primers import CONTINUATION_SECONDS, Primer
from tatumflow.training.takes.recorded_takes import Floats, played_features

PIANO_FEATURES: Final = (*MOTIF_FEATURES, *KEY_FEATURES, *TEXTURE_FEATURES)
"""The features by which takes of pianists are chosen."""

MOTIF_GAIN: Final = 1.6
"""By how much more than their distance from players repeated cells are moved: a take's are looked up in the
20 s before it, a listener's in all that follows."""

PIANO_GAINS: Final[dict[str, float]] = dict.fromkeys(MOTIF_FEATURES[:3], MOTIF_GAIN)
"""By feature, by how much more than the distance from players its mean is moved."""


def is_usable(primer: Primer) -> bool:
    """Return whether a primer has velocities, without which dynamics have no features."""
    return all((notes["velocity"] != UNKNOWN_VELOCITY).all() for notes in (primer.notes, primer.real))


def play_primer(performer: Performer, primer: Primer, takes: int, seed: int, index: int) -> list[Floats]:
    """Continue a primer in the style of its player; return the features of what he played, (F,) each."""
    controls = replace(Controls(), style=performer.style_of(primer.player), takes=takes)
    performer.continuation(primer.notes, CONTINUATION_SECONDS, controls, seed_of(seed, index))
    real = primer.real.copy()
    real["onset"] += primer.notes["onset"][-1]
    return played_features(to_notes(primer.notes), to_notes(real))
