import json
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from tatumflow.engine.errors import CorpusError
from tatumflow.engine.files.whole_file import set_aside
from tatumflow.training.data.corpora.note_array import note_array
from tatumflow.training.data.corpora.piece import BrokenFile, Piece, Split
from tatumflow.training.data.packing import PackedCorpus, pack, style_slug


def piece(name: str, player: str, split: Split = "train", count: int = 10, corpus: str = "c") -> Piece:
    index = np.arange(count)
    notes = note_array(0.1 * index, [0.05] * count, 40 + index % 40, [64] * count)
    return Piece(name, corpus, player, name.title(), split, notes, tempo=120.0 if count % 2 else None)


@pytest.fixture
def pieces() -> list[Piece | BrokenFile]:
    return [
        piece("a", "Art Tatum", count=30),
        BrokenFile("bad.mid", "is empty"),
        piece("b", "Bud Powell", count=5),
        piece("c", "Charlie Parker", count=21, corpus="d"),
        piece("d", "Bud Powell", "val", count=100),
    ]


def test_pieces_come_back_as_they_were_packed(pieces: list[Piece | BrokenFile], tmp_path: Path) -> None:
    pack(pieces, tmp_path / "out", {"c": "CC0"}, min_style_notes=20)
    corpus = PackedCorpus.open(tmp_path / "out")
    assert all(isinstance(shard, np.memmap) for shard in corpus.shards)
    expected = [p for p in pieces if isinstance(p, Piece)]
    for packed, original in zip(corpus.index.pieces, expected, strict=True):
        np.testing.assert_array_equal(corpus.notes(packed), original.notes)
        assert (packed.name, packed.corpus, packed.player) == (
            original.name,
            original.corpus,
            original.player,
        )
        assert (packed.title, packed.split, packed.tempo) == (original.title, original.split, original.tempo)
    assert [(f.path, f.reason) for f in corpus.index.broken] == [("bad.mid", "is empty")]
    assert [(c.name, c.licence) for c in corpus.index.corpora] == [("c", "CC0"), ("d", "unstated")]


def test_pieces_are_chosen_by_split_and_corpus(pieces: list[Piece | BrokenFile], tmp_path: Path) -> None:
    pack(pieces, tmp_path / "out")
    corpus = PackedCorpus.open(tmp_path / "out")
    assert [p.name for p in corpus.pieces("train")] == ["a", "b", "c"]
    assert [p.name for p in corpus.pieces("train", "d")] == ["c"]
    assert [p.name for p in corpus.pieces("val")] == ["d"]
    assert corpus.pieces("val", "d") == ()


def test_training_notes_alone_earn_a_style(pieces: list[Piece | BrokenFile], tmp_path: Path) -> None:
    report = pack(pieces, tmp_path / "out", min_style_notes=20)
    corpus = PackedCorpus.open(tmp_path / "out")
    assert report.styles == corpus.index.styles == ("art-tatum", "charlie-parker")
    assert corpus.style_id("Art Tatum") == corpus.style_id("art-tatum") == 1
    assert corpus.style_id("Charlie Parker") == 2
    assert corpus.style_id("Bud Powell") == 0, "105 notes, but only 5 to train on"
    assert corpus.style_id("") == 0


def test_a_player_of_two_corpora_has_one_style(tmp_path: Path) -> None:
    both = [piece("a", "Red Garland", count=15), piece("b", "Red  garland", count=15, corpus="d")]
    assert pack(both, tmp_path / "out", min_style_notes=30).styles == ("red-garland",)


@pytest.mark.parametrize(
    ("player", "slug"),
    [("Art Tatum", "art-tatum"), ("J.J. Johnson", "j-j-johnson"), ("Renée Rosnes", "renee-rosnes"), ("", "")],
)
def test_style_slugs(player: str, slug: str) -> None:
    assert style_slug(player) == slug


def test_the_report_counts_by_corpus_and_split(pieces: list[Piece | BrokenFile], tmp_path: Path) -> None:
    report = pack(pieces, tmp_path / "out")
    counted = [(c.corpus, c.split, c.pieces, c.notes) for c in report.counts]
    assert counted == [("c", "train", 2, 35), ("c", "val", 1, 100), ("d", "train", 1, 21)]
    assert report.counts[1].hours == pytest.approx((99 * 0.1 + 0.05) / 3600, rel=1e-4)
    assert [file.path for file in report.broken] == ["bad.mid"]


def test_packing_again_replaces_and_leaves_nothing_beside(tmp_path: Path) -> None:
    pack([piece("a", "X")], tmp_path / "out")
    pack([piece("b", "X")], tmp_path / "out")
    assert [p.name for p in PackedCorpus.open(tmp_path / "out").index.pieces] == ["b"]
    assert [p.name for p in tmp_path.iterdir()] == ["out"]


def test_a_failed_packing_keeps_what_was_there(tmp_path: Path) -> None:
    pack([piece("a", "X")], tmp_path / "out")
    with pytest.raises(CorpusError, match="no piece could be read"):
        pack([BrokenFile("b", "bad")], tmp_path / "out")
    with pytest.raises(CorpusError, match="twice"):
        pack([piece("b", "X"), piece("b", "X")], tmp_path / "out")
    assert [p.name for p in PackedCorpus.open(tmp_path / "out").index.pieces] == ["a"]
    assert [p.name for p in tmp_path.iterdir()] == ["out"]


def test_a_folder_of_something_else_is_never_replaced(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("x")
    with pytest.raises(CorpusError, match="not a packed corpus"):
        pack([piece("a", "X")], tmp_path)
    assert (tmp_path / "thesis.tex").exists()


def test_pieces_without_notes_are_reported(tmp_path: Path) -> None:
    report = pack([piece("a", "X"), piece("b", "X", count=0)], tmp_path / "out")
    assert [(file.path, file.reason) for file in report.broken] == [("b", "has no notes")]


def _edit(path: Path, **changes: object) -> None:
    content = json.loads((path / "index.json").read_text())
    (path / "index.json").write_text(json.dumps(content | changes))


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (lambda path: (path / "index.json").unlink(), "is not a packed corpus"),
        (lambda path: (path / "index.json").write_text("{"), "cannot be read"),
        (lambda path: (path / "index.json").write_text("[]"), "has format None"),
        (lambda path: _edit(path, format_version=99), "has format 99, this program reads 3 to 4"),
        (lambda path: _edit(path, styles=["b", "a"]), "styles are not sorted"),
        (lambda path: _edit(path, pieces=[{}]), r"pieces\.0\.name"),
        (lambda path: (path / "notes-00000.npy").unlink(), r"notes-00000\.npy: cannot be read"),
        (lambda path: (path / "notes-00000.npy").write_bytes(b"x"), r"notes-00000\.npy: cannot be read"),
        (lambda path: np.save(path / "notes-00000.npy", np.zeros(99)), "does not hold notes"),
        (
            lambda path: np.save(path / "notes-00000.npy", piece("z", "Z", count=3).notes),
            "shorter than its index",
        ),
        (lambda path: _edit(path, shards=[]), "shorter than its index"),
        (lambda path: _edit(path, shards=["../notes.npy"]), r"shards\.0"),
    ],
)
def test_a_damaged_corpus_is_refused_in_one_line(
    damage: Callable[[Path], object], reason: str, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    pack([piece("a", "X")], out)
    damage(out)
    with pytest.raises(CorpusError, match=reason) as caught:
        PackedCorpus.open(out)
    assert "\n" not in str(caught.value)
    assert str(out) in str(caught.value)


def test_packed_notes_cannot_be_changed(tmp_path: Path) -> None:
    pack([piece("a", "X")], tmp_path / "out")
    corpus = PackedCorpus.open(tmp_path / "out")
    with pytest.raises(ValueError, match="read-only"):
        corpus.notes(corpus.index.pieces[0])["pitch"] = 0


def test_opening_needs_no_midi_library() -> None:
    code = (
        "import sys, tatumflow.training.data.packing\n"
        "print(sorted({'symusic', 'mido', 'torch', 'miditok', 'matplotlib'} & set(sys.modules)))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


@pytest.mark.parametrize("number", [0, 1, 2])
@pytest.mark.parametrize("when", ["before", "after"])
def test_ctrl_c_while_a_corpus_is_replaced_leaves_the_old_or_the_new(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, when: str
) -> None:
    pack([piece("old", "Art Tatum")], tmp_path / "out")
    interrupt_rename(monkeypatch, number, when)
    with suppress(KeyboardInterrupt):
        pack([piece("new", "Art Tatum")], tmp_path / "out")
    (packed,) = PackedCorpus.open(tmp_path / "out").index.pieces
    assert packed.name in ("old", "new")


def test_a_corpus_that_was_left_aside_is_found_again(tmp_path: Path) -> None:
    pack([piece("old", "Art Tatum")], tmp_path / "out")
    (tmp_path / "out").rename(set_aside(tmp_path / "out"))
    assert [one.name for one in PackedCorpus.open(tmp_path / "out").index.pieces] == ["old"]


def interrupt_rename(monkeypatch: pytest.MonkeyPatch, number: int, when: str) -> None:
    """Raise KeyboardInterrupt before or after one call of `Path.rename`, counted from 0."""
    real, calls = Path.rename, []

    def rename(self: Path, target: Path) -> Path:
        calls.append(target)
        if len(calls) == number + 1:
            if when == "after":
                real(self, target)
            raise KeyboardInterrupt
        return real(self, target)

    monkeypatch.setattr(Path, "rename", rename)
