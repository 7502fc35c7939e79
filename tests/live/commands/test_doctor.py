"""Doctor names what a model runs on, and what to do about it."""

import sys

import pytest

from tatumflow.engine.model import providers
from tatumflow.live.commands.doctor import Finding, findings
from tatumflow.live.settings import Settings


def runtime() -> Finding:
    return next(finding for finding in findings(Settings()) if finding.subject == "ONNX Runtime")


@pytest.mark.parametrize(
    ("usable", "gpu", "found", "advised"),
    [
        ((providers.CPU,), False, "on CPU", False),
        ((providers.CPU,), True, "on CPU", True),
        ((providers.CUDA, providers.CPU), True, "on CUDA, CPU", False),
    ],
)
def test_a_gpu_that_no_provider_can_use_is_named_with_the_extra(monkeypatch, usable, gpu, found, advised):
    monkeypatch.setattr(providers, "usable_providers", lambda: usable)
    monkeypatch.setattr(providers, "gpu_answers", lambda: gpu)
    finding = runtime()
    assert finding.found.endswith(found)
    assert ("tatumflow[tensorrt]" in finding.advice) == advised


def test_an_onnx_runtime_that_does_not_load_is_a_finding(monkeypatch):
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    finding = runtime()
    assert finding.found.startswith("cannot be loaded")
    assert finding.advice
