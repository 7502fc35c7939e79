"""TFSWA-UNet: masks for stems, from a U-Net with attention at its bottleneck.

After "TFSWA-ResUNet" (EURASIP Journal on Audio, Speech, and Music Processing 2025:39): a convolutional U-Net
over sub-bands of the spectrogram, with modules of time-sequence, frequency-sequence and shifted-window
attention in series at its bottleneck. Other than there, the inputs are real and imaginary parts, one network
outputs all stems, and masks are linear: they reach zero and one, which a sigmoid only approaches. Learned
embeddings distinguish the positions, since an instrument does not sound alike at all frequencies.

A causal model separates a stream block by block; the states of its layers pass from call to call. No layer
depends on the level of other frames, so that blocks and a whole signal give the same.

The transform of a live model follows from the latency bound of 100 ms. A window of 2048 samples at 44.1 kHz
costs 46 ms; with one of 4096, ideal masks would gain 1 dB more, and it costs 93 ms, which leaves no time for
computing and the sound card. Re-running an offline model over a window of 64 frames would add 255 ms. Causal
layers add no latency. The shipped live sizes have a hop of 1024: ideal masks lose 0.1 to 0.3 dB on those at
512, for half as many frames. A time stride of 2 at hop 512 would halve them for the inner levels only, and
add a hop of latency.

Shapes: b batch, f bins, t frames, s stems; see `tatumflow.training.separation.signal` for planes.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812
from torch.utils.checkpoint import checkpoint

from tatumflow.engine.errors import SettingError
from tatumflow.training.models.tfswa_unet.attention import TfswaModule
from tatumflow.training.models.tfswa_unet.bands import Part
from tatumflow.training.models.tfswa_unet.config import TfswaUnetConfig
from tatumflow.training.models.tfswa_unet.history import History
from tatumflow.training.models.tfswa_unet.layers import ConvBlock, Down, Up

_SIDES = 2
_PLANES = 2 * _SIDES
_SMALLEST_POWER = 1e-6


class Blocks(nn.Module):
    """Convolution blocks of one side of a level."""

    def __init__(self, config: TfswaUnetConfig, channels: int) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(
            ConvBlock(channels, config.kernel, config.causal) for _ in range(config.blocks)
        )

    def forward(self, x: Tensor, history: History) -> Tensor:
        """Map (B, T, P, C) to (B, T, P, C)."""
        for block in self.blocks:
            x = block(x, history)
        return x


class TfswaUnet(nn.Module):
    """A separation model: masks of the stems of a mixture."""

    def __init__(self, config: TfswaUnetConfig) -> None:
        super().__init__()
        self.config = config
        self.stems = len(config.stem_set)
        self.parts = config.parts
        self.consistent = config.consistent and self.stems > 1
        first, last = config.channels[0], config.channels[-1]
        strides = list(zip(config.time_strides, config.freq_strides, strict=True))
        steps = list(zip(config.channels, config.channels[1:], strides, strict=False))
        outputs = (2 if config.complex_masks else 1) * self.stems * _SIDES
        self.embed = nn.ModuleList(nn.Linear(part.width * _PLANES, first) for part in self.parts)
        self.place = nn.Parameter(torch.zeros(config.positions, first))
        self.encoder = nn.ModuleList(Blocks(config, width) for width, _, _ in steps)
        self.down = nn.ModuleList(Down(width, below, stride) for width, below, stride in steps)
        self.bottleneck_place = nn.Parameter(torch.zeros(config.bottleneck_positions, last))
        self.bottleneck = nn.ModuleList(
            TfswaModule(
                last,
                config.num_heads,
                config.bottleneck_positions,
                config.look_back,
                config.attention_window,
                config.mlp_ratio,
                config.causal,
            )
            for _ in range(config.num_modules)
        )
        self.up = nn.ModuleList(Up(below, width, stride) for width, below, stride in steps)
        self.decoder = nn.ModuleList(Blocks(config, width) for width, _, _ in steps)
        self.norm = nn.LayerNorm(first)
        self.head = nn.ModuleList(nn.Linear(first, part.width * outputs) for part in self.parts)
        self._initialize()

    def _initialize(self) -> None:
        """Initialize masks near equal shares of the mixture, and small residual updates."""
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.xavier_uniform_(module.weight)
                nn.init.zeros_(module.bias)
        for name, module in self.named_modules():
            if name.endswith((".out", ".mlp.2")) and isinstance(module, nn.Linear):
                nn.init.xavier_uniform_(module.weight, gain=0.2)
        for place in (self.place, self.bottleneck_place):
            nn.init.normal_(place, std=0.02)
        for part, head in zip(self.parts, self.head, strict=True):
            assert isinstance(head, nn.Linear)
            nn.init.xavier_uniform_(head.weight, gain=0.1)
            # Stem, side, bin, part: the real parts.
            head.bias.detach().view(self.stems * _SIDES, part.width, -1)[..., 0] = 1 / max(self.stems, 2)

    def forward(self, planes: Tensor) -> Tensor:
        """Separate a mixture into stems.

        Args:
            planes: Planes of the mixture, (b, 4, f, t).

        Returns:
            Planes of the stems, (b, 4 s, f, t).
        """
        return self._separated(planes, History())

    def step(self, planes: Tensor, past: Sequence[Tensor]) -> tuple[Tensor, list[Tensor]]:
        """Separate the next blocks of a stream.

        Args:
            planes: Planes of the mixture, (b, 4, f, t), t a multiple of the configuration's `block`.
            past: States that the step before returned, or those of `beginning`.

        Returns:
            Planes of the stems, (b, 4 s, f, t), and the states for the next step.
        """
        history = History(past, keep=True)
        return self._separated(planes, history), history.kept

    def beginning(self, batch: int = 1) -> list[Tensor]:
        """Return the initial states of a stream: zeros, (batch, frames, ...) each.

        Raises:
            SettingError: if the model is not causal.
        """
        if not self.config.causal:
            raise SettingError(
                "model.causal: a model that reads later frames cannot separate a stream; train a causal one"
            )
        history = History(keep=True)
        bins, frames = self.config.stft.bins, self.config.block
        with torch.no_grad():
            self._separated(self.place.new_zeros(batch, _PLANES, bins, frames), history)
        return [torch.zeros_like(kept) for kept in history.kept]

    def masks(self, planes: Tensor) -> Tensor:
        """Return the masks of a mixture.

        Args:
            planes: Planes of the mixture, (b, 4, f, t).

        Returns:
            Masks (b, 2 s, f, t), complex.
        """
        masks = self._masks(_channels_before_bins(planes), History())
        if not self.config.complex_masks:
            masks = torch.stack([masks, torch.zeros_like(masks)], dim=-1)
        return torch.view_as_complex(masks.contiguous()).permute(0, 2, 3, 1)

    def separate(self, mixture: Tensor) -> Tensor:
        """Separate spectrograms: `forward` in complex numbers, which train faster and cannot be exported.

        Args:
            mixture: Spectrograms (b, 2, f, t), complex.

        Returns:
            Stems (b, s, 2, f, t), complex.
        """
        x = mixture.permute(0, 3, 1, 2)
        masks = self._masks(torch.cat([x.real, x.imag], dim=2), History())
        if self.config.complex_masks:
            masks = torch.view_as_complex(masks)
        stems = masks.unflatten(2, (self.stems, _SIDES)) * x[:, :, None]
        return stems.permute(0, 2, 3, 4, 1)

    def _separated(self, planes: Tensor, history: History) -> Tensor:
        x = _channels_before_bins(planes)
        masks = self._masks(x, history)
        real, imaginary = (part.repeat(1, 1, self.stems, 1) for part in x.chunk(2, dim=2))
        if self.config.complex_masks:
            a, b = masks[..., 0], masks[..., 1]
            stems = [a * real - b * imaginary, a * imaginary + b * real]
        else:
            stems = [masks * real, masks * imaginary]
        return torch.cat(stems, dim=2).permute(0, 2, 3, 1)

    def _masks(self, x: Tensor, history: History) -> Tensor:
        """Return masks (b, t, 2 s, f), real and imaginary if complex, of a mixture (b, t, 4, f)."""
        config, frames = self.config, x.shape[1]
        x = F.pad(x, (0, 0, 0, 0, 0, -frames % config.block))
        x = compressed(x, config.compression)
        embedded = [embed(part.split(x)) for part, embed in zip(self.parts, self.embed, strict=True)]
        x = torch.cat(embedded, dim=2) + self.place
        skips: list[Tensor] = []
        for blocks, down in zip(self.encoder, self.down, strict=True):
            x = self._run(blocks, x, history)
            skips.append(x)
            x = down(x)
        x = x + self.bottleneck_place
        for module in self.bottleneck:
            x = self._run(module, x, history)
        for blocks, up in zip(reversed(self.decoder), reversed(self.up), strict=True):
            x = self._run(blocks, up(x) + skips.pop(), history)
        positions = self.norm(x[:, :frames]).split([part.positions for part in self.parts], dim=2)
        masks = [self._joined(*one) for one in zip(self.parts, self.head, positions, strict=True)]
        # The bin at half the sample rate has no position; it gets the mask of the bin below.
        return torch.cat([*masks, masks[-1][:, :, :, -1:]], dim=3).float()

    def _joined(self, part: Part, head: nn.Module, x: Tensor) -> Tensor:
        """Return the masks of a part, in the form of `_masks`, from its positions (b, t, P, C)."""
        assert isinstance(head, nn.Linear)
        weight, bias = self._consistent(part, head) if self.consistent else (head.weight, head.bias)
        shape = (self.stems * _SIDES, part.width, *((2,) if self.config.complex_masks else ()))
        return part.join(F.linear(x, weight, bias).unflatten(3, shape))

    def _consistent(self, part: Part, head: nn.Linear) -> tuple[Tensor, Tensor]:
        """Return weight and bias of a head whose stems' masks add up to one.

        Their difference from one is distributed evenly (Wisdom et al., "Differentiable Consistency
        Constraints", 2019). As this is linear, it is applied to the weights, once for all frames.
        """
        shape = (self.stems, _SIDES, part.width, -1)
        weight, bias = head.weight.view(*shape, head.in_features), head.bias.view(shape)
        weight, bias = weight - weight.mean(dim=0), bias - bias.mean(dim=0)
        whole = torch.zeros(bias.shape[-1], device=bias.device, dtype=bias.dtype)
        whole[0] = 1 / self.stems
        return weight.flatten(0, 3), (bias + whole).flatten()

    def _run(self, module: nn.Module, x: Tensor, history: History) -> Tensor:
        if self.config.checkpointing and self.training and torch.is_grad_enabled():
            return checkpoint(module, x, History(), use_reentrant=False)  # pyright: ignore[reportReturnType]
        return module(x, history)


def compressed(x: Tensor, exponent: float) -> Tensor:
    """Return x with its magnitudes raised to an exponent, phases unchanged.

    Args:
        x: Shape (b, t, 4, f): left and right real, left and right imaginary.
        exponent: Above 0, to 1.
    """
    if exponent == 1:
        return x
    power = x.unflatten(2, (2, _SIDES)).square().sum(dim=2) + _SMALLEST_POWER
    return x * power.pow((exponent - 1) / 2).repeat(1, 1, 2, 1)


def _channels_before_bins(planes: Tensor) -> Tensor:
    """Return planes (b, c, f, t) as (b, t, c, f)."""
    return planes.permute(0, 3, 1, 2)
