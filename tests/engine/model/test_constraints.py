"""Constraints: what is allowed, what is moved, and what gives way when wishes collide."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tatumflow.engine.arrays import Floats
from tatumflow.engine.controls import Controls
from tatumflow.engine.model.constraints import (
    TIME_SHIFT_SECONDS,
    Constraints,
    constrain_pitch,
    constrain_time_shift,
    constrain_velocity,
    delay,
    free_pitches,
    not_before,
    pitch_mask,
    thin_or_thicken,
)
from tatumflow.engine.model.sampling import EXCLUDED, probabilities
from tatumflow.engine.model.tokens import FIELD_SIZES, PITCH, TIME_SHIFT, VELOCITIES, VELOCITY

quick = settings(max_examples=40, deadline=None)


def logits_of(field: int, spread: float = 8.0) -> st.SearchStrategy[Floats]:
    return hnp.arrays(np.float32, FIELD_SIZES[field], elements=st.floats(-spread, spread, width=32))


registers = st.tuples(st.integers(21, 108), st.integers(21, 108)).map(sorted)
sounding_notes = st.lists(st.tuples(st.integers(21, 108), st.floats(0, 12)), max_size=16).map(tuple)


def allowed_pitches(logits: Floats) -> set[int]:
    return {int(i) + 21 for i in np.flatnonzero(logits > EXCLUDED)}


def mean_shift(logits: Floats) -> float:
    return float(probabilities(logits).astype(np.float64) @ TIME_SHIFT_SECONDS)


@given(logits_of(PITCH), registers, st.integers(1, 0xFFF), sounding_notes, st.floats(0, 12))
@quick
def test_pitches_obey_register_classes_and_what_sounds(logits, register, classes, sounding, onset) -> None:
    low, high = register
    wishes = Constraints(register_low=low, register_high=high, pitch_classes=classes, sounding=sounding)
    got = allowed_pitches(constrain_pitch(logits, wishes, onset=onset))
    in_register = set(range(low, high + 1))
    in_class = {p for p in in_register if classes >> p % 12 & 1} or in_register
    taken = {p for p, end in sounding if end > onset + 1e-6}
    assert got == (in_class - taken or in_class)


@given(sounding_notes, st.floats(0, 12), st.integers(21, 108))
@quick
def test_a_note_beside_another_lies_above_it(sounding, onset, above) -> None:
    wishes = Constraints(sounding=sounding)
    free = free_pitches(wishes, onset)
    higher = free & (np.arange(21, 109) > above)
    np.testing.assert_array_equal(free_pitches(wishes, onset, above), higher if higher.any() else free)


def test_a_register_off_the_keyboard_is_dropped() -> None:
    assert pitch_mask(110, 120, 0xFFF).all()


def test_repetition_costs_its_nats_once() -> None:
    logits = np.zeros(88, np.float32)
    got = constrain_pitch(logits, Constraints(repetition=1.5, recent=(60, 60, 72, 5)), onset=0.0)
    assert got[60 - 21] == got[72 - 21] == -1.5
    assert np.count_nonzero(got) == 2
    assert not logits.any()


@given(sounding_notes, st.integers(1, 16), st.none() | st.floats(0, 12))
@quick
def test_not_before_is_the_first_time_there_is_room(sounding, most, earliest) -> None:
    def room(time: float) -> bool:
        return sum(end > time for _, end in sounding) < most

    got = not_before(Constraints(max_polyphony=most, sounding=sounding), earliest)
    times = [t for t in (earliest or 0.0, *(end for _, end in sounding)) if t >= (earliest or 0.0)]
    first = min(t for t in times if room(t))
    assert max(got, 0.0) == pytest.approx(first)


def test_a_pitch_that_is_alone_allowed_is_waited_for() -> None:
    wishes = Constraints(register_low=60, register_high=61, sounding=((60, 3.0), (61, 2.0), (61, 2.5)))
    assert not_before(wishes) == 2.5
    assert not_before(wishes, 4.0) == 4.0


@given(logits_of(TIME_SHIFT), st.floats(-2, 20))
@quick
def test_delay_excludes_exactly_the_shorter_shifts(logits: Floats, seconds: float) -> None:
    got = delay(logits, seconds)
    enough = seconds - 1e-6 <= TIME_SHIFT_SECONDS
    if not enough.any():
        enough[-1] = True
    np.testing.assert_array_equal(got > EXCLUDED, enough)
    np.testing.assert_array_equal(got[enough], logits[enough])


def test_a_grid_time_is_not_before_itself() -> None:
    logits = np.zeros(FIELD_SIZES[TIME_SHIFT], np.float32)
    for index in range(len(logits)):
        wait = (0.1 + 0.2 + TIME_SHIFT_SECONDS[index]) - (0.1 + 0.2)
        assert np.flatnonzero(delay(logits, wait) > EXCLUDED)[0] == index


def test_beside_the_highest_allowed_pitch_there_is_no_room() -> None:
    logits = np.zeros(FIELD_SIZES[TIME_SHIFT], np.float32)
    wishes = Constraints(register_high=72)
    assert constrain_time_shift(logits, wishes, previous_pitch=72)[0] == EXCLUDED
    assert constrain_time_shift(logits, wishes, previous_pitch=71)[0] > EXCLUDED
    assert constrain_time_shift(logits, wishes, previous_pitch=90)[0] == EXCLUDED
    busy = Constraints(register_high=72, sounding=((72, 1.0),))
    assert constrain_time_shift(logits, busy, previous_pitch=71)[0] == EXCLUDED


@given(logits_of(TIME_SHIFT), st.floats(-2, 2), st.floats(-2, 2), st.floats(-1, 2))
@quick
def test_density_is_monotone(logits: Floats, one: float, other: float, wait: float) -> None:
    assume(one != other)
    low, high = sorted((one, other))
    sparse = constrain_time_shift(logits, Constraints(density=low), wait=wait)
    dense = constrain_time_shift(logits, Constraints(density=high), wait=wait)
    assert mean_shift(dense) <= mean_shift(sparse) * (1 + 1e-4)
    np.testing.assert_array_equal(sparse > EXCLUDED, dense > EXCLUDED)


@given(logits_of(TIME_SHIFT, 1.0), st.floats(0.15, 1.0), st.floats(-1, 1))
@quick
def test_an_octave_of_density_doubles_the_pace_and_keeps_chords(logits, centre, octaves) -> None:
    bell = (-0.5 * (np.log((TIME_SHIFT_SECONDS + 0.005) / centre) / 0.6) ** 2).astype(np.float32)
    logits = bell + logits
    got = probabilities(thin_or_thicken(logits, octaves))
    share = probabilities(logits)
    np.testing.assert_allclose(got[:3], share[:3], rtol=1e-3, atol=1e-7)
    apart = TIME_SHIFT_SECONDS[3:]
    ratio = (share[3:] @ apart / share[3:].sum()) / (got[3:] @ apart / got[3:].sum())
    assert ratio == pytest.approx(2.0**octaves, rel=0.03)


@given(logits_of(VELOCITY), st.floats(40, 90), st.floats(40, 90), st.floats(0, 1))
@quick
def test_the_level_of_velocities_moves_towards_the_target_and_accents_stay(
    logits: Floats, target: float, level: float, follow: float
) -> None:
    bell = (-0.5 * ((VELOCITIES - 64) / 10) ** 2).astype(np.float32)
    wish = (bell + np.float32(0.1) * logits).astype(np.float32)
    constraints = Constraints(velocity_target=target, velocity_level=level, velocity_follow=follow)
    got = constrain_velocity(wish, constraints)
    before = float(probabilities(wish) @ VELOCITIES)
    after = float(probabilities(got) @ VELOCITIES)
    target_mean = before + follow * (target - level)
    assert after == pytest.approx(target_mean, abs=12 if target_mean < 28 or target_mean > 100 else 1.5)
    assert got.dtype == np.float32
    spread = [
        float(np.sqrt(probabilities(one) @ (VELOCITIES - mean) ** 2))
        for one, mean in ((wish, before), (got, after))
    ]
    if 40 <= target_mean <= 90:
        assert spread[1] == pytest.approx(spread[0], abs=2.5)


@given(logits_of(TIME_SHIFT), logits_of(PITCH), logits_of(VELOCITY))
@quick
def test_no_wishes_change_nothing(shifts: Floats, pitches: Floats, velocities: Floats) -> None:
    free = Constraints()
    np.testing.assert_array_equal(constrain_time_shift(shifts, free), shifts)
    np.testing.assert_array_equal(constrain_pitch(pitches, free, onset=0.0), pitches)
    np.testing.assert_array_equal(constrain_velocity(velocities, free), velocities)


def test_controls_become_constraints() -> None:
    controls = Controls(density=1.0, register_low=40, max_polyphony=3, repetition=2.0, velocity_follow=0.25)
    wishes = Constraints.of(controls, sounding=((60, 1.0),), recent=(60,), velocity_target=70.0)
    assert wishes == Constraints(
        register_low=40,
        max_polyphony=3,
        density=1.0,
        repetition=2.0,
        recent=(60,),
        sounding=((60, 1.0),),
        velocity_follow=0.25,
        velocity_target=70.0,
    )
