"""Settings of a training run of a separation model."""

from dataclasses import fields
from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from tatumflow.engine.errors import SettingError
from tatumflow.training.fit.settings import RunConfig
from tatumflow.training.separation.data.augmentations import Augmentation
from tatumflow.training.separation.fit.losses import LossSettings


class SeparationData(BaseModel):
    """Training data.

    Attributes:
        source: "folder" for any recordings in stems, with a folder for each side; "musdb" for MUSDB18.
        root: Folder with `train` and `val` in it, as `tatumflow data quartet` writes them, or MUSDB18's.
        seconds: Length of an excerpt.
        batch_size: Excerpts in a batch.
        augmentation: Changed fields of `Augmentation`; `{}` for its defaults, null for no augmentation.
        remix: Share of the batches that combine stems of different excerpts.
        level_db: Range of the change of an excerpt's level, drawn evenly.
        num_workers: Processes that read excerpts; 0 reads them in the trainer's own.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    source: Literal["folder", "musdb"] = "folder"
    root: Path = Path("data/quartets")
    seconds: float = Field(default=4.0, gt=0, le=600)
    batch_size: int = Field(default=4, ge=1, le=4096)
    augmentation: dict[str, float] = Field(default_factory=dict)
    remix: float = Field(default=0.5, ge=0, le=1)
    level_db: tuple[float, float] = (-18.0, 6.0)
    num_workers: int = Field(default=0, ge=0, le=64)

    @model_validator(mode="before")
    @classmethod
    def _none_is_none(cls, content: object) -> object:
        """Read `augmentation: null` as no augmentation."""
        if isinstance(content, dict) and "augmentation" in content and content["augmentation"] is None:
            none = Augmentation.none()
            return {**content, "augmentation": {f.name: getattr(none, f.name) for f in fields(none)}}
        return content

    @model_validator(mode="after")
    def _ranges_hold(self) -> Self:
        known = {field.name for field in fields(Augmentation)}
        for name in self.augmentation:
            if name not in known:
                raise ValueError(f"augmentation has no {name!r}; choose from {', '.join(sorted(known))}")
        try:
            self.drawn_from()
        except SettingError as error:
            raise ValueError(str(error)) from None
        if self.level_db[0] > self.level_db[1]:
            raise ValueError("level_db: give the least level first, then the most")
        return self

    def drawn_from(self) -> Augmentation:
        """Return the augmentation."""
        return Augmentation(**self.augmentation)


class SeparationConfig(RunConfig):
    """One training run of a separation model.

    Attributes:
        data: Training data.
        losses: Weights of the losses.
    """

    family: str = "tfswa_unet"
    data: SeparationData = SeparationData()
    losses: LossSettings = LossSettings()

    @property
    def batch_size(self) -> int:
        """Excerpts in a batch."""
        return self.data.batch_size
