"""Models from the Hub: whole, checked and under their own name, or a line that says what to do."""

import hashlib
import json
import shutil
import sys
from pathlib import Path

import pytest
from hub_server import COMMIT, HubServer, hub_server

from tatumflow.engine.model import model_folder
from tatumflow.engine.model.bundle import GRAPHS, MANIFEST_FILE, find_bundles, load_bundle
from tatumflow.engine.model.tokens import FIELD_SIZES, FIELDS, INPUT_SIZES
from tatumflow.engine.rolls.bundle import GRAPHS as ROLL_GRAPHS
from tatumflow.live import cli
from tatumflow.live.hub import download, install

REPO = "someone/tiny-jazz"
MELODY_FIELDS = {"format_version": 1, "family": "music_vae", "bars": 2, "segments": 1, "latent_dim": 4}
ROLL_FIELDS = {
    "format_version": 2,
    "family": "fractal_midi",
    "kinds": ["mar", "ar", "ar"],
    "order": "column",
    "width": 128,
    "styles": [""],
}
GRAPH = {"file": "decoder.onnx", "sha256": "0" * 64, "precision": "fp32", "bytes": 1}


@pytest.fixture(scope="module")
def bundle(tmp_path_factory) -> Path:
    """Folder of a bundle whose graphs are any bytes: they are fetched and checked, not run."""
    folder = tmp_path_factory.mktemp("bundle") / "tiny"
    folder.mkdir()
    graphs = {}
    for number, name in enumerate(GRAPHS):
        content = bytes([number]) * 10_000
        (folder / f"{name}.onnx").write_bytes(content)
        digest = hashlib.sha256(content).hexdigest()
        graphs[name] = GRAPH | {"file": f"{name}.onnx", "sha256": digest, "bytes": len(content)}
    sizes = (
        "num_layers",
        "num_kv_heads",
        "hidden_dim",
        "num_styles",
        "latent_dim",
        "theory_dim",
        "phrase_len",
    )
    vocabularies = zip(FIELDS, FIELD_SIZES, INPUT_SIZES, strict=True)
    manifest = {
        "format_version": 3,
        "name": "tiny",
        "family": "tatumflow",
        "dims": dict.fromkeys((*sizes, "phrase_len"), 1) | {"head_dim": 2, "cache_rows": 8, "rope_base": 1e4},
        "fields": [{"name": name, "size": size, "input_size": inputs} for name, size, inputs in vocabularies],
        "styles": [""],
        "window": 7,
        "graphs": graphs,
        "opset": 21,
        "licence": "CC0-1.0",
        "corpora": [],
        "metrics": [],
        "created_with": "0",
    }
    (folder / MANIFEST_FILE).write_text(json.dumps(manifest), encoding="utf-8")
    return folder


@pytest.fixture
def hub(monkeypatch, bundle):
    with hub_server() as server:
        monkeypatch.setenv("HF_ENDPOINT", server.url)
        monkeypatch.delenv("HF_TOKEN", raising=False)
        server.files |= {f"{REPO}/{path.name}": path.read_bytes() for path in bundle.iterdir()}
        yield server


@pytest.fixture(autouse=True)
def home(monkeypatch, tmp_path) -> Path:
    """A user's folders of their own: models in the second, downloads in the third."""
    monkeypatch.setattr(model_folder, "user_data_path", lambda *_, **__: tmp_path / "data")
    monkeypatch.setattr(install, "user_cache_path", lambda *_, **__: tmp_path / "cache")
    return tmp_path


@pytest.fixture
def run(monkeypatch, capsys):
    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["tatumflow", "models", *map(str, arguments)])
        try:
            cli.main()
            status = 0
        except SystemExit as end:
            status = end.code or 0
        printed = capsys.readouterr()
        return status, printed.out, printed.err

    return run


def assert_refused(result, *said):
    status, _, errors = result
    assert (status, errors.count("\n")) == (1, 1), errors
    for text in said:
        assert text in errors


def catalogue(home: Path, hub: HubServer, **changes: str) -> Path:
    digest = hashlib.sha256(hub.files[f"{REPO}/{MANIFEST_FILE}"]).hexdigest()
    entry = {"repo": REPO, "revision": COMMIT, "sha256": digest} | changes
    file = home / "models.yaml"
    file.write_text(json.dumps({"tiny": entry}), encoding="utf-8")
    return file


def test_a_repository_of_the_hub_becomes_a_model_of_the_user(run, hub, home, bundle):
    status, out, errors = run("get", REPO)
    assert (status, errors) == (0, "")
    folder = home / "data" / "models" / "tiny"
    assert str(folder) in out
    assert load_bundle(folder).manifest == load_bundle(bundle).manifest
    assert folder in find_bundles()
    assert run("path", "tiny")[1].strip() == str(folder)
    assert "\ntiny: " in run("list")[1]
    assert all("/resolve/main/" in request for request in hub.requests)
    # Nothing is kept twice.
    assert not list((home / "cache" / "downloads").iterdir())


@pytest.mark.parametrize("kind", ["melodies", "rolls"])
def test_models_of_melodies_and_of_rolls_are_fetched_and_listed(run, hub, home, kind):
    names = ("encoder", "conductor", "decoder") if kind == "melodies" else ROLL_GRAPHS
    content = {name: f"{kind} {name}".encode() for name in names}
    graphs = {
        name: GRAPH
        | {"file": f"{name}.onnx", "sha256": hashlib.sha256(graph).hexdigest(), "bytes": len(graph)}
        for name, graph in content.items()
    }
    manifest = {
        "name": kind,
        "opset": 21,
        "licence": "CC0-1.0",
        "corpora": [],
        "metrics": [],
        "created_with": "0",
        **(MELODY_FIELDS | graphs if kind == "melodies" else ROLL_FIELDS | {"graphs": graphs}),
    }
    repo = f"someone/{kind}"
    hub.files[f"{repo}/{kind}.json"] = json.dumps(manifest).encode()
    hub.files |= {f"{repo}/{name}.onnx": graph for name, graph in content.items()}
    status, _, errors = run("get", repo)
    assert (status, errors) == (0, "")
    folder = home / "data" / "models" / kind
    assert {path.name for path in folder.iterdir()} == {f"{kind}.json", *(f"{name}.onnx" for name in names)}
    assert f"\n{kind}: " in run("list")[1]
    assert run("path", kind)[1].strip() == str(folder)


def test_a_name_of_the_catalogue_is_fetched_at_its_commit(run, hub, home):
    names = catalogue(home, hub)
    assert "tiny: not installed" in run("list", "--catalogue", names)[1]
    assert run("get", "tiny", "--catalogue", names)[0] == 0
    assert all(f"/resolve/{COMMIT}/" in request for request in hub.requests)
    assert "not installed" not in run("list", "--catalogue", names)[1]
    hub.requests.clear()
    assert "is here already" in run("get", "tiny", "--catalogue", names)[1]
    assert not hub.requests


def test_a_manifest_other_than_the_catalogues_is_not_used(run, hub, home):
    names = catalogue(home, hub, sha256="0" * 64)
    assert_refused(run("get", "tiny", "--catalogue", names), "its hash differs from the catalogue's")
    assert not (home / "data").exists()


def test_a_graph_other_than_the_manifests_is_not_used(run, hub, home):
    name = f"{REPO}/flow.onnx"
    right = hub.files[name]
    hub.files[name] = right[:-1] + bytes([right[-1] ^ 1])
    assert_refused(run("get", REPO), "flow.onnx", "its hash differs from the manifest's")
    assert not (home / "data").exists()
    hub.files[name] = right
    assert run("get", REPO)[0] == 0


@pytest.mark.parametrize("ranges", [True, False])
def test_an_interrupted_download_goes_on(run, hub, home, ranges):
    hub.ranges, hub.cut_after = ranges, 5000
    assert_refused(run("get", REPO), "5000 of", "what has arrived is kept")
    assert not (home / "data").exists()
    hub.cut_after = None
    assert run("get", REPO)[0] == 0
    assert hub.ranges_requested == ["bytes=5000-"]
    load_bundle(home / "data" / "models" / "tiny")


def test_offline_it_says_so_in_one_line(run, monkeypatch):
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    assert_refused(run("get", REPO), "127.0.0.1:9 cannot be reached", "check the connection")


def test_an_unknown_name_says_what_there_is(run, hub, home):
    assert_refused(run("get", "tatum-xl"), "tatum-xl: not in the catalogue", "USER/NAME")
    assert_refused(run("get", "mini", "--catalogue", catalogue(home, hub)), "(tiny)")
    assert not hub.requests
    assert_refused(run("get", "someone/else"), "not found, or not public")


def test_another_model_of_the_name_is_replaced_on_demand_only(run, hub, home, bundle):
    folder = home / "data" / "models" / "tiny"
    shutil.copytree(bundle, folder)
    manifest = json.loads((folder / MANIFEST_FILE).read_text(encoding="utf-8"))
    (folder / MANIFEST_FILE).write_text(json.dumps(manifest | {"licence": "mine"}), encoding="utf-8")
    assert_refused(run("get", REPO), "another model of this name", "--replace")
    assert load_bundle(folder).manifest.licence == "mine"
    assert run("get", REPO, "--replace")[0] == 0
    assert load_bundle(folder).manifest.licence != "mine"


def test_the_models_that_come_along_need_no_network(run, monkeypatch):
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    status, out, _ = run("get", "tatumflow-live")
    assert status == 0
    assert "tatumflow-live is here already" in out


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"name": "../../evil"}, "name: "),
        ({"graphs": {}}, "lists no graphs"),
        ({"format_version": 99}, "is newer than"),
        (
            {
                "graphs": {
                    "decoder": {"file": "../x.onnx", "sha256": "0" * 64, "precision": "fp32", "bytes": 1}
                }
            },
            "file",
        ),
    ],
)
def test_a_hostile_or_newer_manifest_leaves_nothing_behind(run, hub, home, change, said):
    name = f"{REPO}/{MANIFEST_FILE}"
    hub.files[name] = json.dumps(json.loads(hub.files[name]) | change).encode()
    assert_refused(run("get", REPO), said)
    assert not list((home / "data").rglob("*.onnx"))


def test_the_token_goes_to_the_hub_and_no_further(run, hub, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    assert run("get", REPO)[0] == 0
    assert hub.tokens == {"Bearer hf_secret"}


def test_only_https_or_this_machine_is_a_hub():
    assert download.check_endpoint("https://mirror.example/") == "https://mirror.example"
    with pytest.raises(download.DownloadError, match="no https address"):
        download.check_endpoint("http://mirror.example")


def test_a_damaged_catalogue_is_named(run, home):
    file = home / "models.yaml"
    file.write_text("tiny: {repo: nowhere}", encoding="utf-8")
    assert_refused(run("list", "--catalogue", file), "models.yaml: tiny.")
    file.write_text("{", encoding="utf-8")
    assert_refused(run("list", "--catalogue", file), "models.yaml: is not YAML")
