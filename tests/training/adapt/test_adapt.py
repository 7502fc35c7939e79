"""A folder of MIDI becomes a style: what is trained, how much of it is merged, and what is refused."""

import json
import signal
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from io import StringIO
from pathlib import Path
from unittest import mock

import numpy as np
import pytest
import torch
from corpus_samples import write_pijama_midi
from hypothesis import given
from hypothesis import strategies as st
from swing_pieces import swing_piece
from tiny_model import STYLES, tiny_trained

from tatumflow.engine.controls import Controls
from tatumflow.engine.errors import CorpusError, SettingError
from tatumflow.engine.model.bundle import load_bundle
from tatumflow.training.adapt import diversity
from tatumflow.training.adapt.adapter import adapter_of, attach_adapter, merged
from tatumflow.training.adapt.base_model import STYLE_TABLES, open_base
from tatumflow.training.adapt.budget import Budget, BudgetProgress
from tatumflow.training.adapt.commands import adapt
from tatumflow.training.adapt.diversity import Places, compare_diversity, largest_kept, play_on
from tatumflow.training.adapt.errors import AdaptError
from tatumflow.training.adapt.learning import LearningSettings, learn
from tatumflow.training.adapt.own_music import FEWEST_NOTES, hold_out, pack_own_music
from tatumflow.training.adapt.report import Adaptation, show
from tatumflow.training.data.batches import Batch
from tatumflow.training.data.corpora.piece import NOTE_DTYPE, Piece
from tatumflow.training.evaluate.generations import Performer
from tatumflow.training.evaluate.held_out import with_styles
from tatumflow.training.evaluate.primers import Notes, Primer
from tatumflow.training.fit.module import NoteTrainer

pytestmark = pytest.mark.slow

QUICK = LearningSettings(minutes=30.0, rank=4, alpha=8, lr=1e-2, max_epochs=6, val_every=8, val_windows=4)


def write_piece(path: Path, seed: int, bars: int) -> None:
    notes = swing_piece(seed, bars=bars).notes
    rows = [(float(n["onset"]), float(n["duration"]), int(n["pitch"]), int(n["velocity"])) for n in notes]
    write_pijama_midi(path, rows)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four pieces of about 500 notes, and a file that is no MIDI."""
    path = tmp_path_factory.mktemp("playing")
    for seed in range(4):
        write_piece(path / f"take {seed}.mid", seed, bars=40)
    (path / "broken.mid").write_bytes(b"MThd")
    return path


@pytest.fixture(scope="module")
def adaptation(folder: Path, tiny_bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Adaptation:
    out = tmp_path_factory.mktemp("models")
    with mock.patch.multiple(diversity, KEPT=0.0, CONTINUATIONS=2):
        return adapt(
            folder, "me", model=str(tiny_bundle), out=out / "me", settings=QUICK, json_path=out / "me.json"
        )


def test_the_style_is_in_a_bundle_beside_the_others(adaptation: Adaptation) -> None:
    bundle = adaptation.bundle
    assert bundle.styles == (*STYLES, "me")
    performer = Performer(bundle)
    given = swing_piece(9, bars=4).notes
    for style in ("me", "charlie-parker", ""):
        assert len(performer.continuation(given, 4.0, Controls(style=style)))
    manifest = bundle.manifest
    assert manifest.name == "me"
    assert manifest.licence == "CC-BY-NC-4.0"
    assert [credit.name for credit in manifest.corpora] == ["me"]
    assert "own files" in manifest.corpora[0].licence
    assert "adapted from tiny" in (bundle.path / "card.md").read_text()


def test_the_held_out_nll_falls(adaptation: Adaptation) -> None:
    assert adaptation.after.per_note.value < adaptation.before.per_note.value - 0.1
    assert adaptation.learned.after < adaptation.learned.before - 0.1
    assert 0 < adaptation.held_out < adaptation.notes / 3
    assert (adaptation.pieces, adaptation.skipped) == (4, 1)


def test_the_figures_are_shown_and_written(
    adaptation: Adaptation, capsys: pytest.CaptureFixture[str]
) -> None:
    show(adaptation)
    shown = capsys.readouterr().out
    assert "distinct voicings" in shown
    assert f"tatumflow jam --model {adaptation.bundle.path} --style me" in shown
    content = json.loads((adaptation.bundle.path.parent / "me.json").read_text())
    assert content["scale"] == 1
    assert content["nll_per_note"]["after"]["value"] == adaptation.after.per_note.value
    assert content["diversity"][0]["distinct_voicings_kept"] == adaptation.trials[0].voicings_kept


def test_the_base_begins_as_its_bundle(tiny_bundle: Path) -> None:
    base = open_base(load_bundle(tiny_bundle), "me")
    true = tiny_trained().model.config
    training = {"kl_weight": 0.0, "theory_weight": 0.0, "phrase_share": 0.5, "context_dropout": 0.0}
    assert base.model.config == true.model_copy(update={"num_styles": true.num_styles + 1, **training})
    assert base.styles == (*STYLES, "me")
    for table in STYLE_TABLES:
        rows = base.model.get_parameter(table)
        assert torch.equal(rows[-1], rows[0])


def test_only_the_adapter_and_the_new_row_change_the_base(tiny_bundle: Path) -> None:
    base = open_base(load_bundle(tiny_bundle), "me").model
    model = open_base(load_bundle(tiny_bundle), "me").model
    attach_adapter(model, rank=2, alpha=2)
    trained = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=0.1, weight_decay=0.0)
    for _ in range(2):
        optimizer.zero_grad()
        torch.stack([(p**2).sum() + p.sum() for p in trained]).sum().backward()
        optimizer.step()
    adapter = adapter_of(model, base)
    none, whole = (dict(merged(base, adapter, scale).named_parameters()) for scale in (0.0, 1.0))
    for name, weight in base.named_parameters():
        assert torch.equal(none[name], weight), name
        layer = name.split(".")[-2]
        adapted = ".blocks." in name and layer in ("qkv", "out", "gate_up", "down") and "decoder" in name
        if name in STYLE_TABLES:
            assert torch.equal(whole[name][:-1], weight[:-1])
            assert not torch.equal(whole[name][-1], weight[-1])
        else:
            assert torch.equal(whole[name], weight) == (not adapted), name


def test_ctrl_c_keeps_what_was_learnt(folder: Path, tiny_bundle: Path, tmp_path: Path) -> None:
    base = open_base(load_bundle(tiny_bundle), "me")
    corpus = with_styles(pack_own_music(folder, tmp_path / "packed", "me"), base.styles)

    def interrupt(detail: str) -> None:
        if "step 12," in detail:
            signal.raise_signal(signal.SIGINT)

    handler = signal.getsignal(signal.SIGINT)
    learned = learn(base, corpus, QUICK, interrupt)
    assert learned.steps == 12
    assert learned.after < learned.before
    assert signal.getsignal(signal.SIGINT) is handler


def test_an_adapter_that_learns_nothing_is_refused(folder: Path, tiny_bundle: Path, tmp_path: Path) -> None:
    base = open_base(load_bundle(tiny_bundle), "me")
    corpus = with_styles(pack_own_music(folder, tmp_path / "packed", "me"), base.styles)
    idle = LearningSettings(lr=1e-30, max_epochs=1, val_every=100, val_windows=2)
    with pytest.raises(AdaptError, match="the held-out NLL is no lower"):
        learn(base, corpus, idle)


def pieces_of(lengths: Sequence[int]) -> list[Piece]:
    pieces = []
    for i, length in enumerate(lengths):
        notes = np.zeros(length, NOTE_DTYPE)
        notes["onset"] = np.arange(length) / 4
        notes["pitch"] = 60
        pieces.append(Piece(f"{i}.mid", "me", "me", str(i), "train", notes))
    return pieces


@given(st.lists(st.integers(20, 400), min_size=1, max_size=12), st.integers(0, 5))
def test_some_music_is_held_out_and_none_is_lost(lengths: list[int], seed: int) -> None:
    sides = hold_out(pieces_of(lengths), seed)
    held = sum(len(piece.notes) for piece in sides if piece.split == "val")
    assert sum(len(piece.notes) for piece in sides) == sum(lengths)
    assert 0.05 * sum(lengths) <= held <= 0.3 * sum(lengths)
    assert all(piece.notes["onset"][0] == 0 for piece in sides)


def test_of_one_piece_the_end_is_held_out() -> None:
    train, val = hold_out(pieces_of([100]))
    assert (train.split, val.split) == ("train", "val")
    assert (len(train.notes), len(val.notes)) == (80, 20)
    assert val.name != train.name


def chords_of(pitches: Sequence[int], step: float = 0.5) -> Notes:
    """Three notes struck together on each pitch, with others on top."""
    notes = np.zeros(3 * len(pitches), NOTE_DTYPE)
    notes["onset"] = np.repeat(np.arange(len(pitches)) * step, 3)
    notes["duration"] = 0.2
    notes["pitch"] = (np.array(pitches)[:, None] + [0, 4, 7]).ravel()
    notes["velocity"] = 64
    return notes


def test_less_of_the_adapter_is_merged_where_diversity_falls() -> None:
    base = [chords_of(range(40, 70)), chords_of(range(45, 75))]
    narrow = [chords_of([60] * 30)] * 2
    trials = largest_kept(lambda scale: narrow if scale > 0.5 else base, base)
    assert [trial.scale for trial in trials] == [1.0, 0.75, 0.5]
    assert [trial.kept for trial in trials] == [False, False, True]
    assert trials[0].voicings_kept == pytest.approx(1 / 35)
    assert trials[-1].voicings_kept == trials[-1].entropy_kept == 1


@pytest.mark.parametrize("played", [chords_of([60] * 30), chords_of([])], ids=["narrow", "silent"])
def test_an_adapter_that_narrows_the_base_at_any_share_is_refused(played: Notes) -> None:
    with pytest.raises(AdaptError, match="25%"):
        largest_kept(lambda _: [played], [chords_of(range(40, 70))])


def test_playing_more_is_not_more_diverse() -> None:
    base = [chords_of(range(40, 60))]
    trial = compare_diversity(1.0, base, [chords_of(range(40, 80), step=0.25)])
    assert trial.voicings_kept == trial.entropy_kept == 1
    assert trial.base.onsets == trial.adapted.onsets == 20


def test_where_time_is_short_the_smallest_share_is_tried_or_none() -> None:
    base, narrow = [chords_of(range(40, 70))], [chords_of([60] * 30)]
    tried: list[float] = []

    def play(scale: float) -> Sequence[Notes]:
        tried.append(scale)
        return base if scale < 0.5 else narrow

    assert largest_kept(play, base, lambda: 1)[-1].scale == 0.25
    assert tried == [1.0, 0.25]
    with pytest.raises(AdaptError, match=r"100% of the adapter keeps only .* no time is left"):
        largest_kept(play, base, lambda: 0)


class SlowClock:
    """A clock that goes on by half a second whenever it is looked at."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        self.now += 0.5
        return self.now


def test_time_is_shown_as_what_is_left() -> None:
    clock, stream = SlowClock(), StringIO()
    with BudgetProgress(Budget(300.0, clock), stream) as progress:
        progress.begin("reading")
        clock.now = 100.0
        progress.begin("training")
        progress.update("step 1")
        clock.now = 400.0
        progress.update("step 9")
    lines = stream.getvalue().splitlines()
    assert [line.split("  ") for line in lines] == [
        ["adapt 4:59 left", "reading"],
        ["adapt 3:20 left", "training"],
        ["adapt 0:00 left", "training: step 9"],
    ]


def test_a_time_too_short_for_the_rest_is_refused(folder: Path, tiny_bundle: Path, tmp_path: Path) -> None:
    with pytest.raises(AdaptError, match=r"--minutes: 0\.4 are too few .* need about \d+\.\d") as caught:
        adapt(folder, "me", model=str(tiny_bundle), out=tmp_path / "me", budget=Budget(24.0, SlowClock()))
    assert "\n" not in str(caught.value)
    assert not list(tmp_path.iterdir())


def test_reading_takes_no_more_than_its_share(folder: Path, tiny_bundle: Path, tmp_path: Path) -> None:
    with pytest.raises(AdaptError, match="the time for reading is up"):
        adapt(folder, "me", model=str(tiny_bundle), out=tmp_path / "me", budget=Budget(2.0, SlowClock()))


def test_playing_on_ends_with_its_time(tiny_bundle: Path) -> None:
    given = swing_piece(9, bars=4).notes
    primer = Primer("one", "me", "me", "one", given, given, None)
    calls: list[bool] = []

    def go_on() -> bool:
        calls.append(True)
        return len(calls) < 2

    performer = Performer(load_bundle(tiny_bundle))
    assert len(play_on(performer, Places((primer,) * 5, 2.0), "", go_on=go_on)) == 2


def test_training_ends_with_its_time(folder: Path, tiny_bundle: Path, tmp_path: Path) -> None:
    base = open_base(load_bundle(tiny_bundle), "me")
    corpus = with_styles(pack_own_music(folder, tmp_path / "packed", "me"), base.styles)
    details: list[str] = []
    with suppress(AdaptError):
        learn(base, corpus, QUICK, details.append, seconds=0.0)
    assert len(details) == 1


def test_sigterm_ends_everything_at_once(
    folder: Path, tiny_bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    step, handler = NoteTrainer.training_step, signal.getsignal(signal.SIGTERM)
    steps: list[int] = []

    def ended(self: NoteTrainer, batch: Batch, batch_idx: int) -> torch.Tensor:
        steps.append(batch_idx)
        if len(steps) == 2:
            signal.raise_signal(signal.SIGTERM)
        return step(self, batch, batch_idx)

    monkeypatch.setattr(NoteTrainer, "training_step", ended)
    monkeypatch.setattr(diversity, "CONTINUATIONS", 2)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    (tmp_path / "models").mkdir()
    with pytest.raises(SystemExit) as caught:
        adapt(folder, "me", model=str(tiny_bundle), out=tmp_path / "models" / "me", settings=QUICK)
    assert caught.value.code == 143
    assert len(steps) == 2
    assert not list((tmp_path / "models").iterdir())
    assert not list((tmp_path / "temporary").glob("tatumflow-*"))
    assert signal.getsignal(signal.SIGTERM) is handler


def test_music_that_is_none_is_refused(tmp_path: Path) -> None:
    def reason(kind: type[Exception]) -> str:
        with pytest.raises(kind) as caught:
            pack_own_music(tmp_path / "music", tmp_path / "packed", "me")
        assert "\n" not in str(caught.value)
        return str(caught.value)

    assert "no such folder" in reason(CorpusError)
    (tmp_path / "music").mkdir()
    assert "holds no MIDI files" in reason(AdaptError)
    (tmp_path / "music" / "notes.txt").write_text("C E G")
    assert "holds no MIDI files" in reason(AdaptError)
    (tmp_path / "music" / "broken.mid").write_bytes(b"MThd")
    assert "none of its 1 MIDI files can be read" in reason(AdaptError)
    write_piece(tmp_path / "music" / "short.mid", 0, bars=4)
    assert f"at least {FEWEST_NOTES:,}" in reason(AdaptError)


@pytest.mark.parametrize(
    ("name", "hint"),
    [("art-tatum", "is a style of tiny already"), ("Anna K.", "such as 'anna-k'"), ("", "such as 'me'")],
)
def test_names_that_cannot_be_are_refused(
    folder: Path, tiny_bundle: Path, tmp_path: Path, name: str, hint: str
) -> None:
    with pytest.raises(SettingError, match=hint):
        adapt(folder, name, model=str(tiny_bundle), out=tmp_path / "out")


def test_what_is_no_bundle_is_not_replaced(folder: Path, tiny_bundle: Path, tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="not a model bundle"):
        adapt(folder, "me", model=str(tiny_bundle), out=tmp_path)
    with pytest.raises(SettingError, match="does not exist"):
        adapt(
            folder, "me", model=str(tiny_bundle), out=tmp_path / "out", json_path=tmp_path / "no" / "me.json"
        )


def test_the_name_of_a_model_of_the_package_is_taken(folder: Path, tiny_bundle: Path) -> None:
    with pytest.raises(SettingError, match="is the name of the model in"):
        adapt(folder, "tatumflow-live", model=str(tiny_bundle))
