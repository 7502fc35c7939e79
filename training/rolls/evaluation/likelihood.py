"""Held-out likelihood of rolls, as the sampler would decide them."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tatumflow.engine.arrays import Ints
from tatumflow.engine.model.tokens import velocity_index
from tatumflow.engine.rolls.conditions import RollConditions
from tatumflow.engine.rolls.decisions import Decision
from tatumflow.engine.rolls.key_plane import key_of_known, with_key
from tatumflow.engine.rolls.levels import RollLevels
from tatumflow.engine.rolls.patches import SIDES, Floats, cell_planes, split
from tatumflow.engine.rolls.roll import Roll
from tatumflow.engine.rolls.sampler import RollSampler, RollSampling


class TrueValues:
    """Decides for the true values of rolls, and sums their negative log-likelihood.

    So masked and autoregressive levels can be compared: a likelihood is that of the decisions in the order in
    which they are sampled. Those of one step of a masked level are independent given the steps before.

    Attributes:
        nats: Sums by kind of decision.
        decisions: Their numbers.
    """

    def __init__(self, planes: Floats) -> None:
        """Decide for rolls given as planes, (B, 128, W, PLANES)."""
        self.nats = {"sounds": 0.0, "state": 0.0, "velocity": 0.0}
        self.decisions = dict.fromkeys(self.nats, 0)
        self._patches: list[Floats] = [split(planes, SIDES[0])]

    def decide(self, logits: Floats, about: Decision) -> NDArray[np.int64]:
        """Return the true indices, (n,)."""
        tokens = self._patches[about.level][about.places, about.token]
        known = np.ones(len(logits), np.bool_)
        if about.kind == "sounds":
            index = (tokens[..., :2].max(axis=(1, 2, 3)) > 0).astype(np.int64)
        elif about.kind == "state":
            index = np.asarray(tokens[:, 0, 0, 0] + 2 * tokens[:, 0, 0, 1]).astype(np.int64)
        else:
            velocity = np.rint(tokens[:, 0, 0, 2] * 127).astype(np.int64)
            known = velocity > 0
            index = np.asarray(velocity_index(velocity))
        shifted = logits - logits.max(axis=-1, keepdims=True)
        likelihood = shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
        nats = -np.take_along_axis(likelihood, index[:, None], axis=-1)[known, 0]
        self.nats[about.kind] += float(nats.sum())
        self.decisions[about.kind] += int(known.sum())
        return index

    def enter(self, level: int, places: Ints, token: Ints) -> Ints:
        """Return the numbers of patches: those of the last call."""
        patches = self._patches[level][places, token]
        self._patches[level + 1 :] = [split(patches, SIDES[level + 1])]
        return np.arange(len(patches))


def sampled_nll(
    levels: RollLevels,
    rolls: Sequence[tuple[Roll, NDArray[np.bool_]]],
    conditions: Sequence[RollConditions],
    steps: tuple[int, int, int],
    seed: int,
) -> dict[str, float]:
    """Return the nats of each kind of decision for each hidden step of rolls, and their sum as "total".

    Args:
        levels: The model.
        rolls: True rolls, and the cells that are known, (128, W), W a multiple of 16.
        conditions: Their conditions.
        steps: Steps of masked levels.
        seed: Seed of the order of a masked level's tokens.
    """
    ids = np.stack([condition.ids() for condition in conditions])
    known = np.stack([cells for _, cells in rolls])
    every = np.ones(known[0].shape, np.bool_)
    truth = np.stack([cell_planes(roll.state, roll.velocity, every) for roll, _ in rolls])
    values = TrueValues(truth)
    sampler = RollSampler(levels, RollSampling(steps=steps), values, np.random.default_rng(seed))
    visible = truth * known[..., None]
    filled = sampler.fill(with_key(visible, key_of_known(visible)), ids)
    assert np.array_equal(filled[..., :2], truth[..., :2])
    hidden = float((~known).sum()) / known.shape[1]
    figures = {kind: nats / hidden for kind, nats in values.nats.items()}
    return {**figures, "total": sum(figures.values())}
