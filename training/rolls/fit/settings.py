"""Settings of a training run of a roll model."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from tatumflow.training.fit.settings import RunConfig
from tatumflow.training.rolls.data.crops import CropSettings


class RollData(BaseModel):
    """Training data.

    Attributes:
        packed: Folder of the packed corpus from `tatumflow data prepare`.
        corpora: Names of the corpora to use; all when empty.
        width: Steps of a crop: sixteenths of a beat, or of 0.125 s in free time.
        batch_size: Crops in a batch.
        augment_factor: Differently augmented crops that an epoch draws for as many steps as a crop has.
        pitch_shift: Greatest transposition in semitones, up or down.
        stretch: Greatest change of the tempo of free time, as a share.
        louder: Greatest change of all velocities of a crop, in MIDI steps.
        free: Share of the crops in free time, on a grid of equal seconds.
        spans: Share of the crops in which a span of steps is predicted from what is around it.
        num_workers: Processes that draw crops; 0 draws them in the training process.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    packed: Path = Path("data/packed")
    corpora: tuple[str, ...] = ()
    width: int = Field(default=128, ge=64, le=1024, multiple_of=4)
    batch_size: int = Field(default=8, ge=1, le=4096)
    augment_factor: float = Field(default=1.0, gt=0, le=1000)
    pitch_shift: int = Field(default=5, ge=0, le=24)
    stretch: float = Field(default=0.15, ge=0, le=1)
    louder: int = Field(default=12, ge=0, le=126)
    free: float = Field(default=0.15, ge=0, le=1)
    spans: float = Field(default=0.5, ge=0, le=1)
    num_workers: int = Field(default=0, ge=0, le=64)

    def crops(self, augmented: bool) -> CropSettings:
        """Return how crops are drawn, with or without augmentation."""
        changes = (self.pitch_shift, self.stretch, self.louder) if augmented else (0, 0.0, 0)
        return CropSettings(self.width, *changes, free=self.free, spans=self.spans)


class RollConfig(RunConfig):
    """Configuration of a training run of a roll model.

    Attributes:
        model: Hyperparameters of the model; `num_styles` comes from the corpus unless given.
        data: Training data.
    """

    family: str = "fractal_midi"
    data: RollData = RollData()

    @property
    def batch_size(self) -> int:
        """Crops in a batch."""
        return self.data.batch_size
