"""Takes: several samples of the notes to come, of which one is played, and no trace of the others."""

from collections.abc import Sequence

import pytest
from planner_bench import CALL, OTHER_STYLE, WINDOW, PlannerBench, request
from rig import Rig, context, new_session

from tatumflow.engine.messages import SetControl
from tatumflow.engine.midi.events import NoteOff, NoteOn
from tatumflow.engine.midi.notes import Note, Role
from tatumflow.engine.model.step_record import HeardNote
from tatumflow.engine.model.take_weights import TakeWeights
from tatumflow.engine.takes.take_chooser import Chooser, TakeChooser
from tatumflow.engine.tempo.chart_clock import ChartInTime
from tatumflow.engine.turns.takes import FIRST_NOTES, TAKE_NOTES
from tatumflow.engine.turns.turn_window import TurnWindow

UPWARD = TakeWeights(features=("register",), mean=(0.0,), deviation=(0.1,), weight=(20.0,))
"""Chooses the highest take, as good as always."""


class Numbered:
    """Chooses takes of the given numbers in turn, and keeps what it chose from."""

    def __init__(self, *numbers: int) -> None:
        self.numbers = numbers
        self.seen: list[list[tuple[Note, ...]]] = []
        self.before: list[Sequence[HeardNote]] = []

    def choose(
        self,
        before: Sequence[HeardNote],
        takes: Sequence[Sequence[Note]],
        uniform: float,
        chart: ChartInTime | None = None,
    ) -> int:
        self.before.append(before)
        self.seen.append([tuple(take) for take in takes])
        return self.numbers[(len(self.seen) - 1) % len(self.numbers)] % len(takes)


def played(bench: PlannerBench, end: float = 22.0) -> list[Note]:
    return bench.run_to(end)


def replayed_context(notes: Sequence[Note]) -> list[tuple[int, ...]]:
    """The context of a session to which the call and the notes were added one by one."""
    session = new_session()
    session.begin_turn(Role.HUMAN, OTHER_STYLE)
    for note in CALL:
        session.add(note, Role.HUMAN)
    session.begin_turn(Role.COMPANION, OTHER_STYLE)
    for note in notes:
        session.add(note, Role.COMPANION)
    return context(session)


@pytest.mark.parametrize("numbers", [(0,), (1,), (2,), (2, 0, 1)])
def test_the_context_has_the_notes_that_are_played_and_no_others(numbers: tuple[int, ...]):
    bench, chooser = PlannerBench(), Numbered(*numbers)
    bench.begin(chooser=chooser, takes=3)
    notes = played(bench)
    assert len(chooser.seen) > 2
    bench.planner.withdraw(0.0)
    assert context(bench.session) == replayed_context(notes)


def test_the_chosen_takes_are_what_is_played():
    bench, chooser = PlannerBench(), Numbered(1, 2)
    bench.begin(chooser=chooser, takes=3)
    notes = played(bench)
    chosen = [note for i, takes in enumerate(chooser.seen) for note in takes[1 + i % 2]]
    assert notes[FIRST_NOTES:] == chosen[: len(notes) - FIRST_NOTES]
    first, *others = chooser.seen
    assert {len(take) for take in first} == {TAKE_NOTES - FIRST_NOTES}, "the next ones begin at whole takes"
    assert {len(take) for takes in others for take in takes} == {TAKE_NOTES}
    assert all(len(set(takes)) == len(takes) == 3 for takes in chooser.seen)


def test_the_choice_reads_the_notes_of_both_players_before_the_takes():
    bench, chooser = PlannerBench(), Numbered(0)
    bench.begin(chooser=chooser, takes=2)
    notes = played(bench)
    before = chooser.before[1]
    assert [note.pitch for note in before] == [note.pitch for note in (*CALL, *notes)][: len(before)]
    assert [note.role for note in before[: len(CALL)]] == [Role.HUMAN] * len(CALL)
    assert len(before) == len(CALL) + TAKE_NOTES
    assert before[0].duration == pytest.approx(CALL[0].duration)


def test_one_take_is_what_was_played_without_a_choice():
    alone, with_chooser = PlannerBench(), PlannerBench()
    alone.begin()
    with_chooser.begin(chooser=Numbered(0), takes=1)
    assert played(alone) == played(with_chooser)


def test_same_seed_gives_same_takes():
    benches = PlannerBench(), PlannerBench()
    for bench in benches:
        bench.begin(chooser=TakeChooser(UPWARD), takes=4)
    assert played(benches[0]) == played(benches[1])


def test_weights_choose_what_they_weigh():
    def mean_pitch(chooser: Chooser | None) -> float:
        bench = PlannerBench()
        bench.begin(chooser=chooser, takes=6)
        notes = played(bench)
        return sum(note.pitch for note in notes) / len(notes)

    assert mean_pitch(TakeChooser(UPWARD)) > mean_pitch(None) + 1


def test_a_slow_model_plays_in_time_with_the_takes_that_it_has():
    bench, chooser = PlannerBench(), Numbered(-1)
    bench.decoder.seconds = 0.03
    bench.begin(chooser=chooser, takes=6, lookahead=0.05)
    notes = played(bench, 14.0)
    assert all(1 <= len(takes) < 6 for takes in chooser.seen), "there was no time for all of them"
    assert any(len(takes) > 1 for takes in chooser.seen)
    assert bench.scheduler.late_notes == 0
    bench.planner.withdraw(0.0)
    assert context(bench.session) == replayed_context(notes)


def test_a_model_too_slow_for_a_second_take_plays_the_first():
    bench, chooser = PlannerBench(), Numbered(0)
    bench.decoder.seconds = 0.1
    bench.begin(chooser=chooser, takes=6, lookahead=0.05)
    assert len(played(bench, 14.0)) > TAKE_NOTES
    assert all(len(takes) == 1 for takes in chooser.seen)
    assert bench.scheduler.late_notes == 0


@pytest.mark.parametrize("notes", [1, 7, 20])
def test_withdrawn_in_the_middle_of_a_take_nothing_of_it_is_left(notes: int):
    bench = PlannerBench()
    before = None
    bench.begin(chooser=Numbered(0), takes=3)
    before = context(bench.session)
    for _ in range(FIRST_NOTES + notes):
        bench.planner.extend(bench.clock.now(), 30.0)
    assert len(context(bench.session)) > len(before) + FIRST_NOTES
    assert len(bench.planner.planned) == FIRST_NOTES, "a take is not planned until it is chosen"
    bench.planner.withdraw(0.0)
    assert context(bench.session) == before


def test_an_abandoned_turn_leaves_no_take():
    bench = PlannerBench()
    before = context(bench.session)
    bench.begin(chooser=Numbered(0), takes=3)
    for _ in range(FIRST_NOTES + 5):
        bench.planner.extend(bench.clock.now(), 30.0)
    bench.planner.abandon()
    assert context(bench.session) == before


def test_a_turn_ends_with_the_take_that_ends_it():
    window = TurnWindow(earliest=2.0, latest_first=2.0, last_onset=6.0)
    bench, chooser = PlannerBench(), Numbered(1)
    bench.begin(window, chooser=chooser, takes=3)
    notes = played(bench, 20.0)
    assert bench.planner.finished
    assert bench.planner.done_at is not None
    assert max(note.onset for note in notes) <= 6.0
    assert notes[-len(chooser.seen[-1][1]) :] == list(chooser.seen[-1][1])


def test_a_failing_model_drops_the_takes_and_plays_on():
    bench, chooser = PlannerBench(), Numbered(0)
    bench.begin(chooser=chooser, takes=3)
    for _ in range(FIRST_NOTES + 5):
        bench.planner.extend(bench.clock.now(), 30.0)
    bench.decoder.broken = True
    bench.planner.extend(bench.clock.now(), 30.0)
    bench.decoder.broken = False
    notes = played(bench)
    assert bench.planner.faults == 1
    bench.planner.withdraw(0.0)
    assert context(bench.session) == replayed_context(notes)


def test_new_controls_in_the_middle_of_a_take_are_heard_at_once():
    bench, chooser = PlannerBench(), Numbered(0)
    bench.begin(chooser=chooser, takes=3)
    for _ in range(FIRST_NOTES + 5):
        bench.planner.extend(bench.clock.now(), 30.0)
    bench.planner.steer(request(WINDOW, chooser=chooser, takes=3, register_low=90))
    later = [note for note in played(bench) if note.onset > bench.planner.request.window.earliest + 0.3]
    assert later
    assert all(note.pitch >= 90 for note in later)


def test_a_key_pressed_during_takes_ends_the_turn_with_what_sounded():
    rig = Rig(take_weights=UPWARD, mode="continue", phrases=0, takes=5)
    end = rig.phrase(notes=12)
    rig.run_until("playing")
    rig.run_to(end + 4.0)
    rig.human(NoteOn(rig.clock.now(), 60, 80), NoteOff(rig.clock.now() + 0.1, 60))
    sounded = len(rig.port.ons)
    assert rig.companion.turn == "listening"
    own = [row for row in context(rig.session) if row[-1] == Role.COMPANION and row[1] < 88]
    assert len(own) == sounded


def test_fewer_takes_are_a_control_that_holds_at_once():
    rig = Rig(take_weights=UPWARD, mode="improvise", takes=6)
    rig.companion.command(SetControl("takes", 1))
    assert rig.companion.controls.takes == 1
