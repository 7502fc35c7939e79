"""Settings of a fine-tuning run of MusicGen."""

from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from tatumflow.training.fit.settings import RunConfig


class MusicgenData(BaseModel):
    """Training data.

    Attributes:
        recordings: Folder of recordings with captions; see `read_recordings`.
        licence: Licence of the recordings, for the card of the exported model.
        tokens: Folder of the recordings' codes, which the audio encoder makes once.
        seconds: Length of a segment. MusicGen was trained on 30.
        batch_size: Segments in a batch.
        val_share: Share of the pieces that are held out, where the folder has no `train` and `val` in it.
        caption_dropout: Share of the training segments without their caption, so that guidance works.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    recordings: Path = Path("data/recordings")
    licence: str = Field(default="not stated", max_length=200)
    tokens: Path = Path("data/musicgen-tokens")
    seconds: float = Field(default=30.0, gt=0, le=30)
    batch_size: int = Field(default=4, ge=1, le=4096)
    val_share: float = Field(default=0.1, ge=0, le=0.5)
    caption_dropout: float = Field(default=0.1, ge=0, le=1)


class MusicgenRun(RunConfig):
    """One fine-tuning run of MusicGen.

    Attributes:
        data: Training data.
    """

    family: str = "musicgen"
    data: MusicgenData = MusicgenData()

    @model_validator(mode="after")
    def _settings_apply(self) -> Self:
        run = self.run
        if run.start_from or run.start_parts:
            raise ValueError("run.start_from: MusicGen starts from model.base; give the model there")
        if run.train_parts:
            raise ValueError("run.train_parts: model.method says what of MusicGen is trained")
        if run.compile:
            raise ValueError("run.compile: MusicGen is not compiled; leave it out")
        if self.optimizer.kind != "adamw":
            raise ValueError("optimizer.kind: MusicGen is trained with adamw")
        return self

    @property
    def batch_size(self) -> int:
        """Segments in a batch."""
        return self.data.batch_size
