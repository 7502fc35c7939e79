"""Fixtures that several parts of the suite share."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from needs import pytest_runtest_setup

__all__ = ["pytest_runtest_setup"]

# What these measure is how busy the machine is.
settings.register_profile("suite", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("suite")


@pytest.fixture(scope="session")
def tiny_bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a bundle with small random weights that knows Art Tatum, Charlie Parker and Bud Powell."""
    pytest.importorskip("torch")
    from tiny_model import export_tiny

    return export_tiny(tmp_path_factory.mktemp("bundles") / "tiny")


@pytest.fixture(scope="session")
def tiny_gpu_bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of the same model's bundle with a trunk for TensorRT beside that for the CPU."""
    pytest.importorskip("torch")
    from tiny_model import export_tiny

    from tatumflow.training.export.target import Target

    return export_tiny(tmp_path_factory.mktemp("gpu-bundles") / "tiny", Target.TENSORRT)
