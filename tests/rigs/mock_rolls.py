"""Levels of a roll model that need no weights: they predict from what they are given, and keep a record."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from tatumflow.engine.arrays import Ints
from tatumflow.engine.model.tokens import velocity_index
from tatumflow.engine.rolls.levels import LevelKind
from tatumflow.engine.rolls.patches import KEY, KNOWN, PLANES, SIDES, Floats, Order
from tatumflow.engine.rolls.windows import RollModel


@dataclass
class MockLevels:
    """Predicts onsets in every cell of the patches on one row of pitches; implements `RollLevels`.

    Attributes:
        kinds: The kind of each level.
        order: Scan order.
        row: Row of patches in which notes sound.
        odds: Log-odds of what it predicts.
        batches: Rolls or patches of each call, by level.
        seen: Tokens that were known in each call of the first level, (B, R, C) bool.
        keys: How usual each pitch class was in each call of the first level, (B, 12).
    """

    kinds: tuple[LevelKind, ...] = ("mar", "mar", "mar")
    order: Order = "column"
    row: int = 4
    odds: float = 20.0
    batches: list[tuple[int, int]] = field(default_factory=list)
    seen: list[NDArray[np.bool_]] = field(default_factory=list)
    keys: list[Floats] = field(default_factory=list)

    def top(self, ids: Ints, visible: Floats, done: Floats) -> tuple[Floats, Floats]:
        count, rows, columns, _ = visible.shape
        self.batches.append((0, count))
        cells = visible.reshape(count, rows, columns, -1, PLANES)
        self.seen.append(cells[..., KNOWN].max(axis=-1) > 0)
        # One column's cells are the pitches of a patch; their key is the same at every step.
        self.keys.append(cells[:, 0, 0, :: SIDES[0], KEY][:, :12])
        logits = np.full((count, rows, columns), -self.odds, np.float32)
        logits[:, self.row] = self.odds
        # Style 1 is louder than none: the states carry it down to the velocities.
        states = np.broadcast_to(ids[:, :1, None], (count, rows * columns, 1)).astype(np.float32)
        return states.copy(), logits.reshape(count, -1, 1)

    def inner(self, level: int, conditions: Floats, visible: Floats, done: Floats) -> tuple[Floats, Floats]:
        count = len(conditions)
        self.batches.append((level, count))
        states = np.repeat(conditions[:, :1], 16, axis=1)
        if level == 1:
            return states, np.full((count, 16, 1), self.odds, np.float32)
        logits = np.zeros((count, 16, 3), np.float32)
        logits[..., 1] = self.odds
        return states, logits

    def velocity(self, states: Floats) -> NDArray:
        logits = np.zeros((len(states), 32), np.float32)
        logits[:, velocity_index(40)] = 1.0
        logits[:, velocity_index(100)] = states[:, 0]
        return logits


def mock_model(width: int = 64, **fields: object) -> tuple[RollModel, MockLevels]:
    """Return a model with one style, and its levels."""
    levels = MockLevels(**fields)  # pyright: ignore[reportArgumentType]
    return RollModel(levels, width, ("", "art-tatum")), levels
