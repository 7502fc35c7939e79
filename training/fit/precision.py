"""Floating-point precision of training, chosen by machine."""

import os
import platform
import time
from dataclasses import dataclass
from functools import cache
from typing import Final, Literal

import torch

Precision = Literal["32-true", "bf16-mixed"]
"""Lightning's names: all in float32, or matrix products in bfloat16 under autocast."""

_X86: Final = frozenset({"x86_64", "AMD64", "i386", "i686"})
_BF16_ISAS: Final = ("AVX512_CORE_BF16", "AVX10_1_512", "AVX512_CORE_FP16", "AVX512_CORE_AMX", "AVX10_2")
"""Values of ONEDNN_MAX_CPU_ISA, or prefixes of them, with which oneDNN still uses bfloat16 instructions."""

_SPEEDUP_VARIABLE: Final = "TATUMFLOW_BF16_SPEEDUP"
"""Passes the measured ratio to the processes of a run: all of them must choose alike."""

_LEAST_SPEEDUP: Final = 1.1
_TIMED_SIZE: Final = (1024, 384, 1024)
_TIMED_ROUNDS: Final = 7


@dataclass(frozen=True)
class Choice:
    """A precision and the reason for it.

    Attributes:
        precision: The precision.
        reason: The reason, to follow a colon.
    """

    precision: Precision
    reason: str

    def __str__(self) -> str:
        """Return the line to print."""
        return f"precision {self.precision}: {self.reason}"


def choose_precision(requested: Precision | Literal["auto"] = "auto") -> Choice:
    """Return the precision to train in: the requested one, or the fastest on this machine.

    Args:
        requested: "auto" chooses bf16-mixed where bfloat16 is native on the GPU that Lightning trains on,
            or without a GPU where the CPU multiplies matrices faster in it, and 32-true elsewhere.
    """
    if requested != "auto":
        return Choice(requested, "run.precision sets it")
    if torch.cuda.is_available():
        if torch.cuda.is_bf16_supported(including_emulation=False):
            return Choice("bf16-mixed", "the GPU computes bfloat16 natively")
        return Choice("32-true", "the GPU has no native bfloat16")
    missing = missing_cpu_bf16()
    if missing:
        return Choice("32-true", f"bfloat16 would be emulated, since {missing}")
    ratio = f"products in bfloat16 run at {bf16_speedup():.2f} times the speed of float32 on this CPU"
    return Choice("bf16-mixed" if bf16_speedup() >= _LEAST_SPEEDUP else "32-true", ratio)


def has_native_bf16(device: torch.device) -> bool:
    """Return whether a device multiplies bfloat16 matrices faster than float32 ones."""
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    return device.type == "cpu" and not missing_cpu_bf16() and bf16_speedup() >= _LEAST_SPEEDUP


@cache
def bf16_speedup() -> float:
    """Return the speed of a matrix product in bfloat16 over that in float32 on this CPU, measured once.

    Instructions for bfloat16 are no guarantee: on some CPUs that have them the products take longer.
    """
    given = os.environ.get(_SPEEDUP_VARIABLE, "")
    if not given:
        given = f"{_product_seconds(torch.float32) / _product_seconds(torch.bfloat16):.2f}"
        os.environ[_SPEEDUP_VARIABLE] = given
    return float(given)


def _product_seconds(dtype: torch.dtype) -> float:
    """Return the least time in seconds of a product of matrices as large as a layer's."""
    rows, inner, columns = _TIMED_SIZE
    a, b = torch.ones(rows, inner, dtype=dtype), torch.ones(inner, columns, dtype=dtype)
    taken: list[float] = []
    for _ in range(_TIMED_ROUNDS):
        begin = time.perf_counter()
        torch.mm(a, b)
        taken.append(time.perf_counter() - begin)
    return min(taken)


def missing_cpu_bf16() -> str:
    """Return the reason why torch cannot compute bfloat16 natively on this CPU, empty if it can.

    torch multiplies bfloat16 matrices with oneDNN, and does the other arithmetic in kernels of its own.
    oneDNN reports support for AVX-512 without AVX512_BF16 too, and emulates there. The limits of
    ONEDNN_MAX_CPU_ISA on oneDNN and of ATEN_CPU_CAPABILITY on torch's kernels count, so that a machine can
    simulate a lesser one.
    """
    if not (torch.backends.mkldnn.is_available() and torch.backends.mkldnn.enabled):
        return "torch has no oneDNN here"
    limit = os.environ.get("ONEDNN_MAX_CPU_ISA") or os.environ.get("DNNL_MAX_CPU_ISA") or ""
    if platform.machine() in _X86:
        if limit.upper() not in ("", "DEFAULT", "ALL") and not limit.upper().startswith(_BF16_ISAS):
            return f"ONEDNN_MAX_CPU_ISA={limit} limits oneDNN"
        if not torch.backends.cpu.get_cpu_capability().startswith("AVX512"):
            return f"torch's kernels are at {torch.backends.cpu.get_cpu_capability()}"
        flags = getattr(torch.cpu, "get_capabilities", dict)()
        if not (flags.get("avx512_bf16") or flags.get("amx_bf16")):
            return "the CPU has neither AVX512_BF16 nor AMX"
    # A private name: a version of torch without it is judged by the flags alone.
    supported = getattr(torch.ops.mkldnn, "_is_mkldnn_bf16_supported", None)
    if supported is not None and not supported():
        return "oneDNN computes no bfloat16 on this CPU"
    return "" if platform.machine() in _X86 or supported is not None else "oneDNN does not report support"
