"""Settings of a training run of a model of melodies."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from tatumflow.training.fit.settings import RunConfig


class MelodyData(BaseModel):
    """Training data.

    Attributes:
        packed: Folder of the packed corpus from `tatumflow data prepare`; only pieces with beats count.
        corpora: Names of the corpora to use; all when empty.
        batch_size: Melodies in a batch.
        augment: Whether each training melody is moved to a random key.
        notes_per_bar: Fewest notes a bar that a melody has on average.
        share: Share of the training pieces, to measure what more of them would bring.
        lengthened: Batches over which training melodies grow from one bar to all, doubling at even distances;
            0 trains on whole ones from the first. A latent is read much sooner where it says little (a
            curriculum, Bengio et al. 2009), and short melodies cost less.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    packed: Path = Path("data/packed")
    corpora: tuple[str, ...] = ()
    batch_size: int = Field(default=128, ge=1, le=65536)
    augment: bool = True
    notes_per_bar: float = Field(default=2.0, ge=0, le=16)
    share: float = Field(default=1.0, gt=0, le=1)
    lengthened: int = Field(default=0, ge=0)


class MelodyLosses(BaseModel):
    """Weight of the KL divergence from the prior.

    Attributes:
        beta: Its weight at the end of annealing.
        beta_steps: Optimizer steps over which the weight rises evenly from 0.
        free_bits: Bits of the total divergence of a melody that cost nothing (Roberts et al. 2018,
            section 2.1, applied to the sum over the dimensions).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    beta: float = Field(default=0.2, ge=0, le=10)
    beta_steps: int = Field(default=2000, ge=1)
    free_bits: float = Field(default=48.0, ge=0, le=10_000)

    def beta_at(self, step: int) -> float:
        """Return the weight at an optimizer step."""
        return self.beta * min(step / self.beta_steps, 1.0)


class MelodyConfig(RunConfig):
    """Configuration of a training run of a model of melodies.

    Attributes:
        data: Training data.
        losses: Weight of the divergence.
    """

    family: str = "music_vae"
    data: MelodyData = MelodyData()
    losses: MelodyLosses = MelodyLosses()

    @property
    def batch_size(self) -> int:
        """Melodies in a batch."""
        return self.data.batch_size
