"""A GPU provider is requested only where its libraries load and the driver reports a GPU."""

import pytest

from tatumflow.engine.model.providers import CPU, CUDA, TENSORRT, can_load, choose_providers

ALL = (TENSORRT, CUDA, CPU)


def _choose(
    available: tuple[str, ...] = ALL, missing: str = "-", gpu: bool = True, major: str = "13"
) -> tuple[str, ...]:
    return choose_providers(available, lambda library: missing not in library, lambda: gpu, major)


def test_everything_there() -> None:
    assert _choose() == ALL


def test_tensorrt_without_its_library() -> None:
    assert _choose(missing="nvinfer") == (CUDA, CPU)


@pytest.mark.parametrize("library", ["cudart", "cublas", "cudnn"])
def test_a_missing_cuda_library_leaves_the_cpu(library: str) -> None:
    assert _choose(missing=library) == (CPU,)


def test_no_gpu_leaves_the_cpu_and_loads_nothing() -> None:
    loaded = []
    assert choose_providers(ALL, lambda name: bool(loaded.append(name)), lambda: False, "13") == (CPU,)
    assert not loaded


def test_a_build_without_gpu_providers_calls_no_driver() -> None:
    calls = []
    assert choose_providers((CPU,), lambda _: True, lambda: bool(calls.append(1)), "13") == (CPU,)
    assert not calls


def test_a_library_that_is_not_there(capfd: pytest.CaptureFixture[str]) -> None:
    assert not can_load("libtatumflow-not-there.so.0")
    assert capfd.readouterr() == ("", "")
