"""Ticks in beats: what a model reads of the beat, and when its notes sound."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from mock_decoder import MockDecoder, mock_shape

from tatumflow.engine.arrays import Floats, Ints
from tatumflow.engine.midi.notes import Note, Role
from tatumflow.engine.model.constraints import Constraints
from tatumflow.engine.model.metre import (
    BEAT_TICKS,
    LANDINGS,
    METRE_SIZES,
    NO_METRE,
    NO_PHASE,
    PHASE,
    tempo_index,
    with_landings,
)
from tatumflow.engine.model.sampling import Sampling, probabilities
from tatumflow.engine.model.session import ModelSession
from tatumflow.engine.model.tick_clock import TickClock
from tatumflow.engine.model.tokens import FIELD_SIZES, TIME_SHIFT_TICKS, to_ticks
from tatumflow.engine.tempo.beat_clock import BeatClock

TEMPI = st.floats(30, 400)
NO_STYLE = np.array([1, 0, 0], np.float32)


@given(TEMPI, st.floats(0, 600), st.integers(0, 200))
def test_a_beat_is_as_many_ticks_at_every_tempo(tempo: float, origin: float, beat: int) -> None:
    clock = TickClock()
    beats = BeatClock(tempo, origin)
    clock.follow(beats)
    assert clock.tick(beats.time(beat + 1)) - clock.tick(beats.time(beat)) == BEAT_TICKS
    assert clock.metre(beats.time(beat))[PHASE] == 0
    assert clock.tick_seconds(beats.time(beat)) == pytest.approx(60 / tempo / BEAT_TICKS)


def test_at_120_beats_a_minute_ticks_are_those_of_the_free_clock() -> None:
    free, clock = TickClock(), TickClock()
    clock.follow(BeatClock(120, 0.0))
    times = np.random.default_rng(0).uniform(0, 100, 200)
    assert [free.tick(time) for time in times] == [clock.tick(time) for time in times]


def test_bars_count_from_beat_0() -> None:
    clock = TickClock()
    clock.follow(BeatClock(60, 10.0), 3)
    assert [clock.metre(10.0 + beat)[1] for beat in range(-1, 5)] == [2, 0, 1, 2, 0, 1]


def test_free_time_has_no_places() -> None:
    clock = TickClock()
    assert clock.metre(3.0) == NO_METRE
    assert not clock.in_tempo


def test_tempo_indices_rise_with_the_tempo_and_stay_in_range() -> None:
    found = tempo_index(60 / np.geomspace(10, 1000, 200))
    assert (np.diff(found) >= 0).all()
    assert found[0] == 0
    assert found[-1] == METRE_SIZES[2] - 2


def test_a_shift_lands_where_ticks_take_it() -> None:
    for phase in (0, 17, 49):
        assert (LANDINGS[phase] == (phase + TIME_SHIFT_TICKS) % BEAT_TICKS).all()
    logits = np.zeros((2, FIELD_SIZES[0]), np.float32)
    landing = np.arange(2 * BEAT_TICKS, dtype=np.float32).reshape(2, BEAT_TICKS)
    metre = np.array([[10, 0, 3], NO_METRE])
    found = with_landings(logits, landing, metre, 1.0)
    assert (found[0] == LANDINGS[10]).all()
    assert (found[1] == 0).all(), "without a beat nothing is added"
    assert (with_landings(logits, landing, metre, 0.0) == logits).all()
    assert NO_PHASE == BEAT_TICKS


def shifts(session: ModelSession, times: np.ndarray) -> np.ndarray:
    for time in times:
        session.add(Note(float(time), 0.1, 60, 80), Role.HUMAN)
    session.sync()
    return session.record.fields[1 : 1 + len(times), 0]


@pytest.mark.parametrize("tempo", [90.0, 173.0, 240.0])
def test_a_rhythm_is_read_alike_at_every_tempo(tempo: float) -> None:
    beats = np.array([0, 0.66, 1, 1.5, 2, 3.34, 4])
    session = ModelSession(MockDecoder())
    session.follow_beats(BeatClock(tempo, 5.0))
    assert shifts(session, 5.0 + beats * 60 / tempo).tolist() == [0, 33, 17, 25, 25, 67, 33]


def test_ticks_go_on_through_a_change_of_clock() -> None:
    session = ModelSession(MockDecoder())
    first = shifts(session, np.array([1.0, 1.3]))
    session.follow_beats(BeatClock(240, 0.05))
    second = shifts(session, np.array([1.55, 1.8]))
    session.follow_beats(None)
    shifts(session, np.array([2.0]))
    assert first.tolist() == [0, 30]
    assert session.record.fields[1:6, 0].tolist() == [0, 30, 50, 50, 20]
    assert second is not None


def test_notes_of_its_own_fall_on_ticks_of_the_beat() -> None:
    session = ModelSession(MockDecoder(mock_shape(cache_rows=128, window=96)))
    beats = BeatClock(187.0, 2.0)
    session.follow_beats(beats)
    session.begin_turn(Role.COMPANION, NO_STYLE)
    rng, onset = np.random.default_rng(1), 2.0
    for _ in range(40):
        note = session.next_note(Sampling(), Constraints(), rng, previous_onset=onset)
        ticks = beats.beat(note.onset) * BEAT_TICKS
        assert ticks == pytest.approx(round(ticks), abs=1e-6)
        assert note.onset >= onset
        onset = note.onset


@pytest.mark.parametrize("pocket", [0.0, 1.0, 2.5])
def test_the_pocket_reaches_the_time_shift_alone(pocket: float) -> None:
    seen: list[tuple[int, float]] = []

    class Recorded(MockDecoder):
        def field_logits(
            self, field: int, hidden: Floats, known: Ints, chord: Ints, metre: Ints, pocket: float = 1.0
        ) -> Floats:
            seen.append((field, pocket))
            return super().field_logits(field, hidden, known, chord, metre, pocket)

    session = ModelSession(Recorded())
    session.begin_turn(Role.COMPANION, NO_STYLE)
    session.next_note(Sampling(pocket=pocket), Constraints(), np.random.default_rng(0), previous_onset=0.0)
    assert seen == [(0, pocket), (1, 1.0), (2, 1.0), (3, 1.0)]


def test_a_firmer_pocket_brings_more_onsets_to_the_beat() -> None:
    metre = np.array([[10, 0, 30]])
    landing = np.full((1, BEAT_TICKS), -1.0, np.float32)
    landing[0, 0] = 2.0
    on_beat = LANDINGS[10] == 0
    flat = np.zeros((1, len(on_beat)), np.float32)
    shares = [
        probabilities(with_landings(flat, landing, metre, pocket)[0])[on_beat].sum()
        for pocket in (0.0, 1.0, 2.0, 3.0)
    ]
    assert shares == sorted(shares)
    assert shares[3] > 5 * shares[0]


def test_a_model_that_reads_no_places_counts_in_seconds() -> None:
    plain = replace(mock_shape(), metre=False)
    session = ModelSession(MockDecoder(plain))
    session.follow_beats(BeatClock(240, 0.0))
    times = np.array([0.0, 0.25, 0.75])
    assert shifts(session, times).tolist() == [0, *np.diff(to_ticks(times)).tolist()]
