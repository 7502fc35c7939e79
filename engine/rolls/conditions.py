"""Conditions of a roll: its player, how dense it is, and what its steps are."""

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from tatumflow.engine.errors import SettingError
from tatumflow.engine.rolls.roll import Roll
from tatumflow.engine.theory.key import parse_key

CONDITIONS: Final = 3
"""Conditions of a roll: style, density, grid; each an id, 0 for none."""

DENSITY_EDGES: Final = (0.15, 0.3, 0.45, 0.6, 0.8, 1.1, 1.5)
"""Onsets a step at which the next density begins."""

DENSITIES: Final = len(DENSITY_EDGES) + 2
"""Density ids: 0 for none, then 1 for the sparsest to 8."""

GridKind = Literal["none", "beats", "time"]
GRID_KINDS: Final[tuple[GridKind, ...]] = ("none", "beats", "time")
"""Kinds of grid by id: unknown, sixteenths of beats, steps of equal seconds."""


@dataclass(frozen=True)
class RollConditions:
    """Conditions of a roll.

    Attributes:
        style: Id of the player, 0 for none.
        density: 1 for the sparsest to 8, 0 for any.
        grid: Kind of the grid.
        key: Name of the key, such as "Eb" or "C minor"; empty for that of the notes around, if there are any.
    """

    style: int = 0
    density: int = 0
    grid: GridKind = "none"
    key: str = ""

    def __post_init__(self) -> None:
        if not 0 <= self.density < DENSITIES:
            raise SettingError(f"density: {self.density} is not one of 0 (any) to {DENSITIES - 1}")
        if self.key:
            parse_key(self.key)

    def ids(self) -> NDArray[np.int64]:
        """Return the ids, (CONDITIONS,)."""
        return np.array([self.style, self.density, GRID_KINDS.index(self.grid)])


def density_id(roll: Roll, known: NDArray[np.bool_] | None = None) -> int:
    """Return the density of a roll, 1 to 8; 0 where nothing is known.

    Args:
        roll: The roll, silent where it is not known.
        known: Which of its cells are known, (128, W); only steps whose cells all are count. None for all.
    """
    steps = roll.width if known is None else int(known.all(0).sum())
    if not steps:
        return 0
    return 1 + int(np.searchsorted(DENSITY_EDGES, roll.onsets / steps, side="right"))
