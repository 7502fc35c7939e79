import io
import tarfile
from pathlib import Path

import pytest
from corpus_samples import SCALE, archive, make_pijama, make_wjazzd, write_pijama_midi
from rich.console import Console

from tatumflow.engine.errors import CorpusError
from tatumflow.training.data.commands import prepare, stats
from tatumflow.training.data.corpora.note_array import note_array
from tatumflow.training.data.corpora.piece import BrokenFile, Piece
from tatumflow.training.data.corpora.readers import read_sources
from tatumflow.training.data.corpora.statistics import corpus_statistics
from tatumflow.training.data.packing import PackedCorpus

STEMS = ["CharlieParker_Ko=Ko_Solo", *(f"MilesDavis_Tune{i}-1_Solo" for i in range(60))]


@pytest.fixture
def pijama(tmp_path: Path) -> Path:
    return make_pijama(tmp_path / "pijama")


@pytest.fixture
def wjazzd(tmp_path: Path) -> Path:
    return make_wjazzd(tmp_path / "wjazzd", STEMS)


def test_the_files_of_a_source_decide_its_reader(pijama: Path, wjazzd: Path, tmp_path: Path) -> None:
    write_pijama_midi(tmp_path / "mine" / "a.mid", SCALE)
    sources = [archive(pijama), wjazzd, archive(tmp_path / "mine")]
    pieces = [piece for piece in read_sources(sources) if isinstance(piece, Piece)]
    assert [sum(p.corpus == name for p in pieces) for name in ("pijama", "wjazzd", "mine")] == [
        3,
        len(STEMS),
        1,
    ]


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("nowhere", "no such folder"),
        ("text.txt", "neither a folder nor a tar archive"),
        ("bad.tar.xz", "cannot be extracted"),
        ("bare", "holds neither"),
    ],
)
def test_a_source_that_is_no_corpus_is_refused_in_one_line(tmp_path: Path, name: str, reason: str) -> None:
    (tmp_path / "text.txt").write_text("x")
    (tmp_path / "bad.tar.xz").write_bytes(b"x" * 100)
    (tmp_path / "bare").mkdir()
    with pytest.raises(CorpusError, match=reason) as caught:
        list(read_sources([tmp_path / name]))
    assert name in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_archive_cannot_write_outside_its_folder(tmp_path: Path) -> None:
    path = tmp_path / "evil.tar"
    with tarfile.open(path, "w") as file:
        info = tarfile.TarInfo("../escaped.mid")
        info.size = 1
        file.addfile(info, io.BytesIO(b"x"))
    with pytest.raises(CorpusError, match="cannot be extracted"):
        list(read_sources([path]))


@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
def test_an_archive_cut_short_is_refused(wjazzd: Path, share: float) -> None:
    path = archive(wjazzd)
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    with pytest.raises(CorpusError, match="cannot be extracted") as caught:
        list(read_sources([path]))
    assert "\n" not in str(caught.value)


def test_prepare_packs_and_prints(pijama: Path, wjazzd: Path, tmp_path: Path) -> None:
    console = Console(file=(output := io.StringIO()), width=200)
    report = prepare([pijama, wjazzd], tmp_path / "packed", min_style_notes=8, console=console)
    opened = PackedCorpus.open(report.out)
    assert {c.name: c.licence for c in opened.index.corpora} == {
        "pijama": "CC BY-NC 4.0",
        "wjazzd": "ODbL 1.0",
    }
    assert opened.style_id("Art Tatum") > 0
    printed = output.getvalue()
    assert "2 broken files" in printed
    assert "Gone.midi: no such file" in printed


def test_statistics_count_what_is_there(tmp_path: Path) -> None:
    chord = note_array([0.0, 0.0, 2.0], [1.0, 1.0, 2.0], [48, 60, 72], [60, 60, 60])
    line = note_array([0.0, 0.5], [0.5, 0.5], [60, 62], [0, 0])
    counted = corpus_statistics(
        [
            Piece("a", "one", "Ann", "", "train", chord, tempo=100.0),
            BrokenFile("b", "bad"),
            Piece("c", "two", "Bob", "", "val", line, tempo=200.0),
            Piece("d", "two", "", "", "val", line),
        ]
    )
    assert (counted.files, counted.broken, counted.notes, counted.players) == (4, 1, 7, 2)
    assert counted.hours == pytest.approx((4 + 1 + 1) / 3600)
    assert counted.notes_per_second == pytest.approx(7 / 6)
    assert counted.polyphony == pytest.approx((4 + 1 + 1) / (3 + 1 + 1))
    assert counted.pitch_range == (48, 72)
    assert counted.tempo_range == (100.0, 200.0)
    assert counted.split_notes == {("one", "train"): 3, ("two", "val"): 4}
    assert counted.player_notes == {"Ann": 3, "Bob": 2}
    assert counted.pitch_counts[60 - 21] == 3
    assert counted.interval_counts.sum() == 4
    with pytest.raises(CorpusError, match="none of the 1 files"):
        corpus_statistics([BrokenFile("b", "bad")])


def test_stats_print_and_draw(pijama: Path, tmp_path: Path) -> None:
    console = Console(file=(output := io.StringIO()), width=100)
    picture = tmp_path / "stats.png"
    counted = stats([pijama], picture, console=console)
    assert (counted.files, counted.broken) == (5, 2)
    printed = output.getvalue()
    assert "5 (2 broken)" in printed
    assert "Art Tatum" in printed
    assert picture.read_bytes().startswith(b"\x89PNG")
    with pytest.raises(CorpusError, match="cannot be written"):
        stats([pijama], tmp_path / "missing" / "stats.png", console=console)
