"""From a configuration to a morph: train, resume, evaluate, export, on data that the test makes."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import typer
from melody_samples import ARPEGGIO, SCALE, melody_checkpoint, pack_melodies, tiny_model
from rig import Rig
from typer.testing import CliRunner

from tatumflow.engine.errors import BundleError, SettingError
from tatumflow.engine.melodies.bundle import load_melodies, melodies_path
from tatumflow.engine.melodies.melody import GridNote, melody_of
from tatumflow.engine.melodies.onnx_melody_model import OnnxMelodyModel
from tatumflow.engine.midi.midi_file import MidiTrack, write_midi
from tatumflow.engine.midi.notes import Note
from tatumflow.training.cli import register
from tatumflow.training.config import load_config
from tatumflow.training.export.errors import ExportError
from tatumflow.training.fit.checkpoint import read_checkpoint, weights_of
from tatumflow.training.melodies.checkpoint import open_melodies
from tatumflow.training.melodies.evaluation.autoencoder import OnnxAutoencoder, TorchAutoencoder
from tatumflow.training.melodies.evaluation.monotony import MIXED, interpolate_pairs, monotony
from tatumflow.training.melodies.export.export import export_melodies
from tatumflow.training.melodies.export.parity import check_melodies
from tatumflow.training.melodies.fit.settings import MelodyConfig
from tatumflow.training.models.music_vae.model import MusicVae
from tatumflow.training.train import train

pytestmark = pytest.mark.slow

CONFIGS = Path(__file__).parents[3] / "configs" / "train"
KINDS = ("music-vae-2bar", "music-vae-16bar", "music-vae-16bar-flat")
SMALL = (
    *("model.latent_dim=6", "model.embedding_dim=8", "model.encoder_dim=16", "model.encoder_layers=1"),
    *("model.conductor_dim=12", "model.decoder_dim=16", "model.decoder_layers=1"),
    *("data.batch_size=8", "run.threads=1", "run.precision=32-true", "run.val_every=10", "run.val_batches=1"),
    "optimizer.warmup_steps=2",
)


@pytest.fixture(scope="module", name="packed")
def packed_corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return pack_melodies(tmp_path_factory.mktemp("corpus") / "packed")


def small(packed: Path, kind: str = "music-vae-2bar", *changes: str) -> MelodyConfig:
    config = load_config(CONFIGS / f"{kind}.yaml", [f"data.packed={packed}", *SMALL, *changes])
    assert isinstance(config, MelodyConfig)
    return config


@pytest.fixture(scope="module", name="run")
def trained_run(packed: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "tiny"
    train(small(packed, "music-vae-2bar", "run.max_steps=20"), folder)
    return folder


@pytest.fixture(scope="module", name="exported")
def exported_model(run: Path, packed: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("exports") / "tiny-melodies"
    done = invoke(
        "export", str(run / "last.ckpt"), "-o", str(folder), "--name", "tiny", "--corpus", str(packed)
    )
    assert "melodies of 2 bars" in done
    return folder


def invoke(*words: str) -> str:
    app = typer.Typer()
    register(app)
    done = CliRunner().invoke(app, list(words))
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    assert done.exit_code == 0, done.output
    return done.output


@pytest.mark.parametrize("kind", KINDS)
def test_every_configuration_builds_what_it_names(packed: Path, kind: str):
    config = small(packed, kind)
    assert config.model["bars"] == (2 if "2bar" in kind else 16)
    assert config.model["decoder"] == ("hierarchical" if kind == "music-vae-16bar" else "flat")
    assert config.losses.beta_at(0) == 0
    hierarchical, flat = small(packed, "music-vae-16bar"), small(packed, "music-vae-16bar-flat")
    assert hierarchical.run == flat.run
    assert hierarchical.losses == flat.losses
    assert hierarchical.data == flat.data


def test_sixteen_bars_are_trained_with_a_hierarchy(packed: Path, tmp_path: Path):
    result = train(small(packed, "music-vae-16bar", "run.max_steps=2"), tmp_path / "run")
    assert result.steps == 2


def test_a_resumed_run_equals_a_whole_one(packed: Path, run: Path, tmp_path: Path):
    train(small(packed, "music-vae-2bar", "run.max_steps=20", "run.max_minutes=0.0001"), tmp_path / "run")
    result = train(small(packed, "music-vae-2bar", "run.max_steps=20"), tmp_path / "run", resume=True)
    assert result.steps == 20
    weights = []
    for folder in (run, tmp_path / "run"):
        with read_checkpoint(folder / "last.ckpt") as content:
            weights.append(weights_of(content))
    for name, tensor in weights[0].items():
        torch.testing.assert_close(weights[1][name], tensor, atol=1e-6, rtol=1e-5)


def test_a_corpus_without_beats_is_refused(tmp_path: Path):
    from dataclasses import replace

    from swing_pieces import swing_piece

    from tatumflow.engine.errors import CorpusError
    from tatumflow.training.data.packing import pack

    piece = swing_piece(0, 8)
    notes = piece.notes.copy()
    notes["period"] = 0
    pack([replace(piece, notes=notes)], tmp_path / "packed")
    with pytest.raises(CorpusError, match="no training melodies of 2 bars; prepare a corpus with beats"):
        train(small(tmp_path / "packed"), tmp_path / "run")


def test_evaluation_measures_a_run_and_an_export(run: Path, exported: Path, packed: Path, tmp_path: Path):
    figures: dict[Path, dict[str, Any]] = {}
    for model in (run, exported):
        file = tmp_path / f"{model.name}.json"
        words = ("--corpus", str(packed), "--limit", "20", "--primers", "4", "--json", str(file))
        assert "reconstruction, free_running, accuracy" in invoke("evaluate", str(model), *words)
        figures[model] = json.loads(file.read_text())
    for found in figures.values():
        free = found["reconstruction"]["free_running"]
        assert 0 <= free["accuracy"]["value"] <= 1
        assert 0.3 < free["always_hold"]["value"] < 0.7
        assert set(found["interpolation"]) == {"slerp", "linear", MIXED}
        assert found["arithmetic"]["players"] == "high-player, low-player"
        assert found["arithmetic"]["share_chance"] == 0.5
    assert figures[run]["reconstruction"]["teacher_forced"]["kl_bits"]["value"] >= 0
    assert "teacher_forced" not in figures[exported]["reconstruction"]
    with pytest.raises(SettingError, match="there is no part 'rhythm'; choose from reconstruction"):
        invoke("evaluate", str(run), "--corpus", str(packed), "--only", "rhythm")


def test_an_exported_model_says_what_it_is(exported: Path):
    manifest = load_melodies(exported).manifest
    assert (manifest.name, manifest.bars, manifest.segments, manifest.latent_dim) == ("tiny", 2, 1, 6)
    assert set(manifest.attributes) == {"low-player", "high-player"}
    assert 0 < manifest.chance_distance < 1
    assert manifest.licence == "CC0"
    metrics = {metric.name: metric for metric in manifest.metrics}
    assert max(metrics[name].value for name in ("encoder_error", "decoder_error")) < 1e-4
    assert metrics["int8_agreement"].value > 0.8
    assert metrics["int8_agreement"].command == "tatumflow export last.ckpt --name tiny --corpus CORPUS"
    card = (exported / "card.md").read_text()
    assert "tatumflow morph" in card
    assert "20 optimizer steps" in card
    shares = manifest.shares
    assert shares is not None
    assert shares.players == ("high-player", "low-player")
    assert sum(shares.of(SCALE).values()) == pytest.approx(1)


def test_a_jam_morphs_with_an_exported_model(exported: Path):
    model = OnnxMelodyModel(load_melodies(exported))
    rig = Rig(melodies=model, mode="morph", morph=0.0, tempo=120.0, trade_bars=2, count_in=0)
    for index in range(14):
        rig.play(0.25 * index, length=0.2, first_pitch=60 + index)
    rig.run_to(8.0)
    call = melody_of([GridNote(2 * index, 2, 60 + index) for index in range(14)], 2)
    (decoded,) = model.decode(model.encode([call]).mean)
    played = [(round(8 * (note.onset - 4)), note.pitch) for note in rig.companion_notes]
    assert played == [(note.step, note.pitch) for note in decoded.notes()]


def check_same(exported: Path, model: MusicVae) -> None:
    """The graphs have int8 weights: what they are in float32 was checked at export."""
    onnx = OnnxMelodyModel(load_melodies(exported))
    events = torch.tensor([SCALE.events, ARPEGGIO.events])
    with torch.no_grad():
        expected = [part.numpy() for part in model.encoder(events)]
    posterior = onnx.encode([SCALE, ARPEGGIO])
    for found, part in zip((posterior.mean, posterior.deviation), expected, strict=True):
        np.testing.assert_allclose(found, part, atol=0.05)
    one, other = (kind.decode(expected[0]) for kind in (OnnxAutoencoder(onnx), TorchAutoencoder(model)))
    assert (one == other).mean() > 0.9


def test_graphs_do_what_the_model_does(run: Path, exported: Path):
    check_same(exported, open_melodies(run / "last.ckpt").model)


def test_graphs_of_a_hierarchy_do_what_the_model_does(tmp_path: Path):
    model = tiny_model(decoder="hierarchical", decoder_layers=2, step_dim=5, summary_dim=3)
    export_melodies(melody_checkpoint(tmp_path / "last.ckpt", model), tmp_path / "out", "tiny", None)
    check_same(tmp_path / "out", model)


def test_sampling_has_a_seed(exported: Path):
    model = OnnxMelodyModel(load_melodies(exported))
    latents = model.encode([SCALE]).mean
    drawn = [model.decode(latents, 1.0, np.random.default_rng(seed))[0] for seed in (1, 1, 2)]
    assert drawn[0] == drawn[1] != drawn[2]


def test_graphs_that_differ_from_their_model_are_refused(run: Path, exported: Path):
    model, bundle = open_melodies(run / "last.ckpt").model, load_melodies(exported)
    # The tiny model's weights are too few to be quantized.
    assert max(check_melodies(model, bundle).values()) < 1e-4
    with torch.no_grad():
        model.decoder.output.bias.add_(0.5)
    with pytest.raises(ExportError, match="decoder_error: the graphs differ from the model by"):
        check_melodies(model, bundle)


def test_damaged_models_are_named(exported: Path, tmp_path: Path):
    folder = tmp_path / "copy"
    shutil.copytree(exported, folder)
    (folder / "decoder.onnx").write_bytes(b"x")
    with pytest.raises(BundleError, match=r"decoder\.onnx: differs from its manifest"):
        load_melodies(folder)
    content = json.loads((exported / "melodies.json").read_text())
    (folder / "melodies.json").write_text(json.dumps(content | {"segments": 3}))
    with pytest.raises(BundleError, match="segments: 3 do not divide 2 bars"):
        load_melodies(folder)
    with pytest.raises(BundleError, match="no manifest; give the folder of an exported model of melodies"):
        load_melodies(tmp_path)


def test_the_way_without_a_model_is_monotone():
    model = TorchAutoencoder(tiny_model())
    start, end = SCALE.array[None], ARPEGGIO.array[None]
    ways = interpolate_pairs(model, start, end, seed=0)
    assert ways.decoded[MIXED].shape == (1, 9, 32)
    assert (ways.decoded[MIXED][:, 0] == start).all()
    assert (ways.decoded[MIXED][:, -1] == end).all()
    assert monotony(ways, 0)[MIXED]["from_first"]["value"] > 0.95


def test_the_command_morphs_two_files(exported: Path, tmp_path: Path):
    for name, low in (("a", 60), ("b", 72)):
        notes = [Note(0.25 * i, 0.2, low + i % 5, 80) for i in range(32)]
        write_midi(tmp_path / f"{name}.mid", [MidiTrack("melody", notes)], 120)
    words = ["morph", "a.mid", "b.mid", "--steps", "3", "-o", "out", "--model", str(exported), "--no-sound"]
    done = subprocess.run(
        [sys.executable, "-m", "tatumflow.live.cli", *words], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert "written: 6 melodies" in done.stdout
    assert (tmp_path / "out" / "index.html").is_file()
    assert melodies_path(exported) == exported


def test_a_player_is_unknown(exported: Path):
    with pytest.raises(
        SettingError, match="unknown-player: tiny has no such attribute; choose from high-player"
    ):
        load_melodies(exported).attribute("unknown-player")
