"""Hyperparameters of the TFSWA-UNet family."""

from math import prod

from pydantic import BaseModel, ConfigDict, Field, model_validator

from tatumflow.engine.errors import SettingError
from tatumflow.engine.separation.stems import StemSet, parse_stems
from tatumflow.engine.separation.stft import StftSettings
from tatumflow.training.models.tfswa_unet.bands import Part, merged_parts, stacked_parts


class TfswaUnetConfig(BaseModel):
    """Hyperparameters of one separation model.

    The last level is the bottleneck. A level's frames and positions are those of the level before divided by
    its strides.

    Attributes:
        stems: The stems it separates a mixture into; see `parse_stems`.
        rate: Sample rate in Hz.
        window: Samples of a frame.
        hop: Samples from one frame to the next.
        causal: Whether a block of frames depends on no later one, so that a stream can be separated as it
            arrives. A block has as many frames as the product of `time_strides`.
        compression: Exponent of the input magnitudes; 1 leaves them as they are. It reduces differences of
            level, between bins and between recordings, without reading other frames.
        sub_bands: Equal ranges of bins that are stacked as channels, where `bands` is empty.
        bands: Ranges from the lowest bin up, each given as its bins and the bins of a position.
        channels: Width of each level.
        time_strides: Frames of a level for one of the next.
        freq_strides: Positions of a level for one of the next.
        kernel: Frames and positions of a convolution's kernel; odd, but for the frames of a causal one.
        blocks: Convolution blocks of each level on either side.
        num_modules: Modules of time, frequency and shifted-window attention at the bottleneck.
        num_heads: Heads of each attention.
        mlp_ratio: Inner width of a feed-forward network over the bottleneck's width.
        look_back: Frames of the bottleneck in time attention, the present one included; if not causal, as
            many after it.
        attention_window: Frames and positions of a window of the shifted-window attention.
        complex_masks: Whether masks are complex and so change phases.
        consistent: Whether the stems add up to the mixture; no effect on a single stem.
        checkpointing: Gradient checkpointing: whether activations inside blocks are recomputed, not kept.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    stems: str = "quartet"
    rate: int = Field(default=44_100, ge=4000, le=192_000)
    window: int = Field(default=2048, ge=16)
    hop: int = Field(default=512, ge=1)
    causal: bool = False
    compression: float = Field(default=0.3, gt=0, le=1)
    sub_bands: int = Field(default=4, ge=1)
    bands: tuple[tuple[int, int], ...] = ()
    channels: tuple[int, ...] = (32, 64, 128)
    time_strides: tuple[int, ...] = (2, 2)
    freq_strides: tuple[int, ...] = (2, 4)
    kernel: tuple[int, int] = (3, 3)
    blocks: int = Field(default=1, ge=1)
    num_modules: int = Field(default=2, ge=1)
    num_heads: int = Field(default=4, ge=1)
    mlp_ratio: int = Field(default=2, ge=1)
    look_back: int = Field(default=64, ge=1)
    attention_window: tuple[int, int] = (5, 4)
    complex_masks: bool = True
    consistent: bool = True
    checkpointing: bool = False

    @model_validator(mode="after")
    def _signal_fits(self) -> "TfswaUnetConfig":
        try:
            _ = self.stem_set, self.stft
        except SettingError as error:
            raise ValueError(str(error)) from None
        bins = self.window // 2
        if self.bands and sum(count for count, _ in self.bands) != bins:
            raise ValueError(f"bands must have {bins} bins together, half the window")
        if any(width < 1 or count < 1 or count % width for count, width in self.bands):
            raise ValueError("the bins of each band must be a multiple of the bins of its positions")
        if not self.bands and bins % self.sub_bands:
            raise ValueError(f"sub_bands must divide {bins}, half the window")
        return self

    @model_validator(mode="after")
    def _levels_fit(self) -> "TfswaUnetConfig":
        levels = len(self.channels)
        if not levels or not len(self.time_strides) == len(self.freq_strides) == levels - 1:
            raise ValueError("time_strides and freq_strides must be one fewer than channels")
        if any(value < 1 for value in (*self.channels, *self.time_strides, *self.freq_strides)):
            raise ValueError("channels and strides must be 1 or more")
        if self.positions % prod(self.freq_strides):
            raise ValueError(f"freq_strides must divide the {self.positions} positions")
        if self.channels[-1] % self.num_heads:
            raise ValueError("the last of channels must be a multiple of num_heads")
        frames, positions = self.attention_window
        if frames < 1 or positions < 1 or self.bottleneck_positions % positions:
            raise ValueError(f"attention_window must divide the {self.bottleneck_positions} last positions")
        frames, positions = self.kernel
        if frames < 1 or positions < 1 or positions % 2 == 0 or (frames % 2 == 0 and not self.causal):
            raise ValueError("kernel must be odd, but for the frames of a causal model")
        return self

    @property
    def stem_set(self) -> StemSet:
        """The stems in the order of the outputs."""
        return parse_stems(self.stems)

    @property
    def stft(self) -> StftSettings:
        """Window and hop."""
        return StftSettings(self.window, self.hop)

    @property
    def parts(self) -> tuple[Part, ...]:
        """The band layout."""
        return merged_parts(self.bands) if self.bands else stacked_parts(self.window // 2, self.sub_bands)

    @property
    def positions(self) -> int:
        """Positions of the first level."""
        return sum(part.positions for part in self.parts)

    @property
    def bottleneck_positions(self) -> int:
        """Positions of the last level."""
        return self.positions // prod(self.freq_strides)

    @property
    def block(self) -> int:
        """Frames of a block: those of one frame of the bottleneck, processed at a time in a stream."""
        return prod(self.time_strides)

    @property
    def latency(self) -> int:
        """Greatest latency of a sample in a stream, in samples.

        It is that of the transform, and of the frames of a block that wait for its last.
        """
        return self.stft.latency + (self.block - 1) * self.hop
