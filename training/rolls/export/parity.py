"""Check of a roll model's graphs against the model."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from tatumflow.engine.rolls.conditions import CONDITIONS, DENSITIES, GRID_KINDS
from tatumflow.engine.rolls.levels import RollLevels
from tatumflow.engine.rolls.patches import LEVELS, NEIGHBOURS, SIDES, TOKEN_PLANES
from tatumflow.engine.rolls.roll import PITCHES
from tatumflow.training.export.errors import ExportError
from tatumflow.training.export.parity import TOLERANCE
from tatumflow.training.models.fractal_midi.config import FractalMidiConfig
from tatumflow.training.rolls.torch_levels import TorchLevels

_COLUMNS: Final = (4, 9)
_PATCHES: Final = 7


def check_rolls(model: TorchLevels, graphs: RollLevels, config: FractalMidiConfig, seed: int = 0) -> float:
    """Return the greatest error of graphs on random inputs, relative for values above 1.

    Args:
        model: The model.
        graphs: Its graphs.
        config: Its hyperparameters.
        seed: Seed of the inputs.

    Raises:
        ExportError: if it exceeds `TOLERANCE`.
    """
    rng = np.random.default_rng(seed)
    errors: list[float] = []
    rows = PITCHES // SIDES[0]
    sizes = np.array([config.num_styles, DENSITIES, len(GRID_KINDS)])
    for columns in _COLUMNS:
        ids = rng.integers(0, sizes, (2, CONDITIONS))
        visible, done = _planes(rng, (2, rows, columns, TOKEN_PLANES[0]))
        errors += _differences(graphs.top(ids, visible, done), model.top(ids, visible, done))
    for level in range(1, LEVELS):
        side = SIDES[level - 1] // SIDES[level]
        above = rng.normal(size=(_PATCHES, NEIGHBOURS, config.dims[level - 1])).astype(np.float32)
        visible, done = _planes(rng, (_PATCHES, side, side, TOKEN_PLANES[level]))
        errors += _differences(
            graphs.inner(level, above, visible, done), model.inner(level, above, visible, done)
        )
    states = rng.normal(size=(_PATCHES, config.dims[LEVELS - 1])).astype(np.float32)
    errors += _differences((graphs.velocity(states),), (model.velocity(states),))
    error = max(errors)
    if not error <= TOLERANCE:
        raise ExportError(f"a graph differs from the model by {error:.2g}, above {TOLERANCE:g}")
    return error


def _planes(rng: np.random.Generator, shape: tuple[int, ...]) -> tuple[NDArray, NDArray]:
    done = rng.random(shape).astype(np.float32)
    return done * (rng.random(shape) < 0.5), done


def _differences(found: tuple[NDArray, ...], expected: tuple[NDArray, ...]) -> list[float]:
    pairs = zip(found, expected, strict=True)
    return [float((np.abs(one - true) / np.maximum(np.abs(true), 1)).max()) for one, true in pairs]
