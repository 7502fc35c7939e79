"""Files of figures, with the command that made them."""

import json
from pathlib import Path

from tatumflow.engine.errors import SettingError
from tatumflow.engine.files.whole_file import write_whole
from tatumflow.training.evaluate.comparison import Figures, without_nan
from tatumflow.training.evaluate.settings import EvaluationSettings


def evaluation_command(model: Path, settings: EvaluationSettings) -> str:
    """Return the `tatumflow evaluate` command of an evaluation."""
    command = f"tatumflow evaluate {model.name} --corpus CORPUS --split {settings.split}"
    command += f" --primers {settings.primers} --seed {settings.seed}"
    command += f" --only {','.join(settings.only)}" if settings.only else ""
    command += "" if settings.conditions else " --unconditional"
    command += f" --preset {settings.preset.name}" if settings.preset.name else ""
    command += "".join(f" --control {name}={value}" for name, value in settings.controls)
    return command + (f" --limit {settings.limit}" if settings.limit is not None else "")


def write_figures(path: Path, figures: Figures) -> None:
    """Write figures as JSON.

    Raises:
        SettingError: if the file cannot be written.
    """
    content = json.dumps(without_nan(figures), indent=1, allow_nan=False)
    try:
        write_whole(path, content + "\n")
    except OSError as error:
        raise SettingError(f"{path}: cannot be written ({error.strerror}); give another file") from None
