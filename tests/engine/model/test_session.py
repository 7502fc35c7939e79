"""The model session: whatever order and batching events come in, the states are those of the final notes."""

from dataclasses import astuple, replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mock_decoder import MockDecoder, mock_shape

from tatumflow.engine.errors import ModelFault
from tatumflow.engine.midi.notes import Note, Role
from tatumflow.engine.model.constraints import Constraints
from tatumflow.engine.model.decoder import DecoderInput, DecoderOutput
from tatumflow.engine.model.sampling import Sampling
from tatumflow.engine.model.session import ModelSession
from tatumflow.engine.model.tokens import (
    DURATION,
    HELD,
    PITCH,
    TIME_SHIFT,
    TIME_SHIFT_TICKS,
    TURN_TOKEN,
    encode_notes,
    to_ticks,
)

TATUM = np.array([0.0, 1.0, 0.0], np.float32)
BLEND = np.array([0.0, 0.25, 0.75], np.float32)
NO_STYLE = np.array([1.0, 0.0, 0.0], np.float32)
FREE = Constraints()


class Witness(MockDecoder):
    """Remembers, per absolute position, the inputs it last read and the state it answered."""

    def __init__(self, **kwargs) -> None:
        super().__init__(**kwargs)
        self.session: ModelSession | None = None
        self.read: dict[int, tuple] = {}
        self.state: dict[int, np.ndarray] = {}

    def decode(self, inputs: DecoderInput) -> DecoderOutput:
        assert self.session is not None
        first = self.session.steps - self.session.pending
        output = super().decode(inputs)
        for i in range(len(inputs.fields)):
            self.read[first + i] = (
                *inputs.fields[i].tolist(),
                int(inputs.role[i]),
                *inputs.style[i].tolist(),
            )
            self.state[first + i] = output.hidden[i].copy()
        return output


def new(**kwargs) -> tuple[ModelSession, Witness]:
    eager = kwargs.pop("eager_prefill", 24)
    decoder = Witness(**kwargs)
    session = ModelSession(decoder, eager_prefill=eager)
    decoder.session = session
    return session, decoder


def states(session: ModelSession, decoder: Witness) -> np.ndarray:
    session.settle()
    assert session.sync() == 0
    return np.array([decoder.state[p] for p in range(session.steps)])


def melody(count: int, seed: int = 0, start: float = 0.0) -> list[Note]:
    rng = np.random.default_rng(seed)
    onsets = start + np.cumsum(rng.integers(1, 40, count)) * 0.01
    return [
        Note(float(o), float(d) * 0.01, int(p), int(v))
        for o, d, p, v in zip(
            onsets,
            rng.integers(1, 90, count),
            rng.integers(30, 90, count),
            rng.integers(1, 128, count),
            strict=True,
        )
    ]


def draw(session: ModelSession, count: int, seed: int = 5, start: float = 0.0, **wishes) -> list[Note]:
    rng, notes, onset = np.random.default_rng(seed), [], start
    for _ in range(count):
        note = session.next_note(Sampling(), replace(FREE, **wishes), rng, previous_onset=onset)
        notes.append(note)
        onset = note.onset
    return notes


def test_steps_carry_fields_roles_and_styles() -> None:
    session, decoder = new()
    notes = melody(4, start=3.0)
    session.begin_turn(Role.HUMAN, BLEND)
    session.add(notes[0], Role.HUMAN)
    session.add(notes[1], Role.COMPANION)
    session.begin_turn(Role.COMPANION, TATUM)
    session.add(notes[2], Role.COMPANION)
    session.add(notes[3], Role.HUMAN)
    session.sync()
    fields = encode_notes(
        [n.onset for n in notes],
        [n.duration for n in notes],
        [n.pitch for n in notes],
        [n.velocity for n in notes],
    ).tolist()
    fields[0][TIME_SHIFT] = 0
    turn = [*astuple(TURN_TOKEN)]
    assert decoder.read == {
        0: (*turn, Role.HUMAN, *NO_STYLE),
        1: (*fields[0], Role.HUMAN, *NO_STYLE),
        2: (*fields[1], Role.COMPANION, *BLEND),
        3: (*turn, Role.COMPANION, *TATUM),
        4: (*fields[2], Role.COMPANION, *TATUM),
        5: (*fields[3], Role.HUMAN, *NO_STYLE),
    }


def test_prefill_equals_step_by_step() -> None:
    whole, one = new(), new()
    for session, _ in (whole, one):
        session.begin_turn(Role.HUMAN, TATUM)
    for note in melody(40):
        whole[0].add(note, Role.HUMAN)
        one[0].add(note, Role.HUMAN)
        one[0].sync()
    np.testing.assert_allclose(states(*whole), states(*one), atol=1e-5)
    assert whole[1].decoded == [41]
    assert one[1].decoded == [2] + [1] * 39


@given(st.integers(1, 40), st.integers(0, 300), st.sampled_from([0, 3, 24]), st.integers(0, 2**32 - 1))
@settings(max_examples=40, deadline=None)
def test_streaming_equals_batch_in_any_batching(count: int, length: int, eager: int, seed: int) -> None:
    """Keys go down and up as played, the cache catches up now and then; then the notes are given whole."""
    rng = np.random.default_rng(seed)
    pitches = rng.permutation(np.arange(21, 109))[:count]
    ticks = np.sort(rng.integers(0, length + 1, count))
    notes = [
        Note(int(t) * 0.01, int(d) * 0.01, int(p), 64)
        for t, p, d in zip(ticks, pitches, rng.integers(1, 200, count), strict=True)
    ]
    events = [(n.onset, 0, n) for n in notes] + [(n.offset, 1, n) for n in notes]
    live, live_decoder = new(shape=mock_shape(cache_rows=128), eager_prefill=eager)
    live.begin_turn(Role.HUMAN, TATUM)
    for time, off, note in sorted(events, key=lambda event: event[:2]):
        if off:
            live.note_off(time, note.pitch)
        else:
            live.note_on(time, note.pitch, note.velocity)
        if rng.random() < 0.5:
            live.sync([None, 1, 2][rng.integers(3)])
    batch, batch_decoder = new(shape=mock_shape(cache_rows=128))
    batch.begin_turn(Role.HUMAN, TATUM)
    for note in sorted(notes, key=lambda n: (int(to_ticks(n.onset)), n.pitch)):
        batch.add(note, Role.HUMAN)
    got, expected = states(live, live_decoder), states(batch, batch_decoder)
    inputs = [live_decoder.read[p] for p in range(live.steps)]
    assert inputs == [batch_decoder.read[p] for p in range(batch.steps)]
    np.testing.assert_allclose(got, expected, atol=1e-5)


@given(st.permutations([60, 64, 67, 71, 74]))
@settings(max_examples=20, deadline=None)
def test_chord_in_any_order_of_arrival_is_the_sorted_chord(order: list[int]) -> None:
    session, decoder = new()
    session.note_on(1.0, 50, 80)
    for pitch in order:
        session.note_on(1.2, pitch, 80)
        session.sync()
    session.note_on(1.5, 40, 80)
    session.sync()
    assert [decoder.read[p][PITCH] + 21 for p in range(1, 8)] == [50, 60, 64, 67, 71, 74, 40]
    assert [decoder.read[p][TIME_SHIFT] for p in range(1, 8)] == [0, 20, 0, 0, 0, 0, 30]
    assert all(decoder.read[p][DURATION] == HELD for p in range(1, 8))


def test_a_chord_stays_on_its_side_of_a_turn() -> None:
    session, decoder = new()
    session.note_on(1.0, 60, 80)
    session.begin_turn(Role.COMPANION, TATUM)
    session.add(Note(1.0, 0.1, 50, 80), Role.COMPANION)
    session.sync()
    assert [decoder.read[p][PITCH] for p in range(4)] == [TURN_TOKEN.pitch, 39, TURN_TOKEN.pitch, 29]


def test_rollback_is_as_if_never_fed_bit_for_bit() -> None:
    straight, speculative = new(), new()
    for session, _ in (straight, speculative):
        session.begin_turn(Role.HUMAN, NO_STYLE)
        for note in melody(20):
            session.add(note, Role.HUMAN)
        session.sync()
    session = speculative[0]
    mark = session.mark()
    session.begin_turn(Role.COMPANION, TATUM)
    draw(session, 12, start=10.0)
    session.rollback(mark)
    assert session.pending == 0
    decoded = len(speculative[1].decoded)
    for session, _ in (straight, speculative):
        session.begin_turn(Role.COMPANION, BLEND)
    assert draw(straight[0], 10, start=10.0) == draw(speculative[0], 10, start=10.0)
    np.testing.assert_array_equal(states(*straight), states(*speculative))
    assert len(speculative[1].decoded) == decoded + 11, "rolling back prefilled steps again"


def test_rollback_restores_the_style_in_force() -> None:
    session, decoder = new()
    session.begin_turn(Role.HUMAN, BLEND)
    mark = session.mark()
    session.begin_turn(Role.COMPANION, TATUM)
    session.rollback(mark)
    session.add(Note(0.0, 0.1, 60, 64), Role.COMPANION)
    session.sync()
    assert decoder.read[1][5:] == tuple(BLEND)


@pytest.mark.parametrize("inserted", [55, 64])
def test_rollback_drops_a_note_that_was_inserted_before_the_mark(inserted: int) -> None:
    plain, touched = new(), new()
    for session, _ in (plain, touched):
        session.note_on(0.5, 50, 80)
        session.note_on(1.0, 60, 80)
        session.note_on(1.0, 67, 80)
        session.sync()
    session = touched[0]
    mark = session.mark()
    session.note_on(1.0, inserted, 80)
    session.sync()
    session.rollback(mark)
    assert session.steps == 4
    for session, _ in (plain, touched):
        session.note_on(1.1, 72, 80)
        session.note_off(1.2, 67)
    np.testing.assert_allclose(states(*plain), states(*touched), atol=1e-6)


def test_nested_marks_and_marks_that_are_gone() -> None:
    session, _ = new()
    session.begin_turn(Role.HUMAN, NO_STYLE)
    outer = session.mark()
    session.add(Note(0.0, 0.1, 60, 64), Role.HUMAN)
    inner = session.mark()
    session.add(Note(0.1, 0.1, 60, 64), Role.HUMAN)
    session.rollback(inner)
    assert session.steps == 2
    session.rollback(outer)
    session.rollback(outer)
    assert session.steps == 1
    session.add(Note(0.2, 0.1, 62, 64), Role.HUMAN)
    with pytest.raises(ValueError, match="no longer holds"):
        session.rollback(inner)
    session.reset()
    with pytest.raises(ValueError, match="no longer holds"):
        session.rollback(outer)


def test_a_mark_older_than_the_record_leaves_its_turn() -> None:
    session, decoder = new()
    session.begin_turn(Role.COMPANION, BLEND)
    mark = session.mark()
    for note in melody(100):
        session.add(note, Role.COMPANION)
        session.sync()
    session.rollback(mark)
    session.sync()
    assert session.steps == 1
    assert decoder.read[0] == (*astuple(TURN_TOKEN), 1, *BLEND)


def test_a_far_correction_waits_until_it_is_needed() -> None:
    session, decoder = new(shape=mock_shape(cache_rows=128, window=64), eager_prefill=24)
    session.note_on(0.0, 40, 80)
    for note in melody(40, start=0.1):
        session.add(note, Role.HUMAN)
    session.sync()
    session.note_off(9.0, 40)
    assert session.pending == 0
    late = states(session, decoder)
    assert decoder.decoded == [42, 41]
    true, true_decoder = new(shape=mock_shape(cache_rows=128, window=64))
    true.add(Note(0.0, 9.0, 40, 80), Role.HUMAN)
    for note in melody(40, start=0.1):
        true.add(note, Role.HUMAN)
    np.testing.assert_allclose(late, states(true, true_decoder), atol=1e-5)


def test_a_near_correction_is_fed_again_in_one_call() -> None:
    session, decoder = new()
    session.note_on(0.0, 40, 80)
    for note in melody(20, start=0.1):
        session.add(note, Role.HUMAN)
    session.sync()
    session.note_off(9.0, 40)
    assert session.pending == 21
    assert session.sync(5) == 16
    session.sync()
    assert decoder.decoded == [22, 5, 16]


def test_a_correction_too_far_back_leaves_the_cache() -> None:
    session, _ = new(eager_prefill=4)
    session.note_on(0.0, 40, 80)
    for note in melody(40, start=0.1):
        session.add(note, Role.HUMAN)
    session.sync()
    session.note_off(9.0, 40)
    session.settle()
    assert session.pending == 16


def test_window_slides_over_any_number_of_steps() -> None:
    """A session that began later, but more than the model's reach ago, ends in the same states."""
    notes = melody(400)
    long, short = new(), new()
    for note in notes:
        long[0].add(note, Role.COMPANION)
        long[0].sync()
    # Two layers reach two windows back; rotary positions differ by a constant, which attention cancels.
    for note in notes[-200:]:
        short[0].add(note, Role.COMPANION)
    short[0].sync()
    np.testing.assert_allclose(
        long[1].state[long[0].steps - 1], short[1].state[short[0].steps - 1], atol=1e-4
    )
    assert max(short[1].decoded) <= 64
    first = draw(long[0], 30, start=notes[-1].onset)
    assert [n.pitch for n in first] == [n.pitch for n in draw(short[0], 30, start=notes[-1].onset)]


def test_chunks_across_the_ring_equal_single_steps() -> None:
    notes = melody(300, seed=3)
    single, chunked = new(), new()
    for i, note in enumerate(notes):
        single[0].add(note, Role.HUMAN)
        single[0].sync()
        chunked[0].add(note, Role.HUMAN)
        if i % 13 == 12:
            chunked[0].sync()
    chunked[0].sync()
    for p in range(250, single[0].steps):
        np.testing.assert_allclose(single[1].state[p], chunked[1].state[p], atol=1e-5)


def test_unfed_steps_are_never_lost() -> None:
    session, decoder = new()
    for note in melody(500):
        session.add(note, Role.HUMAN)
    session.sync()
    assert sorted(decoder.read) == list(range(501))


def test_next_note_repeats_and_equals_adding_its_notes() -> None:
    first, second, added = new(), new(), new()
    notes = []
    for session, _ in (first, second):
        session.begin_turn(Role.COMPANION, TATUM)
        notes.append(draw(session, 60))
    assert notes[0] == notes[1]
    assert notes[0] != draw(new()[0], 60)
    added[0].begin_turn(Role.COMPANION, TATUM)
    for note in notes[0]:
        added[0].add(note, Role.COMPANION)
        added[0].sync()
    np.testing.assert_array_equal(states(*first), states(*added))


def test_next_note_takes_four_numbers_and_respects_earliest() -> None:
    session, _ = new()
    session.add(Note(1.0, 0.2, 60, 64), Role.HUMAN)
    rng, twin = np.random.default_rng(3), np.random.default_rng(3)
    note = session.next_note(Sampling(), FREE, rng, previous_onset=1.0, earliest=3.456)
    twin.random(4)
    assert rng.random() == twin.random()
    assert 3.456 <= note.onset <= 11.0
    ticks = round((note.onset - 1.0) * 100)
    assert ticks in TIME_SHIFT_TICKS
    late = session.next_note(Sampling(), FREE, rng, previous_onset=note.onset, earliest=60.0)
    assert late.onset == 60.0


def test_faults_append_nothing_and_pass() -> None:
    session, decoder = new()
    session.add(Note(1.0, 0.2, 60, 64), Role.HUMAN)
    session.sync()
    sound = states(session, decoder)
    decoder.broken = True
    with pytest.raises(ModelFault, match="not finite"):
        draw(session, 1)
    assert session.steps == 2
    decoder.broken, decoder.broken_states = False, True
    session.add(Note(1.5, 0.2, 62, 64), Role.HUMAN)
    with pytest.raises(ModelFault, match="step 2"):
        session.sync()
    assert session.pending == 1
    decoder.broken_states = False
    np.testing.assert_array_equal(states(session, decoder)[:2], sound)
    assert np.isfinite(states(session, decoder)).all()
    assert len(draw(session, 3)) == 3


def test_human_input_off_the_norm_is_defined() -> None:
    session, decoder = new()
    session.note_off(0.0, 60)
    assert session.steps == 0
    session.note_on(1.0, 0, 200)
    session.note_on(0.5, 127, 0)
    session.note_off(2.0, 127)
    session.note_off(0.9, 0)
    session.note_off(3.0, 0)
    session.sync()
    shifts, pitches, _, durations = zip(*(decoder.read[p][:4] for p in (1, 2)), strict=True)
    assert shifts == (0, 0)
    assert [p + 21 for p in pitches] == [24, 103]
    assert durations[0] == 0
    assert durations[1] not in (0, HELD)


def test_late_notes_count_as_together_and_keep_their_order() -> None:
    session, decoder = new()
    for onset, pitch in ((1.0, 50), (2.0, 70), (1.5, 60), (1.2, 40)):
        session.add(Note(onset, 0.1, pitch, 64), Role.HUMAN)
        session.sync()
    assert [decoder.read[p][PITCH] + 21 for p in range(1, 5)] == [50, 70, 60, 40]
    assert [decoder.read[p][TIME_SHIFT] for p in range(1, 5)] == [0, 100, 0, 0]
    assert decoder.decoded == [2, 1, 1, 1]


def test_a_pitch_struck_again_ends_there() -> None:
    twice, whole = new(), new()
    twice[0].note_on(1.0, 60, 80)
    twice[0].sync()
    twice[0].note_on(1.3, 60, 90)
    twice[0].note_off(1.5, 60)
    whole[0].add(Note(1.0, 0.3, 60, 80), Role.HUMAN)
    whole[0].add(Note(1.3, 0.2, 60, 90), Role.HUMAN)
    np.testing.assert_allclose(states(*twice), states(*whole), atol=1e-6)


def test_generated_music_meets_its_constraints() -> None:
    session, _ = new()
    session.begin_turn(Role.COMPANION, TATUM)
    rng, onset = np.random.default_rng(1), 0.0
    wishes = Constraints(register_low=50, register_high=70, pitch_classes=0b101010110101, max_polyphony=2)
    notes: list[Note] = []
    for _ in range(120):
        sounding = tuple((n.pitch, n.offset) for n in notes if n.offset > onset)
        wishes = Constraints(
            register_low=50,
            register_high=70,
            pitch_classes=0b101010110101,
            max_polyphony=2,
            sounding=sounding,
        )
        note = session.next_note(Sampling(temperature=1.2), wishes, rng, previous_onset=onset)
        still = [n for n in notes if n.offset > note.onset + 1e-6]
        assert len(still) < 2
        assert note.pitch not in {n.pitch for n in still}
        assert 50 <= note.pitch <= 70
        assert 0b101010110101 >> note.pitch % 12 & 1
        assert note.onset > onset or not notes or note.pitch > notes[-1].pitch
        notes.append(note)
        onset = note.onset


def test_notes_of_one_tick_rise() -> None:
    class Chordal(MockDecoder):
        def field_logits(self, field: int, *state: Any, **settings: Any) -> np.ndarray:
            logits = super().field_logits(field, *state, **settings)
            if field == TIME_SHIFT:
                logits[:, 0] += 20.0
            return logits

    session = ModelSession(Chordal())
    notes = draw(session, 60, register_low=48, register_high=72)
    pairs = list(pairwise(notes))
    together = [(a, b) for a, b in pairs if a.onset == b.onset]
    assert len(together) > 20
    assert all(b.pitch > a.pitch for a, b in together)
    assert len(together) < len(pairs), "a chord at the top of the register leaves room for no further note"
