"""What sampling needs of a model: its levels as functions on arrays.

Shapes: B rolls or patches, R rows and C columns of tokens, P planes of a token, D the level's width.
"""

from typing import Final, Literal, Protocol

from numpy.typing import NDArray

from tatumflow.engine.arrays import Ints
from tatumflow.engine.rolls.patches import Floats, Order

LevelKind = Literal["mar", "ar"]
"""How a level predicts its tokens: "mar" in random order, some at a time, from all that are known around them
(masked autoregression, Li et al. 2024); "ar" one after the other in scan order."""

LEVEL_KINDS: Final[tuple[LevelKind, ...]] = ("mar", "ar")


class RollLevels(Protocol):
    """The levels of a roll model."""

    @property
    def kinds(self) -> tuple[LevelKind, ...]:
        """The kind of each level."""
        ...

    @property
    def order(self) -> Order:
        """Scan order of the autoregressive levels."""
        ...

    def top(self, ids: Ints, visible: Floats, done: Floats) -> tuple[Floats, Floats]:
        """Run the first level on rolls.

        Args:
            ids: Conditions, (B, CONDITIONS).
            visible: Known cells of the tokens, (B, R, C, P). For an autoregressive level those that were
                known from the beginning, for a masked one all that are known by now.
            done: All cells that are known by now, (B, R, C, P); read by an autoregressive level only, and
                there only of tokens earlier in scan order.

        Returns:
            States of the tokens, (B, R C, D), and the log-odds that a note sounds in them, (B, R C, 1).
        """
        ...

    def inner(self, level: int, conditions: Floats, visible: Floats, done: Floats) -> tuple[Floats, Floats]:
        """Run level 1 or 2 on patches; see `top`.

        Args:
            level: The level.
            conditions: States of the patch and its neighbours in the level above, (B, NEIGHBOURS, D above).
            visible: See `top`, (B, 4, 4, P).
            done: See `top`, (B, 4, 4, P).

        Returns:
            States, (B, 16, D), and logits: as in `top` for level 1, of each cell's state, (B, 16, STATES),
            for level 2.
        """
        ...

    def velocity(self, states: Floats) -> NDArray:
        """Return the logits of velocities, (n, 32), at onsets, from states of cells, (n, D)."""
        ...
