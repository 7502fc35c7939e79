"""The engine's tokens against MidiTok, the tokenizer of record."""

import dataclasses
from pathlib import Path

import miditok
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from symusic.core import NoteTick, ScoreTick, TempoTick, TrackTick

from tatumflow.engine.midi.midi_file import read_midi
from tatumflow.engine.midi.notes import Note
from tatumflow.engine.model.tokens import (
    ABSENT,
    DURATION,
    DURATION_TICKS,
    FIELD_SIZES,
    FIELDS,
    HELD,
    INPUT_SIZES,
    PITCH,
    TIME_SHIFT,
    TIME_SHIFT_TICKS,
    TURN_TOKEN,
    VELOCITIES,
    VELOCITY,
    NoteTokens,
    StreamingEncoder,
    decode_note,
    duration_index,
    encode_notes,
    time_shift_index,
    to_ticks,
    velocity_index,
)

_MIDITOK_TYPES = ("TimeShift", "Pitch", "Velocity", "Duration")

# Gap to the note before, pitch, velocity, duration; times in MIDI ticks of 1/960 s.
_ROW = st.tuples(
    st.one_of(st.just(0), st.integers(0, 1200), st.integers(8000, 14_000)),
    st.integers(21, 108),
    st.integers(1, 127),
    st.one_of(st.integers(1, 1200), st.integers(8000, 14_000)),
)


@pytest.fixture(scope="module")
def tokenizer() -> miditok.Structured:
    config = miditok.TokenizerConfig(
        beat_res={(0, 2): 50, (2, 20): 5}, pitch_range=(21, 108), remove_duplicated_notes=True
    )
    return miditok.Structured(config)


def _vocabulary(tokenizer: miditok.Structured, kind: str) -> list[str]:
    """Return the tokens of one field in the order of their ids."""
    vocabulary = tokenizer.vocab
    assert isinstance(vocabulary, dict)
    return sorted((name for name in vocabulary if name.startswith(f"{kind}_")), key=vocabulary.__getitem__)


def _miditok_indices(tokenizer: miditok.Structured, path: Path) -> NDArray[np.int64]:
    sequences = tokenizer(path)
    sequence = sequences[0] if isinstance(sequences, list) else sequences
    vocabulary = tokenizer.vocab
    assert isinstance(vocabulary, dict)
    base = [min(vocabulary[name] for name in _vocabulary(tokenizer, kind)) for kind in _MIDITOK_TYPES]
    return np.array(sequence.ids, dtype=np.int64).reshape(-1, 4) - base


def _write(path: Path, rows: list[tuple[int, int, int, int]], tpq: int) -> None:
    """Write rows as a file at 120 bpm; a pitch that would sound again too soon is left out.

    Too soon is within 20 ms of its end: notes of one pitch on one grid tick are duplicates to MidiTok.
    """
    score = ScoreTick(tpq)
    score.tempos.append(TempoTick(0, 120.0))
    track = TrackTick("piano")
    now, free = 0, dict.fromkeys(range(128), 0)
    for gap, pitch, velocity, duration in rows:
        now += gap * tpq // 480
        length = max(duration * tpq // 480, 1)
        if now >= free[pitch]:
            track.notes.append(NoteTick(now, length, pitch, velocity))
            free[pitch] = now + length + tpq // 25
    score.tracks.append(track)
    score.dump_midi(str(path))


def _columns(notes: list[Note]) -> tuple[NDArray[np.float64], NDArray[np.float64], list[int], list[int]]:
    return (
        np.array([note.onset for note in notes]),
        np.array([note.duration for note in notes]),
        [note.pitch for note in notes],
        [note.velocity for note in notes],
    )


@pytest.mark.parametrize("tpq", [220, 480])
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(_ROW, min_size=1, max_size=60))
def test_engine_encodes_files_as_miditok_does(
    rows: list[tuple[int, int, int, int]], tpq: int, tokenizer: miditok.Structured, tmp_path: Path
) -> None:
    path = tmp_path / "piece.mid"
    _write(path, rows, tpq)
    notes = sorted(read_midi(path).notes, key=lambda note: (int(to_ticks(note.onset)), note.pitch))
    encoder = StreamingEncoder()
    streamed = np.array([dataclasses.astuple(encoder.encode(note)) for note in notes])
    np.testing.assert_array_equal(encode_notes(*_columns(notes)), _miditok_indices(tokenizer, path))
    np.testing.assert_array_equal(streamed, encode_notes(*_columns(notes)))


def test_halves_of_a_tick_round_as_miditok_rounds_them(tokenizer: miditok.Structured, tmp_path: Path) -> None:
    path = tmp_path / "halves.mid"
    score = ScoreTick(100)  # 5 ms per tick at 120 bpm: every odd tick is half a grid tick
    track = TrackTick("piano")
    for i in range(80):
        track.notes.append(NoteTick(29 * i, 15 + 2 * i, 21 + i, 64))
    score.tracks.append(track)
    score.dump_midi(str(path))
    notes = list(read_midi(path).notes)
    np.testing.assert_array_equal(encode_notes(*_columns(notes)), _miditok_indices(tokenizer, path))


def test_the_vocabulary_is_miditoks(tokenizer: miditok.Structured) -> None:
    assert len(tokenizer) == 567
    pitches = [int(name.split("_")[1]) for name in _vocabulary(tokenizer, "Pitch")]
    assert pitches == list(range(21, 109))
    assert [int(name.split("_")[1]) for name in _vocabulary(tokenizer, "Velocity")] == VELOCITIES.tolist()
    assert tuple(len(_vocabulary(tokenizer, kind)) for kind in _MIDITOK_TYPES) == FIELD_SIZES
    for kind, ticks in (("TimeShift", TIME_SHIFT_TICKS), ("Duration", DURATION_TICKS)):
        values = [name.split("_")[1].split(".") for name in _vocabulary(tokenizer, kind)]
        # beats.fraction.resolution, at 50 ticks of 10 ms to the beat
        assert [(int(b) * int(r) + int(f)) * 50 // int(r) for b, f, r in values] == ticks.tolist()


def test_no_input_only_index_can_be_predicted() -> None:
    assert len(FIELDS) == len(FIELD_SIZES) == 4
    assert NoteTokens(*ABSENT) == TURN_TOKEN
    for absent, size, rows in zip(ABSENT, FIELD_SIZES, INPUT_SIZES, strict=True):
        assert size <= absent < rows
    assert FIELD_SIZES[DURATION] < HELD < INPUT_SIZES[DURATION]
    assert ABSENT[DURATION] != HELD


@pytest.mark.parametrize(
    ("seconds", "ticks"),
    [(0.0, 0), (0.0049, 0), (0.005, 1), (0.145, 15), (0.035, 4), (0.1449, 14), (9.995, 1000)],
)
def test_seconds_round_to_the_nearest_tick_and_halves_go_up(seconds: float, ticks: int) -> None:
    assert int(to_ticks(seconds)) == ticks


def test_times_beyond_the_grid_are_clamped_to_it() -> None:
    assert TIME_SHIFT_TICKS[time_shift_index([-5, 0, 1000, 1001, 10**6])].tolist() == [0, 0, 1000, 1000, 1000]
    assert DURATION_TICKS[duration_index([-5, 0, 1, 1000, 1001])].tolist() == [1, 1, 1, 1000, 1000]


@given(st.integers(0, 1000))
def test_a_time_is_never_farther_than_half_a_step_from_its_index(ticks: int) -> None:
    half = 0 if ticks < 100 else 5
    assert abs(int(TIME_SHIFT_TICKS[time_shift_index(ticks)]) - ticks) <= half
    if ticks:
        assert abs(int(DURATION_TICKS[duration_index(ticks)]) - ticks) <= half


@given(st.integers(1, 127))
def test_velocities_keep_within_two_steps(velocity: int) -> None:
    assert abs(int(VELOCITIES[velocity_index(velocity)]) - velocity) <= 2


@given(
    st.lists(
        st.tuples(*(st.integers(0, FIELD_SIZES[f] - 1) for f in (TIME_SHIFT, PITCH, VELOCITY, DURATION))),
        max_size=30,
    )
)
def test_decoding_undoes_encoding(rows: list[tuple[int, int, int, int]]) -> None:
    encoder, onset = StreamingEncoder(), 0.0
    for row in rows:
        note = decode_note(NoteTokens(*row), onset)
        onset = note.onset
        assert encoder.encode(note) == NoteTokens(*row)


@pytest.mark.parametrize("field", FIELDS)
def test_an_absent_field_cannot_be_decoded(field: str) -> None:
    tokens = dataclasses.replace(NoteTokens(0, 0, 0, 0), **{field: ABSENT[FIELDS.index(field)]})
    with pytest.raises(IndexError):
        decode_note(tokens, 0.0)


def test_a_held_note_cannot_be_decoded() -> None:
    with pytest.raises(IndexError):
        decode_note(NoteTokens(0, 0, 0, HELD), 0.0)


def test_a_late_report_counts_as_together_with_the_note_before() -> None:
    encoder = StreamingEncoder(origin=1.0)
    assert encoder.encode(Note(1.5, 0.1, 60, 64)).time_shift == 50
    assert encoder.encode(Note(1.4, 0.1, 64, 64)).time_shift == 0
    assert encoder.encode(Note(1.6, 0.1, 67, 64)).time_shift == 10
