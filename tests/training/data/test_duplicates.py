"""Solos that stand in two corpora: found by melody or names, and kept on one side of the split."""

import io
from pathlib import Path

import numpy as np
import pytest
from corpus_samples import make_wjazzd, write_solo
from rich.console import Console

from tatumflow.training.data import commands
from tatumflow.training.data.corpora.note_array import note_array
from tatumflow.training.data.corpora.piece import BrokenFile, Piece, Split
from tatumflow.training.data.corpora.source import seeded_split
from tatumflow.training.data.duplicates import LEAST_SHARED, find_duplicates, without_leaks
from tatumflow.training.data.packing import PackedCorpus

_WORDS = ("c", "c#", "d", "d#", "e", "f", "f#", "g", "g#", "a", "a#", "b")


def melody(count: int, seed: int) -> np.ndarray:
    """Return pitches whose steps vary."""
    steps = np.random.default_rng(seed).integers(-4, 5, count - 1)
    return 64 + np.concatenate([[0], np.cumsum(steps)]) % 24


def piece(
    name: str,
    pitch: np.ndarray,
    split: Split = "train",
    *,
    quantized: bool = False,
    title: str = "",
    player: str = "",
) -> Piece:
    notes = note_array(0.2 * np.arange(len(pitch)), [0.1] * len(pitch), pitch, [64] * len(pitch))
    corpus = "improvisor" if quantized else "wjazzd"
    return Piece(name, corpus, player, title, split, notes, quantized=quantized)


def hidden(run: np.ndarray, seed: int) -> np.ndarray:
    """Return a melody that holds a run somewhere inside."""
    return np.concatenate([melody(37, seed), run, melody(52, seed + 1)])


def test_a_shared_run_is_found_wherever_it_lies_and_transposed() -> None:
    run = melody(LEAST_SHARED, 1)
    sheets = [piece("other", melody(200, 2), quantized=True), piece("sheet", hidden(run, 3), quantized=True)]
    played = [piece("far", melody(300, 5)), piece("near", hidden(run + 3, 7))]
    (found,) = find_duplicates(sheets, played)
    assert (found.quantized.name, found.played.name, found.named) == ("sheet", "near", False)
    assert LEAST_SHARED <= found.shared <= LEAST_SHARED + 2, "a neighbouring note may agree by chance"


def test_shorter_runs_and_runs_of_few_intervals_are_not_the_same_solo() -> None:
    short = melody(LEAST_SHARED - 4, 11)
    scale = 40 + np.arange(40)
    trill = np.tile([64, 65], 30)
    for run in (short, scale, trill):
        sheet, played = piece("sheet", hidden(run, 13), quantized=True), piece("p", hidden(run, 17))
        assert not list(find_duplicates([sheet], [played]))


@pytest.mark.parametrize(
    ("title", "player", "count"),
    [
        ("Now's The Time", "Charlie Parker", 1),
        ("Nows the time", "CHARLIE PARKER", 1),
        ("Ko-Ko", "Charlie Parker", 0),
        ("Now's The Time", "Sonny Rollins", 0),
    ],
)
def test_title_and_player_in_any_spelling_are_enough(title: str, player: str, count: int) -> None:
    sheet = piece("sheet", melody(50, 1), quantized=True, title="Now's the Time", player="Charlie Parker")
    found = list(find_duplicates([sheet], [piece("played", melody(50, 2), title=title, player=player)]))
    assert len(found) == count
    assert all(pair.named and not pair.leaks for pair in found)


def test_pieces_without_names_or_with_few_notes_match_nothing() -> None:
    sheet = piece("sheet", melody(5, 1), quantized=True)
    assert not list(find_duplicates([sheet], [piece("played", melody(5, 1))]))


def test_a_quantized_solo_is_left_out_where_its_performance_is_on_the_other_side() -> None:
    run = melody(60, 1)
    sheets = [
        piece("leaking", hidden(run, 3), quantized=True),
        piece("fair", hidden(run, 5), "val", quantized=True),
        piece("alone", melody(90, 7), quantized=True),
    ]
    items = [*sheets, BrokenFile("bad", "is empty"), piece("performance", hidden(run, 9), "val")]
    kept = list(without_leaks(items))
    assert [item.name for item in kept if isinstance(item, Piece)] == ["performance", "fair", "alone"]
    assert [(item.path, item.reason) for item in kept if isinstance(item, BrokenFile)] == [
        ("bad", "is empty"),
        ("leaking", "is the solo of performance (wjazzd), which is on the val side"),
    ]


def test_prepare_leaves_leaks_out_and_the_command_lists_them(tmp_path: Path) -> None:
    run = melody(60, 1)
    words = " ".join(f"{_WORDS[pitch % 12]}{'+' * (pitch // 12 - 5)}8" for pitch in (run % 24 + 60).tolist())
    (tmp_path / "sheets").mkdir()
    (tmp_path / "sheets" / "sheet.ls").write_text(f"(title Sheet)\n(part (type melody))\n{words}\n")
    solos = make_wjazzd(tmp_path / "solos", ["Ann_Other_Solo"])
    notes = [(0.2 * i, 0.1, float(pitch)) for i, pitch in enumerate((run % 24 + 60).tolist())]
    write_solo(solos / "csv_melody" / "Ann_Same_Solo.csv", notes)
    seed = next(s for s in range(99) if seeded_split("sheet", s) != seeded_split("same", s))
    sources = [tmp_path / "sheets", solos]
    console = Console(file=(output := io.StringIO()), width=200)
    commands.prepare(sources, tmp_path / "packed", seed=seed, console=console)
    packed = PackedCorpus.open(tmp_path / "packed")
    assert [found.name for found in packed.index.pieces] == ["Ann_Other_Solo.csv", "Ann_Same_Solo.csv"]
    assert "sheet.ls: is the solo of Ann_Same_Solo.csv" in output.getvalue()
    (found,) = commands.duplicates(sources, seed, console=console)
    assert found.leaks
    assert "1 of 1 quantized pieces are among 2 played ones" in output.getvalue()
