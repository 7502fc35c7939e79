"""The beat network of `engine/beats/network.py` as a trainable module."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from tatumflow.engine.beats.features import FEATURES
from tatumflow.engine.beats.network import KERNEL, BeatNetwork, BeatNetworkShape


class BeatModule(nn.Module):
    """Logits of beats and downbeats; see `BeatNetwork` for the computation."""

    def __init__(self, shape: BeatNetworkShape, dropout: float = 0.1) -> None:
        """Build the network with random weights."""
        super().__init__()
        self.shape = shape
        width = shape.channels
        self.stem = nn.Conv1d(FEATURES, width, 3)
        self.wide = nn.ModuleList(nn.Conv1d(width, width, KERNEL, dilation=d) for d in shape.dilations)
        self.mix = nn.ModuleList(nn.Conv1d(width, width, 1) for _ in shape.dilations)
        self.head = nn.Conv1d(width, 2, 1)
        self._dropout = nn.Dropout1d(dropout)
        nn.init.constant_(self.head.bias, -2.5) if self.head.bias is not None else None

    def forward(self, features: Tensor) -> Tensor:
        """Return logits of shape (batch, 2, frames) for features of shape (batch, `FEATURES`, frames)."""
        delay = self.shape.delay
        x = functional.elu(self.stem(self._pad(functional.pad(features, (0, delay)), 2)))
        for dilation, wide, mix in zip(self.shape.dilations, self.wide, self.mix, strict=True):
            y = functional.elu(wide(self._pad(x, (KERNEL - 1) * dilation)))
            x = x + mix(self._dropout(y))
        return self.head(functional.elu(x))[..., delay:]

    def weights(self) -> dict[str, NDArray[np.float32]]:
        """Return the weights by name, for `write_network`."""
        named: dict[str, NDArray[np.float32]] = {}
        for name, tensor in self.state_dict().items():
            array = tensor.detach().cpu().numpy().astype(np.float32)
            if array.ndim == 3:
                array = array.transpose(2, 1, 0)
                array = array[0] if len(array) == 1 else array
            named[name] = np.ascontiguousarray(array)
        return named

    def load(self, network: BeatNetwork) -> None:
        """Load the weights of a network of the same shape."""
        named: dict[str, Tensor] = {}
        for name, parameter in self.state_dict().items():
            array = network.weights[name]
            if parameter.ndim == 3:
                array = (array[None] if array.ndim == 2 else array).transpose(2, 1, 0)
            named[name] = torch.from_numpy(np.ascontiguousarray(array))
        self.load_state_dict(named)

    def network(self) -> BeatNetwork:
        """Return the same network in NumPy."""
        return BeatNetwork(self.shape, self.weights())

    def _pad(self, x: Tensor, reach: int) -> Tensor:
        return functional.pad(x, (reach, 0) if self.shape.causal else (reach // 2, reach // 2))
