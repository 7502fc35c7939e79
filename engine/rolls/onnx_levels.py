"""The levels of a roll model in ONNX Runtime."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from tatumflow.engine.arrays import Ints
from tatumflow.engine.errors import BundleError
from tatumflow.engine.model.providers import CPU, open_session
from tatumflow.engine.rolls.bundle import GRAPHS, RollBundle
from tatumflow.engine.rolls.conditions import CONDITIONS
from tatumflow.engine.rolls.levels import LevelKind
from tatumflow.engine.rolls.patches import PLANES, SIDES, Floats, Order, split
from tatumflow.engine.rolls.roll import PITCHES
from tatumflow.engine.rolls.windows import RollModel

CONDITION_INPUT: Final = "conditions"
VISIBLE_INPUT: Final = "visible"
DONE_INPUT: Final = "done"
"""Inputs of a level's graph; only an autoregressive level has the last."""

STATES_OUTPUT: Final = "states"
LOGITS_OUTPUT: Final = "logits"
"""Outputs of a level's graph; those of velocities read states and return logits."""


class OnnxLevels:
    """The levels on the CPU; implements `RollLevels`."""

    def __init__(self, bundle: RollBundle, *, threads: int = 1) -> None:
        """Open the graphs and run the first once.

        Raises:
            BundleError: if a graph cannot be run.
        """
        self._manifest = bundle.manifest
        *levels, velocity = (open_session(bundle.graph_path(name), (CPU,), threads) for name in GRAPHS)
        self._levels, self._velocity = levels, velocity
        try:
            tokens = split(np.zeros((1, PITCHES, SIDES[0], PLANES), np.float32), SIDES[0])
            rows = tokens.reshape(1, PITCHES // SIDES[0], 1, -1)
            self.top(np.zeros((1, CONDITIONS), np.int64), rows, rows)
        except Exception as error:  # ONNX Runtime's exceptions share no base class of their own
            reason = str(error).splitlines()[0][:200]
            raise BundleError(f"{bundle.path}: a graph does not fit ({reason}); export it again") from None

    @property
    def kinds(self) -> tuple[LevelKind, ...]:
        """The kind of each level."""
        return self._manifest.kinds

    @property
    def order(self) -> Order:
        """Scan order of the autoregressive levels."""
        return self._manifest.order

    def top(self, ids: Ints, visible: Floats, done: Floats) -> tuple[Floats, Floats]:
        """Run the first level; see `RollLevels.top`."""
        return self._run(0, ids, visible, done)

    def inner(self, level: int, conditions: Floats, visible: Floats, done: Floats) -> tuple[Floats, Floats]:
        """Run a level on patches; see `RollLevels.inner`."""
        return self._run(level, conditions, visible, done)

    def velocity(self, states: Floats) -> NDArray:
        """Return logits of velocities; see `RollLevels.velocity`."""
        (logits,) = self._velocity.run([LOGITS_OUTPUT], {STATES_OUTPUT: states})
        return np.asarray(logits)

    def _run(self, level: int, conditions: NDArray, visible: Floats, done: Floats) -> tuple[Floats, Floats]:
        feed = {CONDITION_INPUT: conditions, VISIBLE_INPUT: visible}
        if self.kinds[level] == "ar":
            feed[DONE_INPUT] = done
        states, logits = self._levels[level].run([STATES_OUTPUT, LOGITS_OUTPUT], feed)
        return np.asarray(states), np.asarray(logits)


def open_rolls(bundle: RollBundle, *, threads: int = 1) -> RollModel:
    """Open a roll model.

    Raises:
        BundleError: if a graph cannot be run.
    """
    manifest = bundle.manifest
    return RollModel(OnnxLevels(bundle, threads=threads), manifest.width, manifest.styles)
