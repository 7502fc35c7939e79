"""TFSWA-UNet: masks for stems, from a U-Net with attention at its bottleneck.

After "TFSWA-ResUNet" (EURASIP Journal on Audio, Speech, and Music Processing 2025:39): a convolutional U-Net
over sub-bands of the spectrogram, with modules of time-sequence, frequency-sequence and shifted-window
attention in series at its bottleneck. Other than there, the network sees real and imaginary parts, all stems
come from one network, and masks are linear, not squashed: zero and one are values like others, where a
sigmoid only nears them. Positions are told apart by what each adds, since an instrument does not sound alike
everywhere.

A causal model can take a stream block by block; what its layers have to remember goes from call to call.
Nothing in it depends on the level of other frames, so that blocks and a whole signal give the same.

What a live model's transform should be follows from the 100 ms that may pass. A window of 2048 samples at
44.1 kHz costs 46 ms; one of 4096 would tell bass notes better apart and costs 93 ms, which leaves nothing for
computing and for the sound card. Re-running an offline model over a window of 64 frames, as is done with
others, looks 255 ms ahead. Causal layers cost nothing beside the transform; a time stride of 2 at hop 512
adds one hop, 58 ms together.

Shapes: b batch, f bins, t frames, s stems; see `tatumflow.training.separation.signal` for planes.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812
from torch.utils.checkpoint import checkpoint

from tatumflow.engine.errors import SettingError
from tatumflow.training.families.tfswa_unet.attention import TfswaModule
from tatumflow.training.families.tfswa_unet.config import TfswaUnetConfig
from tatumflow.training.families.tfswa_unet.history import History
from tatumflow.training.families.tfswa_unet.layers import ConvBlock, Down, Up

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
    """A separation model."""

    def __init__(self, config: TfswaUnetConfig) -> None:
        super().__init__()
        self.config = config
        self.stems = len(config.stem_set)
        self.parts = config.parts
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
        self._begin()

    def _begin(self) -> None:
        """Begin near equal shares of the mixture, with residual updates that are small."""
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
            real = head.bias.detach().view(-1, self.stems * _SIDES, part.width)[0]
            real.fill_(1 / max(self.stems, 2))

    def forward(self, planes: Tensor) -> Tensor:
        """Take a mixture apart.

        Args:
            planes: Of the mixture, (b, 4, f, t).

        Returns:
            Planes of the stems, (b, 4 s, f, t), those of silence beyond a last whole block left out.
        """
        return self._separated(planes, History())

    def step(self, planes: Tensor, past: Sequence[Tensor]) -> tuple[Tensor, list[Tensor]]:
        """Take the next blocks of a stream apart.

        Args:
            planes: Of the mixture, (b, 4, f, t), t a multiple of the configuration's `block`.
            past: What the step before returned, or `beginning`.

        Returns:
            Planes of the stems, (b, 4 s, f, t), and what to give to the next step.
        """
        history = History(past, keep=True)
        return self._separated(planes, history), history.kept

    def beginning(self, batch: int = 1) -> list[Tensor]:
        """Return the past of a stream that begins: tensors of zeros, (batch, frames, ...) each.

        Raises:
            SettingError: if the model is not causal.
        """
        if not self.config.causal:
            raise SettingError(
                "model.causal: a model that looks ahead cannot take a stream; train a causal one"
            )
        history = History(keep=True)
        bins, frames = self.config.stft.bins, self.config.block
        with torch.no_grad():
            self._separated(self.place.new_zeros(batch, _PLANES, bins, frames), history)
        return [torch.zeros_like(kept) for kept in history.kept]

    def masks(self, planes: Tensor) -> Tensor:
        """Return the masks of a mixture.

        Args:
            planes: Of the mixture, (b, 4, f, t).

        Returns:
            Shape (b, 2 s, f, t), complex.
        """
        masks = self._masks(_channels_before_bins(planes), History()).flatten(3, 4)
        imaginary = masks[:, :, 1] if self.config.complex_masks else torch.zeros_like(masks[:, :, 0])
        return torch.complex(masks[:, :, 0], imaginary).permute(0, 2, 3, 1)

    def _separated(self, planes: Tensor, history: History) -> Tensor:
        x = _channels_before_bins(planes)
        masks = self._masks(x, history)
        mixture = x.unflatten(2, (2, 1, _SIDES))
        if self.config.complex_masks:
            real, imaginary = masks[:, :, 0], masks[:, :, 1]
            left, right = mixture[:, :, 0], mixture[:, :, 1]
            parts = [real * left - imaginary * right, real * right + imaginary * left]
            stems = torch.stack(parts, dim=2)
        else:
            stems = masks * mixture
        return stems.flatten(2, 4).permute(0, 2, 3, 1)

    def _masks(self, x: Tensor, history: History) -> Tensor:
        """Return masks (b, t, parts, s, 2, f), real and then imaginary parts, of a mixture (b, t, 4, f)."""
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
        masks = torch.cat(
            [
                part.join(head(place))
                for part, head, place in zip(self.parts, self.head, positions, strict=True)
            ],
            dim=3,
        ).float()
        # The bin at half the sample rate has no position of its own.
        masks = torch.cat([masks, masks[..., -1:]], dim=3)
        masks = masks.unflatten(2, (-1, self.stems, _SIDES))
        return self._summed_to_one(masks) if config.consistent and self.stems > 1 else masks

    def _summed_to_one(self, masks: Tensor) -> Tensor:
        """Share out what the stems' masks lack of one (Wisdom et al., "Differentiable Consistency", 2019)."""
        whole = torch.zeros(masks.shape[2], 1, 1, 1, device=masks.device)
        whole[0] = 1
        return masks + (whole - masks.sum(dim=3, keepdim=True)) / self.stems

    def _run(self, module: nn.Module, x: Tensor, history: History) -> Tensor:
        if self.config.checkpointing and self.training and torch.is_grad_enabled():
            return checkpoint(module, x, History(), use_reentrant=False)  # pyright: ignore[reportReturnType]
        return module(x, history)


def compressed(x: Tensor, exponent: float) -> Tensor:
    """Raise magnitudes to an exponent and keep phases.

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
