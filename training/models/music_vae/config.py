"""Hyperparameters of MusicVAE."""

from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from tatumflow.engine.melodies.melody import STEPS_PER_BAR


class MusicVaeConfig(BaseModel):
    """Sizes of MusicVAE (Roberts et al. 2018, section 3).

    Attributes:
        bars: Bars of a melody.
        decoder: "flat" decodes all steps from the latent; "hierarchical" lets a conductor turn it into one
            embedding for each bar, from which the steps of that bar are decoded.
        latent_dim: Size of the latent.
        embedding_dim: Size of the event embeddings.
        encoder_dim: State size of the encoder in each direction.
        encoder_layers: Layers of the encoder.
        summary_dim: Width to which the encoder's state at each step is projected; the posterior is computed
            from all of them. 0 computes it from the last states alone, as in the paper.
        conductor_dim: State size of the conductor and size of its embeddings; of a flat decoder, the size of
            the one embedding.
        decoder_dim: State size of the decoder.
        decoder_layers: Layers of the decoder.
        step_dim: Width of a third level of a hierarchical decoder: an embedding for each step of a bar, made
            of the bar's. 0 for none, as in the paper.
        event_dropout: Probability that the decoder is trained on a step without the event before. It takes
            the place of the paper's scheduled sampling: the decoder learns to rely on the latent where its
            own last events may be wrong, and all steps are trained in one call.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    bars: int = Field(default=2, ge=1, le=64)
    decoder: Literal["flat", "hierarchical"] = "flat"
    latent_dim: int = Field(default=256, ge=2, le=4096)
    embedding_dim: int = Field(default=64, ge=2, le=1024)
    encoder_dim: int = Field(default=512, ge=4, le=4096)
    encoder_layers: int = Field(default=1, ge=1, le=8)
    summary_dim: int = Field(default=0, ge=0, le=1024)
    conductor_dim: int = Field(default=256, ge=4, le=4096)
    decoder_dim: int = Field(default=512, ge=4, le=4096)
    decoder_layers: int = Field(default=1, ge=1, le=8)
    step_dim: int = Field(default=0, ge=0, le=1024)
    event_dropout: float = Field(default=0.3, ge=0, lt=1)

    @model_validator(mode="after")
    def _bars_to_conduct(self) -> Self:
        if self.decoder == "hierarchical" and self.bars < 2:
            raise ValueError("bars must be 2 or more for a hierarchical decoder")
        if self.decoder == "flat" and self.step_dim:
            raise ValueError("step_dim must be 0 for a flat decoder, which has no bars to divide")
        return self

    @property
    def steps(self) -> int:
        """Steps of a melody."""
        return self.bars * STEPS_PER_BAR

    @property
    def segments(self) -> int:
        """Segments that are decoded separately: bars of a hierarchical decoder, or one."""
        return self.bars if self.decoder == "hierarchical" else 1

    @property
    def segment_steps(self) -> int:
        """Steps of a segment."""
        return self.steps // self.segments
