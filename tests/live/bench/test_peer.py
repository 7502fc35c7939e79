"""A peer beside us: a stand-in for Notochord, run by this Python, is timed as the real one would be."""

import sys
from pathlib import Path

import pytest

from tatumflow.engine.errors import DeviceError
from tatumflow.engine.model.bundle import load_bundle
from tatumflow.engine.model.onnx_decoder import OnnxDecoder
from tatumflow.live.bench import peer
from tatumflow.live.bench.peer import Peer, beside_peer

STAND_IN = """
import sys, types
events = []
class Notochord:
    def eval(self): pass
    def reset(self): pass
    def parameters(self): return [types.SimpleNamespace(numel=lambda: 3)] * 2
    def feed_query(self, inst, pitch, time, vel): events.append((pitch, vel))
class Mode:
    def __enter__(self): pass
    def __exit__(self, *error): pass
sys.modules["torch"] = types.SimpleNamespace(set_num_threads=lambda n: None, inference_mode=Mode)
sys.modules["notochord"] = types.SimpleNamespace(Notochord=Notochord)
"""


@pytest.fixture
def stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the peer's program find a Notochord that does nothing."""
    script = tmp_path / "script.py"
    script.write_text(STAND_IN + peer.SCRIPT.read_text())
    monkeypatch.setattr(peer, "SCRIPT", script)


@pytest.mark.usefixtures("stand_in")
def test_the_peer_times_every_note() -> None:
    one = Peer.start(Path(sys.executable))
    try:
        assert one.parameters == 6
        assert len(one.seconds([(60, 0.1, 70), (62, 0.1, 70), (64, 0.1, 70)])) == 3
    finally:
        one.close()


@pytest.mark.usefixtures("stand_in")
def test_both_are_measured_in_turns(tiny_bundle: Path) -> None:
    bundle = load_bundle(tiny_bundle)
    cost, ratio = beside_peer(bundle, OnnxDecoder(bundle), 20, Path(sys.executable))
    assert cost.count == 20
    assert ratio.count == 10
    assert ratio.p50 > 1
    assert not ratio.met


def test_the_error_of_a_python_without_the_peer_names_the_remedy(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    script = tmp_path / "script.py"
    script.write_text("import no_such_notochord")
    monkeypatch.setattr(peer, "SCRIPT", script)
    with pytest.raises(DeviceError, match="pip install notochord"):
        Peer.start(Path(sys.executable))
    with pytest.raises(DeviceError, match="cannot be run"):
        Peer.start(tmp_path / "python")
