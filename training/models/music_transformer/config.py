"""Hyperparameters of the Music Transformer family."""

from pydantic import BaseModel, ConfigDict, Field, model_validator

from tatumflow.engine.model.tokens import FIELDS


class MusicTransformerConfig(BaseModel):
    """Hyperparameters of one Music Transformer.

    Attributes:
        hidden_dim: Width of the residual stream.
        num_layers: Number of transformer blocks.
        num_heads: Attention heads; `hidden_dim` must be a multiple.
        mlp_dim: Inner width of the feed-forward network of a block.
        max_seq_len: Attention window in steps; a step is a note of four tokens.
        num_styles: Rows of the style table, the null style 0 included.
        dropout: Probability of dropping a residual update while training.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    hidden_dim: int = Field(default=384, ge=16)
    num_layers: int = Field(default=6, ge=1)
    num_heads: int = Field(default=6, ge=1)
    mlp_dim: int = Field(default=1536, ge=16)
    max_seq_len: int = Field(default=256, ge=16)
    num_styles: int = Field(default=1, ge=1)
    dropout: float = Field(default=0.0, ge=0, lt=1)

    @model_validator(mode="after")
    def _heads_divide(self) -> "MusicTransformerConfig":
        if self.hidden_dim % self.num_heads:
            raise ValueError("hidden_dim must be a multiple of num_heads")
        return self

    @property
    def head_dim(self) -> int:
        """Width of one attention head."""
        return self.hidden_dim // self.num_heads

    @property
    def max_tokens(self) -> int:
        """Attention window in tokens, and the number of distances with an embedding."""
        return self.max_seq_len * len(FIELDS)
