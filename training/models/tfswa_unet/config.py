"""Hyperparameters of the TFSWA-UNet family."""

from math import prod

from pydantic import BaseModel, ConfigDict, Field, model_validator

from tatumflow.engine.errors import SettingError
from tatumflow.engine.separation.stems import StemSet, parse_stems
from tatumflow.engine.separation.stft import StftSettings
from tatumflow.training.models.tfswa_unet.bands import Part, merged_parts, stacked_parts


class TfswaUnetConfig(BaseModel):
    """Shape of one separation model.

    The last level is the bottleneck. A level's frames and positions are those of the level before divided by
    its strides.

    Attributes:
        stems: What it takes a mixture apart into, as `parse_stems` reads it.
        rate: Samples a second of what it hears.
        window: Samples of a frame.
        hop: Samples from one frame to the next.
        causal: Whether no block of frames sees a later one, so that a stream can be separated as it arrives.
            A block has as many frames as `time_strides` make one of.
        compression: Exponent of the magnitudes that the network sees; 1 leaves them as they are. It evens out
            levels, of bins and of recordings, without looking at other frames.
        sub_bands: Equal ranges of bins that are stacked as channels, where `bands` is empty.
        bands: Ranges from the lowest bin up, each as how many bins, and how many merge to a position.
        channels: Width of each level.
        time_strides: Frames of a level that make one of the next.
        freq_strides: Positions of a level that make one of the next.
        kernel: Frames and positions that a convolution sees; odd, but for the frames of a causal one.
        blocks: Convolution blocks of each level on either side.
        num_modules: Modules of time, frequency and shifted-window attention at the bottleneck.
        num_heads: Heads of each attention.
        mlp_ratio: Inner width of a feed-forward network, by the bottleneck's width.
        look_back: Frames of the bottleneck that time attention sees, the present one included; where the
            model is not causal, as many after it.
        attention_window: Frames and positions of a window of the shifted-window attention.
        complex_masks: Whether masks turn phases too.
        consistent: Whether the stems add up to the mixture; one stem alone never does.
        checkpointing: Whether training keeps no activations inside blocks and computes them again.
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
            raise ValueError("each of the bands must have a multiple of the bins that merge")
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
        """How bins become positions."""
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
        """Frames that one of the bottleneck is made of: what is taken at a time in a stream."""
        return prod(self.time_strides)

    @property
    def latency(self) -> int:
        """Samples that must have arrived after a sample, at most, before it is separated in a stream.

        Those of the transform, and the frames of a block that wait for its last.
        """
        return self.stft.latency + (self.block - 1) * self.hop
