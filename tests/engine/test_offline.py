"""Files answered on a virtual clock: every phrase gets its answer, and a run repeats bit for bit."""

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mock_decoder import MockDecoder, mock_shape
from mock_melody_model import MockMelodyModel
from rig import StyleRows

from tatumflow.engine.clock import Clock
from tatumflow.engine.controls import Controls, chart_named
from tatumflow.engine.melodies.melody_model import MelodyModel
from tatumflow.engine.midi.notes import Note
from tatumflow.engine.midi.scheduler import Scheduler
from tatumflow.engine.model.session import ModelSession
from tatumflow.engine.offline import BREATH, answer_file, improvise, split_phrases
from tatumflow.engine.turns.companion import Companion
from tatumflow.engine.turns.turn_window import ENTRY_SECONDS, TurnWindow


def line(start: float, count: int, gap: float = 0.2, length: float = 0.15) -> list[Note]:
    return [Note(start + gap * i, length, 60 + i % 12, 80) for i in range(count)]


def maker(melodies: MelodyModel | None = None, **controls) -> Callable[[Scheduler, Clock], Companion]:
    def make(scheduler: Scheduler, clock: Clock) -> Companion:
        session = ModelSession(MockDecoder(mock_shape(cache_rows=256, window=192)))
        controls_ = Controls(**controls)
        return Companion(session, scheduler, clock, controls_, StyleRows(), melodies=melodies)

    return make


THREE_PHRASES = [*line(0.5, 10), *line(4.0, 12), *line(9.0, 8)]


@pytest.mark.parametrize("mode", ["answer", "continue"])
def test_every_phrase_is_played_whole_and_answered(mode: str):
    result = answer_file(THREE_PHRASES, maker(mode=mode))
    assert [turn.notes > 0 for turn in result.turns] == [True] * 3
    assert sum(turn.notes for turn in result.turns) == len(result.companion)
    assert [replace(n, onset=0.0) for n in result.human] == [replace(n, onset=0.0) for n in THREE_PHRASES]
    for turn in result.turns:
        assert turn.call_end < turn.turn < turn.end
        assert turn.first_onset is not None
        assert turn.turn <= turn.first_onset < turn.turn + 2.0
        assert turn.compute_ms is not None
        assert turn.compute_ms > 0


def test_the_players_do_not_overlap():
    result = answer_file(THREE_PHRASES, maker())
    for turn, following in pairwise(result.turns):
        assert following.call_start >= turn.end + BREATH - 1e-9
    for note in result.companion:
        assert any(turn.turn <= note.onset and note.offset <= turn.end + 1e-6 for turn in result.turns)


def test_time_within_a_phrase_is_kept():
    result = answer_file(THREE_PHRASES, maker())
    first, moved = THREE_PHRASES[10:22], result.human[10:22]
    shift = moved[0].onset - first[0].onset
    assert shift > 0
    assert [note.onset for note in moved] == pytest.approx([note.onset + shift for note in first])


def test_one_seed_one_result():
    def run(seed: int) -> tuple:
        result = answer_file(THREE_PHRASES, maker(seed=seed))
        return result.human, result.companion, [replace(turn, compute_ms=0.0) for turn in result.turns]

    assert run(3) == run(3)
    assert run(3)[1] != run(4)[1]


def test_a_morph_answers_each_phrase_with_two_bars_the_same_every_time():
    def run(**controls) -> tuple:
        make = maker(MockMelodyModel(), mode="morph", tempo=120.0, **controls)
        result = answer_file(THREE_PHRASES, make)
        return result.human, result.companion, [replace(turn, compute_ms=0.0) for turn in result.turns]

    human, companion, turns = run()
    assert (human, companion, turns) == run()
    assert [turn.notes > 0 for turn in turns] == [True] * 3
    for turn in turns:
        notes = [note for note in companion if turn.turn <= note.onset <= turn.end]
        assert notes[-1].offset - notes[0].onset <= 4.0 + 1e-6
    assert run(morph=1.0)[1] != companion


def test_file_without_a_pause_gets_answers():
    result = answer_file(line(0.0, 400, gap=0.1, length=0.1), maker())
    assert len(result.turns) >= 2
    assert all(turn.notes for turn in result.turns)
    assert len(result.human) == 400


def test_long_chord_does_not_keep_a_phrase_from_ending():
    notes = [Note(0.0, 60.0, 40, 80), *line(0.5, 100, gap=0.2)]
    phrases = split_phrases(notes)
    assert len(phrases) == 2
    assert phrases[0][0].offset == phrases[1][0].onset


def test_empty_file_gets_no_answer():
    result = answer_file([], maker())
    assert (result.human, result.companion, result.turns) == ((), (), ())


def test_note_that_meets_the_next_of_its_pitch_ends_there():
    (phrase,) = split_phrases([Note(0.0, 3.0, 60, 80), Note(1.0, 1.0, 60, 70), Note(1.0, 2.0, 60, 60)])
    assert [(note.onset, note.duration) for note in phrase] == [(0.0, 1.0), (1.0, 1.0)]


NOTES = st.lists(
    st.builds(Note, st.floats(0.0, 40.0), st.floats(0.01, 8.0), st.integers(58, 66), st.integers(1, 127)),
    max_size=60,
)


@settings(max_examples=100, deadline=None)
@given(NOTES, st.sampled_from([0.6, 1.0]))
def test_phrases_hold_every_onset_in_order(notes: list[Note], patience: float):
    phrases = split_phrases(notes, patience=patience)
    flat = [note for phrase in phrases for note in phrase]
    assert all(phrases)
    assert [note.onset for note in flat] == sorted(note.onset for note in flat)
    assert {note.pitch for note in flat} == {note.pitch for note in notes}
    assert all(note.duration > 0 for note in flat)
    for earlier, later in pairwise(phrases):
        assert max(note.offset for note in earlier) <= later[0].onset + 1e-9


@settings(max_examples=15, deadline=None)
@given(NOTES)
def test_any_file_is_answered_phrase_by_phrase(notes: list[Note]):
    result = answer_file(notes, maker())
    assert len(result.turns) == len(split_phrases(notes))
    assert sum(turn.notes for turn in result.turns) == len(result.companion)


@pytest.mark.parametrize("chords", ["blues in F", "rhythm changes in Bb"])
def test_whole_choruses_end_with_a_phrase(chords: str):
    bar = 4 * 60 / 240
    seconds = chart_named(chords).beats * bar / 4
    end = ENTRY_SECONDS + seconds
    make = maker(mode="improvise", chords=chords, tempo=240.0, seed=3)
    notes = improvise(make, seconds, form=True).companion
    assert notes[0].onset == pytest.approx(ENTRY_SECONDS)
    assert max(note.offset for note in notes) <= end + 1e-9
    assert notes[-1].onset >= end - 2 * bar
    cut = improvise(make, end).companion
    assert [note for note in notes if note.onset < end - bar] == [
        note for note in cut if note.onset < end - bar
    ]


def test_a_rest_in_the_last_bar_ends_the_form():
    window = TurnWindow(0.0, 0.0, 3600.0, longest_rest=1.5).closing(32.0, 30.0)
    assert not window.ends_before(29.9, 28.5)
    assert not window.ends_before(30.6, 30.0)
    assert window.ends_before(31.2, 30.1)
    assert window.ends_before(31.8, 31.5)
    assert window.ends_before(32.0, 31.9)
    assert window.ends_at == 32.0


def test_choruses_with_the_band_begin_after_the_count_and_end_on_its_last_chord():
    beat = 60 / 240
    seconds = chart_named("blues in F").beats * beat
    make = maker(mode="improvise", chords="blues in F", tempo=240.0, band=1, count_in=1)
    result = improvise(make, seconds, form=True)
    start, end = 4 * beat, 4 * beat + seconds
    assert result.companion[0].onset == pytest.approx(start, abs=0.01)
    assert max(note.offset for note in result.companion) <= end + 1e-9
    assert set(result.band) == {"bass", "comping", "drums"}
    assert all(note.onset < start - 0.03 for note in result.band["drums"][:4])
    for notes in result.band.values():
        assert end - 0.03 <= notes[-1].onset <= end + 0.03
        assert max(note.offset for note in notes) <= end + 4 * beat + 0.05
    again = improvise(make, seconds, form=True)
    assert (again.companion, again.band) == (result.companion, result.band)


def test_the_band_goes_on_under_a_file_and_ends_after_the_last_answer():
    notes = [Note(1.0 + 0.2 * count, 0.15, 60 + count, 80) for count in range(8)]
    result = answer_file(notes, maker(chords="blues in F", tempo=200.0, band=1))
    last = max(note.offset for note in result.companion)
    for part in ("bass", "drums"):
        onsets = [note.onset for note in result.band[part]]
        assert max(b - a for a, b in pairwise(onsets)) < 4 * 60 / 200 + 0.1
        assert last - 0.1 <= onsets[-1] <= last + 2 * 4 * 60 / 200
    assert answer_file(notes, maker(chords="blues in F", tempo=200.0)).band == {}
