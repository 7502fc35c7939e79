"""Beats of performances: where notes lie in the metre, and stretches counted in beats."""

import csv
from pathlib import Path

import numpy as np
import pytest

from tatumflow.engine.model.metre import BEAT_TICKS, NO_METRE, NO_PHASE
from tatumflow.engine.model.tokens import TIME_SHIFT, TIME_SHIFT_TICKS
from tatumflow.training.data.corpora.beats import BeatTable, beat_table, read_beat_tables, with_beats
from tatumflow.training.data.corpora.note_array import note_array
from tatumflow.training.data.corpora.piece import Piece
from tatumflow.training.data.stretches import Augmentation, encode_stretch


def swung_eighths(tempo: float, bars: int = 8) -> np.ndarray:
    beats = np.arange(4 * bars)
    onset = np.sort(np.concatenate([beats, beats + 2 / 3])) * 60 / tempo
    return note_array(
        onset, np.full(len(onset), 0.1), 60 + np.arange(len(onset)) % 12, np.full(len(onset), 80)
    )


def table(time: np.ndarray, certainty: np.ndarray | None = None) -> BeatTable:
    """Return a table of beats in fours."""
    return beat_table(np.asarray(time, np.float64), np.arange(len(time)) % 4, certainty)


def piece(notes: np.ndarray) -> Piece:
    return Piece("p", "pijama", "Art Tatum", "", "train", notes)


def beaten(tempo: float, offset: float = 0.0) -> Piece:
    time = offset + np.arange(32) * 60 / tempo
    return with_beats(piece(swung_eighths(tempo)), table(time), offset)


@pytest.mark.parametrize("tempo", [72.0, 120.0, 260.0])
def test_notes_get_beat_bar_and_period(tempo: float) -> None:
    notes = beaten(tempo, offset=3.5).notes
    assert notes["beat"] == pytest.approx(np.sort(np.r_[np.arange(32), np.arange(32) + 2 / 3]), abs=1e-3)
    assert (notes["bar_beat"] == np.floor(notes["beat"]) % 4).all()
    assert notes["period"] == pytest.approx(60 / tempo, rel=1e-4)


def test_a_beat_of_low_certainty_is_left_out() -> None:
    time = np.arange(32) * 0.5
    weak = np.where(np.arange(32) < 16, 0.3, 0.02)
    notes = with_beats(piece(swung_eighths(120.0)), table(time, weak), 0.0).notes
    known = notes["period"] > 0
    assert known[:20].all()
    assert not known[44:].any()
    assert (notes["bar_beat"][~known] == -1).all()


def test_a_missed_beat_is_left_out() -> None:
    time = np.delete(np.arange(33) * 0.5, 16)
    notes = with_beats(piece(swung_eighths(120.0)), table(time), 0.0).notes
    around = (notes["onset"] > 7.6) & (notes["onset"] < 8.4)
    assert not (notes["period"][around] > 0).any()
    assert (notes["period"][notes["onset"] < 6.4] > 0).all()


@pytest.mark.parametrize("tempo", [72.0, 155.0, 260.0])
def test_a_rhythm_is_the_same_shifts_at_every_tempo(tempo: float) -> None:
    stretch = encode_stretch(beaten(tempo).notes, 0, 40, None, np.random.default_rng(0), metre=True)
    shifts = TIME_SHIFT_TICKS[stretch.fields[1:, TIME_SHIFT]]
    assert (shifts.reshape(-1)[::2] == 33).all()
    assert (shifts.reshape(-1)[1::2] == 17).all()
    assert stretch.metre[:4].tolist()[0][0] == 0
    assert (stretch.metre[1::2, 0] == 33).all()
    assert stretch.tick_seconds == pytest.approx(60 / tempo / BEAT_TICKS, rel=1e-4)


def test_a_phase_and_a_shift_give_the_next_phase_whatever_is_changed() -> None:
    augmentation = Augmentation(frames={"pijama": 0.032}, unframed=1.0)
    for seed in range(10):
        rng = np.random.default_rng(seed)
        stretch = encode_stretch(beaten(140.0).notes, 3, 50, augmentation, rng, frame=0.032, metre=True)
        phase = np.concatenate([stretch.metre_before[None], stretch.metre])[:, 0]
        landed = (phase[:-1] + TIME_SHIFT_TICKS[stretch.fields[:, TIME_SHIFT]]) % BEAT_TICKS
        # Notes struck together may change their order; the shift is then 0.
        assert (landed[1:] == phase[2:]).mean() > 0.97


def test_without_the_metre_all_is_in_seconds() -> None:
    notes = beaten(90.0).notes
    plain = encode_stretch(notes, 0, 30, None, np.random.default_rng(0))
    assert (plain.metre == np.array(NO_METRE)).all()
    assert plain.tick_seconds == pytest.approx(0.01)


def test_where_the_beat_is_lost_the_time_goes_on_in_seconds() -> None:
    notes = beaten(150.0).notes.copy()
    notes["period"][20:] = 0
    stretch = encode_stretch(notes, 0, 40, None, np.random.default_rng(0), metre=True)
    assert (stretch.metre[20:, 0] == NO_PHASE).all()
    seconds = np.diff(notes["onset"][:40])
    shifts = TIME_SHIFT_TICKS[stretch.fields[1:, TIME_SHIFT]]
    assert shifts[20:] * 0.01 == pytest.approx(seconds[20:], abs=0.011)
    assert shifts[:19] / BEAT_TICKS * 0.4 == pytest.approx(seconds[:19], abs=0.01)


def test_tables_are_read_from_a_folder(tmp_path: Path) -> None:
    with (tmp_path / "index.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["id", "artist", "title", "split", "midi_filepath"])
        rows.writerow([7, "Art Tatum", "Elegie", "train", "midi/a.midi"])
    with (tmp_path / "7.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["onset", "position", "activation"])
        rows.writerows([[0.5 + 0.4 * i, i % 4 + 1, 0.3] for i in range(20)])
    [(name, found)] = list(read_beat_tables(tmp_path))
    assert name == "midi/a.midi"
    assert found.bar_beat[:5].tolist() == [0, 1, 2, 3, 0]
    assert found.sure.all()
