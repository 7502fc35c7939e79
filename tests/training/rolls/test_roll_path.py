"""A roll model through the shared commands: training, resumption, evaluation, export, fills."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from swing_pieces import swing_piece
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from typer.testing import CliRunner

from tatumflow.engine.midi.midi_file import MidiTrack, read_midi, write_midi
from tatumflow.engine.midi.notes import Note
from tatumflow.engine.rolls.bundle import ROLLS_FILE, load_rolls
from tatumflow.live.cli import app
from tatumflow.training.config import load_config, parse_config
from tatumflow.training.data.packing import pack
from tatumflow.training.evaluate.settings import EvaluationSettings
from tatumflow.training.recipes import PIANO_ROLLS, recipe_of_model
from tatumflow.training.rolls.checkpoint import open_rolls_checkpoint
from tatumflow.training.rolls.evaluation.figures import evaluate_rolls
from tatumflow.training.rolls.fit.settings import RollConfig
from tatumflow.training.train import train

pytestmark = pytest.mark.slow

CONFIGS = Path(__file__).parents[3] / "configs" / "train"


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("corpus") / "packed"
    pieces = [swing_piece(i, 12, "train" if i < 3 else "val", f"piece {i}") for i in range(5)]
    pack(pieces, folder)
    return folder


def config(packed: Path, **changes: Any) -> RollConfig:
    content: dict[str, Any] = {
        "family": "fractal_midi",
        # Both kinds of level go through every command.
        "model": {
            "kinds": ["ar", "mar", "ar"],
            "dims": [32, 24, 16, 16],
            "blocks": [1, 1, 1, 1],
            "heads": [2, 2, 2],
        },
        "data": {"packed": str(packed), "width": 68, "batch_size": 2},
        "optimizer": {"kind": "muon", "lr": 1e-2, "warmup_steps": 2},
        "run": {
            "max_epochs": 100,
            "max_steps": 6,
            "precision": "32-true",
            "ema_decay": 0.5,
            "val_every": 3,
            "val_batches": 1,
            "keep_top": 2,
            "threads": 1,
            "log_every": 1,
        },
    }
    for section, values in changes.items():
        content[section] = {**content[section], **values} if section in content else values
    parsed = parse_config(content)
    assert isinstance(parsed, RollConfig)
    return parsed


@pytest.fixture(scope="module")
def run(packed: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "rolls"
    train(config(packed, run={"max_steps": 12, "val_every": 4}), folder)
    return folder


@pytest.fixture(scope="module")
def exported(run: Path, packed: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("models") / "tiny-rolls"
    line = PIANO_ROLLS.export(run / "last.ckpt", out, "tiny-rolls", packed)
    assert "4 graphs" in line
    return out


def test_a_run_logs_each_level_and_pictures_and_keeps_the_best(run: Path):
    events = EventAccumulator(str(run / "events"))
    events.Reload()
    for side in ("train", "val"):
        for name in ("loss", "level0", "level1", "level2", "velocity"):
            values = [event.value for event in events.Scalars(f"{side}/{name}")]
            assert np.isfinite(values).all()
    assert set(events.Tags()["images"]) == {"rolls/real", "rolls/filled"}
    losses = [event.value for event in events.Scalars("val/loss")]
    assert losses[-1] < losses[0]
    assert len(list(run.glob("top-*.ckpt"))) == 2


def test_a_resumed_run_equals_an_uninterrupted_one(packed: Path, tmp_path: Path):
    changes: dict[str, Any] = {
        "model": {"kinds": ("mar", "ar", "mar"), "order": "row"},
        # A rate that falls with the planned steps would differ between the two.
        "optimizer": {"accumulate": 2, "final_lr_share": 1.0},
    }
    length: dict[str, Any] = {"keep_top": 0, "val_every": 100}
    whole = train(config(packed, **changes, run={**length, "max_steps": 4}), tmp_path / "whole")
    train(config(packed, **changes, run={**length, "max_steps": 2}), tmp_path / "parts")
    resumed = config(packed, **changes, run={**length, "max_steps": 4})
    parts = train(resumed, tmp_path / "parts", resume=True)
    one, other = (open_rolls_checkpoint(result.last).model.state_dict() for result in (whole, parts))
    for name, weight in one.items():
        np.testing.assert_allclose(other[name], weight, atol=1e-6)


def test_a_second_stage_starts_from_the_first_on_wider_rolls(run: Path, packed: Path, tmp_path: Path):
    wider = {"width": 128, "batch_size": 1}
    start = {"max_steps": 1, "start_from": str(run / "best.ckpt"), "ema_decay": 0, "keep_top": 0}
    result = train(config(packed, data=wider, run=start, optimizer={"lr": 1e-9}), tmp_path / "second")
    first, second = open_rolls_checkpoint(run / "best.ckpt"), open_rolls_checkpoint(result.last)
    assert (first.data.width, second.data.width) == (68, 128)
    for name, weight in first.model.state_dict().items():
        np.testing.assert_allclose(second.model.state_dict()[name], weight, atol=1e-6)


def test_an_export_is_the_same_as_its_model(exported: Path, run: Path):
    manifest = load_rolls(exported).manifest
    assert {metric.name: metric.value for metric in manifest.metrics}["onnx_error"] < 1e-4
    assert manifest.width == 68
    assert [corpus.name for corpus in manifest.corpora] == ["synthetic"]
    assert recipe_of_model(exported) is recipe_of_model(run) is PIANO_ROLLS
    assert "tatumflow fill" in (exported / "card.md").read_text(encoding="utf-8")


def test_it_is_evaluated_beside_real_bars_and_pastes(exported: Path, run: Path, packed: Path):
    measured = EvaluationSettings(primers=2, only=("nll", "fill"))
    figures = evaluate_rolls(exported, packed, measured)
    for name in ("key_agreement", "beat_concentration", "density", "join_interval", "join_density"):
        assert set(figures["fill"][name]) == {"real", "filled", "pasted", "nearer"}
    assert figures["nats_per_step"]["fill"]["total"] > 0
    scored = EvaluationSettings(primers=2, only=("nll",))
    again = evaluate_rolls(run / "last.ckpt", packed, scored)["nats_per_step"]
    assert again["whole"]["total"] == pytest.approx(figures["nats_per_step"]["whole"]["total"], rel=1e-4)


def take(path: Path, bars: int = 10) -> list[Note]:
    """Write a take of eighths at 120 beats per minute, with notes that ring over bar lines."""
    notes = [Note(0.25 * i, 0.2, 60 + 5 * i % 12, 70) for i in range(8 * bars)]
    notes += [Note(2.0 * bar + 1.75, 0.5, 48, 60) for bar in range(bars)]
    write_midi(path, [MidiTrack("take", notes)], 120.0)
    return notes


def invoke(*arguments: object) -> str:
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert result.exit_code == 0, result.output + str(result.exception)
    return result.output


def test_fill_keeps_the_notes_outside_and_makes_variations(exported: Path, tmp_path: Path):
    source = tmp_path / "take.mid"
    take(source)
    output = invoke(
        *("fill", source, "--bars", "5", "--variations", 2, "--temperature", 0.8),
        *("-o", tmp_path / "filled.mid", "--model", exported, "--seed", 3),
    )
    assert "kept as they were" in output
    before = read_midi(source).notes
    outside = {note for note in before if not 7.99 <= note.onset < 9.99}
    for number in (1, 2):
        after = read_midi(tmp_path / f"filled-{number}.mid").notes
        assert outside <= set(after)
        assert all(7.9 <= note.onset < 10.0 for note in set(after) - outside)
    assert not (tmp_path / "filled.mid").exists()


def test_a_file_is_continued_after_its_last_bar(exported: Path, tmp_path: Path):
    source, out = tmp_path / "take.mid", tmp_path / "longer.mid"
    take(source, 4)
    invoke("roll", "continue", source, "-o", out, "--bars", 1, "--temperature", 0.8, "--model", exported)
    before, after = set(read_midi(source).notes), set(read_midi(out).notes)
    assert before <= after
    assert all(8.0 <= note.onset < 10.0 for note in after - before)


def test_rolls_are_sampled_to_files(exported: Path, tmp_path: Path):
    rolls = tmp_path / "rolls"
    out = ("-o", rolls, "--model", exported)
    invoke("roll", "sample", "-n", 2, "--width", 36, "--temperature", 0.8, "--guidance", 2, *out)
    assert sorted(path.name for path in rolls.iterdir()) == ["roll-01.mid", "roll-02.mid"]


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (("--style", "sun-ra"), "style: the model has no 'sun-ra'"),
        (("--width", "66"), "width: 66 steps are not a multiple of 4"),
        (("--tempo", "2"), "tempo: 2.0 is not within 4 to 1000"),
    ],
)
def test_samples_of_wrong_settings_are_refused(
    exported: Path, tmp_path: Path, arguments: tuple[str, ...], line: str
):
    result = CliRunner().invoke(
        app, ["roll", "sample", "-o", str(tmp_path), "--model", str(exported), *arguments]
    )
    assert line in str(result.exception)


def test_a_damaged_model_is_refused(exported: Path, tmp_path: Path):
    folder = tmp_path / "copy"
    folder.mkdir()
    for file in exported.iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    (folder / "level1.onnx").write_bytes(b"0" * (folder / "level1.onnx").stat().st_size)
    result = CliRunner().invoke(app, ["roll", "sample", "-o", str(tmp_path), "--model", str(folder)])
    assert "level1.onnx: differs from its manifest" in str(result.exception)
    (folder / ROLLS_FILE).write_text("{}", encoding="utf-8")
    result = CliRunner().invoke(app, ["roll", "sample", "-o", str(tmp_path), "--model", str(folder)])
    assert "rolls.json" in str(result.exception)


@pytest.mark.parametrize("name", ["fractal-small", "fractal-128", "fractal-512"])
def test_recipes_are_valid(name: str):
    assert isinstance(load_config(CONFIGS / f"{name}.yaml"), RollConfig)
