"""Separation through the project's trainer: it learns, is logged, is saved, and resumes."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from separation_samples import RATE, tones, write_recording
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from tatumflow.engine.errors import SettingError
from tatumflow.engine.separation.stems import parse_stems
from tatumflow.engine.separation.stft import StftSettings
from tatumflow.training.config import load_config, parse_config
from tatumflow.training.fit.callbacks import TrainingError
from tatumflow.training.separation.checkpoint import open_separator
from tatumflow.training.separation.data.augmentations import Augmentation
from tatumflow.training.separation.data.batches import SegmentStream, SpreadStream
from tatumflow.training.separation.data.segments import RandomSegments, SequentialSegments
from tatumflow.training.separation.data.stem_folder import read_stem_folder
from tatumflow.training.separation.fit.losses import (
    LossSettings,
    multi_resolution_error,
    separation_losses,
    spectrogram_error,
    waveform_error,
)
from tatumflow.training.separation.fit.module import SeparationTrainer, at_levels
from tatumflow.training.separation.fit.settings import SeparationConfig
from tatumflow.training.separation.ratios import sdr, si_sdr
from tatumflow.training.separation.signal import stft
from tatumflow.training.train import train

pytestmark = pytest.mark.slow

CONFIGS = Path(__file__).parents[3] / "configs" / "train"
SECONDS = 0.5
STEMS = parse_stems("low,high")
MODEL: dict[str, Any] = {
    "stems": "low,high",
    "rate": RATE,
    "window": 256,
    "hop": 64,
    "causal": True,
    "channels": [8, 8],
    "time_strides": [2],
    "freq_strides": [4],
    "kernel": [2, 3],
    "num_modules": 1,
    "num_heads": 2,
    "look_back": 3,
    "attention_window": [2, 4],
}


@pytest.fixture(scope="module")
def recordings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two sines a recording, one low and one high."""
    root = tmp_path_factory.mktemp("recordings")
    rng = np.random.default_rng(0)
    for side, count in (("train", 3), ("val", 2)):
        for number in range(count):
            files = {
                "low": tones(2 * RATE, float(rng.uniform(100, 500))),
                "high": tones(2 * RATE, float(rng.uniform(1500, 3000))),
            }
            write_recording(root / side / f"song{number}", files)
    return root


def config(root: Path, **changes: Any) -> SeparationConfig:
    content: dict[str, Any] = {
        "family": "tfswa_unet",
        "model": MODEL,
        "data": {"root": str(root), "seconds": SECONDS, "batch_size": 2, "augmentation": None},
        "optimizer": {"lr": 1e-2, "warmup_steps": 2, "weight_decay": 0.0},
        "run": {
            "max_epochs": 100,
            "max_steps": 6,
            "precision": "32-true",
            "val_every": 3,
            "threads": 1,
            "log_every": 1,
        },
    }
    for section, values in changes.items():
        content[section] = {**content[section], **values} if section in content else values
    parsed = parse_config(content)
    assert isinstance(parsed, SeparationConfig)
    return parsed


def test_it_learns_and_says_how_well(recordings: Path, tmp_path: Path):
    result = train(config(recordings, run={"max_steps": 60, "val_every": 60}), tmp_path / "run")
    assert result.steps == 60
    assert result.metrics["val/sdr_gain"] > 6
    for stem in ("low", "high"):
        assert result.metrics[f"val/si_sdr_gain_{stem}"] > 3
        assert f"train/{stem}" in result.metrics
    assert result.best is not None
    events = EventAccumulator(str(next((tmp_path / "run" / "events").glob("events.out.*")))).Reload()
    tags = events.Tags()
    assert {"mixture", "low/found", "low/true", "high/found"} <= set(tags["audio"])
    assert {"mixture", "low/found"} <= set(tags["images"])
    assert "val/sdr_low" in tags["scalars"]
    (logged,) = events.Audio("low/true")
    assert logged.sample_rate == RATE
    opened = open_separator(result.last)
    assert (opened.steps, opened.model.config.stem_set.names) == (60, ("low", "high"))
    with torch.no_grad():
        assert opened.model(torch.randn(1, 4, 129, 8)).shape == (1, 8, 129, 8)


@pytest.mark.parametrize("precision", ["32-true", "bf16-mixed"])
def test_a_resumed_run_ends_as_one_that_never_stopped(recordings: Path, tmp_path: Path, precision: str):
    changes: dict[str, Any] = {
        "run": {"precision": precision, "checkpoint_every": 3, "max_steps": 7},
        "optimizer": {"accumulate": 2, "kind": "muon"},
        "data": {"augmentation": {"stretching": 0.0, "shifting": 0.0}, "remix": 0.5},
    }
    whole = train(config(recordings, **changes), tmp_path / "whole")
    (tmp_path / "resumed").mkdir()
    (whole.run_dir / "step-3.ckpt").rename(tmp_path / "resumed" / "last.ckpt")
    resumed = train(config(recordings, **changes), tmp_path / "resumed", resume=True)
    assert resumed.steps == whole.steps == 7
    ends = [torch.load(run.last, weights_only=True) for run in (whole, resumed)]
    for key in ("state_dict", "current_model_state"):
        for name, weight in ends[0][key].items():
            assert torch.allclose(weight, ends[1][key][name], atol=1e-6), (key, name)


def test_a_run_can_begin_with_the_weights_of_another(recordings: Path, tmp_path: Path):
    first = train(config(recordings, run={"max_steps": 1, "ema_decay": 0}), tmp_path / "first")
    begun = {"max_steps": 1, "ema_decay": 0, "start_from": str(first.last), "train_parts": ["head"]}
    second = train(config(recordings, run=begun), tmp_path / "second")
    ends = [torch.load(run.last, weights_only=True)["state_dict"] for run in (first, second)]
    for name, weight in ends[0].items():
        assert torch.equal(weight, ends[1][name]) != name.startswith("model.head."), name


def test_a_model_that_looks_ahead_learns_all_losses(recordings: Path, tmp_path: Path):
    losses = {"spectrogram": 0.5, "waveform": 1.0, "multi_resolution": 0.2}
    model = {"causal": False, "kernel": [3, 3], "checkpointing": True}
    result = train(config(recordings, model=model, losses=losses), tmp_path / "run")
    parts = [result.metrics[f"train/loss_{name}"] for name in losses]
    assert sum(parts) == pytest.approx(result.metrics["train/loss"], rel=1e-4)
    assert min(parts) > 0


def test_a_loss_that_is_no_number_names_the_recordings(
    recordings: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    module = SeparationTrainer.training_step
    monkeypatch.setattr(SeparationTrainer, "training_step", lambda *given: module(*given) * torch.nan)
    with pytest.raises(TrainingError, match=r"batch of song\d"):
        train(config(recordings), tmp_path / "run")


@pytest.mark.parametrize("size", ["tiny", "lite", "base", "paper"])
def test_shipped_configurations_are_valid_and_as_large_as_they_say(size: str):
    parsed = load_config(CONFIGS / f"separation-{size}.yaml")
    assert isinstance(parsed, SeparationConfig)
    assert SeparationConfig.model_validate(parsed.plain()) == parsed
    with torch.device("meta"):
        module = SeparationTrainer(parsed, parsed.model, 1)
    millions = sum(parameter.numel() for parameter in module.model.parameters()) / 1e6
    assert millions == pytest.approx({"tiny": 0.4, "lite": 3, "base": 8, "paper": 44}[size], rel=0.05)
    shape = module.separator.config
    assert shape.causal == (size in ("tiny", "lite"))
    if shape.causal:
        assert shape.latency / shape.rate < 0.1


@pytest.mark.parametrize(
    ("section", "changes", "message"),
    [
        (
            "model",
            {"stems": "low,low"},
            r"model: stems: .*each name once, such as vocals,other$",
        ),
        ("data", {"augmentation": {"warping": 1.0}}, "augmentation has no 'warping'"),
        ("data", {"augmentation": {"mixing_up": 2.0}}, "mixing_up 2.0 is not from 0 to 1"),
        ("data", {"level_db": [3, -3]}, "the least level first, then the most"),
        ("data", {"packed": "x"}, "data.packed: there is no such setting"),
        ("losses", {"spectrogram": 0}, "every loss has weight 0"),
    ],
)
def test_faults_are_reported_in_one_line(
    recordings: Path, section: str, changes: dict[str, Any], message: str
):
    with pytest.raises(SettingError, match=message) as caught:
        config(recordings, **{section: changes})
    assert "\n" not in str(caught.value)


def test_recordings_at_another_rate_are_refused(recordings: Path, tmp_path: Path):
    with pytest.raises(SettingError, match=r"at 8000 Hz, and model\.rate is 44100"):
        train(config(recordings, model={"rate": 44_100}), tmp_path / "run")


def test_a_stream_begins_at_its_start(recordings: Path):
    segments = RandomSegments(read_stem_folder(recordings / "train", STEMS), 500, 8, seed=3)
    whole = list(SegmentStream(segments, 2))
    assert [batch.number.tolist() for batch in whole] == [[0, 1], [2, 3], [4, 5], [6, 7]]
    (last,) = SegmentStream(segments, 2, start=lambda: 3)
    assert torch.equal(last.parts, whole[3].parts)


def test_names_are_those_of_the_recordings_drawn(recordings: Path):
    found = read_stem_folder(recordings / "train", STEMS)
    one = RandomSegments(found[1:2], 500, 4, seed=1)
    assert one.names(range(4)) == ["song1"]
    mixed = RandomSegments(found, 500, 40, seed=1, augmentation=Augmentation(stretching=0, shifting=0))
    assert sorted(mixed.names(range(40))) == ["song0", "song1", "song2"]


def test_validation_sees_excerpts_from_all_over(recordings: Path):
    found = read_stem_folder(recordings / "val", STEMS)
    segments = SequentialSegments(found, RATE // 4)
    assert len(segments) == 16
    stream = SpreadStream(segments, 2, batches=2)
    places = [segments.places[n].recording for batch in stream for n in batch.number.tolist()]
    assert (len(stream), places) == (2, [0, 0, 1, 1])
    again = SpreadStream(segments, 2, batches=2)
    assert all(torch.equal(a.parts, b.parts) for a, b in zip(stream, again, strict=True))
    assert len(list(SpreadStream(segments, 5, batches=9))) == 3


def excerpts(seed: int = 0, length: int = 4000) -> torch.Tensor:
    parts = torch.randn(2, 4, 2, length, generator=torch.Generator().manual_seed(seed)) * 0.1
    parts[:, -1] = 0
    return parts


def test_losses_are_zero_for_the_truth_and_one_for_silence():
    parts, transform = excerpts(), StftSettings(256, 64)
    target = stft(parts[:, :-1], transform)
    every = LossSettings(spectrogram=1, waveform=1, multi_resolution=1)
    found = separation_losses(target, target, parts, every, transform)
    assert {name: value.shape for name, value in found.items()} == dict.fromkeys(
        ("spectrogram", "waveform", "multi_resolution"), torch.Size([3])
    )
    assert all(value.max() < 1e-3 for value in found.values())
    silence = separation_losses(torch.zeros_like(target), target, parts, LossSettings(), transform)
    assert list(silence) == ["spectrogram"]
    assert ((silence["spectrogram"] > 0.6) & (silence["spectrogram"] < 1)).all()


def test_a_soft_stem_counts_as_much_as_a_loud_one():
    parts = excerpts()
    parts[:, 0] *= 1e-2
    stems, mixture = parts[:, :-1], parts.sum(dim=1)
    target = stft(stems)
    for error in (
        spectrogram_error(0.5 * target, target),
        waveform_error(0.5 * stems, stems, mixture),
        multi_resolution_error(0.5 * stems, stems, mixture),
    ):
        assert error.shape == (2, 3)
        assert error[:, 1:].std() < 0.05
        assert (error[:, 0] < error[:, 1]).all()
        assert (error[:, 0] > 0.02 * error[:, 1]).all()


def test_silent_stems_bound_the_losses():
    parts = torch.zeros(1, 3, 2, 2000)
    found = torch.full((1, 2, 2, 2000), 1e-3, requires_grad=True)
    error = waveform_error(found, parts[:, :-1], parts.sum(dim=1)) + multi_resolution_error(
        found, parts[:, :-1], parts.sum(dim=1)
    )
    error.sum().backward()
    assert error.isfinite().all()
    assert found.grad is not None
    assert found.grad.isfinite().all()


def test_ratios_are_what_their_definitions_say():
    true = torch.randn(3, 2, 1000, generator=torch.Generator().manual_seed(0))
    noise = torch.randn(3, 2, 1000, generator=torch.Generator().manual_seed(1))
    noise -= (noise * true).sum((1, 2), keepdim=True) / true.square().sum((1, 2), keepdim=True) * true
    noise *= (true.square().sum((1, 2), keepdim=True) / noise.square().sum((1, 2), keepdim=True)).sqrt()
    torch.testing.assert_close(sdr(true + 0.1 * noise, true), torch.full((3,), 20.0))
    torch.testing.assert_close(si_sdr(5 * (true + 0.1 * noise), true), torch.full((3,), 20.0))
    assert sdr(5 * true, true).max() < 0
    assert si_sdr(noise, torch.zeros_like(true)).isnan().all()


def test_levels_change_all_parts_of_an_excerpt_alike():
    parts = excerpts()
    torch.manual_seed(0)
    changed = at_levels(parts, (-12.0, -6.0))
    factors = (changed[:, :-1].square().sum((1, 2, 3)) / parts[:, :-1].square().sum((1, 2, 3))).sqrt()
    decibels = 20 * factors.log10()
    assert ((decibels >= -12) & (decibels <= -6)).all()
    assert decibels[0] != decibels[1]
    torch.testing.assert_close(changed, parts * factors[:, None, None, None])
