"""Floating-point precision of training, chosen by machine."""

import os
import platform
from dataclasses import dataclass
from typing import Final, Literal

import torch

Precision = Literal["32-true", "bf16-mixed"]
"""Lightning's names: all in float32, or matrix products in bfloat16 under autocast."""

_X86: Final = frozenset({"x86_64", "AMD64", "i386", "i686"})
_BF16_ISAS: Final = ("AVX512_CORE_BF16", "AVX10_1_512", "AVX512_CORE_FP16", "AVX512_CORE_AMX", "AVX10_2")
"""Values of ONEDNN_MAX_CPU_ISA, or prefixes of them, with which oneDNN still uses bfloat16 instructions."""


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
        requested: "auto" chooses bf16-mixed where bfloat16 is native, on the GPU that Lightning would train
            on or else on the CPU, and 32-true elsewhere.
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
    return Choice("bf16-mixed", "the CPU computes bfloat16 natively")


def has_native_bf16(device: torch.device) -> bool:
    """Return whether a device multiplies bfloat16 matrices faster than float32 ones."""
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    return device.type == "cpu" and not missing_cpu_bf16()


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
