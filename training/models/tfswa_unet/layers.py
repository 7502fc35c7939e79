"""Layers of the U-Net: convolution blocks, downsampling and upsampling.

Shapes: B batch, T frames, P positions, C channels. Channels come last, which for convolutions is PyTorch's
channels-last format.
"""

from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from tatumflow.training.models.tfswa_unet.history import History


class ConvBlock(nn.Module):
    """A residual convolution over time and frequency.

    It is normalized over the channels of each frame and position alone, so no other frame affects it.
    """

    def __init__(self, channels: int, kernel: tuple[int, int], causal: bool) -> None:
        super().__init__()
        frames, positions = kernel
        self.back = frames - 1 if causal else frames // 2
        self.ahead = frames - 1 - self.back
        self.norm = nn.LayerNorm(channels)
        self.conv = nn.Conv2d(channels, channels, kernel, padding=(0, positions // 2))
        self.out = nn.Linear(channels, channels)

    def forward(self, x: Tensor, history: History) -> Tensor:
        """Map (B, T, P, C) to (B, T, P, C)."""
        y = history.extend(self.norm(x), self.back, self.ahead)
        y = self.conv(y.permute(0, 3, 1, 2)).permute(0, 2, 3, 1)
        return x + self.out(F.silu(y))


class Down(nn.Module):
    """Downsampling to a level of fewer frames and positions."""

    def __init__(self, channels: int, out_channels: int, strides: tuple[int, int]) -> None:
        super().__init__()
        self.strides = strides
        self.linear = nn.Linear(strides[0] * strides[1] * channels, out_channels)

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, T, P, C) to (B, T / time stride, P / frequency stride, D)."""
        frames, positions = self.strides
        x = x.unflatten(2, (-1, positions)).unflatten(1, (-1, frames))
        return self.linear(x.transpose(2, 3).flatten(3))


class Up(nn.Module):
    """Upsampling to a level of more frames and positions."""

    def __init__(self, channels: int, out_channels: int, strides: tuple[int, int]) -> None:
        super().__init__()
        self.strides = strides
        self.linear = nn.Linear(channels, strides[0] * strides[1] * out_channels)

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, T, P, C) to (B, T * time stride, P * frequency stride, D)."""
        frames, positions = self.strides
        x = self.linear(x).unflatten(3, (frames, positions, -1)).transpose(2, 3)
        return x.flatten(3, 4).flatten(1, 2)
