"""Sections and crops of a packed corpus as rolls."""

import numpy as np
import pytest
from swing_pieces import swing_piece

from tatumflow.engine.rolls.conditions import GRID_KINDS
from tatumflow.engine.rolls.roll import HELD, ONSET, Roll
from tatumflow.training.data.corpora.piece import NOTE_DTYPE, Piece
from tatumflow.training.data.packing import PackedCorpus, pack
from tatumflow.training.rolls.data.batches import CropStream
from tatumflow.training.rolls.data.crops import CropSettings, RollCrops, hide_in
from tatumflow.training.rolls.data.sections import Section, read_sections


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> PackedCorpus:
    folder = tmp_path_factory.mktemp("corpus") / "packed"
    free = np.zeros(40, NOTE_DTYPE)
    free["onset"], free["duration"], free["pitch"] = np.arange(40) * 0.3, 0.2, 60
    unmetred = Piece("free", "other", "Art Tatum", "", "train", free)
    pack([swing_piece(0, 16), unmetred], folder, min_style_notes=10)
    return PackedCorpus.open(folder)


def section(onsets: list[float], bars: list[int]) -> Section:
    steps = np.array(onsets)
    pitch = np.full(len(steps), 60)
    return Section("one", 0, "beats", steps, steps + 2, pitch, np.full(len(steps), 80), np.array(bars))


def crops(sections: list[Section], settings: CropSettings, count: int = 50) -> RollCrops:
    return RollCrops(sections, (), settings, 0, count)


def test_sections_on_beats_count_sixteenths_and_know_the_bars(corpus: PackedCorpus):
    (swing,) = read_sections(corpus, "train", "beats")
    assert swing.bars[:3].tolist() == [0, 16, 32]
    assert swing.length <= 16 * 16
    # Off-beats of the swing lie at two thirds of a beat.
    assert np.isclose(swing.onset % 4, 4 * 0.34 / 0.5, atol=1e-3).any()


def test_sections_in_free_time_hold_every_piece(corpus: PackedCorpus):
    found = {one.name: one for one in read_sections(corpus, "train", "time")}
    assert set(found) == {"swing", "free"}
    assert found["free"].onset[1] == pytest.approx(0.3 / 0.125, abs=1e-3)
    assert found["free"].style == corpus.style_id("Art Tatum") == 1


def test_crops_begin_with_bars_and_a_number_gives_the_same_crop():
    played = section([16.0 * bar for bar in range(40)], [16 * bar for bar in range(40)])
    drawn = crops([played], CropSettings(64, spans=0.0))
    for number in range(10):
        example = drawn[number]
        assert np.flatnonzero((example.state == ONSET).any(axis=0)).tolist() == [0, 16, 32, 48]
        np.testing.assert_array_equal(example.state, drawn[number].state)
        assert not example.known.any()


def test_widths_that_are_no_whole_patches_are_padded_with_known_silence():
    example = crops([section([float(i) for i in range(200)], [])], CropSettings(68))[0]
    assert example.state.shape == (128, 80)
    assert example.known[:, 68:].all()
    assert not example.state[:, 68:].any()


def test_transpositions_stay_within_their_range():
    played = section([float(i) for i in range(0, 200, 2)], [])
    drawn = crops([played], CropSettings(64, pitch_shift=3))
    shifts = {int(np.flatnonzero((drawn[i].state == ONSET).any(axis=1))[0]) - 60 for i in range(50)}
    assert shifts == set(range(-3, 4))


def test_notes_that_sound_on_into_a_crop_are_held_in_it():
    steps, pitch = np.array([0.0, *range(20, 120)]), np.arange(101) % 80 + 20
    long = Section("x", 0, "beats", steps, steps + 60, pitch, np.full(101, 80), np.array([16]))
    example = crops([long], CropSettings(64, spans=0.0))[0]
    assert example.state[20, 0] == HELD


def test_hidden_spans_end_the_notes_that_began_in_them():
    played = section([float(i) for i in range(0, 200, 2)], [])
    drawn = crops([played], CropSettings(64, spans=1.0))
    widths: set[int] = set()
    for number in range(50):
        example = drawn[number]
        steps = np.flatnonzero(~example.known.all(axis=0))
        widths.add(len(steps))
        assert np.array_equal(steps, np.arange(steps[0], steps[-1] + 1))
    assert {16, 32, 48} <= widths
    roll = Roll.silent(64)
    roll.state[60, 7:12] = ONSET, HELD, HELD, HELD, HELD
    cut, known = hide_in(roll, 4, 8)
    assert cut.state[60, 7] == ONSET
    assert cut.state[60, 8] == 0
    assert known[60, 8]


def test_a_stream_goes_on_where_it_was():
    drawn = crops([section([float(i) for i in range(200)], [])], CropSettings(64, pitch_shift=5), 12)
    whole = list(CropStream(drawn, 3))
    rest = list(CropStream(drawn, 3, start=lambda: 2))
    assert len(whole) == 4
    for one, other in zip(whole[2:], rest, strict=True):
        assert (one.state == other.state).all()
    assert whole[0].conditions[:, 2].tolist() == [GRID_KINDS.index("beats")] * 3


def test_free_time_is_stretched(corpus: PackedCorpus):
    free = read_sections(corpus, "train", "time")
    drawn = RollCrops((), free, CropSettings(64, stretch=0.15), 0, 20)
    onsets = {int((drawn[i].state == ONSET).any(axis=0).sum()) for i in range(20)}
    assert len(onsets) > 2


def test_the_key_of_a_crop_is_that_of_what_is_known():
    onsets = [4.0 * beat for beat in range(160)]
    played = section(onsets, [16 * bar for bar in range(40)])
    for share in (0.0, 1.0):
        example = crops([played], CropSettings(64, spans=share))[0]
        # Every note is a C.
        np.testing.assert_array_equal(example.key, [11] + [-1] * 11)
