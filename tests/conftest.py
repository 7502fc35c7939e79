"""Fixtures that several parts of the suite share."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from needs import pytest_runtest_setup

__all__ = ["pytest_runtest_setup"]

_ROOT = Path(__file__).parent

# Longest first, so that no worker is left with them at the end.
_FIRST = ("functional", "training/adapt", "training/fit", "training/separation")

# What these measure is how busy the machine is.
settings.register_profile("suite", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("suite")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Share the tests among workers, where there are any: a file at a time, and real ports in one worker.

    The tests on JACK need the machine's clock and one server; most of their time they wait.
    """
    if not hasattr(config, "workerinput"):
        return
    for item in items:
        file = item.path.relative_to(_ROOT).as_posix()
        group = "functional" if file.startswith("functional/") else file
        item.add_marker(pytest.mark.xdist_group(group))
    items.sort(key=lambda item: _place(item.path.relative_to(_ROOT).as_posix()))


def _place(file: str) -> int:
    return next((at for at, folder in enumerate(_FIRST) if file.startswith(folder)), len(_FIRST))


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
