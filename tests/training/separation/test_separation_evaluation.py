"""Figures of a separation model: what is measured, and what it is set beside."""

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from separation_samples import RATE, tones, write_recording
from small_separator import small_separator

from tatumflow.engine.errors import SettingError, TatumFlowError
from tatumflow.engine.separation.stft import StftSettings
from tatumflow.training.fit.checkpoint import CheckpointError
from tatumflow.training.fit.trainable import CHECKPOINT_KEY
from tatumflow.training.models.tfswa_unet.model import TfswaUnet
from tatumflow.training.separation.evaluation.bss import bss_figures
from tatumflow.training.separation.evaluation.commands import StemEvaluation, evaluate_stems
from tatumflow.training.separation.evaluation.figures import table
from tatumflow.training.separation.evaluation.oracle import ideal_ratio_mask
from tatumflow.training.separation.evaluation.separating import separate_stream, separate_whole

pytestmark = pytest.mark.slow

MODEL: dict[str, Any] = {
    "stems": "low,high",
    "rate": RATE,
    "window": 256,
    "hop": 64,
    "causal": True,
    "channels": [8, 8],
    "time_strides": [2],
    "freq_strides": [4],
    "kernel": [3, 3],
    "num_modules": 1,
    "num_heads": 2,
    "look_back": 3,
    "attention_window": [2, 4],
}


NEEDS_FFMPEG = pytest.mark.needs("ffmpeg")


def model(**changes: Any) -> TfswaUnet:
    return small_separator(MODEL | changes)


def mixture(length: int = 9000) -> np.ndarray:
    return (tones(length, 200) + tones(length, 2500)).T.astype(np.float32)


@pytest.mark.parametrize(("length", "piece"), [(9000, 1000), (9000, 10_000), (333, 50), (64, 7)])
def test_a_stream_of_any_pieces_gives_what_the_whole_gives(length: int, piece: int):
    built, samples = model(), mixture(length)
    whole = separate_whole(built, samples)
    assert whole.shape == (2, 2, length)
    np.testing.assert_allclose(separate_stream(built, samples, piece), whole, atol=2e-5)


@pytest.mark.parametrize("length", [100, 4000, 9000])
def test_overlapping_excerpts_of_a_model_that_looks_ahead_fit_together(length: int):
    built, samples = model(causal=False), mixture(length)
    found = separate_whole(built, samples, seconds=0.25)
    assert found.shape == (2, 2, length)
    np.testing.assert_allclose(found.sum(axis=0), samples, atol=1e-4)


def test_the_oracle_tells_apart_what_does_not_overlap_and_leaves_out_what_is_in_no_stem():
    parts = np.stack([tones(8000, 200).T, tones(8000, 2500).T, tones(8000, 1200).T])
    found = ideal_ratio_mask(parts, StftSettings(256, 64))
    assert found.shape == (2, 2, 8000)
    # At the ends a tone begins and stops, and has all frequencies.
    np.testing.assert_allclose(found[..., 500:-500], parts[:2, :, 500:-500], atol=5e-3)


@NEEDS_FFMPEG
def test_museval_measures_stems_whose_sides_are_alike():
    rng = np.random.default_rng(0)
    mono = rng.standard_normal((2, 1, 3 * RATE)).astype(np.float32).repeat(2, axis=1) * np.float32(0.1)
    found = mono + np.float32(0.1) * mono[::-1]
    figures = bss_figures(found.astype(np.float32), mono, RATE)
    assert figures.sdr.shape == (2, 3)
    medians = figures.medians()
    np.testing.assert_allclose(medians["sdr"], 20, atol=0.5)
    np.testing.assert_allclose(medians["sir"], 20, atol=1)
    assert (medians["sar"] > 30).all()


def test_measuring_without_ffmpeg_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch):
    class Finder:
        """Fails on import, as stempeg does."""

        def find_spec(self, name: str, *_: object) -> None:
            if name.partition(".")[0] == "museval":
                raise RuntimeError("ffmpeg or ffprobe could not be found!")

    for name in [name for name in sys.modules if name.partition(".")[0] == "museval"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(sys, "meta_path", [Finder(), *sys.meta_path])
    with pytest.raises(
        TatumFlowError, match="measuring stems needs ffmpeg; install it with `sudo apt install"
    ):
        bss_figures(np.zeros((1, 2, RATE), np.float32), np.zeros((1, 2, RATE), np.float32), RATE)


@NEEDS_FFMPEG
def test_seconds_of_silence_do_not_count():
    rng = np.random.default_rng(0)
    true = rng.standard_normal((2, 2, 3 * RATE)).astype(np.float32) * np.float32(0.1)
    found = true + np.float32(0.01) * rng.standard_normal(true.shape).astype(np.float32)
    true[0] = 0
    assert np.isfinite(bss_figures(found.astype(np.float32), true, RATE).medians()["sdr"][1])


def checkpoint(path: Path, built: TfswaUnet) -> Path:
    identity = {
        "family": "tfswa_unet",
        "model": built.config.model_dump(mode="json"),
        "config": {"data": {"source": "folder"}},
    }
    weights = {f"model.{name}": tensor for name, tensor in built.state_dict().items()}
    torch.save({"global_step": 5, "state_dict": weights, CHECKPOINT_KEY: identity}, path)
    return path


@pytest.fixture
def recordings(tmp_path: Path) -> Path:
    for number in range(3):
        files = {"low": tones(2 * RATE, 200 + 50 * number), "high": tones(2 * RATE, 2500)}
        write_recording(tmp_path / "val" / f"song{number}", files)
    return tmp_path / "val"


@NEEDS_FFMPEG
def test_figures_stand_beside_an_oracle_and_the_mixture(recordings: Path, tmp_path: Path):
    json_path = tmp_path / "figures.json"
    figures = evaluate_stems(
        checkpoint(tmp_path / "last.ckpt", model()), StemEvaluation(recordings, limit=2), json_path
    )
    assert list(figures.rows) == ["offline", "streaming", "oracle", "mixture"]
    assert (figures.recordings, figures.seconds) == (2, 4)
    np.testing.assert_allclose(figures.rows["streaming"]["sdr"], figures.rows["offline"]["sdr"], atol=1e-2)
    np.testing.assert_allclose(figures.rows["mixture"]["sdr"], 0, atol=0.5)
    assert figures.rows["mixture"]["sdr_gain"] == (0, 0)
    assert min(figures.rows["oracle"]["sdr_gain"]) > 15
    content = json.loads(json_path.read_text())
    assert content["command"] == "tatumflow evaluate-stems last.ckpt --recordings val --limit 2"
    assert content["synthetic"] is False
    assert content["oracle"]["sdr"]["low"] == round(figures.rows["oracle"]["sdr"][0], 3)
    lines = list(table(figures))
    assert lines[0].split() == ["low", "high"]
    assert len(lines) == 1 + 4 * 6


@NEEDS_FFMPEG
def test_made_recordings_are_called_synthetic(recordings: Path, tmp_path: Path):
    (recordings / "index.json").write_text("{}")
    json_path = tmp_path / "figures.json"
    evaluate_stems(
        checkpoint(tmp_path / "last.ckpt", model()), StemEvaluation(recordings, limit=1), json_path
    )
    assert json.loads(json_path.read_text())["synthetic"] is True


def test_what_cannot_be_measured_is_said(recordings: Path, tmp_path: Path):
    with pytest.raises(CheckpointError, match="no such checkpoint"):
        evaluate_stems(tmp_path / "none.ckpt", StemEvaluation(recordings))
    other = checkpoint(tmp_path / "last.ckpt", model(rate=16_000))
    with pytest.raises(SettingError, match="at 8000 Hz, the model at 16000"):
        evaluate_stems(other, StemEvaluation(recordings))
    with pytest.raises(SettingError, match="not at least 1"):
        StemEvaluation(recordings, limit=0)
