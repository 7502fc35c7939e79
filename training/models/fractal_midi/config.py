"""Hyperparameters of the FractalMIDI family."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, model_validator

from tatumflow.engine.rolls.levels import LevelKind
from tatumflow.engine.rolls.patches import LEVELS, Order

_Size = Annotated[int, Field(ge=1, le=65536)]


class FractalMidiConfig(BaseModel):
    """Hyperparameters of one roll model.

    Its levels read patches of 16, 4 and 1 cells to the side; a network of the last width reads the velocities
    of onsets from the last level's states.

    Attributes:
        num_styles: Styles, no style included.
        kinds: How each level predicts its tokens: "mar" or "ar"; see `LevelKind`.
        order: Scan order of "ar" levels.
        dims: Width of each level, and of the velocity network.
        blocks: Transformer blocks of each level, and hidden layers of the velocity network.
        heads: Attention heads of each level.
        mlp_ratio: Inner width of a feed-forward network over its level's width.
        mask_mean: Mean share of a masked level's tokens that are hidden in training, before the normal
            distribution is truncated to 0 to 1.
        mask_deviation: Standard deviation of the share.
        condition_dropout: Share of the rolls without conditions in training, for guidance; each condition of
            the others is left out as often by itself.
        checkpointing: Gradient checkpointing: whether activations inside blocks are recomputed, not kept.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    num_styles: int = Field(default=1, ge=1, le=4096)
    kinds: tuple[LevelKind, LevelKind, LevelKind] = ("mar", "mar", "mar")
    order: Order = "column"
    dims: tuple[_Size, _Size, _Size, _Size] = (256, 128, 64, 64)
    blocks: tuple[_Size, _Size, _Size, _Size] = (6, 3, 2, 1)
    heads: tuple[_Size, _Size, _Size] = (8, 4, 4)
    mlp_ratio: int = Field(default=4, ge=1, le=16)
    mask_mean: float = Field(default=1.0, ge=0, le=2)
    mask_deviation: float = Field(default=0.25, gt=0, le=10)
    condition_dropout: float = Field(default=0.1, ge=0, le=1)
    checkpointing: bool = False

    @model_validator(mode="after")
    def _heads_divide(self) -> "FractalMidiConfig":
        for level in range(LEVELS):
            if self.dims[level] % (2 * self.heads[level]):
                raise ValueError(
                    f"dims: {self.dims[level]} of level {level} is not a multiple of twice its heads"
                )
        return self
