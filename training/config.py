"""Training configurations from YAML files, with overrides from the command line."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from tatumflow.engine.errors import SettingError
from tatumflow.training.fit.settings import RunConfig, TrainConfig
from tatumflow.training.models import family_named
from tatumflow.training.recipes import recipe_of


def load_config(path: Path, overrides: Sequence[str] = ()) -> RunConfig:
    """Read a training configuration.

    Args:
        path: A YAML file.
        overrides: `KEY=VALUE` with dotted keys, such as `optimizer.lr=3e-4`; values are read as YAML.

    Raises:
        SettingError: if the file cannot be read, or a setting is unknown or out of range.
    """
    try:
        content = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingError(f"{path}: cannot be read ({error.strerror})") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise SettingError(f"{path}: is not YAML; {' '.join(str(error).split())}") from error
    if not isinstance(content, dict):
        raise SettingError(f"{path}: holds no settings; it must map names to values")
    for override in overrides:
        _apply(content, override)
    return parse_config(content, str(path))


def parse_config(content: Mapping[str, Any], source: str = "configuration") -> RunConfig:
    """Validate settings, the model's hyperparameters included.

    Returns:
        Settings of the class that the family's recipe names; a `TrainConfig` where no family is given.

    Raises:
        SettingError: if a setting is unknown or out of range.
    """
    kind = recipe_of(str(content["family"])).config if "family" in content else TrainConfig
    try:
        config = kind.model_validate(dict(content))
    except ValidationError as error:
        raise SettingError(f"{source}: {_first(error)}") from None
    family = family_named(config.family)
    try:
        model = family.config.model_validate(config.model)
    except ValidationError as error:
        raise SettingError(f"{source}: {_first(error, 'model.')}") from None
    if config.batch_size % config.run.processes:
        nodes = f" on each of run.nodes={config.run.nodes}" if config.run.nodes > 1 else ""
        raise SettingError(
            f"{source}: data.batch_size: {config.batch_size} cannot be shared by "
            f"run.devices={config.run.devices}{nodes}; make it a multiple of {config.run.processes}"
        )
    if not isinstance(config, TrainConfig):
        return config
    window = getattr(model, "max_seq_len", config.data.seq_len)
    if config.data.seq_len > window:
        raise SettingError(
            f"{source}: data.seq_len: {config.data.seq_len} is more than model.max_seq_len; "
            f"allowed: 16 to {window}"
        )
    return config


def _apply(content: dict[str, Any], override: str) -> None:
    key, separator, value = override.partition("=")
    if not separator or not all(key.split(".")):
        raise SettingError(f"{override!r}: write an override as KEY=VALUE, such as optimizer.lr=3e-4")
    *parents, name = key.split(".")
    for parent in parents:
        content = content.setdefault(parent, {})
        if not isinstance(content, dict):
            raise SettingError(f"{key}: {parent} is a single value and has no parts")
    try:
        parsed = yaml.safe_load(value)
    except yaml.YAMLError:
        parsed = value
    content[name] = parsed


def _first(error: ValidationError, prefix: str = "") -> str:
    """Return the first error in one line: the setting, its value, and what is allowed."""
    first = error.errors()[0]
    place = (prefix + ".".join(str(part) for part in first["loc"])).rstrip(".")
    if first["type"] == "extra_forbidden":
        return f"{place}: there is no such setting"
    reason = first["msg"].removeprefix("Value error, ").replace("\n", " ")
    value = "" if isinstance(first["input"], dict) else repr(first["input"])
    allowed = reason.removeprefix("Input should be ")
    if allowed != reason:
        allowed = allowed.removeprefix("a valid ").partition(", unable to parse")[0]
        return f"{place}: {value} does not fit; allowed: {allowed}"
    return f"{place}: {reason}, not {value}" if value else f"{place}: {reason}"
