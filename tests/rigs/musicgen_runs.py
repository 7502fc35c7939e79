"""Configurations of short runs of the tiny MusicGen."""

from pathlib import Path
from typing import Any

from tatumflow.training.config import parse_config
from tatumflow.training.musicgen.settings import MusicgenRun


def run_config(base: Path, recordings: Path, **changes: Any) -> MusicgenRun:
    """Return the configuration of a short run, with changed settings by section."""
    content: dict[str, Any] = {
        "family": "musicgen",
        "model": {"base": str(base), "lora": {"rank": 4}},
        "data": {
            "recordings": str(recordings),
            "tokens": str(recordings.parent / "tokens"),
            "seconds": 0.5,
            "batch_size": 2,
            "val_share": 0.25,
        },
        "optimizer": {"lr": 1e-2, "warmup_steps": 2, "weight_decay": 0.0},
        "run": {
            **{"max_epochs": 1000, "max_steps": 6, "precision": "32-true", "ema_decay": 0},
            **{"val_every": 3, "val_batches": 2, "threads": 1, "log_every": 1},
        },
    }
    for section, values in changes.items():
        content[section] = {**content[section], **values}
    parsed = parse_config(content)
    assert isinstance(parsed, MusicgenRun)
    return parsed
