"""Training of a model of any family from its configuration."""

from pathlib import Path

from tatumflow.training.fit.fit import FitResult, fit
from tatumflow.training.fit.settings import RunConfig
from tatumflow.training.recipes import recipe_of


def train(config: RunConfig, run_dir: Path, resume: bool = False) -> FitResult:
    """Train the model that a configuration describes; see `fit` for the folder and the errors.

    Args:
        config: Configuration of the run.
        run_dir: Its folder; made if missing. Without `resume` it must hold no run.
        resume: Continue from `last.ckpt` in the folder.
    """
    recipe = recipe_of(config.family)
    return fit(config, run_dir, lambda resumed: recipe.task(config, resumed), resume)
