"""Hyperparameters of the TatumFlow family."""

from pydantic import BaseModel, ConfigDict, Field, model_validator


class TatumFlowConfig(BaseModel):
    """Shape of one TatumFlow decoder. The names follow the field's usual ones.

    Attributes:
        hidden_dim: Width of the residual stream.
        condition_dim: Width of the style condition that modulates every block.
        num_layers: Number of transformer blocks.
        num_heads: Query heads; `hidden_dim` must be a multiple.
        num_kv_heads: Key and value heads shared by groups of query heads (grouped-query attention).
        mlp_dim: Inner width of the SwiGLU network of a block.
        head_dim_inner: Inner width of each field head.
        max_seq_len: Attention window in steps; also the capacity of the key-value cache.
        num_styles: Rows of the style table, the null style 0 included.
        rope_base: Base of the rotary position frequencies.
        dropout: Probability of dropping a residual update while training.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    hidden_dim: int = Field(default=384, ge=16)
    condition_dim: int = Field(default=128, ge=8)
    num_layers: int = Field(default=8, ge=1)
    num_heads: int = Field(default=8, ge=1)
    num_kv_heads: int = Field(default=2, ge=1)
    mlp_dim: int = Field(default=768, ge=16)
    head_dim_inner: int = Field(default=256, ge=16)
    max_seq_len: int = Field(default=1024, ge=16)
    num_styles: int = Field(default=1, ge=1)
    rope_base: float = Field(default=10_000.0, gt=1)
    dropout: float = Field(default=0.0, ge=0, lt=1)

    @model_validator(mode="after")
    def _heads_divide(self) -> "TatumFlowConfig":
        if self.hidden_dim % self.num_heads or (self.hidden_dim // self.num_heads) % 2:
            raise ValueError("hidden_dim must be num_heads times an even head width")
        if self.num_heads % self.num_kv_heads:
            raise ValueError("num_heads must be a multiple of num_kv_heads")
        return self

    @property
    def head_dim(self) -> int:
        """Width of one attention head."""
        return self.hidden_dim // self.num_heads
