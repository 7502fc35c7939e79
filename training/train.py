"""Training of a model of any family from its configuration."""

from pathlib import Path
from typing import Any

from tatumflow.training.fit.fit import FitResult, fit
from tatumflow.training.fit.note_task import note_task
from tatumflow.training.fit.settings import RunConfig, TrainConfig
from tatumflow.training.fit.task import Task
from tatumflow.training.separation.fit.settings import SeparationConfig
from tatumflow.training.separation.fit.task import separation_task


def train(config: RunConfig, run_dir: Path, resume: bool = False) -> FitResult:
    """Train the model that a configuration describes; see `fit` for the folder and the errors.

    Args:
        config: Configuration of the run.
        run_dir: Its folder; made if missing. Without `resume` it must hold no run.
        resume: Continue from `last.ckpt` in the folder.
    """

    def task_of(resumed: bool) -> Task[Any]:
        if isinstance(config, SeparationConfig):
            return separation_task(config)
        assert isinstance(config, TrainConfig)
        return note_task(config, resumed)

    return fit(config, run_dir, task_of, resume)
