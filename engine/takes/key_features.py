"""Features of the key: a take's pitch classes, with those before it and against the call's."""

from typing import Final

import numpy as np

from tatumflow.engine.takes.passage import NEAR_NOTES, Floats, Passage, pitch_class_counts
from tatumflow.engine.theory.key import FIFTHS, KEY_PROFILES, PITCH_CLASSES

KEY_FEATURES: Final = (
    "fit_to_call",
    "fit_to_context",
    "fifths_of_call",
    "key_of_call",
    "diatonicity",
    "diatonicity_in_context",
    "pitch_class_entropy",
)
"""Mean log probability of the take's pitch classes by the call's and by the last ones; with the last notes
before it: place on the circle of fifths toward the call's, correlation with the profile of the call's key,
diatonicity (of the take alone too) and entropy in bits."""

_OWN_NOTES: Final = 32
_KEY_CONTRAST: Final = 6.0
_LEAST_FIFTHS: Final = 0.05


def key_features(passage: Passage) -> list[float]:
    """Return the features as `KEY_FEATURES`."""
    before, pitch, call = passage.context.pitch, passage.pitch, passage.context.call
    own, near = pitch_class_counts(pitch), pitch_class_counts(before[-NEAR_NOTES:])
    recent = pitch_class_counts(np.concatenate([before[-_OWN_NOTES:], pitch]))
    shares = recent / recent.sum()
    toward, fifths = FIFTHS @ call / call.sum(), FIFTHS @ shares
    keys = np.exp(_KEY_CONTRAST * _fits(call))
    known = shares[shares > 0]
    return [
        _log_probability(own, call),
        _log_probability(own, near),
        float((fifths * toward.conjugate()).real / max(abs(toward), _LEAST_FIFTHS)),
        float(keys @ _fits(recent) / keys.sum()),
        float(abs(FIFTHS @ own)) / len(pitch),
        float(abs(fifths)),
        float(-(known * np.log2(known)).sum()),
    ]


def _fits(counts: Floats) -> Floats:
    """Return the correlation of pitch-class counts with the profile of each key, (24,)."""
    centred = counts - counts.mean()
    return KEY_PROFILES @ centred / max(float(np.linalg.norm(centred)), 1e-9)


def _log_probability(own: Floats, other: Floats) -> float:
    """Return the mean log probability of pitch classes by the counts of others, half a note added to each."""
    return float(own @ np.log((other + 0.5) / (other.sum() + 0.5 * PITCH_CLASSES)) / own.sum())
