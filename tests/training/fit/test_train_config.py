"""Training configurations: files, overrides, errors in one line."""

from pathlib import Path

import pytest

from tatumflow.engine.errors import SettingError
from tatumflow.training.config import load_config
from tatumflow.training.fit.settings import TrainConfig

CONFIGS = Path(__file__).parents[3] / "configs" / "train"


def write(path: Path, text: str) -> Path:
    file = path / "run.yaml"
    file.write_text(text, encoding="utf-8")
    return file


@pytest.mark.parametrize("name", ["tatumflow-live", "tatumflow-mini", "music-transformer"])
def test_shipped_configurations_are_valid(name: str) -> None:
    config = load_config(CONFIGS / f"{name}.yaml")
    assert TrainConfig.model_validate(config.plain()) == config


def test_overrides_reach_into_sections(tmp_path: Path) -> None:
    file = write(tmp_path, "family: tatumflow\n")
    config = load_config(file, ["optimizer.lr=3e-4", "data.repeat.wjazzd=3", "run.max_steps=7"])
    assert isinstance(config, TrainConfig)
    assert config.optimizer.lr == 3e-4
    assert config.data.repeat == {"wjazzd": 3}
    assert config.run.max_steps == 7


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("optimizer.lr=-1", "optimizer.lr: -1 does not fit; allowed: greater than 0"),
        ("run.threads=2000", "run.threads: 2000 does not fit; allowed: less than or equal to 1024"),
        ("run.threads=many", "run.threads: 'many' does not fit; allowed: integer"),
        ("run.speed=1", "run.speed: there is no such setting"),
        ("model.num_layers=0", "model.num_layers: 0 does not fit; allowed: greater than or equal to 1"),
        ("model.num_heads=7", "model.*num_heads times"),
        ("data.seq_len=2048", "data.seq_len: 2048 .*allowed: 16 to 1024"),
        ("run.devices=3", "data.batch_size: 4 cannot be shared by run.devices=3"),
        ("data.repeat.wjazzd=0", "repeat must be 1 or more"),
        ("family=fractal", "family: 'fractal' is unknown; choose from tatumflow"),
        (
            "run.precision=8-bit",
            "run.precision: '8-bit' does not fit; allowed: 'auto', '32-true' or 'bf16-mixed'",
        ),
        ("lr", "write an override as KEY=VALUE"),
        ("family.name=x", "family is a single value"),
    ],
)
def test_an_error_is_one_line(tmp_path: Path, override: str, message: str) -> None:
    file = write(tmp_path, "family: tatumflow\nmodel: {max_seq_len: 1024}\n")
    with pytest.raises(SettingError, match=message) as caught:
        load_config(file, [override])
    assert "\n" not in str(caught.value)


def test_files_that_are_no_configuration(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="cannot be read"):
        load_config(tmp_path / "missing.yaml")
    with pytest.raises(SettingError, match="is not YAML"):
        load_config(write(tmp_path, "a: [1"))
    with pytest.raises(SettingError, match="holds no settings"):
        load_config(write(tmp_path, "- 1\n"))
