"""The levels of a model in PyTorch, for sampling during training and evaluation."""

import numpy as np
import torch
from numpy.typing import NDArray

from tatumflow.engine.arrays import Ints
from tatumflow.engine.rolls.levels import LevelKind
from tatumflow.engine.rolls.patches import Floats, Order
from tatumflow.training.models.fractal_midi.model import FractalMidi


class TorchLevels:
    """A model's levels on its device; implements `RollLevels`."""

    def __init__(self, model: FractalMidi) -> None:
        self._model = model

    @property
    def kinds(self) -> tuple[LevelKind, ...]:
        """The kind of each level."""
        return self._model.config.kinds

    @property
    def order(self) -> Order:
        """Scan order of the autoregressive levels."""
        return self._model.config.order

    def top(self, ids: Ints, visible: Floats, done: Floats) -> tuple[Floats, Floats]:
        """Run the first level; see `RollLevels.top`."""
        return self._run(0, ids, visible, done)

    def inner(self, level: int, conditions: Floats, visible: Floats, done: Floats) -> tuple[Floats, Floats]:
        """Run a level on patches; see `RollLevels.inner`."""
        return self._run(level, conditions, visible, done)

    @torch.inference_mode()
    def velocity(self, states: Floats) -> NDArray:
        """Return logits of velocities; see `RollLevels.velocity`."""
        return self._model.velocities(self._tensor(states)).float().cpu().numpy()

    @torch.inference_mode()
    def _run(self, level: int, conditions: NDArray, visible: Floats, done: Floats) -> tuple[Floats, Floats]:
        read = self._tensor(done) if self.kinds[level] == "ar" else None
        states, logits = self._model.run(level, self._tensor(conditions), self._tensor(visible), read)
        return states.float().cpu().numpy(), logits.float().cpu().numpy()

    def _tensor(self, array: NDArray) -> torch.Tensor:
        device = next(self._model.parameters()).device
        return torch.from_numpy(np.ascontiguousarray(array)).to(device)
