"""When a phrase ends, and that no input upsets the tracker."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tatumflow.engine.midi.events import SUSTAIN, ControlChange, HumanEvent, InputLost, NoteOff, NoteOn
from tatumflow.engine.midi.notes import Note
from tatumflow.engine.turns.phrase import LONGEST_SILENCE, PEDAL_PATIENCE, SHORTEST_SILENCE, PhraseTracker


def play(tracker: PhraseTracker, *onsets: float, length: float = 0.05, pitch: int = 60) -> None:
    for onset in onsets:
        tracker.feed(NoteOn(onset, pitch, 80))
        tracker.feed(NoteOff(onset + length, pitch))


def pedal(time: float, down: bool) -> ControlChange:
    return ControlChange(time, SUSTAIN, 127 if down else 0)


def test_nothing_is_due_before_the_first_note():
    assert PhraseTracker().turn_due() is None


def test_silence_follows_the_players_pace():
    steady = [0.4 * i for i in range(8)]
    quick = [0.05 * i for i in range(8)]
    slow = [3.0 * i for i in range(8)]
    for onsets, expected in ((steady, 0.6), (quick, SHORTEST_SILENCE), (slow, LONGEST_SILENCE)):
        tracker = PhraseTracker()
        play(tracker, *onsets, length=0.02)
        assert tracker.silence == pytest.approx(expected)
        assert tracker.turn_due() == pytest.approx(onsets[-1] + 0.02 + expected)
        assert tracker.turn_due(0.5) == pytest.approx(onsets[-1] + 0.02 + expected / 2)


def test_silence_forgets_an_old_tempo():
    tracker = PhraseTracker()
    play(tracker, *[1.0 * i for i in range(8)])
    play(tracker, *[10.0 + 0.2 * i for i in range(14)])
    assert tracker.silence == pytest.approx(0.3)


def test_notes_of_a_chord_are_one_onset():
    tracker = PhraseTracker()
    for beat in range(6):
        for pitch in (60, 64, 67):
            tracker.feed(NoteOn(beat * 0.4 + (pitch - 60) * 1e-5, pitch, 80))
        for pitch in (60, 64, 67):
            tracker.feed(NoteOff(beat * 0.4 + 0.1, pitch))
    assert tracker.silence == pytest.approx(0.6, abs=1e-3)


def test_pause_between_phrases_is_not_a_gap():
    tracker = PhraseTracker()
    play(tracker, 0.0, 0.4, 0.8, 1.2)
    tracker.next_phrase()
    play(tracker, 20.0, 20.4)
    assert tracker.silence == pytest.approx(0.6)


def test_held_key_holds_the_turn():
    tracker = PhraseTracker()
    tracker.feed(NoteOn(0.0, 60, 80))
    tracker.feed(NoteOn(0.5, 64, 80))
    tracker.feed(NoteOff(0.6, 60))
    assert tracker.turn_due() is None
    tracker.feed(NoteOff(8.0, 64))
    assert tracker.turn_due() == pytest.approx(8.0 + tracker.silence)


def test_pedal_holds_the_turn_and_folds_into_durations():
    tracker = PhraseTracker()
    tracker.feed(pedal(0.0, True))
    tracker.feed(NoteOn(0.1, 60, 80))
    assert tracker.feed(NoteOff(0.3, 60)) == ()
    assert tracker.held == (60,)
    assert tracker.turn_due() == pytest.approx(0.3 + PEDAL_PATIENCE)
    assert tracker.feed(pedal(1.5, False)) == (Note(0.1, 1.4, 60, 80),)
    assert tracker.turn_due() == pytest.approx(1.5 + SHORTEST_SILENCE)


def test_forgotten_pedal_lets_go():
    tracker = PhraseTracker()
    tracker.feed(pedal(0.0, True))
    play(tracker, 0.1)
    assert [note.pitch for note in tracker.drop_pedal(3.2)] == [60]
    assert tracker.held == ()


def test_pedal_alone_is_no_phrase_and_no_activity():
    tracker = PhraseTracker()
    tracker.feed(pedal(0.0, True))
    assert tracker.turn_due() is None
    tracker.feed(pedal(0.5, False))
    play(tracker, 1.0)
    before = tracker.turn_due()
    tracker.feed(pedal(1.2, True))
    tracker.feed(pedal(1.3, False))
    assert tracker.turn_due() == before


def test_struck_again_under_the_pedal_ends_the_first_note():
    tracker = PhraseTracker()
    tracker.feed(pedal(0.0, True))
    play(tracker, 0.1)
    assert tracker.feed(NoteOn(1.1, 60, 70)) == (Note(0.1, 1.0, 60, 80),)
    assert tracker.feed(pedal(1.2, False)) == ()
    assert tracker.held == (60,)


def test_lost_input_releases_everything():
    tracker = PhraseTracker()
    tracker.feed(pedal(0.0, True))
    tracker.feed(NoteOn(0.1, 60, 80))
    tracker.feed(NoteOn(0.2, 64, 80))
    assert {note.pitch for note in tracker.feed(InputLost(1.0))} == {60, 64}
    assert tracker.turn_due() == pytest.approx(1.0 + tracker.silence)


def test_phrase_holds_ended_and_open_notes_and_a_new_one_starts_empty():
    tracker = PhraseTracker()
    tracker.feed(NoteOn(1.0, 60, 80))
    tracker.feed(NoteOn(1.5, 64, 70))
    tracker.feed(NoteOff(1.75, 60))
    phrase = tracker.phrase(2.0)
    assert phrase.notes == (Note(1.0, 0.75, 60, 80), Note(1.5, 0.5, 64, 70))
    assert (phrase.start, phrase.end, phrase.length) == (1.0, 2.0, 1.0)
    tracker.next_phrase()
    tracker.feed(NoteOff(3.0, 64))
    assert tracker.phrase(4.0).notes == ()
    assert tracker.turn_due() is None


def test_odd_input_is_taken_quietly():
    tracker = PhraseTracker()
    assert tracker.feed(NoteOff(0.0, 60)) == ()
    tracker.feed(NoteOn(1.0, 60, 80))
    assert tracker.feed(NoteOn(1.5, 60, 0)) == (Note(1.0, 0.5, 60, 80),)
    assert tracker.feed(NoteOff(1.6, 60)) == ()
    tracker.feed(NoteOn(2.0, 61, 80))
    ended = tracker.feed(NoteOff(0.5, 61))
    assert ended[0].duration > 0


TIMES = st.floats(0.0, 50.0)
EVENTS = st.one_of(
    st.builds(NoteOn, TIMES, st.integers(58, 62), st.integers(0, 127)),
    st.builds(NoteOff, TIMES, st.integers(58, 62)),
    st.builds(ControlChange, TIMES, st.sampled_from([1, SUSTAIN]), st.integers(0, 127)),
    st.builds(InputLost, TIMES),
)


@settings(max_examples=200, deadline=None)
@given(st.lists(EVENTS, max_size=40), st.booleans())
def test_every_onset_ends_once(events: list[HumanEvent], in_order: bool):
    tracker = PhraseTracker()
    ended: list[Note] = []
    for event in sorted(events, key=lambda e: e.time) if in_order else events:
        ended += tracker.feed(event)
        due = tracker.turn_due()
        assert due is None or due > 0
    last = max((event.time for event in events), default=0.0)
    phrase = tracker.phrase(last)
    ended += tracker.feed(InputLost(last))
    onsets = sum(isinstance(event, NoteOn) and event.velocity > 0 for event in events)
    assert len(ended) == len(phrase.notes) == onsets
    assert all(note.duration > 0 for note in ended)
    assert tracker.held == ()
