"""The features by which takes are chosen: what a listener notices first, as far as some notes tell it."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from tatumflow.engine.midi.notes import Note
from tatumflow.engine.takes.key_features import KEY_FEATURES, key_features
from tatumflow.engine.takes.line_features import LINE_FEATURES, line_features
from tatumflow.engine.takes.motif_features import MOTIF_FEATURES, motif_features
from tatumflow.engine.takes.passage import Context, Floats, Passage
from tatumflow.engine.takes.texture_features import TEXTURE_FEATURES, texture_features

FEATURES: Final = (*MOTIF_FEATURES, *KEY_FEATURES, *TEXTURE_FEATURES, *LINE_FEATURES)
"""The features in order."""


def take_features(context: Context, take: Sequence[Note]) -> Floats:
    """Return the features of a take, by onset and not empty, after a context: (F,), as `FEATURES`."""
    passage = Passage.of(context, take)
    return np.array(
        [
            *motif_features(passage),
            *key_features(passage),
            *texture_features(passage),
            *line_features(passage),
        ]
    )
