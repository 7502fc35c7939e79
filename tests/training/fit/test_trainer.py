"""The trainer on a piece the project writes itself: learning by heart, saving, resuming, continuing."""

import json
import math
import signal
import subprocess
import sys
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
import torch
from swing_pieces import swing_piece

from tatumflow.engine.errors import SettingError
from tatumflow.engine.midi.midi_file import read_midi
from tatumflow.engine.midi.notes import Note
from tatumflow.training.config import load_config
from tatumflow.training.data.batches import Batch, collate
from tatumflow.training.data.packing import PackedCorpus, pack
from tatumflow.training.data.windows import Windows
from tatumflow.training.evaluate.commands import evaluate, table
from tatumflow.training.evaluate.likelihood.nll import TorchLogits, evaluate_nll
from tatumflow.training.evaluate.settings import EvaluationSettings
from tatumflow.training.export.checkpoint import load_checkpoint
from tatumflow.training.fit.callbacks import TrainingError
from tatumflow.training.fit.checkpoint import open_checkpoint
from tatumflow.training.fit.ema import EMA_KEY
from tatumflow.training.fit.fit import FitResult
from tatumflow.training.fit.module import NoteTrainer
from tatumflow.training.fit.settings import OptimizerSettings, TrainConfig
from tatumflow.training.fit.trainable import learning_rate_share
from tatumflow.training.models.continuation import continue_notes, write_continuation
from tatumflow.training.train import train

pytestmark = pytest.mark.slow

CONFIGS = Path(__file__).parents[3] / "configs" / "train"
MINI = CONFIGS / "tatumflow-mini.yaml"
TRANSFORMER = CONFIGS / "music-transformer.yaml"
TRAIN = [sys.executable, "-m", "tatumflow.live.cli", "train"]


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("swing") / "packed"
    pack([swing_piece(), swing_piece(1, bars=8, split="val", name="other")], path)
    return path


def mini(packed: Path, *overrides: str) -> TrainConfig:
    config = load_config(MINI, [f"data.packed={packed}", "run.threads=1", *overrides])
    assert isinstance(config, TrainConfig)
    return config


@pytest.fixture(scope="module")
def learned(packed: Path, tmp_path_factory: pytest.TempPathFactory) -> FitResult:
    # 240 steps of about 0.1 s on a slow core, where 160 get below 0.3 nats a token. On a machine that is too
    # busy the clock ends them, so that only the test of what was learned fails, and not by its time limit.
    return train(
        mini(packed, "run.max_epochs=60", "run.max_minutes=8"), tmp_path_factory.mktemp("runs") / "mini"
    )


def prime(packed: Path, count: int) -> list[Note]:
    corpus = PackedCorpus.open(packed)
    notes = corpus.notes(corpus.pieces("train")[0])[:count]
    return [Note(float(n["onset"]), float(n["duration"]), int(n["pitch"]), int(n["velocity"])) for n in notes]


def test_the_piece_is_long_enough_to_mean_something() -> None:
    piece = swing_piece()
    assert len(piece.notes) >= 250
    assert (swing_piece().notes == piece.notes).all()
    assert (swing_piece(1).notes[: len(piece.notes)] != piece.notes[: len(swing_piece(1).notes)]).any()


def test_it_learns_a_piece_by_heart(packed: Path, learned: FitResult) -> None:
    model = TorchLogits(load_checkpoint(learned.last).model)
    result = evaluate_nll(model, PackedCorpus.open(packed), "train", seq_len=96)
    assert result.total.per_token.value < 0.5
    assert result.total.note_accuracy.value > 0.8
    assert result.total.perplexity.value == pytest.approx(math.exp(result.total.per_token.value))


def test_what_is_logged(learned: FitResult) -> None:
    assert list((learned.run_dir / "events").glob("events.out.tfevents.*"))
    assert json.loads((learned.run_dir / "config.json").read_text())["family"] == "tatumflow"
    for field in ("time_shift", "pitch", "velocity", "duration"):
        assert f"train/nll_{field}" in learned.metrics
        assert f"val/nll_{field}" in learned.metrics
    assert learned.metrics["val/nll_per_token"] == pytest.approx(learned.metrics["val/nll_per_note"] / 4)


def test_evaluation_writes_its_figures(packed: Path, learned: FitResult, tmp_path: Path) -> None:
    settings = EvaluationSettings(limit=1)
    result = evaluate(learned.last, [packed], settings, json_path=tmp_path / "figures.json")
    content = json.loads((tmp_path / "figures.json").read_text())
    assert content["command"].startswith("tatumflow evaluate last.ckpt")
    per_note = content["nll_per_note"]["value"]
    assert per_note == result.figures["nll_per_note"]["value"]
    assert content["nll_corpora"]["synthetic"]["nll_per_note"] == content["nll_per_note"]
    assert any(line.startswith("nll_per_note") for line in table(result.figures))
    assert sum(field["value"] for field in content["nll_fields"].values()) == pytest.approx(per_note)


def test_a_checkpoint_gives_the_same_outputs(packed: Path, learned: FitResult) -> None:
    content = torch.load(learned.last, weights_only=True)
    config = mini(packed)
    trainer = NoteTrainer(config, content["tatumflow"]["model"], (), 1)
    trainer.load_state_dict(content["state_dict"])
    trainer.eval()
    batch = collate([Windows(PackedCorpus.open(packed), "train", 96).epoch(0).window(0)])
    with torch.no_grad():
        assert torch.equal(trainer.model(batch), load_checkpoint(learned.last).model(batch))


def test_it_plays_on_and_writes_it(packed: Path, learned: FitResult, tmp_path: Path) -> None:
    trained = open_checkpoint(learned.last)
    phrase = prime(packed, 60)
    played = continue_notes(trained.family.stream(trained.model), phrase, 24, seed=3)
    assert played == continue_notes(trained.family.stream(trained.model), phrase, 24, seed=3)
    assert played[0].onset >= phrase[-1].onset
    write_continuation(tmp_path / "on.mid", phrase, played)
    read = read_midi(tmp_path / "on.mid")
    assert len(read.notes) >= 60


def test_a_resumed_run_ends_as_one_that_never_stopped(packed: Path, tmp_path: Path) -> None:
    config = mini(
        packed, "run.max_epochs=4", "run.val_every=5", "run.checkpoint_every=7", "data.augment=true"
    )
    whole = train(config, tmp_path / "whole")
    assert whole.steps > 12
    (tmp_path / "resumed").mkdir()
    (whole.run_dir / "step-7.ckpt").rename(tmp_path / "resumed" / "last.ckpt")
    resumed = train(config, tmp_path / "resumed", resume=True)
    assert resumed.steps == whole.steps
    assert_ends_alike(whole, resumed)


def test_a_run_of_the_older_layout_is_resumed_the_same(packed: Path, tmp_path: Path) -> None:
    config = mini(packed, "run.max_steps=4", "run.checkpoint_every=2", "optimizer.accumulate=2")
    whole = train(config, tmp_path / "whole")
    content = torch.load(whole.run_dir / "step-2.ckpt", weights_only=True)
    average = open_checkpoint(whole.run_dir / "step-2.ckpt").model.named_parameters()
    content["state_dict"] = content.pop("current_model_state")
    content |= {EMA_KEY: dict(average), "ema_updates": int(content.pop("averaging_state")["n_averaged"])}
    content["callbacks"].pop("WeightAverage")
    (tmp_path / "resumed").mkdir()
    torch.save(content, tmp_path / "resumed" / "last.ckpt")
    assert_ends_alike(whole, train(config, tmp_path / "resumed", resume=True))


def assert_ends_alike(*runs: FitResult) -> None:
    """Check that two runs end with the same weights and the same averages of them."""
    a, b = (torch.load(run.last, weights_only=True) for run in runs)
    for key in ("state_dict", "current_model_state"):
        assert a[key].keys() == b[key].keys()
        for name, weight in a[key].items():
            assert torch.allclose(weight, b[key][name], atol=1e-6), (key, name)
    assert any(not weight.equal(a["current_model_state"][name]) for name, weight in a["state_dict"].items())


def batch_seeds(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return a list that every batch trained on from now on adds its random seed to."""
    seeds: list[int] = []
    step = NoteTrainer.training_step

    def noted(self: NoteTrainer, batch: Batch, batch_idx: int) -> torch.Tensor:
        seeds.append(torch.initial_seed())
        return step(self, batch, batch_idx)

    monkeypatch.setattr(NoteTrainer, "training_step", noted)
    return seeds


def test_every_batch_of_a_step_has_noise_of_its_own(
    packed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seeds = batch_seeds(monkeypatch)
    config = mini(packed, "run.max_steps=4", "optimizer.accumulate=2", "run.checkpoint_every=2")
    whole = train(config, tmp_path / "whole")
    assert len(seeds) == len(set(seeds)) == 8
    (tmp_path / "resumed").mkdir()
    (whole.run_dir / "step-2.ckpt").rename(tmp_path / "resumed" / "last.ckpt")
    train(config, tmp_path / "resumed", resume=True)
    assert seeds[8:] == seeds[4:8]


def test_a_run_stopped_within_a_step_does_the_step_again(
    packed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seeds = batch_seeds(monkeypatch)
    config = mini(packed, "run.max_steps=3", "optimizer.accumulate=3")
    whole = train(config, tmp_path / "whole")
    noted = NoteTrainer.training_step

    def interrupted(self: NoteTrainer, batch: Batch, batch_idx: int) -> torch.Tensor:
        if len(seeds) == 9 + 4:
            signal.raise_signal(signal.SIGINT)
        return noted(self, batch, batch_idx)

    monkeypatch.setattr(NoteTrainer, "training_step", interrupted)
    assert train(config, tmp_path / "stopped").steps == 1
    resumed = train(config, tmp_path / "stopped", resume=True)
    assert resumed.steps == 3
    assert seeds[-6:] == seeds[3:9]
    assert_ends_alike(whole, resumed)


def test_two_processes_learn_what_one_does(packed: Path, tmp_path: Path) -> None:
    settings = {
        "data.packed": packed,
        "data.seq_len": 64,
        "data.batch_size": 4,
        "data.augment": False,
        "data.repeat": "{}",
        "data.frames": "{}",
        "model.hidden_dim": 64,
        "model.num_layers": 2,
        "model.num_heads": 2,
        "model.mlp_dim": 128,
        "model.max_seq_len": 64,
        "optimizer.warmup_steps": 2,
        "run.precision": "32-true",
        "run.max_steps": 4,
        "run.ema_decay": 0.0,
        "run.threads": 1,
    }
    overrides = [f"{name}={value}" for name, value in settings.items()]
    alone = train(load_config(TRANSFORMER, overrides), tmp_path / "alone")
    command = [*TRAIN, str(TRANSFORMER), "--run", str(tmp_path / "shared")]
    for override in [*overrides, "run.devices=2"]:
        command += ["--set", override]
    subprocess.run(command, check=True, capture_output=True, timeout=400)
    start = load_config(TRANSFORMER, [*overrides, "run.max_steps=1", "optimizer.lr=1e-12"])
    before, one, two = (
        torch.cat([tensor.flatten() for tensor in open_checkpoint(path).model.state_dict().values()])
        for path in (train(start, tmp_path / "start").last, alone.last, tmp_path / "shared" / "last.ckpt")
    )
    moved, apart = (one - before).norm(), (one - two).norm()
    assert moved > 0.1
    # Windows differ in how many notes they score, so the mean of two means is not quite the mean of all.
    assert apart < 0.1 * moved


def test_ctrl_c_ends_a_run_that_can_be_resumed(
    packed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    step = NoteTrainer.training_step

    def interrupted(self: NoteTrainer, batch: Batch, batch_idx: int) -> torch.Tensor:
        if self.global_step in (2, 6):
            signal.raise_signal(signal.SIGINT)
        return step(self, batch, batch_idx)

    monkeypatch.setattr(NoteTrainer, "training_step", interrupted)
    config = mini(packed, "run.max_steps=9")
    handlers = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    result = train(config, tmp_path)
    assert (result.steps, result.planned) == (3, 9)
    assert train(config, tmp_path, resume=True).steps == 7
    assert train(config, tmp_path, resume=True).steps == 9
    assert train(mini(packed, "run.max_steps=11"), tmp_path, resume=True).steps == 11
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == handlers


def test_processes_end_together(packed: Path, tmp_path: Path) -> None:
    command = [*TRAIN, str(MINI), "--run", str(tmp_path), "--set", f"data.packed={packed}"]
    for override in (
        "run.devices=2",
        "data.batch_size=2",
        "run.threads=1",
        "run.max_epochs=100000",
        "run.log_every=1",
    ):
        command += ["--set", override]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert any("step 3/" in line for line in process.stdout)
        process.terminate()
        output = process.stdout.read()
    assert process.returncode == 0
    assert "planned steps are left" in output
    assert (tmp_path / "last.ckpt").exists()


def test_every_corpus_is_validated_apart(tmp_path: Path) -> None:
    pieces = [swing_piece(), swing_piece(1, bars=8, split="val", name="one")]
    pieces.append(replace(swing_piece(2, bars=16, split="val", name="two"), corpus="other"))
    pack(pieces, tmp_path / "packed")
    found = train(mini(tmp_path / "packed", "run.max_steps=2", "run.val_every=2"), tmp_path / "run").metrics
    corpora = [found[f"val/nll_per_note_{name}"] for name in ("synthetic", "other")]
    assert min(corpora) < found["val/nll_per_note"] < max(corpora)
    notes = [len(piece.notes) for piece in pieces[1:]]
    mean = sum(map(math.prod, zip(corpora, notes, strict=True))) / sum(notes)
    assert found["val/nll_per_note"] == pytest.approx(mean, rel=1e-3)


def test_validation_leaves_the_weights_alone(packed: Path, tmp_path: Path) -> None:
    ends = [
        torch.load(
            train(mini(packed, "run.max_steps=4", f"run.val_every={every}"), tmp_path / str(every)).last,
            weights_only=True,
        )
        for every in (2, 100)
    ]
    for name, weight in ends[0]["current_model_state"].items():
        assert torch.equal(weight, ends[1]["current_model_state"][name])


def test_parts_that_are_not_trained_stay_as_they_are(
    packed: Path, learned: FitResult, tmp_path: Path
) -> None:
    start = [f"run.start_from={learned.last}", "run.train_parts=[flow]", "run.max_steps=2"]
    tuned = train(mini(packed, *start), tmp_path / "flow")
    before, after = (open_checkpoint(path).model.state_dict() for path in (learned.last, tuned.last))
    changed = {name.partition(".")[0] for name, weight in after.items() if not weight.equal(before[name])}
    assert changed == {"flow"}
    with pytest.raises(SettingError, match=r"run\.train_parts: there is no part 'flaw'; choose from decoder"):
        train(mini(packed, "run.train_parts=[flaw]"), tmp_path / "none")


def test_runs_are_not_mixed_up(packed: Path, learned: FitResult, tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="holds a run already"):
        train(mini(packed), learned.run_dir)
    with pytest.raises(SettingError, match=r"no last\.ckpt to resume"):
        train(mini(packed), tmp_path / "nothing", resume=True)
    with pytest.raises(SettingError, match="corpus 'pijama' is not packed; choose from synthetic"):
        train(mini(packed, "data.repeat.pijama=2"), tmp_path / "unpacked")


def test_a_loss_that_is_not_finite_names_its_pieces(
    packed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> torch.Tensor:
        return torch.full((4,), float("nan"), requires_grad=True)

    monkeypatch.setattr("tatumflow.training.fit.losses.field_nll_sums", broken)
    with pytest.raises(TrainingError, match=r"step 0: the loss is nan on a batch of swing"):
        train(mini(packed), tmp_path / "nan")


def test_the_rate_rises_then_falls_to_its_final_share() -> None:
    settings = OptimizerSettings(warmup_steps=10, final_lr_share=0.05)
    shares = [learning_rate_share(step, 100, settings) for step in range(101)]
    assert shares[0] == pytest.approx(0.1)
    assert max(shares) == shares[10] == 1
    assert shares[100] == pytest.approx(0.05)
    assert all(a >= b for a, b in pairwise(shares[10:]))
