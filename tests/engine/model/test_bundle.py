"""Every fault of a bundle is one line: what, where and what to do; styles are found by name."""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tatumflow.engine.controls import Controls
from tatumflow.engine.errors import BundleError, SettingError
from tatumflow.engine.model import model_folder
from tatumflow.engine.model.bundle import Bundle, bundle_path, find_bundles, load_bundle
from tatumflow.engine.model.onnx_decoder import OnnxDecoder

Edit = Callable[[dict[str, Any]], object]


@pytest.fixture
def copy(tiny_bundle: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(tiny_bundle, tmp_path / "tiny"))


@pytest.fixture(scope="module")
def tiny(tiny_bundle: Path) -> Bundle:
    return load_bundle(tiny_bundle)


def _edit(folder: Path, edit: Edit) -> None:
    file = folder / "manifest.json"
    content = json.loads(file.read_text())
    edit(content)
    file.write_text(json.dumps(content))


def _refused(folder: Path, *parts: str) -> None:
    with pytest.raises(BundleError) as caught:
        load_bundle(folder)
    message = str(caught.value)
    assert "\n" not in message
    assert str(folder) in message
    for part in parts:
        assert part in message


def test_a_whole_bundle_loads(tiny: Bundle) -> None:
    assert tiny.name == "tiny"
    assert tiny.styles == ("", "art-tatum", "bud-powell", "charlie-parker")
    assert (tiny.shape.num_layers, tiny.shape.hidden_dim, tiny.shape.cache_rows) == (2, 64, 128)
    assert tiny.shape.window == 112
    assert tiny.graph_path("decoder").is_file()


def test_no_manifest(tmp_path: Path) -> None:
    _refused(tmp_path, "manifest.json", "no manifest")


@pytest.mark.parametrize(
    "content", [b"", b"{", b"\xff\xfe\x00", b"[" * 100_000], ids=["empty", "cut", "binary", "deep"]
)
def test_a_manifest_that_is_no_json(copy: Path, content: bytes) -> None:
    (copy / "manifest.json").write_bytes(content)
    _refused(copy, "not JSON", "again")


@pytest.mark.parametrize("content", ["[]", "null", "3", '"x"'])
def test_a_manifest_that_is_no_object(copy: Path, content: str) -> None:
    (copy / "manifest.json").write_text(content)
    _refused(copy, "manifest.json")


def test_a_newer_format_needs_an_update_even_with_unknown_parts(copy: Path) -> None:
    _edit(copy, lambda m: m.update(format_version=4, something_new={}))
    _refused(copy, "newer", "update TatumFlow")


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (lambda m: m.pop("window"), "window"),
        (lambda m: m.update(extra=1), "extra"),
        (lambda m: m.update(family="other"), "family"),
        (lambda m: m.update(format_version=1), "format 1 is older"),
        (lambda m: m.update(format_version="new"), "format_version"),
        (lambda m: m.update(window=128), "window"),
        (lambda m: m["dims"].update(head_dim=3), "dims.head_dim"),
        (lambda m: m["dims"].update(num_layers="many"), "dims.num_layers"),
        (lambda m: m["styles"].pop(), "styles"),
        (lambda m: m["styles"].__setitem__(1, "charlie-parker"), "styles"),
        (lambda m: m["styles"].__setitem__(1, "\x1b[2J"), "styles"),
        (lambda m: m["styles"].__setitem__(0, "unknown"), "styles"),
        (lambda m: m["graphs"].pop("head_pitch"), "head_pitch"),
        (lambda m: m["graphs"]["decoder"].update(file="../decoder.onnx"), "graphs.decoder.file"),
        (lambda m: m["graphs"]["decoder"].update(file="/etc/passwd"), "graphs.decoder.file"),
        (lambda m: m["graphs"]["decoder"].update(sha256="0"), "graphs.decoder.sha256"),
        (lambda m: m["fields"].reverse(), "fields"),
        (lambda m: m["fields"][0].update(size=7), "fields"),
    ],
)
def test_a_manifest_against_its_schema(copy: Path, edit: Edit, message: str) -> None:
    _edit(copy, edit)
    _refused(copy, "manifest.json", message)


def test_a_missing_graph(copy: Path) -> None:
    (copy / "head_velocity.onnx").unlink()
    _refused(copy, "head_velocity.onnx", "missing", "again")


def test_a_changed_graph_of_equal_length(copy: Path) -> None:
    file = copy / "decoder.onnx"
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)
    _refused(copy, "decoder.onnx", "damaged")


def test_a_cut_graph(copy: Path) -> None:
    file = copy / "decoder.onnx"
    file.write_bytes(file.read_bytes()[:-1])
    _refused(copy, "decoder.onnx", "damaged")


def test_a_graph_that_is_no_onnx_is_refused_by_the_decoder(copy: Path) -> None:
    import hashlib

    content = b"not a graph"
    (copy / "decoder.onnx").write_bytes(content)
    digest = hashlib.sha256(content).hexdigest()
    _edit(copy, lambda m: m["graphs"]["decoder"].update(sha256=digest, bytes=len(content)))
    with pytest.raises(BundleError, match=r"decoder\.onnx.*cannot run it") as caught:
        OnnxDecoder(load_bundle(copy))
    assert "\n" not in str(caught.value)


def test_dims_that_are_not_the_graphs_are_refused_by_the_decoder(copy: Path) -> None:
    _edit(copy, lambda m: m["dims"].update(head_dim=32))
    with pytest.raises(BundleError) as caught:
        OnnxDecoder(load_bundle(copy))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("", ""),
        ("art-tatum", "art-tatum"),
        ("tatum", "art-tatum"),
        ("Art Tatum", "art-tatum"),
        ("PARKER", "charlie-parker"),
        ("bud", "bud-powell"),
    ],
)
def test_a_style_is_found_by_a_part_of_its_name(tiny: Bundle, name: str, slug: str) -> None:
    assert tiny.resolve_style(name) == slug


@pytest.mark.parametrize(
    ("name", "message"),
    [("art-tatom", "did you mean art-tatum"), ("ar", "art-tatum, charlie-parker"), ("zzzz", "3 styles")],
)
def test_an_unknown_or_ambiguous_style_is_refused(tiny: Bundle, name: str, message: str) -> None:
    with pytest.raises(SettingError, match=message):
        tiny.resolve_style(name)


@pytest.mark.parametrize(
    ("controls", "weights"),
    [
        (Controls(style=""), (1, 0, 0, 0)),
        (Controls(style="art-tatum"), (0, 1, 0, 0)),
        (Controls(style="tatum", style_b="parker", style_blend=0.25), (0, 0.75, 0, 0.25)),
        (Controls(style="tatum", style_b="tatum", style_blend=0.25), (0, 1, 0, 0)),
        (Controls(style="tatum", style_blend=0.5), (0, 1, 0, 0)),
        (Controls(style="", style_b="parker", style_blend=1.0), (0, 0, 0, 1)),
    ],
)
def test_style_weights(tiny: Bundle, controls: Controls, weights: tuple[float, ...]) -> None:
    found = tiny.style_weights(replace(controls, style_strength=1.0))
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, weights, atol=1e-7)
    for strength in (0.0, 0.5, 2.0):
        plain = np.eye(len(weights))[0]
        guided = plain + strength * (np.array(weights) - plain)
        np.testing.assert_allclose(
            tiny.style_weights(replace(controls, style_strength=strength)), guided, atol=1e-6
        )


@pytest.mark.parametrize(
    ("controls", "lines"),
    [
        (Controls(style="parker"), True),
        (Controls(style="parker", style_strength=0.5), True),
        (Controls(style="parker", style_strength=0.0), False),
        (Controls(style="parker", style_b="tatum", style_blend=0.0), True),
        (Controls(style="parker", style_b="tatum", style_blend=0.25), False),
        (Controls(style="tatum", style_b="parker", style_blend=1.0), True),
        (Controls(style="tatum"), False),
        (Controls(style=""), False),
    ],
)
def test_only_players_of_lines_play_lines(copy: Path, controls: Controls, *, lines: bool) -> None:
    assert not load_bundle(copy).plays_lines(controls), "unless the manifest names them"
    _edit(copy, lambda content: content.update(line_styles=["charlie-parker"]))
    assert load_bundle(copy).plays_lines(controls) == lines


def test_lines_and_pianists_have_weights_of_their_own_for_takes(copy: Path) -> None:
    parker, tatum = Controls(style="parker"), Controls(style="tatum")
    assert load_bundle(copy).take_weights(tatum) is None, "unless the manifest has them"
    weights = {"features": ["pace"], "mean": [0.0], "deviation": [1.0], "weight": [0.5]}
    _edit(copy, lambda content: content.update(line_styles=["charlie-parker"], takes={"piano": weights}))
    bundle = load_bundle(copy)
    assert bundle.take_weights(tatum) == bundle.manifest.takes["piano"]
    assert bundle.take_weights(parker) is None
    _edit(copy, lambda content: content.update(takes={"line": {**weights, "weight": [2.0]}}))
    lines = load_bundle(copy).take_weights(parker)
    assert lines is not None
    assert lines.weight == (2.0,)


@pytest.mark.parametrize("changes", [{"deviation": [0.0]}, {"weight": []}, {"features": ["pace", "rests"]}])
def test_damaged_weights_of_takes_are_refused(copy: Path, changes: dict[str, object]) -> None:
    weights = {"features": ["pace"], "mean": [0.0], "deviation": [1.0], "weight": [0.5], **changes}
    _edit(copy, lambda content: content.update(takes={"piano": weights}))
    _refused(copy, "takes")


def test_a_line_style_is_one_of_the_styles(copy: Path) -> None:
    _edit(copy, lambda content: content.update(line_styles=["lester-young"]))
    _refused(copy, "line_styles", "lester-young")


def test_an_unknown_second_style_is_refused(tiny: Bundle) -> None:
    with pytest.raises(SettingError, match="unknown"):
        tiny.style_weights(Controls(style="tatum", style_b="unknown"))


def test_bundles_are_found_by_name_and_path(
    tiny_bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(model_folder, "bundle_folders", lambda: [tmp_path, tiny_bundle.parent])
    assert find_bundles() == [tiny_bundle]
    assert bundle_path("tiny") == bundle_path(tiny_bundle) == bundle_path("") == tiny_bundle
    with pytest.raises(BundleError, match=r"huge.*tiny"):
        bundle_path("huge")


def test_without_any_bundle_the_message_has_the_advice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(model_folder, "bundle_folders", lambda: [tmp_path])
    with pytest.raises(BundleError, match="tatumflow export"):
        bundle_path("")
