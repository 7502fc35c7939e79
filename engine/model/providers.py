"""ONNX Runtime sessions on the fastest device whose libraries can be loaded.

ONNX Runtime lists TensorRT and CUDA as available wherever they were compiled in, and requesting one whose
libraries are missing prints a long list of errors. So each library is first loaded through the dynamic
loader, and the driver must report a GPU; only then is a provider requested.
"""

import ctypes
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import onnxruntime

from tatumflow.engine.errors import BundleError

TENSORRT: Final = "TensorrtExecutionProvider"
CUDA: Final = "CUDAExecutionProvider"
CPU: Final = "CPUExecutionProvider"

_WHEELS: Final = ("nvidia", "tensorrt_libs")
_ERRORS_ONLY: Final = 3
_REASON_SHOWN: Final = 300
_LIBRARIES_ADVICE: Final = "look at the installation of its libraries"


def _libraries(cuda_major: str) -> dict[str, tuple[str, ...]]:
    if sys.platform == "win32":
        cuda = (f"cudart64_{cuda_major}.dll", f"cublas64_{cuda_major}.dll", "cudnn64_9.dll")
        return {CUDA: cuda, TENSORRT: (*cuda, "nvinfer_10.dll", "nvonnxparser_10.dll")}
    cuda = tuple(
        f"lib{name}.so.{version}"
        for name, version in (
            ("cudart", cuda_major),
            ("cublasLt", cuda_major),
            ("cublas", cuda_major),
            ("curand", "10"),
            ("cudnn", "9"),
        )
    )
    return {CUDA: cuda, TENSORRT: (*cuda, "libnvinfer.so.10", "libnvonnxparser.so.10")}


def _wheel_files(library: str) -> Iterator[Path]:
    """Yield the paths of a library in NVIDIA's own wheels."""
    for wheel in _WHEELS:
        spec = find_spec(wheel)
        for folder in (spec.submodule_search_locations or ()) if spec else ():
            yield from Path(folder).rglob(library)


def can_load(library: str) -> bool:
    """Return whether the dynamic loader finds a library, on its path or in NVIDIA's wheels, and load it."""
    for candidate in (library, *map(str, _wheel_files(library))):
        try:
            ctypes.CDLL(candidate)
        except OSError:
            continue
        return True
    return False


def gpu_answers() -> bool:
    """Return whether the CUDA driver is installed and reports a device."""
    try:
        driver = ctypes.CDLL("nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1")
    except OSError:
        return False
    count = ctypes.c_int(0)
    return driver.cuInit(0) == 0 and driver.cuDeviceGetCount(ctypes.byref(count)) == 0 and count.value > 0


def _cuda_major() -> str:
    try:
        build = import_module("onnxruntime.capi.build_and_package_info")
    except ImportError:
        return ""
    return str(getattr(build, "cuda_version", "")).partition(".")[0]


def choose_providers(
    available: Sequence[str], loads: Callable[[str], bool], gpu: Callable[[], bool], cuda_major: str
) -> tuple[str, ...]:
    """Return the usable ones of the available providers, fastest first; the CPU's is always the last.

    Args:
        available: Names of the providers that ONNX Runtime was built with.
        loads: Whether a library can be loaded.
        gpu: Whether the driver reports a GPU.
        cuda_major: Major version of CUDA that ONNX Runtime was built for.
    """
    compiled = [provider for provider in (TENSORRT, CUDA) if provider in available]
    if not compiled or not cuda_major or not gpu():
        return (CPU,)
    libraries = _libraries(cuda_major)
    usable = [provider for provider in compiled if all(map(loads, libraries[provider]))]
    return (*usable, CPU)


@cache
def usable_providers() -> tuple[str, ...]:
    """Return the providers that work on this machine, fastest first."""
    return choose_providers(onnxruntime.get_available_providers(), can_load, gpu_answers, _cuda_major())


def graph_providers(precision: str, providers: Sequence[str]) -> tuple[str, ...]:
    """Return the providers that support weights of a precision, in the same order.

    Only the CPU supports int8 weights with a scale for each block: CUDA's DequantizeLinear has blocks of
    4-bit weights only (ONNX Runtime, pull request 21846), and so has TensorRT's in its first versions 10
    (operators reference 10.1, Dequantize).

    Args:
        precision: As in the manifest: "fp32", "fp16" or "int8".
        providers: Provider names, preferred first.
    """
    return tuple(name for name in providers if precision != "int8" or name not in (TENSORRT, CUDA))


def open_session(
    file: Path,
    providers: Sequence[str],
    threads: int,
    options: Mapping[str, Mapping[str, str]] | None = None,
    *,
    widen_once: bool = False,
) -> onnxruntime.InferenceSession:
    """Open one graph for low-latency runs.

    Args:
        file: The ONNX file.
        providers: Provider names, preferred first.
        threads: Threads of one run; with 1 the calling thread does all work.
        options: Options of single providers.
        widen_once: Whether int8 weights are widened to float when the graph is opened, not in every run: for
            graphs of which the CPU has no products in int8, such as LSTMs.

    Raises:
        BundleError: if ONNX Runtime cannot run the file, or the first provider does not start.
    """
    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = threads
    settings.inter_op_num_threads = 1
    settings.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    settings.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    settings.log_severity_level = _ERRORS_ONLY
    settings.add_session_config_entry("session.intra_op.allow_spinning", "0")
    # Level 4 multiplies int8 by int8; the default would widen the weights to float first.
    settings.add_session_config_entry("session.qdq_matmulnbits_accuracy_level", "4")
    if widen_once:
        # Otherwise nodes that widen weights are kept for fusion, and are not folded into constants.
        settings.add_session_config_entry("session.disable_quant_qdq", "1")
    requested = [(name, dict((options or {}).get(name, {}))) for name in providers]
    # Fused with a following Add into a Gemm, a product is no longer recognized as one with int8 weights.
    left_out = ["MatMulAddFusion"]
    try:
        # ONNX Runtime's own fallback prints a long list of errors and drops the disabled optimizers.
        session = onnxruntime.InferenceSession(
            file, settings, requested, disabled_optimizers=left_out, enable_fallback=0
        )
    except Exception as error:  # ONNX Runtime's exceptions share no base class of their own
        reason = " ".join(str(error).split())[:_REASON_SHOWN]
        advice = "export the model again" if providers[0] == CPU else _LIBRARIES_ADVICE
        raise BundleError(f"{file}: ONNX Runtime cannot run it ({reason}); {advice}") from None
    if session.get_providers()[0] != providers[0]:
        raise BundleError(f"{file}: {providers[0]} does not start; {_LIBRARIES_ADVICE}")
    # If a GPU fails in the middle of a run, the CPU repeats that run.
    session.enable_fallback()
    return session
