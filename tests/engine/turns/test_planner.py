"""The planner: what is planned can be withdrawn without a trace, and time order survives a slow machine."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from planner_bench import CALL, OTHER_STYLE, STYLE, PlannerBench, request
from rig import context, new_session

from tatumflow.engine.controls import ModeName
from tatumflow.engine.midi.notes import Note, Role
from tatumflow.engine.turns.modes import mode_named
from tatumflow.engine.turns.planner import FAULT_LIMIT, HORIZON
from tatumflow.engine.turns.turn_window import TurnWindow


def by_onset(notes: list[Note]) -> list[Note]:
    return sorted(notes, key=lambda note: note.onset)


def test_plan_reaches_lookahead_and_horizon_and_no_further():
    bench = PlannerBench()
    bench.begin(lookahead=0.2)
    bench.fill()
    reach = bench.clock.now() + 0.2 + HORIZON
    *before, last = bench.planner.planned
    assert last.onset > reach
    assert all(note.onset <= reach for note in before)
    assert bench.planner.planned[0].onset == 2.0, "the turn sets the first onset"


def test_first_onset_may_be_the_models_choice_within_limits():
    bench = PlannerBench()
    bench.begin(TurnWindow(earliest=2.0, latest_first=9.0, last_onset=30.0))
    bench.fill()
    assert bench.planner.first_onset is not None
    assert 2.0 <= bench.planner.first_onset <= 9.0
    assert (bench.planner.first_onset - CALL[-1].onset) * 100 == pytest.approx(
        round((bench.planner.first_onset - CALL[-1].onset) * 100)
    )


def test_commit_schedules_exactly_what_sounds_within_the_lookahead():
    bench = PlannerBench()
    bench.begin(lookahead=0.3)
    bench.fill()
    planned = bench.planner.planned
    committed = bench.planner.commit(bench.clock.now())
    limit = bench.clock.now() + 0.3
    assert committed == [note for note in planned if note.onset <= limit]
    assert bench.planner.planned == planned[len(committed) :]
    assert bench.planner.notes == len(committed) > 0


def test_withdrawn_notes_leave_no_trace_in_the_session():
    bench = PlannerBench()
    bench.begin()
    before = context(bench.session)
    bench.fill()
    planned = bench.planner.planned
    half = planned[len(planned) // 2].onset
    kept = [note for note in planned if note.onset < half]
    bench.planner.withdraw(half)
    assert bench.planner.planned == tuple(kept)
    assert len(context(bench.session)) == len(before) + len(kept)
    bench.planner.withdraw(0.0)
    assert context(bench.session) == before


def test_abandoned_turn_leaves_no_trace_and_comes_out_the_same_again():
    bench = PlannerBench()
    before = context(bench.session)
    bench.begin()
    bench.fill()
    planned = bench.planner.planned
    bench.planner.abandon()
    assert context(bench.session) == before
    bench.begin()
    bench.fill()
    assert bench.planner.planned == planned


def test_steering_redraws_the_planned_notes():
    bench = PlannerBench()
    bench.begin(temperature=1.5)
    bench.run_to(3.0)
    committed, planned = bench.planner.notes, bench.planner.planned
    assert planned
    bench.planner.steer(replace(request(register_low=80), style=OTHER_STYLE))
    assert bench.planner.planned == ()
    assert bench.planner.notes == committed
    bench.fill()
    redrawn = bench.planner.planned
    assert min(note.pitch for note in redrawn) >= 80
    assert redrawn[0].onset >= 3.0


def test_turn_ends_by_its_window_and_the_last_note_by_itself():
    bench = PlannerBench()
    bench.begin(TurnWindow(2.0, 2.0, last_onset=3.5))
    notes = bench.run_to(20.0, until=lambda: bench.planner.done_at is not None)
    assert bench.planner.finished
    assert notes[-1].onset <= 3.5
    assert bench.planner.done_at == max(note.offset for note in notes)
    assert len(context(bench.session)) == 1 + len(CALL) + 1 + len(notes)


def test_rest_ends_the_turn_only_late_in_the_window():
    bench = PlannerBench()
    bench.begin(TurnWindow(2.0, 2.0, last_onset=60.0, rest_from=6.0, rest=0.25))
    notes = by_onset(bench.run_to(60.0, until=lambda: bench.planner.done_at is not None))
    gaps = [(a.onset, b.onset - a.onset) for a, b in pairwise(notes)]
    assert notes[-1].onset >= 6.0
    assert any(gap > 0.25 for _, gap in gaps), "the mock rests before that too"
    assert all(gap <= 0.25 + 1e-9 for onset, gap in gaps if onset >= 6.0)


@pytest.mark.parametrize("seconds", [0.02, 0.12, 0.4])
def test_slow_machine_delays_the_rest_and_keeps_order(seconds: float):
    bench = PlannerBench()
    bench.decoder.seconds = seconds
    bench.begin()
    notes = bench.run_to(12.0)
    assert len(notes) >= 5
    assert [note.onset for note in notes] == sorted(note.onset for note in notes)
    assert bench.scheduler.late_notes == 0
    assert bench.scheduler.lateness.percentile(100) <= 0.011
    onsets = [step for step in context(bench.session) if step[4] == Role.COMPANION][1:]
    assert len(onsets) == len(notes) + len(bench.planner.planned), "the session has what was planned"


def test_stall_delays_the_planned_notes_together():
    bench = PlannerBench()
    bench.begin()
    bench.fill()
    planned = bench.planner.planned
    bench.clock.advance_to(2.5)
    committed = bench.planner.commit(2.5)
    moved = [*committed, *bench.planner.planned]
    shift = moved[0].onset - planned[0].onset
    assert moved[0].onset >= 2.5
    assert [note.onset for note in moved] == pytest.approx([note.onset + shift for note in planned])
    assert len(context(bench.session)) == 1 + len(CALL) + 1 + len(planned)


def test_cut_keeps_in_the_session_what_sounded():
    bench = PlannerBench()
    bench.begin(lookahead=0.5)
    notes = bench.run_to(3.0)
    while notes[-1].onset <= bench.clock.now():
        notes += bench.run_to(bench.clock.now() + 0.1)
    now = notes[-1].onset + notes[-1].duration / 2
    notes += bench.run_to(now)
    unsounded = bench.planner.cut(now)
    assert not bench.port.sounding
    assert {note for note in notes if note.onset > now} == set(unsounded)
    sounded = [note for note in notes if note not in unsounded]
    assert any(note.offset > now for note in sounded), "something was cut"

    other = new_session()
    other.begin_turn(Role.HUMAN, STYLE)
    for note in CALL:
        other.add(note, Role.HUMAN)
    other.begin_turn(Role.COMPANION, STYLE)
    for note in sounded:
        duration = min(note.offset, now) - note.onset
        other.add(Note(note.onset, max(duration, 0.01), note.pitch, note.velocity), Role.COMPANION)
    assert context(bench.session) == context(other)
    assert bench.planner.previous_onset == sounded[-1].onset
    assert bench.planner.notes == len(sounded)


def test_three_faults_in_a_row_end_the_turn_and_two_do_not():
    bench = PlannerBench()
    bench.begin()
    steps = bench.session.steps
    bench.decoder.broken = True
    for _ in range(FAULT_LIMIT - 1):
        assert bench.planner.extend(bench.clock.now())
    bench.decoder.broken = False
    bench.fill()
    assert bench.planner.planned
    assert not bench.planner.failure
    bench.planner.withdraw(0.0)
    bench.decoder.broken = True
    bench.fill()
    assert bench.planner.finished
    assert "not finite" in bench.planner.failure
    assert bench.planner.faults == 2 * FAULT_LIMIT - 1
    assert bench.session.steps == steps


def test_cost_is_measured_in_real_time():
    bench = PlannerBench()
    bench.begin()
    assert bench.planner.first_note_ms is None
    bench.fill()
    assert bench.planner.first_note_ms is not None
    assert 0 < bench.planner.first_note_ms < 5000
    assert len(bench.planner.note_cost) == len(bench.planner.planned)
    assert 0 < bench.planner.note_cost.percentile(50) <= bench.planner.note_cost.percentile(99)


@pytest.mark.parametrize(("mode", "moves"), [("restyle", True), ("reharmonize", True), ("answer", False)])
def test_dynamics_move_the_velocities_that_are_followed(mode: ModeName, moves: bool) -> None:
    means: list[float] = []
    for dynamics in (-24, 0, 24):
        bench = PlannerBench()
        restyled = request(mode=mode, dynamics=dynamics, velocity_follow=1.0)
        bench.planner.begin(replace(restyled, policy=mode_named(mode).phrases))
        notes = bench.run_to(12.0)
        means.append(float(np.mean([note.velocity for note in notes])))
    softer, plain, louder = means
    if moves:
        assert softer < plain - 12
        assert louder > plain + 12
    else:
        assert softer == plain == louder
