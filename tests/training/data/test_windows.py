"""Training windows: turns, masks, targets, held notes, augmentation."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tatumflow.engine.midi.notes import PITCH_LOWEST
from tatumflow.engine.model.tokens import (
    ABSENT,
    DURATION,
    FIELD_SIZES,
    HELD,
    INPUT_SIZES,
    PITCH,
    TIME_SHIFT,
    VELOCITY,
    duration_index,
    encode_notes,
)
from tatumflow.training.data.batches import BatchStream
from tatumflow.training.data.corpora.piece import NOTE_DTYPE, Piece
from tatumflow.training.data.packing import PackedCorpus, pack
from tatumflow.training.data.stretches import Augmentation, Stretch, boundary_durations, encode_stretch
from tatumflow.training.data.windows import TurnSettings, Window, Windows

SEQ_LEN = 128
PLAIN = TurnSettings(held=0, truncated=0)


def make_notes(count: int, seed: int, *, velocities: bool = True) -> np.ndarray:
    rng = np.random.default_rng(seed)
    notes = np.zeros(count, dtype=NOTE_DTYPE)
    onset = np.cumsum(rng.integers(0, 40, count)) * 0.01
    notes["onset"] = onset - onset[0]
    notes["duration"] = rng.integers(1, 300, count) * 0.01
    notes["pitch"] = rng.integers(30, 100, count)
    notes["velocity"] = rng.integers(1, 128, count) if velocities else 0
    ticks = np.rint(notes["onset"] * 100)
    return notes[np.lexsort((notes["pitch"], ticks))]


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> PackedCorpus:
    pieces = [
        Piece(f"piano-{i}", "piano", "Art Tatum", f"Tune {i}", "train", make_notes(40 + 97 * i, i))
        for i in range(6)
    ]
    pieces += [
        Piece(
            f"horn-{i}",
            "horns",
            "Lee Konitz",
            f"Solo {i}",
            "train",
            make_notes(150, 50 + i, velocities=False),
        )
        for i in range(3)
    ]
    path = tmp_path_factory.mktemp("packed") / "small"
    pack(pieces, path, min_style_notes=1000)
    return PackedCorpus.open(path)


def all_windows(windows: Windows, epoch: int = 0) -> list[Window]:
    planned = windows.epoch(epoch)
    return [planned.window(i) for i in range(len(planned))]


def is_turn(window: Window) -> np.ndarray:
    return np.all(window.fields == np.array(ABSENT), axis=1)


def test_an_epoch_predicts_every_note_once(corpus: PackedCorpus) -> None:
    windows = Windows(corpus, "train", SEQ_LEN, turns=PLAIN)
    predicted: dict[int, list[np.ndarray]] = {}
    for window in all_windows(windows):
        for piece in np.unique(window.piece[window.piece >= 0]):
            predicted.setdefault(int(piece), []).append(window.target[window.piece == piece])
    for index, piece in enumerate(windows.pieces):
        notes = corpus.notes(piece)
        true = encode_notes(notes["onset"], notes["duration"], notes["pitch"], notes["velocity"])
        seen = np.concatenate(predicted[index])
        columns = [0, PITCH, DURATION] if piece.corpus == "horns" else [0, 1, 2, 3]
        assert sorted(map(tuple, seen[:, columns])) == sorted(map(tuple, true[:, columns]))


def test_repeats_visit_a_corpus_more_often(corpus: PackedCorpus) -> None:
    once = Windows(corpus, "train", SEQ_LEN)
    thrice = Windows(corpus, "train", SEQ_LEN, repeat={"horns": 3})
    assert thrice.notes_per_epoch - once.notes_per_epoch == 2 * 3 * 150
    scored = sum(int(window.scored.any(axis=1).sum()) for window in all_windows(thrice))
    assert scored == thrice.notes_per_epoch


def test_little_of_an_epoch_is_padding(corpus: PackedCorpus) -> None:
    windows = all_windows(Windows(corpus, "train", SEQ_LEN))
    idle = [window for window in windows if not window.scored[-20:].any()]
    assert len(idle) <= 1


def test_targets_are_the_next_step_and_turns_are_not_predicted(corpus: PackedCorpus) -> None:
    for window in all_windows(Windows(corpus, "train", SEQ_LEN, turns=PLAIN)):
        turn = is_turn(window)
        scored = np.any(window.scored, axis=1)
        assert turn[0]
        assert not scored[-1]
        assert (scored[:-1] == ~turn[1:]).all()
        now, then = np.flatnonzero(scored), np.flatnonzero(scored) + 1
        for field in range(4):
            known = window.scored[now, field]
            assert (window.target[now, field][known] == window.fields[then, field][known]).all()


def test_values_stay_in_their_vocabularies(corpus: PackedCorpus) -> None:
    for window in all_windows(Windows(corpus, "train", SEQ_LEN, augment=Augmentation())):
        assert (window.fields >= 0).all()
        assert (window.fields < np.array(INPUT_SIZES)).all()
        assert (window.target >= 0).all()
        assert (window.target < np.array(FIELD_SIZES)).all()


def test_roles_alternate_within_a_piece_and_change_only_at_turns(corpus: PackedCorpus) -> None:
    turns = TurnSettings(without=0)
    changes = 0
    for window in all_windows(Windows(corpus, "train", SEQ_LEN, turns=turns)):
        turn = is_turn(window)
        last = int(np.flatnonzero(window.scored.any(axis=1)).max()) + 1
        changed = np.flatnonzero(np.diff(window.role[: last + 1])) + 1
        assert turn[changed].all()
        for step in np.flatnonzero(turn[1 : last + 1]) + 1:
            fresh = turn[step - 1] or (step + 1 <= last and turn[step + 1])
            if not fresh:
                assert window.role[step] != window.role[step - 1]
                changes += 1
    assert changes > 10


def test_a_guest_takes_the_turn_in_its_own_style_and_another_role(corpus: PackedCorpus) -> None:
    turns = TurnSettings(without=0, guests=1.0, style_kept=0.0)
    style = corpus.style_id("Art Tatum")
    taken = styled = 0
    for number in range(4):
        for window in all_windows(Windows(corpus, "train", SEQ_LEN, turns=turns), number):
            turn = is_turn(window)
            named = np.flatnonzero(window.piece >= 0)
            for last, first in pairwise(named.tolist()):
                if window.piece[first] == window.piece[last]:
                    continue
                taken += 1
                # One turn step, from which the guest's first note is predicted.
                assert turn[first]
                assert turn[last + 1 : first + 1].sum() == 1
                assert window.role[first] != window.role[last]
                styled += int(window.style[first] == style)
    assert taken > 5
    assert styled > 0


def test_segments_leave_every_note_in_an_epoch_once(corpus: PackedCorpus) -> None:
    turns = TurnSettings(held=0, truncated=0, guests=0.5, segments=(5, 40))
    windows = Windows(corpus, "train", SEQ_LEN, turns=turns)
    plan = windows.epoch(0).plan
    whole = Windows(corpus, "train", SEQ_LEN, turns=PLAIN).epoch(0).plan
    notes: dict[int, list[int]] = {}
    for part in (part for parts in plan for part in parts):
        notes.setdefault(part.piece, []).extend(range(part.start, part.start + sum(part.turns)))
        assert sum(part.turns) <= 40
    assert [sorted(notes[i]) for i in range(len(windows.pieces))] == [
        list(range(piece.length)) for piece in windows.pieces
    ]
    assert sum(map(len, plan)) > 2 * sum(map(len, whole))


def test_guests_are_mostly_the_companion(corpus: PackedCorpus) -> None:
    def share(probability: float) -> float:
        turns = TurnSettings(without=0, guests=1.0, segments=(5, 40), companion_guests=probability)
        windows = Windows(corpus, "train", SEQ_LEN, turns=turns)
        hosted, companions = 0, 0
        for parts, window in zip(windows.epoch(0).plan, all_windows(windows), strict=True):
            # Only the first guest of a window has a host whose role is free.
            if len(parts) > 1:
                hosted += 1
                companions += int(window.role[sum(parts[0].turns) + len(parts[0].turns)])
        assert hosted > 10
        return companions / hosted

    assert share(1.0) == 1
    assert 0.2 < share(0.0) < 0.8


def test_a_guest_follows_the_phrase_before_it(corpus: PackedCorpus) -> None:
    turns = TurnSettings(without=0, guests=1.0)
    followed = 0
    for window in all_windows(Windows(corpus, "train", SEQ_LEN, turns=turns)):
        for phrase in np.flatnonzero(window.phrase_steps[:, 0] >= 0)[1:]:
            assert window.previous[phrase] == phrase - 1
            followed += 1
    assert followed > 20


def test_a_guest_is_transposed_to_the_key_before_it() -> None:
    notes = make_notes(64, 3)
    scale = np.array([0, 2, 4, 5, 7, 9, 11])
    notes["pitch"] = 48 + scale[notes["pitch"] % 7]
    rng = np.random.default_rng(0)
    for key in range(12):
        before = np.bincount((scale + key) % 12, minlength=12)
        stretch = encode_stretch(notes, 0, 64, Augmentation(), rng, key=before)
        played = (stretch.fields[:, PITCH] + PITCH_LOWEST) % 12
        assert set(played.tolist()) <= set(((scale + key) % 12).tolist())


def test_horns_have_synthetic_velocities_as_inputs_that_are_not_scored(corpus: PackedCorpus) -> None:
    voiced = Windows(corpus, "train", SEQ_LEN, augment=Augmentation(voiced=1.0))
    mute = Windows(corpus, "train", SEQ_LEN, augment=Augmentation(voiced=0.0))
    read = {}
    for name, windows in (("voiced", voiced), ("mute", mute)):
        read[name] = []
        for window in all_windows(windows):
            unscored = np.flatnonzero(window.scored[:-1].any(axis=1) & ~window.scored[:-1, VELOCITY]) + 1
            read[name] += window.fields[unscored, VELOCITY].tolist()
    assert read["voiced"]
    assert ABSENT[VELOCITY] not in read["voiced"]
    assert len(set(read["voiced"])) > 3
    assert set(read["mute"]) == {ABSENT[VELOCITY]}


def test_a_quarter_of_windows_have_one_turn(corpus: PackedCorpus) -> None:
    alone = total = 0
    for number in range(8):
        for window in all_windows(Windows(corpus, "train", SEQ_LEN), number):
            turn = is_turn(window)
            if len(np.unique(window.piece[window.piece >= 0])) == 1 and window.scored[-2].any():
                total += 1
                alone += int(turn.sum() == 1)
    assert 0.1 < alone / total < 0.5


def test_only_the_companion_has_a_style(corpus: PackedCorpus) -> None:
    style = corpus.style_id("Art Tatum")
    assert style > 0
    companion_steps = with_style = 0
    for number in range(4):
        for window in all_windows(Windows(corpus, "train", SEQ_LEN), number):
            assert not window.style[window.role == 0].any()
            assert set(np.unique(window.style)) <= {0, style}
            tatum = (window.role == 1) & (window.piece >= 0) & (window.piece < 6)
            companion_steps += int(tatum.sum())
            with_style += int((window.style[tatum] == style).sum())
    assert 0.6 < with_style / companion_steps < 0.99


def test_unknown_velocities_are_absent_and_not_scored(corpus: PackedCorpus) -> None:
    windows = Windows(corpus, "train", SEQ_LEN, corpora=("horns",), augment=Augmentation(voiced=0.0))
    for window in all_windows(windows):
        assert (window.fields[:, VELOCITY] == ABSENT[VELOCITY]).all()
        assert not window.scored[:, VELOCITY].any()
        assert (window.target[:, VELOCITY] < FIELD_SIZES[VELOCITY]).all()


def test_windows_are_the_same_every_time_and_differ_between_epochs(corpus: PackedCorpus) -> None:
    windows = Windows(corpus, "train", SEQ_LEN, seed=5, augment=Augmentation())
    first, again = windows.epoch(3).window(1), windows.epoch(3).window(1)
    assert all((getattr(first, name) == getattr(again, name)).all() for name in first.__dataclass_fields__)
    other = windows.epoch(4).window(1)
    assert (first.fields != other.fields).any()


def test_a_resumed_stream_goes_on_where_it_was(corpus: PackedCorpus) -> None:
    windows = Windows(corpus, "train", SEQ_LEN, augment=Augmentation())
    whole = list(BatchStream(windows, 2, total=25))
    rest = list(BatchStream(windows, 2, total=25, start=lambda: 17))
    assert len(whole) == 25
    assert len(rest) == 8
    for a, b in zip(whole[17:], rest, strict=True):
        assert all((x == y).all() for x, y in zip(a, b, strict=True))


def stretch_of(notes: np.ndarray) -> Stretch:
    return encode_stretch(notes, 0, len(notes), None, np.random.default_rng(0))


@given(seed=st.integers(0, 1000), boundary=st.integers(1, 59))
@settings(max_examples=50, deadline=None)
def test_held_durations_lie_only_before_their_boundary(seed: int, boundary: int) -> None:
    stretch = stretch_of(make_notes(60, seed))
    read = boundary_durations(stretch, np.array([boundary]), 1.0, 0.0, np.random.default_rng(seed))
    held = np.flatnonzero(read == HELD)
    assert (held < boundary).all()
    ends = stretch.onset + stretch.duration
    assert (ends[held] > stretch.onset[held.max() if len(held) else 0]).all()
    surely = np.flatnonzero(ends[:boundary] > stretch.onset[boundary])
    assert set(surely) <= set(held)
    others = np.setdiff1d(np.arange(60), held)
    assert (read[others] == stretch.fields[others, DURATION]).all()


@given(seed=st.integers(0, 1000), boundary=st.integers(1, 59))
@settings(max_examples=50, deadline=None)
def test_truncated_durations_end_at_the_boundary(seed: int, boundary: int) -> None:
    stretch = stretch_of(make_notes(60, seed))
    read = boundary_durations(stretch, np.array([boundary]), 0.0, 1.0, np.random.default_rng(seed))
    assert (read <= stretch.fields[:, DURATION]).all()
    assert (read[boundary:] == stretch.fields[boundary:, DURATION]).all()
    room = np.maximum(stretch.onset[boundary] - stretch.onset[:boundary], 0.01)
    longest = duration_index(np.ceil(room / 0.01 + 1e-6).astype(int))
    assert (read[:boundary] <= longest).all()


@given(seed=st.integers(0, 10_000), start=st.integers(0, 30), count=st.integers(1, 70))
@settings(max_examples=60, deadline=None)
def test_augmentation_never_drops_a_note(seed: int, start: int, count: int) -> None:
    notes = make_notes(100, seed)
    notes["pitch"][seed % 100] = 108 if seed % 2 else 21
    rng = np.random.default_rng(seed)
    stretch = encode_stretch(notes, start, count, Augmentation(frames={"piano": 0.032}), rng, frame=0.032)
    assert len(stretch.fields) == count
    true = np.sort(notes["pitch"][start : start + count].astype(int) - 21)
    shifts = np.sort(stretch.fields[:, PITCH]) - true
    assert len(set(shifts.tolist())) == 1
    assert -6 <= shifts[0] <= 5
    assert ((stretch.velocity >= 1) & (stretch.velocity <= 127)).all()


@given(seed=st.integers(0, 10_000))
@settings(max_examples=30, deadline=None)
def test_a_stretch_in_frames_is_changed_in_nothing_but_its_key(seed: int) -> None:
    notes = make_notes(40, seed)
    augmentation, rng = Augmentation(unframed=0.0, frames={"piano": 0.032}), np.random.default_rng(seed)
    stretch = encode_stretch(notes, 0, 40, augmentation, rng, frame=0.032)
    others = [TIME_SHIFT, VELOCITY, DURATION]
    assert (stretch.fields[:, others] == stretch_of(notes).fields[:, others]).all()


def test_a_stretch_as_live_playing_would_be_lies_on_no_frames() -> None:
    notes = make_notes(64, 3)
    notes["onset"] = 0.032 * np.arange(64)
    augmentation = Augmentation(unframed=1.0, frames={"piano": 0.032})
    apart = [
        np.diff(encode_stretch(notes, 0, 64, augmentation, np.random.default_rng(seed), frame=0.032).onset)
        for seed in range(30)
    ]
    assert all(part.std() > 0.004 for part in apart)
    assert np.std([part.mean() for part in apart]) > 0.001


def test_every_transposition_occurs() -> None:
    notes = make_notes(20, 1)
    drawn = {
        int(encode_stretch(notes, 0, 20, Augmentation(), np.random.default_rng(i)).fields[:, PITCH].min())
        for i in range(300)
    }
    assert len(drawn) == 12


def test_the_first_time_shift_counts_from_the_note_before() -> None:
    notes = make_notes(10, 3)
    notes["onset"] = np.arange(10) * 0.5
    rng = np.random.default_rng(0)
    assert encode_stretch(notes, 4, 3, None, rng).fields[:, 0].tolist() == [50, 50, 50]
    assert encode_stretch(notes, 0, 2, None, rng).fields[:, 0].tolist() == [0, 50]
