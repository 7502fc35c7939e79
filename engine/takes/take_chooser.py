"""The choice among takes: drawn by how much more often players play such notes than the model does.

A log-linear correction of the model's samples: p(take) exp(w . f(take)), whose weights give the features of
chosen takes the means that players have (Khalifa et al. 2021, "A Distributional Approach to Controlled Text
Generation"), sampled by resampling some takes. The more takes, the nearer.
"""

from collections.abc import Sequence
from typing import Final, Protocol

import numpy as np

from tatumflow.engine.midi.notes import Note
from tatumflow.engine.model.step_record import HeardNote
from tatumflow.engine.model.take_weights import TakeWeights
from tatumflow.engine.takes.key_features import KEY_FEATURES
from tatumflow.engine.takes.passage import CALL_NOTES, COMPARED_NOTES, Context, Floats
from tatumflow.engine.takes.take_features import FEATURES, take_features
from tatumflow.engine.tempo.chart_clock import ChartInTime

CONTEXT_NOTES: Final = COMPARED_NOTES + CALL_NOTES
"""Notes before a take that a choice reads at most."""

LARGEST: Final = 5.0
"""Largest size of a feature in standard deviations; what lies beyond counts as this."""

FEWEST_NOTES: Final = 4
"""Notes of a take below which its features say nothing."""


class Chooser(Protocol):
    """Chooses one of several takes of the notes that follow a context."""

    def choose(
        self,
        before: Sequence[HeardNote],
        takes: Sequence[Sequence[Note]],
        uniform: float,
        chart: ChartInTime | None = None,
    ) -> int:
        """Return the index of a take.

        Args:
            before: The notes before the takes, by onset.
            takes: The notes of each, by onset.
            uniform: A random number in [0, 1).
            chart: The chords they are played over; None for none.
        """
        ...


class TakeChooser:
    """Draws one of several takes by the weights of a model."""

    def __init__(self, weights: TakeWeights) -> None:
        """Use the weights of a model; features that this version does not know are left out."""
        known = [i for i, name in enumerate(weights.features) if name in FEATURES]
        self._columns = np.array([FEATURES.index(weights.features[i]) for i in known], np.int64)
        self._of_key = np.array([weights.features[i] in KEY_FEATURES for i in known], np.bool_)
        self._mean, self._deviation, self._weight = (
            np.array(values)[known] for values in (weights.mean, weights.deviation, weights.weight)
        )

    def choose(
        self,
        before: Sequence[HeardNote],
        takes: Sequence[Sequence[Note]],
        uniform: float,
        chart: ChartInTime | None = None,
    ) -> int:
        """Return the index of a take, drawn by the softmax of the scores.

        Where a take has fewer than `FEWEST_NOTES` notes, the first is returned: none is preferred.
        """
        if not before or any(len(take) < FEWEST_NOTES for take in takes):
            return 0
        context = Context.of(before, chart)
        features = np.array([take_features(context, take) for take in takes])
        scores = self.scores(features, over_chart=chart is not None)
        shares = np.cumsum(np.exp(scores - scores.max()))
        return min(int(np.searchsorted(shares, uniform * shares[-1], side="right")), len(takes) - 1)

    def scores(self, features: Floats, *, over_chart: bool = False) -> Floats:
        """Return the score of each row of features, (n, F) in the order of `FEATURES`, as (n,).

        Over a chart those of the key do not count: its chords are not those of the notes before.
        """
        standard = (features[:, self._columns] - self._mean) / self._deviation
        weight = np.where(self._of_key, 0.0, self._weight) if over_chart else self._weight
        return np.clip(standard, -LARGEST, LARGEST) @ weight
