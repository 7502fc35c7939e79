"""A published model: a folder that stands alone, a card that the Hub reads, an upload in one commit."""

import hashlib
import subprocess
import sys
import wave
from pathlib import Path

import numpy as np
import pytest
import torch
from hub_server import COMMIT, hub_server
from huggingface_hub import ModelCard
from safetensors.torch import load_file
from tiny_model import tiny_trained

from tatumflow.engine.errors import DeviceError
from tatumflow.engine.midi.midi_file import read_midi
from tatumflow.engine.midi.notes import Note, Role
from tatumflow.engine.model.bundle import MANIFEST_FILE, load_bundle
from tatumflow.engine.model.model_folder import Metric
from tatumflow.engine.model.onnx_decoder import OnnxDecoder
from tatumflow.engine.model.session import ModelSession
from tatumflow.engine.separation.bundle import load_separator
from tatumflow.engine.separation.onnx_separator import OnnxBlockModel
from tatumflow.engine.separation.streaming import StreamingSeparator
from tatumflow.training.export.write import write_manifest
from tatumflow.training.publish import weights
from tatumflow.training.publish.commands import PublishOptions, prepare
from tatumflow.training.publish.errors import PublishError
from tatumflow.training.publish.metadata import check_card
from tatumflow.training.publish.publication import open_publication
from tatumflow.training.publish.push import push

REPO = "someone/tiny"
COMMAND = "tatumflow export live.ckpt --name tiny --corpus PACKED"


@pytest.fixture(scope="module")
def bundle(tiny_bundle, tmp_path_factory) -> Path:
    """The tiny bundle, with figures."""
    folder = tmp_path_factory.mktemp("measured") / "tiny"
    folder.mkdir()
    for path in tiny_bundle.iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    manifest = load_bundle(folder).manifest
    figures = {"val_nll_per_note_int8": 7.75, "fp32_states_error": 3e-6}
    metrics = tuple(Metric(name=name, value=value, command=COMMAND) for name, value in figures.items())
    write_manifest(folder, manifest.model_copy(update={"metrics": metrics}))
    return folder


@pytest.fixture(scope="module")
def published(bundle, tmp_path_factory):
    """The folder of a repository, with sound files of one byte."""
    out = tmp_path_factory.mktemp("publish") / "tiny"

    def write_sound(path, tracks):
        path.write_bytes(b"0")

    return prepare(str(bundle), out, PublishOptions(REPO), write_sound)


def run_example(folder: Path, *arguments: str) -> list[list[str]]:
    """Run the example with an empty environment and without TatumFlow on the path; return what it prints."""
    command = [sys.executable, "-P", str(folder / "example.py"), *arguments]
    done = subprocess.run(
        command, capture_output=True, text=True, env={}, cwd=folder, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return [line.split() for line in done.stdout.splitlines()]


def test_the_folder_holds_what_its_card_lists(published):
    folder = published.folder
    names = {path.name for path in folder.iterdir()}
    card = (folder / "README.md").read_text(encoding="utf-8")
    listed = {line.split("`")[1] for line in card.splitlines() if line.startswith("- `")}
    assert listed | {"README.md", "audio"} == names
    assert load_bundle(folder).name == "tiny"
    modes = {(folder / name).stat().st_mode & 0o777 for name in ("manifest.json", "model.safetensors")}
    assert len(modes) == 1
    assert (folder / "audio" / "art-tatum.mp3").is_file()
    assert len(read_midi(folder / "audio" / "charlie-parker.mid").notes) > 10
    assert published.remarks == ()


def test_the_hub_reads_figures_licence_and_commands_in_the_card(published):
    data = ModelCard.load(published.folder / "README.md").data
    assert data.to_dict()["license"] == "cc-by-nc-4.0"
    (result,) = data["eval_results"]
    assert (result.metric_type, result.metric_value) == ("val_nll_per_note_int8", 7.75)
    assert result.metric_args == {"command": COMMAND}


def test_a_card_whose_figure_was_edited_is_refused(published):
    card = (published.folder / "README.md").read_text(encoding="utf-8")
    check_card(card, published.model)
    with pytest.raises(PublishError, match="not the manifest's"):
        check_card(card.replace("value: 7.75", "value: 6.5"), published.model)
    with pytest.raises(PublishError, match="would refuse"):
        check_card(card.replace("model-index:", "model-index: 3\nx:"), published.model)


def test_the_example_plays_without_tatumflow(published):
    head, *notes = run_example(published.folder, "art-tatum", "5")
    assert head == ["onset", "pitch", "velocity", "duration"]
    lines = [[float(word) for word in line] for line in notes]
    assert len(lines) == 16
    onsets = [line[0] for line in lines]
    assert onsets == sorted(onsets)
    assert all(21 <= pitch <= 108 and 1 <= velocity <= 127 for _, pitch, velocity, _ in lines)


def test_the_examples_states_are_the_engines(published, monkeypatch):
    from tatumflow.training.publish import note_example

    loaded = load_bundle(published.folder)
    model = note_example.Model(published.folder, "charlie-parker")
    decoder = OnnxDecoder(loaded)
    heard: list[np.ndarray] = []
    monkeypatch.setattr(decoder, "decode", lambda inputs, run=decoder.decode: _kept(run(inputs), heard))
    session = ModelSession(decoder)
    style = np.eye(len(loaded.styles), dtype=np.float32)[loaded.styles.index("charlie-parker")]
    none = np.eye(len(loaded.styles), dtype=np.float32)[0]
    session.begin_turn(Role.HUMAN, none)
    for onset, pitch, velocity, duration in note_example.PHRASE:
        session.add(Note(onset, duration, pitch, velocity), Role.HUMAN)
    session.begin_turn(Role.COMPANION, style)
    session.sync()
    expected = np.concatenate(heard)[-1]
    model.step(note_example.SIZES, note_example.HUMAN)
    for fields in note_example.encode(note_example.PHRASE):
        model.step(fields, note_example.HUMAN)
    found = model.step(note_example.SIZES, note_example.COMPANION)[0]
    np.testing.assert_allclose(found, expected, atol=2e-2)


def _kept(output, heard):
    heard.append(np.array(output.hidden))
    return output


def test_weights_come_from_the_graphs_or_exactly_from_the_checkpoint(
    published, bundle, tmp_path, monkeypatch
):
    exact = tiny_trained().model.state_dict()
    found = load_file(published.folder / "model.safetensors")
    name = "decoder.blocks.0.mlp.down.weight"
    assert torch.allclose(found[name], exact[name], atol=1e-3)
    monkeypatch.setattr(weights, "load_checkpoint", lambda _: tiny_trained())
    file = tmp_path / "exact.safetensors"
    source = weights.write_weights(open_publication(str(bundle)), file, tmp_path / "live.ckpt")
    assert "float32" in source
    assert all(torch.equal(tensor, exact[key]) for key, tensor in load_file(file).items())
    other = tiny_trained()
    with torch.no_grad():
        other.model.decoder.style_embedding.weight += 0.1
    monkeypatch.setattr(weights, "load_checkpoint", lambda _: other)
    with pytest.raises(PublishError, match="not the checkpoint"):
        weights.write_weights(open_publication(str(bundle)), file, tmp_path / "other.ckpt")


def test_without_fluidsynth_the_examples_are_midi_and_a_line_says_so(bundle, tmp_path):
    def silent(path, tracks):
        raise DeviceError("no synthesizer: the FluidSynth library is missing")

    made = prepare(str(bundle), tmp_path / "out", PublishOptions(REPO, styles=("bud powell",)), silent)
    assert made.remarks == ("examples as MIDI alone: no synthesizer: the FluidSynth library is missing",)
    assert [path.name for path in (made.folder / "audio").iterdir()] == ["bud-powell.mid"]
    assert "Without sound: no synthesizer" in (made.folder / "README.md").read_text(encoding="utf-8")


def test_nothing_is_written_where_it_cannot_be_published(bundle, tmp_path):
    with pytest.raises(PublishError, match="USER/NAME"):
        prepare(str(bundle), tmp_path / "out", PublishOptions("not a name/at all"))
    with pytest.raises(PublishError, match="is the model itself"):
        prepare(str(bundle), bundle, PublishOptions(REPO))
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(Exception, match="not a model bundle"):
        prepare(str(bundle), tmp_path / "mine", PublishOptions(REPO))
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


def test_a_separators_example_separates_as_the_engine_does(tmp_path):
    made = prepare("quartet-live", tmp_path / "quartet", PublishOptions("someone/quartet"))
    assert made.remarks == ("no model.safetensors: give the separator's --checkpoint",)
    data = ModelCard.load(made.folder / "README.md").data
    assert {result.metric_type for result in data["eval_results"]} >= {"val_sdr_gain_horn"}
    mix = np.random.default_rng(0).normal(0, 4000, (44_100, 2)).astype("<i2")
    with wave.open(str(made.folder / "mix.wav"), "wb") as file:
        file.setparams((2, 2, 44_100, 0, "NONE", ""))
        file.writeframes(mix.tobytes())
    stems = [name for name, _, _ in run_example(made.folder, "mix.wav")]
    assert stems == ["horn", "piano", "bass", "drums"]
    separator = StreamingSeparator(OnnxBlockModel(load_separator(made.folder)))
    samples = (mix.T / 32768).astype(np.float32)
    pieces = [separator.push(samples), separator.finish()]
    expected = np.concatenate(pieces, axis=-1)[..., :44_100]
    for stem, channels in zip(stems, expected, strict=True):
        with wave.open(str(made.folder / f"mix-{stem}.wav"), "rb") as file:
            found = np.frombuffer(file.readframes(44_100), "<i2").reshape(-1, 2).T / 32767
        np.testing.assert_allclose(found, channels, atol=1e-3)


@pytest.fixture
def hub(monkeypatch):
    with hub_server() as server:
        monkeypatch.setenv("HF_ENDPOINT", server.url)
        monkeypatch.setattr("huggingface_hub.constants.HF_HUB_DISABLE_XET", True)
        monkeypatch.setenv("HF_TOKEN", "hf_test")
        yield server


def test_an_upload_puts_every_file_into_one_commit(published, hub):
    hub.files[f"{REPO}/audio/old.mp3"] = b"old"
    commit = push(published.folder, REPO, private=True)
    assert commit == COMMIT
    (created,) = hub.created
    assert (created["organization"], created["name"]) == ("someone", "tiny")
    folder = published.folder
    files = {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }
    assert {name.removeprefix(f"{REPO}/"): content for name, content in hub.files.items()} == files
    assert sum(request.startswith("POST /api/models/someone/tiny/commit/") for request in hub.requests) == 1
    assert hub.tokens == {"Bearer hf_test"}
    assert set(hub.cards) == {(folder / "README.md").read_text(encoding="utf-8")}


def test_what_was_uploaded_pins_what_is_fetched(published, hub):
    push(published.folder, REPO, private=False)
    entry = published.entry(REPO, COMMIT)
    digest = hashlib.sha256(hub.files[f"{REPO}/{MANIFEST_FILE}"]).hexdigest()
    assert entry == f"tiny:\n  repo: {REPO}\n  revision: {COMMIT}\n  sha256: {digest}"


def test_a_hub_that_refuses_or_is_away_is_one_line(published, hub, monkeypatch):
    hub.refusal = (403, "no rights")
    with pytest.raises(PublishError, match=r"answers 403 .*hf auth login"):
        push(published.folder, REPO, private=False)
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(PublishError, match="cannot be reached"):
        push(published.folder, REPO, private=False)
