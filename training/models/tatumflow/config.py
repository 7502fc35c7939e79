"""Hyperparameters of the TatumFlow family."""

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, model_validator

from tatumflow.engine.theory.features import PARTS
from tatumflow.engine.theory.key import PITCH_CLASSES


class TatumFlowConfig(BaseModel):
    """Hyperparameters of one TatumFlow model.

    Attributes:
        hidden_dim: Width of the decoder's residual stream.
        condition_dim: Width of the condition of every block's adaptive normalization.
        latent_dim: Width of the latent of a phrase.
        theory_dim: Width of the embedding of each of the four theory parts.
        num_layers: Number of transformer blocks.
        num_heads: Query heads; `hidden_dim` must be a multiple.
        num_kv_heads: Key and value heads shared by groups of query heads (grouped-query attention).
        mlp_dim: Inner width of the SwiGLU network of a block.
        head_dim_inner: Inner width of each field head.
        max_seq_len: Attention window in steps; also the capacity of the key-value cache.
        num_styles: Rows of the style table, the null style 0 included.
        encoder_dim: Width of the phrase encoder.
        encoder_layers: Its transformer blocks.
        encoder_heads: Its attention heads.
        flow_dim: Width of the latent flow.
        flow_layers: Its residual blocks.
        flow_draws: Pairs of noise and time sampled for each phrase in a training step: the flow costs little
            beside the decoder.
        phrase_len: Most notes in a phrase.
        kl_weight: Weight of the latent's KL divergence from the unit Gaussian.
        free_nats: Free nats of each value of the latent: divergence below them is not penalized.
        diffusion_weight: Weight of the flow-matching error.
        theory_weight: Weight of the theory losses.
        phrase_share: Share of a batch's windows whose phrases are encoded; the others are unconditional.
        condition_dropout: Probability that a phrase is unconditional: condition dropout, as for
            classifier-free guidance (Ho and Salimans 2022).
        latent_dropout: Probability that the latent is dropped from the condition.
        theory_dropout: Probability that a theory part is dropped from the condition, for each part.
        context_dropout: Probability that most notes of a phrase with a latent are masked in the input.
        drawn_conditions: Probability that the decoder is conditioned on a flow sample instead of a phrase's
            posterior sample, so that it is trained on the conditions of play time too.
        theory_requested: Probability that the flow is conditioned on a theory part, for each part; in older
            checkpoints named `theory_asked`.
        flow_dropout: Probability that the phrase before is dropped from the flow's condition; and,
            independently, for the style.
        rope_base: Base of the rotary position frequencies.
        dropout: Probability of dropping a residual update while training.
        metre_and_key: Whether the decoder reads metrical places, and phrases are encoded relative to the
            current key. Bundles of format 2 do neither.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    hidden_dim: int = Field(default=384, ge=16)
    condition_dim: int = Field(default=128, ge=8)
    latent_dim: int = Field(default=128, ge=2)
    theory_dim: int = Field(default=16, ge=2)
    num_layers: int = Field(default=8, ge=1)
    num_heads: int = Field(default=8, ge=1)
    num_kv_heads: int = Field(default=2, ge=1)
    mlp_dim: int = Field(default=768, ge=16)
    head_dim_inner: int = Field(default=256, ge=16)
    max_seq_len: int = Field(default=1024, ge=16)
    num_styles: int = Field(default=1, ge=1)
    encoder_dim: int = Field(default=192, ge=16)
    encoder_layers: int = Field(default=3, ge=1)
    encoder_heads: int = Field(default=3, ge=1)
    flow_dim: int = Field(default=384, ge=16)
    flow_layers: int = Field(default=4, ge=1)
    flow_draws: int = Field(default=4, ge=1)
    phrase_len: int = Field(default=64, ge=4)
    kl_weight: float = Field(default=0.02, ge=0)
    free_nats: float = Field(default=0.25, ge=0)
    diffusion_weight: float = Field(default=1.0, ge=0)
    theory_weight: float = Field(default=0.1, ge=0)
    phrase_share: float = Field(default=1.0, gt=0, le=1)
    condition_dropout: float = Field(default=0.1, ge=0, le=1)
    latent_dropout: float = Field(default=0.1, ge=0, le=1)
    theory_dropout: float = Field(default=0.5, ge=0, le=1)
    context_dropout: float = Field(default=0.15, ge=0, le=1)
    drawn_conditions: float = Field(default=0.25, ge=0, le=1)
    theory_requested: float = Field(
        default=0.3, ge=0, le=1, validation_alias=AliasChoices("theory_requested", "theory_asked")
    )
    flow_dropout: float = Field(default=0.15, ge=0, le=1)
    rope_base: float = Field(default=10_000.0, gt=1)
    dropout: float = Field(default=0.0, ge=0, lt=1)
    metre_and_key: bool = True

    @model_validator(mode="after")
    def _heads_divide(self) -> "TatumFlowConfig":
        if self.hidden_dim % self.num_heads or (self.hidden_dim // self.num_heads) % 2:
            raise ValueError("hidden_dim must be num_heads times an even head width")
        if self.num_heads % self.num_kv_heads:
            raise ValueError("num_heads must be a multiple of num_kv_heads")
        if self.encoder_dim % self.encoder_heads:
            raise ValueError("encoder_dim must be a multiple of encoder_heads")
        return self

    @property
    def head_dim(self) -> int:
        """Width of one attention head."""
        return self.hidden_dim // self.num_heads

    @property
    def code_dim(self) -> int:
        """Width of a phrase's code: its latent and the embeddings of its theory."""
        return self.latent_dim + len(PARTS) * self.theory_dim

    @property
    def phrase_dim(self) -> int:
        """Width of a phrase's condition: its code and, for relative codes, the one-hot key."""
        return self.code_dim + (PITCH_CLASSES if self.metre_and_key else 0)
