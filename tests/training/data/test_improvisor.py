"""Impro-Visor's lead sheets: notation, solos, and what training takes from quantized music."""

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from corpus_samples import archive

from tatumflow.engine.errors import CorpusError
from tatumflow.engine.harmony.chords import NO_CHORD, chord_id, parse_chord
from tatumflow.engine.model.tokens import PITCH
from tatumflow.training.data.corpora.improvisor import player_of, read_improvisor, tune_key
from tatumflow.training.data.corpora.leadsheet import parse_leadsheet
from tatumflow.training.data.corpora.note_array import note_array
from tatumflow.training.data.corpora.piece import UNKNOWN_VELOCITY, BrokenFile, Piece
from tatumflow.training.data.corpora.readers import read_sources
from tatumflow.training.data.corpora.wjazzd import tune_of
from tatumflow.training.data.packing import PackedCorpus, pack
from tatumflow.training.data.windows import TurnSettings, Windows

HEAD = """(title Blue (and Green))
(composer Ann Writer)
(meter 4 4)
(tempo 120.0)
(playback-transpose 0)
(style swing (swing 0.67) (chord-base c- e- g-))
(part (type chords) (title x))
(section (style swing))
"""
CHART = "C7 | / F7 |\n"
CHORUS = "(part (type melody) (title Chorus {}) (composer Ann Player) (stave treble))\n"


def notes_of(words: str) -> list[tuple[Fraction, Fraction, int]]:
    (melody,) = parse_leadsheet(words).melodies
    return [(note.onset, note.duration, note.pitch) for note in melody.notes]


def write(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return folder


def one(folder: Path, seed: int = 0) -> Piece:
    (piece,) = read_improvisor(folder, seed)
    assert isinstance(piece, Piece)
    return piece


@pytest.mark.parametrize(
    ("word", "pitch"),
    [("c4", 60), ("b4", 71), ("c+4", 72), ("c++4", 84), ("a-4", 57), ("g--4", 43), ("bb4", 70), ("f#-4", 54),
     ("cb4", 59), ("b#4", 72)],
)  # fmt: skip
def test_pitches(word: str, pitch: int) -> None:
    assert notes_of(word) == [(0, 1, pitch)]


@pytest.mark.parametrize(
    ("word", "quarters"),
    [
        ("c1", Fraction(4)),
        ("c2", Fraction(2)),
        ("c32", Fraction(1, 8)),
        ("c8/3", Fraction(1, 3)),
        ("c4/3", Fraction(2, 3)),
        ("c16/5", Fraction(1, 5)),
        ("c4.", Fraction(3, 2)),
        ("c4..", Fraction(7, 4)),
        ("c4+8", Fraction(3, 2)),
        ("c+4+8", Fraction(3, 2)),
        ("c2+16+32/3", Fraction(2) + Fraction(1, 4) + Fraction(1, 12)),
        ("c4+32+120+480", Fraction(1) + Fraction(1, 6)),
    ],
)
def test_durations(word: str, quarters: Fraction) -> None:
    assert notes_of(word)[0][1] == quarters


def test_notes_follow_each_other_and_rests_sound_nothing() -> None:
    third = Fraction(1, 3)
    assert notes_of("r2+4 c8/3 d8/3 e8/3 r8 g d4") == [
        (3, third, 60),
        (3 + third, third, 62),
        (3 + 2 * third, third, 64),
        (Fraction(9, 2), Fraction(1, 2), 67),
        (5, 1, 62),
    ]


def test_the_symbols_of_a_bar_share_it() -> None:
    sheet = parse_leadsheet(HEAD + "C7 | / | Dm7 / G7 | NC Eb7/B6 | F/A\n")
    names = [[str(chord) for chord in bar] for bar in sheet.bars]
    assert names == [["C7"], ["C7"], ["Dm7", "Dm7", "G7"], ["None", "None"], ["Fmaj7/A"]]
    assert (sheet.title, sheet.composer, sheet.tempo, sheet.bar) == (
        "Blue (and Green)", "Ann Writer", 120.0, 4,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("(title x", r"\( without its \)"),
        ("c4 ) d4", r"\) without its \("),
        ("Hm7 | c4", "'Hm7' does not begin with a root"),
        ("c4 d0", "'0' is not a note value"),
        ("c8/1", "'8/1' is not a note value"),
        ("(meter 4) c4", "metre '4' is not two whole numbers"),
        ("(tempo fast) c4", "tempo 'fast' is not a number"),
    ],
)
def test_a_sheet_that_cannot_be_read_names_the_place(text: str, reason: str) -> None:
    with pytest.raises(CorpusError, match=reason):
        parse_leadsheet(text)


def test_a_solo_has_notes_chords_and_beats_chorus_after_chorus(tmp_path: Path) -> None:
    text = HEAD + CHART + CHORUS.format(1) + "r4 c8 d8 e2 f1" + CHORUS.format(2) + "r1 r2 g8/3 a8/3 b8/3 c+4"
    piece = one(write(tmp_path, "CharlieParker/Blue.ls", text))
    assert (piece.corpus, piece.player, piece.title) == ("improvisor", "Charlie Parker", "Blue")
    assert (piece.name, piece.tempo, piece.quantized) == ("CharlieParker/Blue.ls", 120.0, True)
    assert (piece.chords, piece.start) == ("annotated", 0.5)
    notes = piece.notes
    assert notes["pitch"].tolist() == [60, 62, 64, 65, 67, 69, 71, 72]
    assert set(notes["velocity"].tolist()) == {UNKNOWN_VELOCITY}
    third = 1 / 3
    beats = np.array([1, 1.5, 2, 4, 14, 14 + third, 14 + 2 * third, 15])
    np.testing.assert_allclose(notes["onset"], beats / 2 - 0.5, atol=1e-5)
    np.testing.assert_allclose(notes["beat"], beats, atol=1e-5)
    assert notes["beat"][3] == 4.0, "a note on the beat is exactly on it"
    assert notes["bar_beat"].tolist() == [1, 1, 2, 0, 2, 2, 2, 3]
    np.testing.assert_allclose(notes["period"], 0.5)
    np.testing.assert_allclose(notes["duration"][[0, 2, 4]], [0.25, 1.0, third / 2], atol=1e-6)
    c7, f7 = chord_id(parse_chord("C7")), chord_id(parse_chord("F7"))
    assert notes["chord"].tolist() == [c7, c7, c7, c7, f7, f7, f7, f7]


def test_transposition_moves_notes_and_chords(tmp_path: Path) -> None:
    text = HEAD.replace("transpose 0", "transpose -2") + CHART + CHORUS.format(1) + "d4"
    notes = one(write(tmp_path, "TomHarrell-Waltzes/x.ls", text)).notes
    assert notes["pitch"].tolist() == [60]
    assert notes["chord"].tolist() == [chord_id(parse_chord("Bb7"))]


def test_a_waltz_has_three_beats_and_a_sheet_without_chart_no_chords(tmp_path: Path) -> None:
    text = HEAD.replace("meter 4 4", "meter 3 4") + CHORUS.format(1) + "c4 d4 e4 f4"
    notes = one(write(tmp_path, "x.ls", text)).notes
    assert notes["bar_beat"].tolist() == [0, 1, 2, 0]
    assert set(notes["chord"].tolist()) == {NO_CHORD}


def test_the_player_is_the_folder_or_else_named_in_the_sheet(tmp_path: Path) -> None:
    text = HEAD + CHART + CHORUS.format(1) + "c4"
    assert one(write(tmp_path, "x.ls", text)).player == "Ann Player"
    assert player_of("JackieMcLean") == "Jackie McLean"
    assert player_of("ColemanHawkins-Ballads") == "Coleman Hawkins"


def test_what_is_not_a_solo_is_reported(tmp_path: Path) -> None:
    solo = HEAD + CHART + CHORUS.format(1) + "c4"
    for name, text in (
        ("imaginary-book/Chart.ls", HEAD + CHART),
        ("transcriptions/CharlieParker/Blue.ls", solo),
        ("transcriptions/TunesWithHeads/Blue.ls", solo),
        ("transcriptions/TunesWithHeads/Other.ls", solo),
        ("transcriptions/X/Chart.ls", HEAD + CHART),
        ("transcriptions/X/Bad.ls", "(title"),
    ):
        write(tmp_path / "book", name, text)
    items = list(read_improvisor(archive(tmp_path / "book")))
    assert [item.name for item in items if isinstance(item, Piece)] == [
        "CharlieParker/Blue.ls",
        "TunesWithHeads/Other.ls",
    ]
    assert {item.path: item.reason for item in items if isinstance(item, BrokenFile)} == {
        "TunesWithHeads/Blue.ls": "repeats CharlieParker/Blue.ls, with the tune's theme",
        "X/Bad.ls": "has a ( without its )",
        "X/Chart.ls": "has no melody",
    }


def test_a_tune_lies_on_the_side_where_the_weimar_solos_on_it_lie(tmp_path: Path) -> None:
    assert tune_key("Now's The Time") == tune_of("CharlieParker_NowsTheTime-1_Solo")
    for i in range(40):
        text = HEAD.replace("Blue", f"Tune {i}") + CHART + CHORUS.format(1) + "c4"
        write(tmp_path, f"{i}.ls", text)
    sides = {piece.split for piece in read_improvisor(tmp_path) if isinstance(piece, Piece)}
    assert sides == {"train", "val"}


def test_the_commands_read_a_folder_of_lead_sheets(tmp_path: Path) -> None:
    folder = write(tmp_path / "mine", "x.ls", HEAD + CHART + CHORUS.format(1) + "c4")
    (piece,) = read_sources([folder])
    assert isinstance(piece, Piece)
    assert piece.corpus == "improvisor"


def line(count: int, velocity: int) -> np.ndarray:
    index = np.arange(count)
    return note_array(0.2 * index, [0.1] * count, 50 + index % 30, [velocity] * count)


@pytest.fixture
def mixed(tmp_path: Path) -> PackedCorpus:
    pieces = [
        Piece("sheet", "sheets", "Ann Player", "A", "train", line(60, UNKNOWN_VELOCITY), quantized=True),
        Piece("played", "piano", "Art Tatum", "B", "train", line(60, 64)),
    ]
    pack(pieces, tmp_path / "packed")
    return PackedCorpus.open(tmp_path / "packed")


def test_a_quantized_piece_teaches_its_pitches_alone(mixed: PackedCorpus) -> None:
    epoch = Windows(mixed, "train", 64, turns=TurnSettings()).epoch(0)
    scored, phrased = {0: [], 1: []}, {0: [], 1: []}
    for window in (epoch.window(i) for i in range(len(epoch))):
        for piece in scored:
            scored[piece].append(window.scored[window.piece == piece])
            phrased[piece].append(window.phrase[window.piece == piece])
    sheet, played = (np.concatenate(scored[piece]) for piece in (0, 1))
    assert len(sheet) == 60
    assert sheet[:, PITCH].all()
    assert not np.delete(sheet, PITCH, axis=1).any()
    assert played.all()
    assert (np.concatenate(phrased[0]) == -1).all(), "its rhythm is no target of the latent"
    assert (np.concatenate(phrased[1]) >= 0).any()


def test_models_are_measured_against_played_pieces(mixed: PackedCorpus) -> None:
    assert [info.quantized for info in mixed.index.corpora] == [False, True]
    assert [piece.name for piece in mixed.played("train")] == ["played"]
    assert len(mixed.pieces("train")) == 2


def test_one_corpus_is_either_played_or_quantized(tmp_path: Path) -> None:
    pieces = [
        Piece(name, "c", "", "", "train", line(9, 64), quantized=quantized)
        for name, quantized in (("a", True), ("b", False))
    ]
    with pytest.raises(CorpusError, match="quantized and played pieces"):
        pack(pieces, tmp_path / "packed")
