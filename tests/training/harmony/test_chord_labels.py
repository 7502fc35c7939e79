import csv
import io
import json
from pathlib import Path

import numpy as np
import pytest
from corpus_samples import SCALE, archive, make_wjazzd, write_pijama_midi
from rich.console import Console

from tatumflow.engine.errors import CorpusError, SettingError
from tatumflow.engine.harmony.chords import NO_CHORD, Chord, parse_chord
from tatumflow.engine.harmony.estimator import ChordEstimate
from tatumflow.engine.harmony.live_estimator import LiveEstimate
from tatumflow.training.data.commands import prepare
from tatumflow.training.data.corpora.annotated_solo import AnnotatedSolo, read_annotated_solos
from tatumflow.training.data.corpora.note_array import note_array
from tatumflow.training.data.corpora.piece import BrokenFile, ChordSource, Piece
from tatumflow.training.data.corpora.wjazzd import read_wjazzd
from tatumflow.training.data.packing import PackedCorpus, pack
from tatumflow.training.harmony.accuracy import (
    LINES,
    MEASURES,
    agreement,
    chord_spans,
    evaluate_chords,
)
from tatumflow.training.harmony.accuracy_commands import chords
from tatumflow.training.harmony.live_accuracy import change_delays, evaluate_live_chords

STEM = "CharlieParker_Ko=Ko_Solo"
BEAT = 0.5


def write_beats(folder: Path, stem: str, symbols: list[str], bass: int | None = 43) -> None:
    """Write a table of beats from 5 s on, four a bar, with a chord where one is given."""
    path = folder / "csv_beats" / f"{stem}.csv"
    path.parent.mkdir(exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["bar", "bass_pitch", "beat", "chord", "chorus_id", "form", "onset", "signature"])
        for i, symbol in enumerate(symbols):
            onset = 5.0 + BEAT * i
            writer.writerow([1 + i // 4, bass or "", 1 + i % 4, symbol, 1, "", onset, ""])


def write_melody(folder: Path, stem: str, notes: list[tuple[int, int, float]]) -> None:
    """Write notes of (bar, beat, seconds after the beat)."""
    rows = [
        {"bar": bar, "beat": beat, "onset": 5.0 + BEAT * (4 * (bar - 1) + beat - 1) + late, "duration": 0.2}
        | {"pitch": 60.0 + i, "beatdur": BEAT}
        for i, (bar, beat, late) in enumerate(notes)
    ]
    with (folder / "csv_melody" / f"{stem}.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, ["bar", "beat", "onset", "duration", "pitch", "beatdur"])
        writer.writeheader()
        writer.writerows(rows)


@pytest.fixture
def wjazzd(tmp_path: Path) -> Path:
    return make_wjazzd(tmp_path / "wjazzd", [STEM])


def solo(folder: Path) -> AnnotatedSolo:
    found = list(read_annotated_solos(folder))
    assert len(found) == 1
    assert isinstance(found[0], AnnotatedSolo)
    return found[0]


def test_weimar_notes_have_the_chord_of_their_beat(wjazzd: Path) -> None:
    write_beats(wjazzd, STEM, ["NC", "", "C-7", "", "F79b", "", "", "Bbj7"])
    write_melody(
        wjazzd, STEM, [(1, 1, 0.0), (1, 3, -0.02), (1, 4, 0.3), (2, 1, 0.0), (2, 3, 0.45), (2, 4, 0.0)]
    )
    piece = next(iter(read_wjazzd(wjazzd)))
    assert isinstance(piece, Piece)
    assert piece.chords == "annotated"
    names = [str(Chord.from_id(int(number))) for number in piece.notes["chord"]]
    assert names == ["None", "Cm7", "Cm7", "F7", "F7", "Bbmaj7"], "an early note belongs to its beat"


def test_weimar_without_beats_has_no_chords(wjazzd: Path) -> None:
    piece = next(iter(read_wjazzd(wjazzd)))
    assert isinstance(piece, Piece)
    assert set(piece.notes["chord"].tolist()) == {NO_CHORD}


def test_a_chord_that_is_not_understood_is_reported(wjazzd: Path) -> None:
    write_beats(wjazzd, STEM, ["C7", "H7"])
    broken = next(iter(read_wjazzd(wjazzd)))
    assert isinstance(broken, BrokenFile)
    assert "'H7'" in broken.reason
    other = next(iter(read_annotated_solos(wjazzd)))
    assert isinstance(other, BrokenFile)
    assert "'H7'" in other.reason


def test_annotated_solos_have_melody_bass_and_chords(wjazzd: Path) -> None:
    write_beats(wjazzd, STEM, ["C7", "", "F7", "", "NC"], bass=50)
    (wjazzd / "csv_bass").mkdir()
    (wjazzd / "csv_bass" / f"{STEM}_bass.csv").write_text("5.0,36,0.4,1\n5.5,40,0.4,0.8,New Point\n\n")
    read = solo(archive(wjazzd))
    assert [str(Chord.from_id(int(number))) for number in read.chords] == ["C7", "C7", "F7", "F7", "None"]
    np.testing.assert_allclose(read.beats, [5, 5.5, 6, 6.5, 7])
    assert read.melody.pitch.tolist() == list(range(60, 70))
    assert read.beat_bass.pitch.tolist() == [43] * 5, "a fifth below what the table has"
    assert read.beat_bass.duration.tolist() == [0.5, 0.5, 0.5, 0.5, 2.0]
    assert (read.walking_bass.onset.tolist(), read.walking_bass.pitch.tolist()) == ([5.0, 5.5], [36, 40])


def test_a_folder_without_beats_has_no_annotated_solos(wjazzd: Path) -> None:
    with pytest.raises(CorpusError, match="csv_beats"):
        list(read_annotated_solos(wjazzd))


def test_prepared_notes_have_true_or_estimated_chords(wjazzd: Path, tmp_path: Path) -> None:
    write_beats(wjazzd, STEM, ["C7"] * 8)
    write_pijama_midi(tmp_path / "mine" / "a.mid", SCALE)
    prepare([wjazzd, tmp_path / "mine"], tmp_path / "out", console=Console(file=io.StringIO()))
    corpus = PackedCorpus.open(tmp_path / "out")
    assert {info.name: info.chords for info in corpus.index.corpora} == {
        "wjazzd": "annotated",
        "mine": "estimated",
    }
    chord = parse_chord("C7")
    assert chord is not None
    for piece in corpus.index.pieces:
        labels = corpus.notes(piece)["chord"]
        if piece.corpus == "wjazzd":
            # The sample's notes are all counted to the first beat of the first bar.
            assert set(labels.tolist()) == {chord.id}
        else:
            assert (labels != NO_CHORD).all()


def test_a_corpus_has_its_chords_from_one_place(tmp_path: Path) -> None:
    def piece(name: str, chords: ChordSource) -> Piece:
        return Piece(name, "c", "X", name, "train", note_array([0.0], [1.0], [60], [64]), chords=chords)

    with pytest.raises(CorpusError, match="the chords of b are none, those of other pieces annotated"):
        pack([piece("a", "annotated"), piece("b", "none")], tmp_path / "out")


def test_agreement_by_each_measure() -> None:
    pairs = {
        ("C7", "C7"): "root quality chord majmin",
        ("C7", "Cmaj7"): "root majmin",
        ("Cm7", "Cm6"): "root majmin",
        ("C7", "Cm7"): "root",
        ("C7", "F7"): "quality",
        ("Cdim7", "Cdim7"): "root quality chord",
        ("C7sus4", "C7"): "root",
        ("C7", "NC"): "",
        ("NC", "C7"): "",
    }
    ids = np.array([[c.id if (c := parse_chord(s)) else NO_CHORD for s in pair] for pair in pairs])
    right, counts = agreement(ids[:, 0], ids[:, 1])
    named = [" ".join(m for m, r in zip(MEASURES, column, strict=True) if r) for column in right.T]
    assert dict(zip(pairs, named, strict=True)) == pairs
    assert counts[:3].tolist() == [[True] * 8 + [False]] * 3
    assert counts[3].tolist() == [True, True, True, True, True, False, False, True, False]


def test_spans_are_cut_where_a_chord_can_change(wjazzd: Path) -> None:
    write_beats(wjazzd, STEM, ["C7", "F7", "F7"])
    frames = ChordEstimate(4.9, 0.3, np.array([1, 2, 3, 4], dtype=np.uint8))
    spans = chord_spans(solo(wjazzd), frames)
    np.testing.assert_allclose(spans.seconds, [0.2, 0.3, 0.3, 0.2], atol=1e-9)
    assert spans.estimated.tolist() == [1, 2, 3, 4]
    assert [str(Chord.from_id(int(number))) for number in spans.true] == ["C7", "C7", "F7", "F7"]


def test_accuracy_of_the_truth_and_of_one_answer(wjazzd: Path) -> None:
    write_beats(wjazzd, STEM, [*["C7", "", "F7", ""] * 6, "Dm7", "", ""])
    truth = solo(wjazzd)
    chord = Chord(0, "7")

    def perfect(*_: object) -> ChordEstimate:
        return ChordEstimate(5.0, BEAT, truth.chords.astype(np.uint8))

    def constant(*_: object) -> ChordEstimate:
        return ChordEstimate(5.0, 100.0, np.array([chord.id], dtype=np.uint8))

    rows = evaluate_chords([truth], perfect)
    assert {(row.source, row.split) for row in rows} == {
        (source, split) for source in (LINES[0], LINES[2], LINES[3]) for split in (None, truth.split)
    }
    for row in rows:
        assert {m: i.value for m, i in row.estimated.items()} == pytest.approx(dict.fromkeys(MEASURES, 1.0))
        assert 0.2 < row.shuffled["chord"].value < 0.8
        assert row.constant["root"] == pytest.approx(12 / 26)
        assert row.constant["quality"] == pytest.approx(24 / 26)
        assert row.chord_seconds == pytest.approx(row.true_chord_seconds) == pytest.approx(1.0)
    one = evaluate_chords([truth], constant)[0]
    assert one.estimated["root"].value == pytest.approx(one.constant["root"])
    assert one.tonic["root"].value == pytest.approx(one.constant["root"])


def test_delays_are_counted_from_each_change_to_the_new_chord(wjazzd: Path) -> None:
    write_beats(wjazzd, STEM, ["C7", "", "", "", "F7", "", "", "", "G7", "", "", "", ""])
    truth = solo(wjazzd)
    c, f = Chord(0, "7").id, Chord(5, "7").id
    # From 4.75 s on: C7 before its first beat, F7 0.75 s (1.5 beats) after its own, G7 never.
    ids = np.array([c] * 12 + [f] * 20, dtype=np.uint8)
    heard = LiveEstimate(ChordEstimate(4.75, 0.25, ids), np.ones(len(ids)))
    delays = change_delays(truth, heard)
    np.testing.assert_allclose(delays, [[0, 0], [0.75, 1.5], [np.inf, np.inf]])


def test_live_figures_count_the_sure_time_alone(wjazzd: Path) -> None:
    write_beats(wjazzd, STEM, ["C7"] * 16)
    rows = evaluate_live_chords([solo(wjazzd)])
    assert [(row.source, row.split) for row in rows] == [
        (row.source, row.split) for row in evaluate_chords([solo(wjazzd)])
    ]
    for row in rows:
        assert 0 <= row.sure_share <= 1
        assert set(row.live) == set(row.sure) == set(MEASURES)


def test_the_command_prints_and_writes_its_figures(wjazzd: Path, tmp_path: Path) -> None:
    write_beats(wjazzd, STEM, ["C7"] * 8)
    console = Console(file=io.StringIO(), width=200)
    rows = chords(wjazzd, tmp_path / "chords.json", console=console)
    text = console.file.getvalue() if isinstance(console.file, io.StringIO) else ""
    assert "melody and beat bass" in text
    assert "live where sure" in text
    written = json.loads((tmp_path / "chords.json").read_text())
    assert written["command"] == "tatumflow data chords wjazzd --seed 0"
    assert len(written["live"]) == len(written["rows"])
    assert written["rows"][0]["estimated"]["root"]["value"] == pytest.approx(rows[0].estimated["root"].value)
    with pytest.raises(SettingError, match="no such folder"):
        chords(wjazzd, tmp_path / "no such folder" / "x.json", console=console)


def test_solos_without_chords_are_refused(wjazzd: Path) -> None:
    write_beats(wjazzd, STEM, ["NC"] * 4)
    with pytest.raises(CorpusError, match="none of the 1 solos has chords"):
        evaluate_chords([solo(wjazzd)])
