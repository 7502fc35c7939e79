"""Patches of rolls as the levels of the model see them.

The roll is divided into patches of 16 pitches by 16 steps, those into patches of 4 by 4, and those into
cells: each level reads a grid of tokens, and hands each token down to the next.

Shapes: B rolls or patches; H pitches and W steps; N tokens in a grid, row by row from the lowest pitches,
each row in the order of time; s cells to a token's side.
"""

from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from tatumflow.engine.rolls.roll import HELD, ONSET

SIDES: Final = (16, 4, 1)
"""Cells to the side of a token, by level."""

LEVELS: Final = len(SIDES)

PLANES: Final = 5
"""Inputs of a cell: onset, held, velocity from 0 to 1, whether the cell is known, and how usual its pitch
class is in the key. The first four are 0 if it is not known; the last one does not depend on it."""

KNOWN, KEY = 3, 4
"""Planes of whether a cell is known, and of the key; those before them are what a note is."""

TOKEN_PLANES: Final = tuple(side * side * PLANES for side in SIDES)
"""Inputs of a token, by level."""

NEIGHBOURS: Final = 5
"""Conditions of a token's patch: the states of the token itself, and of those above, below, before, after."""

Order = Literal["row", "column"]
"""Scan order: "row" goes through time for the lowest pitches first, "column" through the pitches of the
earliest steps first."""

ORDERS: Final[tuple[Order, ...]] = ("row", "column")

Floats = NDArray[np.float32]


def cell_planes(state: NDArray[np.int8], velocity: NDArray[np.uint8], known: NDArray[np.bool_]) -> Floats:
    """Return the inputs of cells, (..., PLANES), without a key."""
    ones, none = np.ones(state.shape), np.zeros(state.shape)
    planes = np.stack([state == ONSET, state == HELD, velocity / 127.0, ones, none], axis=-1)
    return (planes * known[..., None]).astype(np.float32)


def split(x: Any, side: int) -> Any:  # noqa: ANN401 (NumPy or torch)
    """Return the patches, (B, N, side, side, ...), of an array or tensor (B, H, W, ...)."""
    count, height, width, *rest = x.shape
    x = x.reshape(count, height // side, side, width // side, side, *rest).swapaxes(2, 3)
    return x.reshape(count, -1, side, side, *rest)


def join(x: Any, columns: int) -> Any:  # noqa: ANN401
    """Return the array (B, H, W, ...) of patches (B, N, s, s, ...), `columns` in each row."""
    count, tokens, side, _, *rest = x.shape
    x = x.reshape(count, tokens // columns, columns, side, side, *rest).swapaxes(2, 3)
    return x.reshape(count, tokens // columns * side, columns * side, *rest)


def scan(rows: int, columns: int, order: Order) -> NDArray[np.int64]:
    """Return the numbers of a grid's tokens in scan order, (N,)."""
    grid = np.arange(rows * columns).reshape(rows, columns)
    return (grid if order == "row" else grid.T).reshape(-1)


def neighbours(rows: int, columns: int, order: Order | None) -> NDArray[np.int64]:
    """Return the numbers of each token's neighbours, (N, NEIGHBOURS): itself, above, below, before, after.

    Missing ones are N. With a scan order, so are those that come later in it: an autoregressive level's
    states of later tokens have read this one.
    """
    count = rows * columns
    grid = np.pad(np.arange(count).reshape(rows, columns), 1, constant_values=count)
    inner = slice(1, -1)
    found = np.stack(
        [grid[inner, inner], grid[2:, inner], grid[:-2, inner], grid[inner, :-2], grid[inner, 2:]], axis=-1
    ).reshape(count, NEIGHBOURS)
    if order is not None:
        place = np.full(count + 1, count)
        place[scan(rows, columns, order)] = np.arange(count)
        found[place[found] > place[:count, None]] = count
    return found
