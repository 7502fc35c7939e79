"""From a checkpoint to a bundle, or to one line that says why not."""

import json
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from tiny_model import STYLES, export_tiny, tiny_float_models, tiny_trained

torch = pytest.importorskip("torch")

from tatumflow.engine.model import model_folder  # noqa: E402
from tatumflow.engine.model.bundle import MANIFEST_FILE, bundle_path, load_bundle  # noqa: E402
from tatumflow.engine.model.onnx_decoder import OnnxDecoder  # noqa: E402
from tatumflow.engine.model.onnx_phrase_model import OnnxPhraseModel  # noqa: E402
from tatumflow.engine.model.take_weights import TakeWeights  # noqa: E402
from tatumflow.training.export import commands  # noqa: E402
from tatumflow.training.export.checkpoint import load_checkpoint  # noqa: E402
from tatumflow.training.export.commands import export_checkpoint, export_model  # noqa: E402
from tatumflow.training.export.errors import ExportError  # noqa: E402
from tatumflow.training.export.files import whole_folder  # noqa: E402
from tatumflow.training.export.parity import check_parity  # noqa: E402
from tatumflow.training.fit.ema import EMA_KEY  # noqa: E402
from tatumflow.training.fit.trainable import CHECKPOINT_KEY  # noqa: E402


def _checkpoint() -> dict[str, Any]:
    model = tiny_trained().model
    weights = {f"model.{name}": tensor for name, tensor in model.state_dict().items()}
    return {
        "global_step": 7,
        "state_dict": {name: torch.zeros_like(tensor) for name, tensor in weights.items()},
        EMA_KEY: dict(model.named_parameters()),
        CHECKPOINT_KEY: {
            "family": "tatumflow",
            "model": model.config.model_dump(),
            "config": {"data": {"corpora": ["pijama"]}},
            "styles": list(STYLES[1:]),
            "total_steps": 9,
        },
    }


def test_the_averaged_weights_are_taken(tmp_path: Path) -> None:
    torch.save(_checkpoint(), tmp_path / "last.ckpt")
    trained = load_checkpoint(tmp_path / "last.ckpt")
    assert (trained.styles, trained.steps, trained.corpora) == (STYLES, 7, ("pijama",))
    for name, weight in tiny_trained().model.named_parameters():
        assert torch.equal(dict(trained.model.named_parameters())[name], weight)


def test_without_an_average_the_weights_are_taken(tmp_path: Path) -> None:
    content = _checkpoint()
    del content[EMA_KEY]
    torch.save(content, tmp_path / "last.ckpt")
    model = load_checkpoint(tmp_path / "last.ckpt").model
    assert all(not weight.any() for weight in model.parameters())


def test_a_model_adapted_from_a_bundle_keeps_what_its_manifest_says_of_playing(
    tiny_bundle: Path, tmp_path: Path
) -> None:
    weights = TakeWeights(features=("pace",), mean=(0.0,), deviation=(1.0,), weight=(0.5,))
    base = load_bundle(tiny_bundle).manifest.model_copy(
        update={"line_styles": (STYLES[1],), "takes": {"piano": weights}, "licence": "CC0-1.0"}
    )
    made = export_model(tiny_trained(), tmp_path / "adapted", "adapted", command="adapt", base=base)
    assert (made.line_styles, made.takes, made.licence) == ((STYLES[1],), {"piano": weights}, "CC0-1.0")


class _Trap:
    def __reduce__(self) -> Any:
        return (Path.touch, (Path("trap"),))


@pytest.mark.slow
def test_a_run_that_began_with_earlier_weights_says_so(tmp_path: Path) -> None:
    content = _checkpoint()
    torch.save(content, tmp_path / "last.ckpt")
    assert not load_checkpoint(tmp_path / "last.ckpt").base
    content[CHECKPOINT_KEY]["config"]["run"] = {"start_from": "before.ckpt"}
    torch.save(content, tmp_path / "last.ckpt")
    assert "earlier" in load_checkpoint(tmp_path / "last.ckpt").base


@pytest.mark.parametrize("fault", ["missing", "empty", "text", "pickle", "keys", "family", "shape", "config"])
def test_a_faulty_checkpoint_is_refused_in_one_line(
    tmp_path: Path, fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    file, content = tmp_path / "bad.ckpt", _checkpoint()
    match fault:
        case "missing":
            pass
        case "empty":
            file.write_bytes(b"")
        case "text":
            file.write_text("no checkpoint")
        case "pickle":
            torch.save(content | {"trap": _Trap()}, file)
        case "keys":
            torch.save({"state_dict": {}}, file)
        case "family":
            content[CHECKPOINT_KEY]["family"] = "other"
            torch.save(content, file)
        case "shape":
            content[CHECKPOINT_KEY]["model"]["num_layers"] = 3
            torch.save(content, file)
        case "config":
            content[CHECKPOINT_KEY]["model"]["num_heads"] = 7
            torch.save(content, file)
    with pytest.raises(ExportError) as caught:
        load_checkpoint(file)
    assert str(file) in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "trap").exists()


def test_the_command_writes_a_whole_bundle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commands, "float_models", lambda *_: tiny_float_models())
    torch.save(_checkpoint(), tmp_path / "last.ckpt")
    out = tmp_path / "exports" / "small"
    export_checkpoint(tmp_path / "last.ckpt", out, "small", None)
    bundle = load_bundle(out)
    OnnxDecoder(bundle)
    assert bundle.manifest.licence == "CC-BY-NC-4.0"
    errors = {metric.name: metric.value for metric in bundle.manifest.metrics}
    assert 0 <= errors["fp32_states_error"] <= 1e-4
    assert 0 < errors["int8_divergence_random_notes"] < 1e-3
    assert all(metric.command.startswith("tatumflow export last.ckpt") for metric in bundle.manifest.metrics)
    card = (out / "card.md").read_text()
    for part in ("small", "int8", "CC-BY-NC-4.0", "7 optimizer steps", "charlie-parker", "fp32_states_error"):
        assert part in card
    assert sorted(path.name for path in out.parent.iterdir()) == ["small"]


def test_no_graph_names_a_local_path(tiny_bundle: Path) -> None:
    for file in tiny_bundle.glob("*.onnx"):
        content = file.read_bytes()
        for path in (Path(__file__).parents[3], Path(onnx.__file__).parents[1], Path.home() / "x"):
            assert str(path).encode() not in content
        assert b".py" not in content


def test_weights_are_int8_by_standard_operators(tiny_bundle: Path) -> None:
    graph = onnx.load(tiny_bundle / "decoder.onnx").graph
    assert {node.domain for node in graph.node} == {""}
    large = [t for t in graph.initializer if len(t.dims) == 2 and np.prod(t.dims) >= 64 * 64]
    assert {t.data_type for t in large if "embedding" not in t.name} == {onnx.TensorProto.INT8}


def test_a_graph_that_differs_from_the_model_is_not_proven(tiny_bundle: Path) -> None:
    bundle = load_bundle(tiny_bundle)
    decoder, phrases = OnnxDecoder(bundle), OnnxPhraseModel(bundle)
    with pytest.raises(ExportError, match="differ from the model"):
        check_parity(tiny_trained().model, decoder, phrases)


def test_a_failed_export_leaves_the_old_bundle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "tiny"
    with whole_folder(out) as folder:
        (folder / "manifest.json").write_text(json.dumps({"old": True}))

    def fail(*_: object) -> None:
        raise ExportError("proof failed")

    monkeypatch.setattr(commands, "check_parity", fail)
    with pytest.raises(ExportError, match="proof failed"):
        export_tiny(out)
    assert [path.name for path in tmp_path.iterdir()] == ["tiny"]
    assert json.loads((out / "manifest.json").read_text()) == {"old": True}


@pytest.mark.parametrize("number", [0, 1, 2])
def test_ctrl_c_while_a_bundle_is_replaced_leaves_the_old_or_the_new(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def write(content: str) -> None:
        with whole_folder(tmp_path / "tiny") as folder:
            (folder / MANIFEST_FILE).write_text(content)

    write("old")
    real, calls = Path.rename, []

    def rename(self: Path, target: Path) -> Path:
        calls.append(target)
        if len(calls) == number + 1:
            raise KeyboardInterrupt
        return real(self, target)

    monkeypatch.setattr(Path, "rename", rename)
    with suppress(KeyboardInterrupt):
        write("new")
    monkeypatch.setattr(model_folder, "bundle_folders", lambda: [tmp_path])
    assert (bundle_path("tiny") / MANIFEST_FILE).read_text() in ("old", "new")


def test_a_folder_that_is_no_bundle_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "music").mkdir()
    (tmp_path / "music" / "song.mid").touch()
    with pytest.raises(ExportError, match="not a model bundle"), whole_folder(tmp_path / "music"):
        pass
    assert (tmp_path / "music" / "song.mid").exists()


def test_styles_must_fit_the_table(tmp_path: Path) -> None:
    with pytest.raises(ExportError, match="2 styles for 4 rows"):
        export_model(replace(tiny_trained(), styles=("", "x")), tmp_path / "tiny", "tiny", command="pytest")
