"""The trunk runs on the first provider that runs it, and on the CPU when none does."""

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path

import onnxruntime
import pytest

from tatumflow.engine.errors import BundleError
from tatumflow.engine.model import onnx_decoder, providers
from tatumflow.engine.model.bundle import Bundle, load_bundle
from tatumflow.engine.model.decoder import DecoderInput, DecoderOutput
from tatumflow.engine.model.onnx_decoder import OnnxDecoder
from tatumflow.engine.model.providers import (
    CPU,
    CUDA,
    TENSORRT,
    graph_providers,
    open_session,
    usable_providers,
)
from tatumflow.engine.model.tensorrt import tensorrt_options, with_engine_folder

ALL = (TENSORRT, CUDA, CPU)

Options = Mapping[str, Mapping[str, str]]


class _Machine:
    """Opens every trunk on the CPU, records the requested providers, and refuses some."""

    def __init__(self, *broken: str) -> None:
        self.broken = broken
        self.opened: list[tuple[str, tuple[str, ...], Options | None]] = []

    def __call__(
        self, file: Path, names: Sequence[str], threads: int, options: Options | None = None
    ) -> onnxruntime.InferenceSession:
        if file.name.startswith("decoder"):
            self.opened.append((file.name, tuple(names), options))
            if names[0] in self.broken:
                raise BundleError(f"{file}: {names[0]} does not start")
        return open_session(file, (CPU,), threads)

    @property
    def trunks(self) -> list[tuple[str, tuple[str, ...]]]:
        return [(file, names) for file, names, _ in self.opened]


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(
        "tatumflow.engine.model.tensorrt.user_cache_path", lambda *_, **__: tmp_path / "cache"
    )
    return tmp_path / "cache"


def _open(bundle: Bundle, machine: _Machine, monkeypatch: pytest.MonkeyPatch) -> OnnxDecoder:
    monkeypatch.setattr(onnx_decoder, "open_session", machine)
    return OnnxDecoder(bundle, providers=ALL)


def test_int8_weights_are_for_the_cpu_alone() -> None:
    assert graph_providers("int8", ALL) == (CPU,)
    assert graph_providers("fp32", ALL) == graph_providers("fp16", ALL) == ALL


def test_a_bundle_without_a_graph_for_gpus_stays_on_the_cpu_with_a_line_in_the_log(
    tiny_bundle: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    machine = _Machine()
    decoder = _open(load_bundle(tiny_bundle), machine, monkeypatch)
    assert machine.trunks == [("decoder.onnx", (CPU,))]
    assert decoder.provider == CPU
    (line,) = (record.getMessage() for record in caplog.records)
    assert "int8" in line
    assert "--target tensorrt" in line
    assert "\n" not in line


def test_the_cpu_alone_is_nothing_to_speak_of(tiny_bundle: Path, caplog: pytest.LogCaptureFixture) -> None:
    OnnxDecoder(load_bundle(tiny_bundle), providers=(CPU,))
    assert not caplog.records


@pytest.mark.slow
def test_tensorrt_takes_the_graph_made_for_gpus(
    tiny_gpu_bundle: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle, machine = load_bundle(tiny_gpu_bundle), _Machine()
    _open(bundle, machine, monkeypatch)
    assert machine.trunks == [("decoder_gpu.onnx", ALL)]
    assert machine.opened[0][2] == {TENSORRT: tensorrt_options(bundle)}
    assert Path(tensorrt_options(bundle)["trt_engine_cache_path"]).is_dir()


def test_each_provider_that_fails_leaves_it_to_the_next_and_the_last_takes_the_graph_of_the_cpu(
    tiny_gpu_bundle: Path, cache: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    machine = _Machine(TENSORRT, CUDA)
    decoder = _open(load_bundle(tiny_gpu_bundle), machine, monkeypatch)
    assert machine.trunks == [
        ("decoder_gpu.onnx", ALL),
        ("decoder_gpu.onnx", (CUDA, CPU)),
        ("decoder.onnx", (CPU,)),
    ]
    assert decoder.provider == CPU
    lines = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert [line.split()[0] for line in lines] == [TENSORRT, CUDA]


def test_a_provider_that_fails_at_its_first_run_is_left_out_too(
    tiny_gpu_bundle: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine, decode = _Machine(TENSORRT), OnnxDecoder.decode

    def fails_on_cuda(decoder: OnnxDecoder, inputs: DecoderInput) -> DecoderOutput:
        if machine.trunks[-1][1][0] == CUDA:
            raise RuntimeError("no kernel image")
        return decode(decoder, inputs)

    monkeypatch.setattr(OnnxDecoder, "decode", fails_on_cuda)
    _open(load_bundle(tiny_gpu_bundle), machine, monkeypatch)
    assert machine.trunks[-1] == ("decoder.onnx", (CPU,))


def test_a_provider_that_does_not_start_is_not_replaced_by_the_cpu(
    tiny_bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = onnxruntime.InferenceSession

    def cpu_instead(*args: object, **settings: object) -> onnxruntime.InferenceSession:
        return session(tiny_bundle / "decoder.onnx", providers=[CPU])

    monkeypatch.setattr(providers.onnxruntime, "InferenceSession", cpu_instead)
    with pytest.raises(BundleError, match="CUDAExecutionProvider does not start"):
        open_session(tiny_bundle / "decoder.onnx", (CUDA, CPU), 1)


@pytest.mark.skipif(usable_providers() != (CPU,), reason="a GPU would take it")
def test_without_a_gpu_onnx_runtime_itself_leaves_it_to_the_cpu(
    tiny_gpu_bundle: Path, cache: Path, caplog: pytest.LogCaptureFixture
) -> None:
    decoder = OnnxDecoder(load_bundle(tiny_gpu_bundle), providers=ALL)
    assert decoder.provider == CPU
    lines = [record.getMessage() for record in caplog.records]
    assert [line.split()[0] for line in lines] == [TENSORRT, CUDA]
    assert all("\n" not in line and line.endswith("installation of its libraries") for line in lines)


def test_engines_of_other_weights_lie_elsewhere(
    tiny_bundle: Path, tiny_gpu_bundle: Path, cache: Path
) -> None:
    folders = {
        tensorrt_options(load_bundle(path))["trt_engine_cache_path"]
        for path in (tiny_bundle, tiny_gpu_bundle)
    }
    assert len(folders) == 2
    assert all(Path(folder).is_relative_to(cache) for folder in folders)


def test_without_a_folder_no_engine_is_kept(tiny_gpu_bundle: Path, cache: Path) -> None:
    cache.write_text("in the way")
    options = with_engine_folder(tensorrt_options(load_bundle(tiny_gpu_bundle)))
    assert sorted(options) == [f"trt_profile_{bound}_shapes" for bound in ("max", "min", "opt")]
