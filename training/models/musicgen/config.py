"""Hyperparameters of the MusicGen family: the pretrained model, and what of it is trained."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

LoraTarget = Literal["q_proj", "k_proj", "v_proj", "out_proj", "fc1", "fc2", "lm_heads", "enc_to_dec_proj"]
"""Linear layers of the decoder, as transformers names them: attention, feed-forward, the codebooks' output
layers; and the projection of the text encoder's states."""


class LoraSettings(BaseModel):
    """Low-rank adapters (Hu et al. 2022, "LoRA", section 4.1).

    Attributes:
        rank: Rank of each adapter.
        alpha: Scale of an adapter's output, over its rank.
        dropout: Probability that an adapter's input is zeroed.
        targets: Layers of the decoder that get an adapter.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    rank: int = Field(default=16, ge=1, le=1024)
    alpha: float = Field(default=16.0, gt=0, le=4096)
    dropout: float = Field(default=0.0, ge=0, lt=1)
    targets: tuple[LoraTarget, ...] = Field(
        default=("q_proj", "k_proj", "v_proj", "out_proj", "fc1", "fc2"), min_length=1
    )


class MusicgenModelConfig(BaseModel):
    """The pretrained model, and what of it is trained.

    Attributes:
        base: A folder as transformers writes it, the name of an exported model, or a name on the Hugging Face
            Hub.
        download: Whether weights that are not in the Hub's cache are downloaded.
        method: "lora" trains adapters on the frozen decoder, "full" the decoder. Text encoder and audio
            encoder stay frozen.
        lora: The adapters.
        checkpointing: Gradient checkpointing: whether the layers' activations are recomputed, not kept.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    base: str = Field(default="facebook/musicgen-small", min_length=1)
    download: bool = False
    method: Literal["lora", "full"] = "lora"
    lora: LoraSettings = LoraSettings()
    checkpointing: bool = False
