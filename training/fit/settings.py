"""Settings of a training run, of any model and of one that predicts notes."""

from pathlib import Path
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)


class DataSettings(_Section):
    """Training data.

    Attributes:
        packed: Folder of the packed corpus from `tatumflow data prepare`.
        seq_len: Steps in a window, turn tokens counted.
        batch_size: Windows in a batch.
        corpora: Names of the corpora to use; all when empty.
        repeat: How often an epoch visits a corpus, by its name; once where not named.
        augment: Whether to change key, tempo and velocities of the training notes.
        frames: Seconds between the frames of the transcriber that made a corpus, by its name; half of the
            training stretches are spread within them, and changed in tempo and velocities, to resemble live
            playing.
        metre: Probability that a part is conditioned on its beats, where they are known.
        displaced: Probability that such a part is read off its places in the beat, and predicted on them, so
            that the model returns to the beat when what it plays has drifted.
        guests: Probability that a segment which begins within a training window takes the next turn in
            another role, so that the model relies on the style id more than on the context.
        segments: Fewest and most notes of the segments that training pieces are cut into, in random order;
            none leaves pieces whole.
        num_workers: Processes that prepare batches; 0 prepares them in the training process.
    """

    packed: Path = Path("data/packed")
    seq_len: int = Field(default=1024, ge=16, le=65536)
    batch_size: int = Field(default=4, ge=1, le=4096)
    corpora: tuple[str, ...] = ()
    repeat: dict[str, int] = Field(default_factory=dict)
    augment: bool = True
    frames: dict[str, float] = Field(default_factory=dict)
    metre: float = Field(default=0.75, ge=0, le=1)
    displaced: float = Field(default=0.0, ge=0, le=1)
    guests: float = Field(default=0.6, ge=0, le=1)
    segments: tuple[int, int] | None = (200, 4000)
    num_workers: int = Field(default=0, ge=0, le=64)

    @model_validator(mode="after")
    def _repeats_count(self) -> Self:
        if any(times < 1 for times in self.repeat.values()):
            raise ValueError("repeat must be 1 or more; leave a corpus out with `corpora`")
        return self

    @model_validator(mode="after")
    def _segments_have_notes(self) -> Self:
        if self.segments and not 1 <= self.segments[0] <= self.segments[1]:
            raise ValueError("segments must be the fewest and the most notes, both at least 1")
        return self


class OptimizerSettings(_Section):
    """Muon or AdamW with a linear warm-up and a cosine to a share of the peak rate.

    Attributes:
        kind: "muon" steps the hidden matrices by Muon and the rest by AdamW; "adamw" everything by AdamW.
        lr: Peak learning rate.
        embedding_lr_ratio: Peak rate of embedding tables over `lr`: a row occurs in few of the steps.
        output_lr_ratio: Peak rate of the output layers over `lr`.
        beta1: Decay of the mean of gradients.
        beta2: Decay of the mean of squared gradients.
        weight_decay: Decay of weight matrices; embeddings, norms and biases have none.
        warmup_steps: Steps to the peak.
        hold_share: Share of the steps after the warm-up at the peak rate. A run of unknown length holds the
            peak, and is resumed with its end and a hold for the decay (Hägele et al. 2024, section 3).
        final_lr_share: Share of the peak at the last step.
        clip: Greatest norm of the gradient.
        accumulate: Batches whose gradients are summed in one optimizer step.
    """

    kind: Literal["muon", "adamw"] = "adamw"
    lr: float = Field(default=1e-3, gt=0, le=1)
    embedding_lr_ratio: float = Field(default=1.0, gt=0, le=1000)
    output_lr_ratio: float = Field(default=1.0, gt=0, le=1000)
    beta1: float = Field(default=0.9, ge=0, lt=1)
    beta2: float = Field(default=0.95, ge=0, lt=1)
    weight_decay: float = Field(default=0.1, ge=0, le=10)
    warmup_steps: int = Field(default=200, ge=0)
    hold_share: float = Field(default=0.0, ge=0, le=1)
    final_lr_share: float = Field(default=0.05, ge=0, le=1)
    clip: float = Field(default=1.0, gt=0)
    accumulate: int = Field(default=1, ge=1, le=4096)


class RunSettings(_Section):
    """Length and execution of a run.

    Attributes:
        max_epochs: Passes over the training notes.
        max_steps: Optimizer steps, if fewer.
        max_minutes: Minutes of training, if fewer; the learning-rate schedule ignores them.
        precision: Lightning's precision; "auto" chooses bf16-mixed where the machine computes bfloat16
            natively and 32-true elsewhere.
        ema_decay: Decay of the moving average of the weights; 0 keeps none.
        val_every: Steps between validations.
        val_batches: Batches of a validation.
        patience: Validations without improvement before stopping; 0 never stops early.
        keep_top: Best validations whose checkpoints are kept, as `top-STEP.ckpt`, beside `best.ckpt`.
        checkpoint_every: Steps between checkpoints that are kept.
        checkpoint_minutes: Minutes between writings of `last.ckpt`.
        log_every: Steps between logged values.
        start_from: Bundle or checkpoint whose weights the run starts from, of a model of the same family and
            sizes; weights that it lacks start at random.
        start_parts: Parts of the model that start from them; none means all.
        train_parts: Parts of the model that are trained, the others frozen; none means all. A part of a part
            is named with dots: `decoder.heads.0` predicts the time shift. A step of the flow alone runs no
            decoder and is several times faster.
        seed: Seed of weights, order, turns and augmentation.
        devices: GPUs, or processes on a CPU, of each machine. All processes share every batch and average
            their gradients.
        nodes: Machines that train together; `tatumflow train` is started on each of them.
        strategy: "ddp" keeps the whole model in every process; "fsdp" shards weights, gradients and optimizer
            state over all of them. "auto" is ddp where there are several processes.
        threads: CPU threads of each process; 0 for torch's default.
        compile: Whether to compile the model.
    """

    max_epochs: int = Field(default=2, ge=1)
    max_steps: int | None = Field(default=None, ge=1)
    max_minutes: float | None = Field(default=None, gt=0)
    precision: Literal["auto", "32-true", "bf16-mixed"] = "auto"
    ema_decay: float = Field(default=0.999, ge=0, lt=1)
    val_every: int = Field(default=200, ge=1)
    val_batches: int = Field(default=20, ge=1)
    patience: int = Field(default=0, ge=0)
    keep_top: int = Field(default=0, ge=0, le=1000)
    checkpoint_every: int = Field(default=1000, ge=1)
    checkpoint_minutes: float = Field(default=5.0, gt=0)
    log_every: int = Field(default=10, ge=1)
    start_from: Path | None = None
    start_parts: tuple[str, ...] = ()
    train_parts: tuple[str, ...] = ()
    seed: int = Field(default=0, ge=0)
    devices: int = Field(default=1, ge=1, le=1024)
    nodes: int = Field(default=1, ge=1, le=1024)
    strategy: Literal["auto", "ddp", "fsdp"] = "auto"
    threads: int = Field(default=0, ge=0, le=1024)
    compile: bool = False

    @property
    def processes(self) -> int:
        """Processes of the run on all machines."""
        return self.nodes * self.devices


class RunConfig(_Section):
    """Configuration of a training run of any family.

    Attributes:
        family: Name of the family of models.
        model: Hyperparameters of the model.
        optimizer: Optimizer and learning-rate schedule.
        run: Length and execution.
    """

    family: str
    model: dict[str, Any] = Field(default_factory=dict)
    optimizer: OptimizerSettings = OptimizerSettings()
    run: RunSettings = RunSettings()

    @property
    def batch_size(self) -> int:
        """Examples in a batch; `data.batch_size` of every family."""
        raise NotImplementedError

    def plain(self) -> dict[str, Any]:
        """Return the configuration as plain JSON values, for checkpoints."""
        return self.model_dump(mode="json")


class TrainConfig(RunConfig):
    """Configuration of a training run of a model that predicts notes.

    Attributes:
        model: Hyperparameters of the model; `num_styles` comes from the corpus unless given.
        data: Training data.
    """

    family: str = "tatumflow"
    data: DataSettings = DataSettings()

    @property
    def batch_size(self) -> int:
        """Windows in a batch."""
        return self.data.batch_size
