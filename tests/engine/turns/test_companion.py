"""Turns: when the companion plays, when it yields, and what the model is left with."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mock_decoder import MockDecoder, mock_shape
from mock_melody_model import MockMelodyModel
from rig import Rig, context, new_session, style_weights

from tatumflow.engine.controls import Controls
from tatumflow.engine.messages import Panic, PassTurn, PlayKey, SetControl, TakeTurn, YieldTurn
from tatumflow.engine.midi.events import (
    ALL_NOTES_OFF,
    SUSTAIN,
    ControlChange,
    HumanEvent,
    InputLost,
    NoteOff,
    NoteOn,
)
from tatumflow.engine.midi.notes import Note, Role
from tatumflow.engine.model.tokens import DURATION, HELD
from tatumflow.engine.turns.companion import KEYS_CHANNEL, THINK_AHEAD
from tatumflow.engine.turns.phrase import PEDAL_PATIENCE
from tatumflow.engine.turns.turn_window import ENTRY_SECONDS

STYLE = style_weights(Controls())


def playing(**controls) -> Rig:
    """A rig in whose companion's turn some notes have sounded and some are planned."""
    rig = Rig(**controls)
    rig.phrase()
    rig.run_until("playing")
    rig.run_to(rig.clock.now() + 0.7)
    assert rig.companion.turn == "playing"
    return rig


def planned(rig: Rig) -> list[Note]:
    return [
        Note(note.onset, note.duration or 0.0, note.pitch, note.velocity)
        for note in rig.companion.snapshot().notes
        if note.planned
    ]


def test_answers_after_the_players_silence_and_then_listens_again():
    rig = Rig()
    end = rig.phrase(gap=0.25)
    rig.run_until("playing")
    assert rig.clock.now() == pytest.approx(end + 1.5 * 0.25)
    rig.run_until("listening")
    notes = rig.companion_notes
    assert notes[0].onset == pytest.approx(end + 1.5 * 0.25 + ENTRY_SECONDS)
    assert not rig.port.sounding
    assert rig.companion.advance() is None
    (turn,) = rig.companion.turns
    assert turn.notes == len(notes)
    assert (turn.call_start, turn.call_end) == (1.0, pytest.approx(end))
    assert turn.first_onset == notes[0].onset
    assert turn.planned_ahead


def test_first_notes_are_planned_before_the_turn_and_none_is_sent():
    rig = Rig()
    end = rig.phrase(gap=0.25)
    due = end + 1.5 * 0.25
    rig.run_to(due - THINK_AHEAD + 0.01)
    assert rig.companion.turn == "thinking"
    assert planned(rig)
    rig.run_to(due - 0.001)
    assert rig.port.events == []


def test_going_on_takes_the_thought_answer_back_without_a_trace():
    rig = Rig()
    end = rig.phrase()
    before = context(rig.session)
    rig.run_until("thinking")
    assert len(context(rig.session)) > len(before)
    rig.human(NoteOn(end + 0.3, 70, 80))
    assert rig.companion.turn == "listening"
    assert context(rig.session)[: len(before)] == before
    assert len(context(rig.session)) == len(before) + 1
    assert rig.port.events == []
    assert not rig.companion.turns


def test_held_key_holds_the_turn():
    rig = Rig()
    end = rig.phrase()
    rig.human(NoteOn(end + 0.1, 72, 80))
    rig.run_to(30.0)
    assert rig.companion.turn == "listening"
    rig.human(NoteOff(30.0, 72))
    rig.run_until("playing", limit=1.6)


def test_pedal_holds_the_turn_until_it_is_forgotten():
    rig = Rig()
    rig.human(ControlChange(0.5, SUSTAIN, 127))
    end = rig.phrase()
    rig.run_to(end + PEDAL_PATIENCE - 0.01)
    assert rig.companion.turn != "playing"
    rig.run_to(end + PEDAL_PATIENCE + 0.01)
    assert rig.companion.turn == "playing"


def test_lifting_the_pedal_lets_the_turn_go_and_gives_the_model_the_true_durations():
    rig = Rig()
    rig.human(ControlChange(0.5, SUSTAIN, 127))
    end = rig.phrase(notes=4)
    rig.human(ControlChange(end + 0.5, SUSTAIN, 0))
    rig.run_until("playing", limit=1.0)
    other = new_session()
    other.begin_turn(Role.HUMAN, STYLE)
    for i in range(4):
        onset = 1.0 + 0.25 * i
        other.add(Note(onset, end + 0.5 - onset, 60 + i, 80), Role.HUMAN)
    assert context(rig.session)[:5] == context(other)


def test_pedal_pressed_while_thinking_takes_the_answer_back():
    rig = Rig()
    rig.phrase()
    rig.run_until("thinking")
    rig.human(ControlChange(rig.clock.now() + 0.01, SUSTAIN, 127))
    assert rig.companion.turn == "listening"


def test_barge_in_closes_what_sounds_and_keeps_what_sounded():
    rig = playing(lookahead=0.4)
    rig.run_to(60.0, until=lambda: bool(rig.port.sounding))
    now = rig.clock.now()
    sent = len(rig.port.ons)
    rig.human(NoteOn(now, 50, 90))
    assert rig.companion.turn == "listening"
    assert not rig.port.sounding
    assert rig.scheduler.next_due() is None
    rig.run_to(now + 5.0)
    assert len(rig.port.ons) == sent
    (turn,) = rig.companion.turns
    assert turn.notes == sent == len(rig.companion_notes)

    other = new_session()
    other.begin_turn(Role.HUMAN, STYLE)
    for i in range(10):
        other.add(Note(1.0 + 0.25 * i, 0.1, 60 + i, 80), Role.HUMAN)
    other.begin_turn(Role.COMPANION, STYLE)
    for note in rig.companion_notes:
        other.add(note, Role.COMPANION)
    other.begin_turn(Role.HUMAN, STYLE)
    other.note_on(now, 50, 90)
    assert context(rig.session) == context(other)


def test_it_answers_again_after_a_barge_in():
    rig = playing()
    start = rig.clock.now()
    rig.phrase(start=start + 0.1)
    rig.run_until("playing")
    rig.run_until("listening")
    assert len(rig.companion.turns) == 2
    assert rig.companion.turns[1].call_start == pytest.approx(start + 0.1)


def test_continuation_of_no_number_of_phrases_goes_on_until_the_human_plays():
    rig = Rig(mode="continue")
    rig.companion.command(SetControl("phrases", 0))
    end = rig.phrase(gap=0.25)
    rig.run_until("playing")
    assert rig.clock.now() == pytest.approx(end + 0.6 * 1.5 * 0.25)
    rig.run_to(rig.clock.now() + 20.0)
    assert rig.companion.turn == "playing"
    rig.human(NoteOn(rig.clock.now(), 60, 80))
    assert rig.companion.turn == "listening"


@pytest.mark.parametrize("notes", [8, 24])
def test_continuation_lasts_in_proportion_to_the_call(notes: int):
    rig = Rig(mode="continue")
    rig.phrase(notes=notes)
    rig.run_until("playing")
    rig.run_until("listening")
    length, onsets = 0.25 * (notes - 1) + 0.1, sorted({note.onset for note in rig.companion_notes})
    turn = rig.companion.turns[0].turn
    assert 1.5 * length <= onsets[-1] - turn <= 3 * length + 1.1
    assert rig.companion.turns[0].notes == len(rig.companion_notes)


@pytest.mark.parametrize(("phrases", "seconds", "then"), [(1, 6.0, "listening"), (0, 20.0, "playing")])
def test_phrases_set_during_a_continuation_change_its_length(phrases: int, seconds: float, then: str):
    rig = playing(mode="continue")
    rig.companion.command(SetControl("phrases", phrases))
    rig.run_to(rig.clock.now() + seconds)
    assert rig.companion.turn == then


def test_changed_temperature_withdraws_what_is_planned():
    rig = playing(temperature=1.5)
    before = planned(rig)
    sent = len(rig.port.ons)
    rig.companion.command(SetControl("temperature", 0.1))
    assert planned(rig) == []
    rig.run_to(rig.clock.now() + 0.001)
    assert planned(rig)
    assert planned(rig) != before
    assert rig.companion.controls.temperature == 0.1
    rig.run_until("listening")
    assert len(rig.port.ons) > sent


def test_changed_lookahead_leaves_the_plan():
    rig = playing()
    before = planned(rig)
    rig.companion.command(SetControl("lookahead", 0.01))
    assert planned(rig) == before


def test_changed_style_is_in_force_at_once():
    rig = playing()
    rig.companion.command(SetControl("style", "charlie-parker"))
    rig.run_to(rig.clock.now() + 0.001)
    record = rig.session.record
    assert record.style[(record.total - 1) % record.capacity].tolist() == [0, 0, 1]


def test_changed_mode_lets_the_answer_go_on():
    rig = playing()
    rig.companion.command(SetControl("mode", "continue"))
    rig.companion.command(SetControl("phrases", 0))
    rig.run_to(rig.clock.now() + 15.0)
    assert rig.companion.turn == "playing"


@pytest.mark.parametrize(("name", "value"), [("temperature", 9.0), ("style", "unknown"), ("volume", 1)])
def test_refused_setting_is_a_notice(name: str, value: float | str):
    rig = Rig()
    before = rig.companion.controls
    rig.companion.command(SetControl(name, value))
    (notice,) = rig.companion.snapshot().notices
    assert notice.severity == "warning"
    assert name in notice.text
    assert rig.companion.controls == before
    assert rig.companion.snapshot().notices == ()


def test_take_turn_plays_at_once_even_without_a_call():
    rig = Rig()
    rig.companion.command(TakeTurn())
    assert rig.companion.turn == "playing"
    rig.run_to(1.0)
    assert rig.companion_notes[0].onset <= 0.2


def test_take_turn_while_a_key_is_down():
    rig = Rig()
    rig.phrase()
    rig.human(NoteOn(4.0, 72, 80))
    rig.run_to(4.5)
    rig.companion.command(TakeTurn())
    rig.human(NoteOff(5.0, 72))
    assert rig.companion.turn == "playing"
    rig.run_until("listening")
    assert rig.companion_notes


def test_yield_turn_stops_it_and_it_stays_quiet():
    rig = playing()
    rig.companion.command(YieldTurn())
    assert rig.companion.turn == "listening"
    assert not rig.port.sounding
    sent = len(rig.port.ons)
    rig.run_to(rig.clock.now() + 5.0)
    assert len(rig.port.ons) == sent


def test_the_turn_is_passed_to_and_fro():
    rig = Rig()
    rig.phrase()
    rig.run_until("thinking")
    rig.companion.command(PassTurn())
    assert rig.companion.turn == "playing"
    rig.run_to(rig.clock.now() + 0.5)
    assert rig.companion_notes
    rig.companion.command(PassTurn())
    assert rig.companion.turn == "listening"
    assert not rig.port.sounding
    rig.companion.command(PassTurn())
    assert rig.companion.turn == "playing"


def test_panic_silences_everything_and_forgets_the_phrase():
    rig = playing()
    rig.human(NoteOn(rig.clock.now(), 60, 80))
    rig.companion.command(Panic())
    numbers = [event.number for event in rig.port.events if isinstance(event, ControlChange)]
    assert numbers == [SUSTAIN, ALL_NOTES_OFF]
    assert rig.companion.snapshot().held == ()
    rig.run_to(rig.clock.now() + 5.0)
    assert rig.companion.turn == "listening"


def test_computer_key_sounds_for_its_length_and_is_answered():
    rig = Rig()
    rig.run_to(1.0)
    for _ in range(4):
        rig.companion.command(PlayKey(64, 80, 0.25))
        rig.run_to(rig.clock.now() + 0.3)
    key_events = [event for event in (*rig.port.ons, *rig.port.offs) if event.channel == KEYS_CHANNEL]
    key_events.sort(key=lambda event: event.time)
    assert key_events[:2] == [NoteOn(1.0, 64, 80, KEYS_CHANNEL), NoteOff(1.25, 64, KEYS_CHANNEL)]
    rig.run_until("playing")
    rig.companion.command(PlayKey(65))
    assert rig.companion.turn == "listening"


LATE = 0.14


def hear_late(rig: Rig, *events: HumanEvent) -> None:
    """Let the companion hear events as from a microphone, so long after their times."""
    for event in events:
        rig.run_to(event.time + LATE)
        rig.companion.handle(event)


def late_phrase(rig: Rig, start: float, notes: int = 8, gap: float = 0.25) -> float:
    """Return when the last note ended."""
    for index in range(notes):
        onset = start + gap * index
        hear_late(rig, NoteOn(onset, 60 + index, 80), NoteOff(onset + 0.1, 60 + index))
    return start + gap * (notes - 1) + 0.1


def test_late_events_delay_the_turn_and_keep_their_times():
    rig = Rig()
    end = late_phrase(rig, 1.0)
    rig.run_until("playing")
    assert rig.clock.now() == pytest.approx(end + 1.5 * 0.25 + LATE)
    rig.run_until("listening")
    (turn,) = rig.companion.turns
    assert (turn.call_start, turn.call_end) == (1.0, pytest.approx(end))


def test_a_phrase_of_late_events_goes_on_over_as_long_a_rest():
    rig = Rig()
    end = late_phrase(rig, 1.0)
    # Just before the silence ends; it is known when that has ended already.
    late_phrase(rig, end + 1.4 * 0.25, notes=2)
    assert rig.companion.turn == "listening"
    assert not rig.port.ons


def test_a_note_of_a_late_event_takes_the_turn_back():
    rig = playing()
    rig.companion.handle(NoteOn(rig.clock.now() - LATE, 40, 80))
    assert rig.companion.turn == "listening"
    assert not rig.port.sounding
    sent = len(rig.port.ons)
    rig.companion.handle(NoteOff(rig.clock.now() - LATE / 2, 40))
    late_phrase(rig, rig.clock.now() + 0.2)
    rig.run_until("playing")
    rig.run_until("listening")
    assert len(rig.port.ons) > sent


def test_silence_is_final():
    rig = playing()
    rig.companion.silence()
    assert not rig.port.sounding
    sent = len(rig.port.ons)
    rig.companion.handle(NoteOn(rig.clock.now(), 60, 80))
    rig.companion.command(TakeTurn())
    assert rig.companion.advance() is None
    rig.run_to(rig.clock.now() + 5.0)
    assert len(rig.port.ons) == sent


def test_broken_model_gives_notices_and_silence_and_recovers():
    rig = playing()
    rig.decoder.broken = True
    rig.run_until("listening")
    rig.phrase(start=rig.clock.now() + 1.0)
    sent = len(rig.port.ons)
    rig.run_to(rig.clock.now() + 5.0)
    assert len(rig.port.ons) == sent
    assert not rig.port.sounding
    snapshot = rig.companion.snapshot()
    assert snapshot.turn == "listening"
    assert snapshot.health.model_faults >= 3
    assert {notice.severity for notice in snapshot.notices} == {"error"}
    rig.decoder.broken = False
    rig.phrase(start=rig.clock.now() + 1.0)
    rig.run_until("playing")
    rig.run_until("listening")
    assert len(rig.port.ons) > sent


def test_model_whose_states_break_does_not_stop_the_listening():
    rig = Rig()
    rig.decoder.broken_states = True
    rig.phrase()
    rig.run_to(rig.clock.now() + 5.0)
    assert rig.companion.turn == "listening"
    assert rig.companion.snapshot().health.model_faults >= 3
    assert rig.port.ons == []
    rig.decoder.broken_states = False
    rig.phrase(start=rig.clock.now() + 1.0)
    rig.run_until("playing")


def test_the_context_is_prefilled_while_you_play():
    rig = Rig()
    rig.play(1.0, 1.25, 1.5)
    rig.run_to(1.61)
    assert rig.session.pending == 0
    assert rig.session.steps == 4


def test_a_long_held_bass_note_costs_nothing_when_the_turn_comes():
    rig = Rig()
    rig.human(NoteOn(0.9, 36, 80))
    end = rig.phrase(notes=40)
    rig.human(NoteOff(end + 0.01, 36))
    rig.run_to(end + 0.05)
    before = sum(rig.decoder.decoded)
    rig.session.settle()
    rig.session.sync()
    assert sum(rig.decoder.decoded) == before
    assert all(step[DURATION] != HELD for step in context(rig.session))


def test_lost_input_ends_its_notes_and_the_jam_goes_on():
    rig = Rig()
    end = rig.phrase()
    rig.human(NoteOn(end + 0.1, 72, 80), InputLost(end + 2.0))
    assert rig.companion.snapshot().held == ()
    rig.run_until("playing")


def test_same_seed_same_notes():
    def take(seed: int) -> list[Note]:
        rig = Rig(seed=seed)
        rig.phrase()
        rig.run_until("playing")
        rig.run_until("listening")
        rig.phrase(start=rig.clock.now() + 1.0)
        rig.run_until("playing")
        rig.run_until("listening")
        return rig.companion_notes

    assert take(7) == take(7)
    assert take(7) != take(8)


def test_snapshot_shows_both_players_and_the_planned_future():
    rig = playing()
    now = rig.clock.now()
    snapshot = rig.companion.snapshot()
    assert snapshot.time == now
    assert {note.role for note in snapshot.notes} == {Role.HUMAN, Role.COMPANION}
    assert list(snapshot.notes) == sorted(snapshot.notes, key=lambda note: (note.onset, note.pitch))
    assert all(note.onset > now for note in snapshot.notes if note.planned)
    assert snapshot.health.first_note_ms == 0.0
    assert {pitch for role, pitch in snapshot.held if role is Role.COMPANION} == {
        pitch for _, pitch in rig.port.sounding
    }
    rig.run_until("listening")
    rig.run_to(rig.clock.now() + 9.0)
    assert rig.companion.snapshot().notes == ()


TIMES = st.floats(0.0, 0.6)
ACTIONS = st.lists(
    st.one_of(
        st.tuples(TIMES, st.builds(NoteOn, st.just(0.0), st.integers(0, 127), st.integers(0, 127))),
        st.tuples(TIMES, st.builds(NoteOff, st.just(0.0), st.integers(55, 65))),
        st.tuples(TIMES, st.builds(ControlChange, st.just(0.0), st.just(SUSTAIN), st.sampled_from([0, 127]))),
        st.tuples(TIMES, st.builds(InputLost, st.just(0.0))),
        st.tuples(TIMES, st.sampled_from([TakeTurn(), TakeTurn(), YieldTurn(), Panic(), PlayKey(60)])),
        st.tuples(TIMES, st.builds(SetControl, st.just("temperature"), st.floats(0.0, 3.0))),
        st.tuples(
            TIMES, st.builds(SetControl, st.just("mode"), st.sampled_from(["answer", "continue", "morph"]))
        ),
        st.tuples(TIMES, st.builds(SetControl, st.just("morph"), st.floats(0.0, 1.0))),
        st.tuples(TIMES, st.builds(SetControl, st.just("style"), st.sampled_from(["", "charlie-parker"]))),
        st.tuples(TIMES, st.sampled_from(["break", "mend", "wait"])),
    ),
    max_size=30,
)


@settings(max_examples=60, deadline=None)
@given(ACTIONS)
def test_whatever_happens_it_ends_in_silence_and_the_context_has_what_sounded(actions: list[tuple]):
    rig = Rig(MockDecoder(mock_shape(cache_rows=128, window=96)), melodies=MockMelodyModel())
    for wait, action in actions:
        rig.run_to(rig.clock.now() + wait)
        match action:
            case "break" | "mend":
                rig.decoder.broken = action == "break"
            case "wait":
                rig.run_to(rig.clock.now() + 2.0)
            case NoteOn() | NoteOff() | ControlChange() | InputLost():
                event: HumanEvent = _at(action, rig.clock.now())
                rig.companion.handle(event)
            case _:
                rig.companion.command(action)
        assert rig.port.sounding == set(rig.scheduler.sounding)
    rig.companion.handle(InputLost(rig.clock.now()))
    rig.run_to(rig.clock.now() + 60.0)
    assert rig.companion.turn == "listening"
    assert not rig.port.sounding
    assert len(rig.port.ons) == len(rig.port.offs)
    assert rig.scheduler.late_notes == 0
    notes = sum(turn.notes for turn in rig.companion.turns)
    assert notes == len(rig.companion_notes)
    steps = [step for step in context(rig.session) if step[4] == Role.COMPANION and step[1] < 88]
    if rig.session.steps <= 128:
        assert len(steps) == notes
    assert np.isfinite(rig.companion.snapshot().health.note_cost_p50_ms)


def _at(event: HumanEvent, time: float) -> HumanEvent:
    match event:
        case NoteOn(pitch=pitch, velocity=velocity):
            return NoteOn(time, pitch, velocity)
        case NoteOff(pitch=pitch):
            return NoteOff(time, pitch)
        case ControlChange(number=number, value=value):
            return ControlChange(time, number, value)
        case InputLost():
            return InputLost(time)
