from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest
from corpus_samples import SCALE, archive, make_pijama, make_wjazzd, write_pijama_midi, write_solo

from tatumflow.engine.errors import CorpusError
from tatumflow.engine.model.tokens import to_ticks
from tatumflow.training.data.corpora.midi_folder import read_midi_folder
from tatumflow.training.data.corpora.note_array import note_array
from tatumflow.training.data.corpora.piece import NOTE_DTYPE, UNKNOWN_VELOCITY, BrokenFile, Piece
from tatumflow.training.data.corpora.pijama import read_pijama
from tatumflow.training.data.corpora.wjazzd import player_of, read_wjazzd, tune_of


def sorted_out(items: Iterable[Piece | BrokenFile]) -> tuple[dict[str, Piece], dict[str, BrokenFile]]:
    pieces: dict[str, Piece] = {}
    broken: dict[str, BrokenFile] = {}
    for item in items:
        if isinstance(item, Piece):
            pieces[item.title] = item
        else:
            broken[Path(item.path).stem] = item
    return pieces, broken


@pytest.fixture
def pijama(tmp_path: Path) -> Path:
    return make_pijama(tmp_path / "pijama")


STEMS = [
    "CharlieParker_Ko=Ko_Solo",
    "DonByas_Be=Bop-2_Solo",
    "JJJohnson_Teapot_Solo",
    *(f"MilesDavis_Tune{i}-1_Solo" for i in range(60)),
    *(f"ChetBaker_Tune{i}-2_solo" for i in range(60)),
]


@pytest.fixture
def wjazzd(tmp_path: Path) -> Path:
    return make_wjazzd(tmp_path / "wjazzd", STEMS)


def test_pijama_gives_its_own_split_and_names(pijama: Path) -> None:
    pieces, _ = sorted_out(read_pijama(pijama))
    assert {title: (p.player, p.split) for title, p in pieces.items()} == {
        "Tiger Rag": ("Art Tatum", "train"),
        "Elegie": ("Art Tatum", "val"),
        "Slow, Freight": ("Ray Bryant", "train"),
    }
    piece = pieces["Tiger Rag"]
    assert (piece.corpus, piece.tempo) == ("pijama", None)
    assert piece.name == "midi/studio/Art Tatum/Solo/Tiger Rag.midi"
    assert piece.notes.dtype == NOTE_DTYPE
    np.testing.assert_allclose(piece.notes["onset"], [row[0] for row in SCALE], atol=1e-6)
    np.testing.assert_allclose(piece.notes["duration"], 0.4, atol=1e-6)
    assert piece.notes["pitch"].tolist() == [row[2] for row in SCALE]
    assert piece.notes["velocity"].tolist() == [row[3] for row in SCALE]


def test_pijama_reports_missing_and_damaged_files(pijama: Path) -> None:
    _, broken = sorted_out(read_pijama(pijama))
    assert set(broken) == {"Gone", "Cut"}
    assert "no such file" in broken["Gone"].reason
    assert "cut short" in broken["Cut"].reason


def test_pijama_keeps_the_performance_alone(pijama: Path) -> None:
    pieces, _ = sorted_out(read_pijama(pijama))
    notes = pieces["Slow, Freight"].notes
    assert notes["pitch"].tolist() == [62, 63, 64], "the notes that begin from 1 s to 2 s"
    np.testing.assert_allclose(notes["onset"], [0.0, 0.5, 1.0], atol=1e-6)


def test_an_archive_reads_as_its_folder_does(pijama: Path, wjazzd: Path) -> None:
    for read, folder in ((read_pijama, pijama), (read_wjazzd, wjazzd)):
        unpacked, packed = list(read(folder)), list(read(archive(folder)))
        assert len(unpacked) == len(packed)
        for left, right in zip(unpacked, packed, strict=True):
            if isinstance(left, Piece):
                assert isinstance(right, Piece)
                assert (left.name, left.player, left.split) == (right.name, right.player, right.split)
                np.testing.assert_array_equal(left.notes, right.notes)


def test_pijama_without_the_needed_columns_is_refused(pijama: Path) -> None:
    (pijama / "pijama.csv").write_text("artist,title\nArt Tatum,Tiger Rag\n")
    with pytest.raises(CorpusError, match=r"pijama\.csv: lacks the columns midi_filepath"):
        list(read_pijama(pijama))


def test_weimar_takes_names_and_tempo_from_the_table_or_the_file(wjazzd: Path) -> None:
    pieces, broken = sorted_out(read_wjazzd(wjazzd))
    assert not broken
    parker, johnson = pieces["Ko-Ko"], pieces["Teapot"]
    assert (parker.player, parker.tempo, parker.corpus) == ("Charlie Parker", 303.5, "wjazzd")
    assert (johnson.player, johnson.tempo) == ("J.J. Johnson", pytest.approx(200.0))
    assert pieces["Be-Bop"].player == "Don Byas"


def test_weimar_solos_begin_at_zero_without_velocities(wjazzd: Path) -> None:
    notes = sorted_out(read_wjazzd(wjazzd))[0]["Ko-Ko"].notes
    np.testing.assert_allclose(notes["onset"], 0.2 * np.arange(10), atol=1e-6)
    assert set(notes["velocity"].tolist()) == {UNKNOWN_VELOCITY}


def test_weimar_keeps_all_solos_on_a_tune_on_one_side(wjazzd: Path) -> None:
    sides: dict[str, set[str]] = {}
    pieces = [piece for piece in read_wjazzd(wjazzd) if isinstance(piece, Piece)]
    for piece in pieces:
        sides.setdefault(tune_of(Path(piece.name).stem), set()).add(piece.split)
    assert all(len(side) == 1 for side in sides.values())
    share = sum(piece.split == "val" for piece in pieces) / len(pieces)
    assert 0.02 < share < 0.25


def test_the_seed_chooses_the_validation_side(wjazzd: Path) -> None:
    def val(seed: int) -> list[str]:
        return [p.name for p in read_wjazzd(wjazzd, seed) if isinstance(p, Piece) and p.split == "val"]

    assert val(0) == val(0)
    assert val(0) != val(1)


@pytest.mark.parametrize(
    ("stem", "player"),
    [
        ("CharlieParker_Ko=Ko_Solo", "Charlie Parker"),
        ("JJJohnson_Teapot_Solo", "J.J. Johnson"),
        ("J.J.Johnson_Teapot_Solo", "J. J. Johnson"),
        ("JCHigginbotham_X_Solo", "J.C. Higginbotham"),
        ("KidOry_Who'sit_Solo", "Kid Ory"),
        ("DonEllis_ILoveYou_Solo", "Don Ellis"),
        ("BixBeiderbecke_Margie_Solo", "Bix Beiderbecke"),
        ("Wynton Marsalis_Caravan_Solo", "Wynton Marsalis"),
    ],
)
def test_players_are_read_from_file_names(stem: str, player: str) -> None:
    assert player_of(stem) == player


@pytest.mark.parametrize(
    ("stem", "tune"),
    [
        ("WyntonMarsalis_CherokeeII_Solo", "cherokee"),
        ("WyntonMarsalis_Cherokee_Solo", "cherokee"),
        ("CliffordBrown_I'llRememberApril_AlternateTake2_Solo", "illrememberapril"),
        ("JohnColtrane_Impressions_1961_Solo", "impressions"),
        ("SonnyRollins_BlueSeven-3_Solo", "blueseven"),
        ("BranfordMarsalis_Ummg_Solo", "ummg"),
        ("WyntonMarsalis_U.M.M.G._Solo", "ummg"),
        ("EricDolphy_245_Solo", "245"),
        ("EricDolphy_Aisha_solo", "aisha"),
    ],
)
def test_tunes_are_the_same_for_every_take(stem: str, tune: str) -> None:
    assert tune_of(stem) == tune


def test_weimar_reports_tables_that_are_none(tmp_path: Path) -> None:
    folder = make_wjazzd(tmp_path / "w", ["DonByas_Good_Solo"])
    melodies = folder / "csv_melody"
    (melodies / "DonByas_Words_Solo.csv").write_text("onset,duration,pitch,beatdur\na,b,c,d\n")
    (melodies / "DonByas_Columns_Solo.csv").write_text("onset,duration,beatdur\n1,1,1\n")
    (melodies / "DonByas_Empty_Solo.csv").write_text("")
    (melodies / "DonByas_Bytes_Solo.csv").write_bytes(b"onset,duration,pitch,beatdur\n\xff\xfe\0,1,1,1\n")
    write_solo(melodies / "DonByas_Low_Solo.csv", [(0.0, 1.0, 3.0)])
    pieces, broken = sorted_out(read_wjazzd(folder))
    assert set(pieces) == {"Good"}
    assert len(broken) == 5
    assert "column pitch" in broken["DonByas_Columns_Solo"].reason


def test_weimar_without_its_table_still_reads(tmp_path: Path) -> None:
    folder = make_wjazzd(tmp_path / "w", ["CharlieParker_Ko=Ko_Solo"])
    (folder / "df_solos_v1_2.csv").unlink()
    piece = sorted_out(read_wjazzd(folder))[0]["Ko-Ko"]
    assert (piece.player, piece.tempo) == ("Charlie Parker", pytest.approx(200.0))


def test_a_midi_folder_is_read_at_any_depth(tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    write_pijama_midi(folder / "Bud Powell" / "1951" / "a.MID", SCALE)
    write_pijama_midi(folder / "b.mid", SCALE)
    (folder / "c.midi").write_text("not music")
    (folder / "._b.mid").write_bytes(b"x")
    (folder / "notes.txt").write_text("x")
    pieces, broken = sorted_out(read_midi_folder(folder))
    assert {title: (p.name, p.player, p.corpus) for title, p in pieces.items()} == {
        "a": ("Bud Powell/1951/a.MID", "1951", "mine"),
        "b": ("b.mid", "mine", "mine"),
    }
    assert pieces["a"].tempo == pytest.approx(120)
    assert list(broken) == ["c"]
    named = sorted_out(read_midi_folder(folder, player="Ann"))[0]
    assert {piece.player for piece in named.values()} == {"Ann"}


def test_a_midi_folder_is_split_by_file(tmp_path: Path) -> None:
    for i in range(60):
        write_pijama_midi(tmp_path / f"{i}.mid", SCALE)
    split = [piece.split for piece in read_midi_folder(tmp_path, corpus="x") if isinstance(piece, Piece)]
    assert 1 <= split.count("val") <= 15
    assert split == [p.split for p in read_midi_folder(tmp_path, corpus="x") if isinstance(p, Piece)]


def test_notes_are_ordered_by_tick_then_pitch_from_zero() -> None:
    notes = note_array(
        onset=[2.004, 2.001, 2.0, 3.0, 1.9],
        duration=[0.1, 0.1, 0.001, 0.1, 0.1],
        pitch=[60, 64, 67, 20, 110],
        velocity=[1, 2, 3, 4, 5],
    )
    assert notes["pitch"].tolist() == [60, 64, 67]
    assert notes["onset"].min() == 0
    assert notes["duration"].min() == pytest.approx(0.01)
    assert (np.diff(to_ticks(notes["onset"])) >= 0).all()


def test_notes_of_one_pitch_on_one_tick_are_one_note() -> None:
    notes = note_array([0.0, 0.003, 0.003], [0.5, 0.2, 0.2], [60, 60, 61], [40, 90, 50])
    assert notes["pitch"].tolist() == [60, 61]
    assert notes["duration"][0] == pytest.approx(0.5)
    assert notes["velocity"].tolist() == [90, 50]
