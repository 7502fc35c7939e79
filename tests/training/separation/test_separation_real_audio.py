"""Real music: the clip of MUSDB18 that comes with stempeg is read and separated."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from tatumflow.engine.separation.stems import FOUR_STEMS, VOCALS_OTHER
from tatumflow.engine.separation.stft import StftSettings
from tatumflow.training.models.tfswa_unet.config import TfswaUnetConfig
from tatumflow.training.models.tfswa_unet.model import TfswaUnet
from tatumflow.training.separation.data.musdb import read_musdb
from tatumflow.training.separation.data.parts import Parts, mixture_of, stems_of
from tatumflow.training.separation.evaluation.oracle import ideal_ratio_mask
from tatumflow.training.separation.evaluation.separating import separate_stream
from tatumflow.training.separation.ratios import sdr

pytestmark = [pytest.mark.needs("ffmpeg"), pytest.mark.slow]

SECOND = 44_100


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> Parts:
    stempeg = pytest.importorskip("stempeg")
    pytest.importorskip("musdb")
    root = tmp_path_factory.mktemp("musdb")
    for side in ("train", "test"):
        (root / side).mkdir()
    clip = Path(stempeg.example_stem_path())
    shutil.copy(clip, root / "test" / clip.name)
    (recording,) = read_musdb(root, "test", FOUR_STEMS)
    assert recording.name == clip.name.removesuffix(".stem.mp4")
    (voice,) = read_musdb(root, "test", VOCALS_OTHER)
    whole = recording.read(0, recording.length)
    np.testing.assert_allclose(
        mixture_of(voice.read(0, voice.length)), mixture_of(whole), atol=1e-4, err_msg="stems add up alike"
    )
    return whole


def test_an_ideal_mask_takes_real_music_apart(parts: Parts):
    true, mixture = torch.from_numpy(stems_of(parts)), mixture_of(parts)
    assert np.abs(mixture).max() > 0.1
    found = torch.from_numpy(ideal_ratio_mask(parts, StftSettings(2048, 512)))
    gains = sdr(found, true) - sdr(torch.from_numpy(mixture)[None].expand_as(true), true)
    assert (gains > 3).all(), gains


def test_a_fresh_model_shares_real_music_out_and_loses_none(parts: Parts):
    shape = {"causal": True, "hop": 1024, "channels": [8, 8], "time_strides": [1], "freq_strides": [4]}
    shape |= {"stems": "four", "kernel": [2, 3], "num_modules": 1, "num_heads": 2}
    shape["bands"] = [[64, 2], [192, 4], [256, 8], [512, 32]]
    model = TfswaUnet(TfswaUnetConfig.model_validate(shape)).eval()
    mixture = mixture_of(parts)[:, :SECOND]
    found = separate_stream(model, mixture)
    assert found.shape == (4, *mixture.shape)
    np.testing.assert_allclose(found.sum(axis=0), mixture, atol=1e-3)
