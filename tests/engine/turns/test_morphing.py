"""The mode morph: turns open between the human's phrase and the companion's last one, and stay revocable."""

import pytest
from mock_melody_model import OCTAVE, MockMelodyModel
from rig import Rig, context

from tatumflow.engine.controls import Controls
from tatumflow.engine.messages import PassTurn, SetControl, TakeTurn
from tatumflow.engine.midi.events import NoteOff, NoteOn
from tatumflow.engine.midi.notes import PITCH_HIGHEST, PITCH_LOWEST, Note, Role
from tatumflow.engine.turns.planner import REDRAW_LEAD

BEAT = 0.5
BAR = 4 * BEAT
LINE = (60, 62, 64, 65, 67, 69, 71, 72)


def morphing(**controls) -> Rig:
    """A companion that morphs at 120 beats per minute."""
    return Rig(melodies=MockMelodyModel(), **{"mode": "morph", "tempo": 120.0, **controls})


def trading(bars: int = 2, **controls) -> Rig:
    """One that trades bars, from the first moment on."""
    return morphing(**{"trade_bars": bars, "count_in": 0, **controls})


def quarters(rig: Rig, start: float, pitches: tuple[int, ...] = LINE, velocity: int = 80) -> None:
    """Play a line of quarters from `start` seconds on."""
    for index, pitch in enumerate(pitches):
        onset = start + BEAT * index
        rig.human(NoteOn(onset, pitch, velocity), NoteOff(onset + 0.4, pitch))


def planned(rig: Rig) -> list[Note]:
    return [
        Note(note.onset, note.duration or 0.0, note.pitch, note.velocity)
        for note in rig.companion.snapshot().notes
        if note.planned
    ]


def places(notes: list[Note], start: float) -> list[tuple[float, int]]:
    """Beats since `start` seconds, and pitches."""
    return [(round((note.onset - start) / BEAT, 3), note.pitch) for note in notes]


def warnings(rig: Rig) -> list[str]:
    return [notice.text for notice in rig.companion.snapshot().notices if notice.severity == "warning"]


def higher(pitches: tuple[int, ...]) -> list[tuple[float, int]]:
    """What the model decodes of a line of quarters."""
    return [(float(index), pitch + OCTAVE) for index, pitch in enumerate(pitches)]


def test_at_0_the_turn_is_the_decoded_call_on_its_bar_line():
    rig = trading(morph=0.0)
    quarters(rig, 0.0)
    rig.run_to(4 * BAR)
    assert places(rig.companion_notes, 2 * BAR) == higher(LINE)
    assert {note.velocity for note in rig.companion_notes} == {80}


def test_at_1_the_turn_is_the_companions_last_phrase_decoded():
    rig = trading(morph=1.0)
    quarters(rig, 0.0)
    rig.run_to(4 * BAR)
    first = places(rig.companion_notes, 2 * BAR)
    assert first == higher(LINE), "without a phrase of its own it plays the human's"
    quarters(rig, 4 * BAR, tuple(reversed(LINE)))
    rig.run_to(8 * BAR)
    second = places(rig.companion_notes[len(first) :], 6 * BAR)
    assert second == [(beat, pitch + OCTAVE) for beat, pitch in first]


def test_between_them_it_is_neither():
    played = []
    for share in (0.0, 0.5, 1.0):
        rig = trading(morph=share)
        quarters(rig, 0.0)
        rig.run_to(4 * BAR)
        before = len(rig.companion_notes)
        quarters(rig, 4 * BAR, tuple(reversed(LINE)))
        rig.run_to(8 * BAR)
        played.append(places(rig.companion_notes[before:], 6 * BAR))
    assert played[1] not in (played[0], played[2])
    assert played[1]


def test_an_answer_counts_as_the_companions_phrase():
    rig = trading(mode="answer")
    quarters(rig, 0.0)
    rig.run_to(4 * BAR)
    model = rig.companion._morphing._model
    assert isinstance(model, MockMelodyModel)
    rig.companion.set_controls([SetControl("mode", "morph")])
    quarters(rig, 4 * BAR)
    rig.run_to(8 * BAR)
    assert len(model.encoded) == 2
    assert model.encoded[1] != model.encoded[0]


def test_without_any_phrase_the_model_plays():
    rig = trading()
    rig.run_to(4 * BAR)
    assert rig.companion_notes
    assert rig.companion.turns[0].first_onset == pytest.approx(2 * BAR)


def test_in_traded_fours_the_last_two_bars_are_the_models():
    rig = trading(4, morph=0.0)
    quarters(rig, 0.0, LINE + tuple(reversed(LINE)))
    start = 4 * BAR
    rig.run_to(start + 4 * BAR)
    notes = rig.companion_notes
    opening = [note for note in notes if note.onset < start + 2 * BAR - 1e-6]
    assert places(opening, start) == higher(tuple(reversed(LINE)))
    sampled = notes[len(opening) :]
    assert sampled
    other = trading(4, morph=0.0, seed=1)
    quarters(other, 0.0, LINE + tuple(reversed(LINE)))
    other.run_to(start + 4 * BAR)
    assert other.companion_notes[: len(opening)] == opening
    assert other.companion_notes[len(opening) :] != sampled, "the seed decides what is sampled"


def test_turns_of_one_bar_hold_the_first_bar():
    rig = trading(1, morph=0.0)
    quarters(rig, 0.0, LINE[:4])
    rig.run_to(2 * BAR)
    assert places(rig.companion_notes, BAR) == higher(LINE[:4])
    assert rig.companion.turn == "listening"


def test_a_free_turn_is_the_melody_in_the_tempo_of_the_controls():
    rig = morphing(morph=0.0)
    quarters(rig, 1.0)
    rig.run_until("playing")
    rig.run_until("listening")
    notes = rig.companion_notes
    assert places(notes, notes[0].onset) == higher(LINE)
    (turn,) = rig.companion.turns
    assert turn.notes == len(LINE)
    assert turn.planned_ahead


def test_a_free_turn_in_tempo_waits_for_the_bar_line():
    rig = morphing(morph=0.0, metronome=0.5, count_in=0)
    quarters(rig, BAR)
    rig.run_until("playing")
    rig.run_until("listening")
    assert places(rig.companion_notes, 4 * BAR) == higher(LINE)


def test_the_swing_of_the_call_is_kept():
    rig = trading(morph=0.0)
    for beat in range(8):
        for place, pitch in ((0.0, 60), (2 / 3, 64)):
            onset = BEAT * (beat + place)
            rig.human(NoteOn(onset, pitch, 70), NoteOff(onset + 0.12, pitch))
    rig.run_to(4 * BAR)
    within = [(note.onset / BEAT) % 1 for note in rig.companion_notes]
    assert len(within) == 16
    assert within[1::2] == pytest.approx([2 / 3] * 8, abs=0.01)


def test_chords_give_their_top_notes():
    rig = trading(morph=0.0)
    for index, pitch in enumerate(LINE):
        chord = (pitch, pitch - 4, pitch - 7)
        rig.human(*(NoteOn(BEAT * index, key, 80) for key in chord))
        rig.human(*(NoteOff(BEAT * index + 0.4, key) for key in chord))
    rig.run_to(4 * BAR)
    assert [pitch for _, pitch in places(rig.companion_notes, 2 * BAR)] == [p + OCTAVE for p in LINE]


def test_a_key_that_is_down_when_the_turn_is_planned_counts_as_held_to_it():
    rig = trading(morph=0.0)
    quarters(rig, 0.0, LINE[:7])
    rig.human(NoteOn(3.5, LINE[7], 80))
    rig.run_to(4 * BAR)
    last = rig.companion_notes[-1]
    assert last.pitch == LINE[7] + OCTAVE
    assert last.duration == pytest.approx(BEAT)


def test_the_mode_can_be_left_and_chosen_within_a_turn():
    rig = trading(4, mode="answer", morph=0.0)
    quarters(rig, 0.0, LINE * 2)
    rig.run_to(4 * BAR + 0.6)
    rig.companion.command(SetControl("mode", "morph"))
    rig.run_to(6 * BAR)
    opened = [note for note in rig.companion_notes if note.onset >= 4 * BAR + 0.9]
    assert places(opened, 4 * BAR) == higher(LINE)[2:]
    rig = trading(morph=0.0)
    quarters(rig, 0.0)
    rig.run_to(2 * BAR + 0.6)
    rig.companion.command(SetControl("mode", "answer"))
    rig.run_to(4 * BAR)
    assert places(rig.companion_notes, 2 * BAR)[:2] == higher(LINE)[:2]
    assert places(rig.companion_notes, 2 * BAR)[2:] != higher(LINE)[2:]


def test_the_register_holds():
    rig = trading(morph=0.0, register_high=72)
    quarters(rig, 0.0)
    rig.run_to(4 * BAR)
    assert [note.pitch for note in rig.companion_notes] == [72, *LINE[1:]]


def test_the_pitch_classes_hold():
    rig = trading(morph=0.0, pitch_classes=1)
    quarters(rig, 0.0)
    rig.run_to(4 * BAR)
    assert places(rig.companion_notes, 2 * BAR) == [(0.0, 72), (7.0, 84)]


def test_the_slider_changes_what_is_planned_before_the_turn():
    rig = trading(morph=0.0)
    quarters(rig, 0.0)
    rig.run_to(4 * BAR)
    quarters(rig, 4 * BAR, tuple(reversed(LINE)))
    rig.run_to(6 * BAR - 0.2)
    assert rig.companion.turn == "thinking"
    before = planned(rig)
    rig.companion.command(SetControl("morph", 1.0))
    rig.run_to(6 * BAR - 0.1)
    assert rig.companion.turn == "thinking"
    assert planned(rig)[0].onset == before[0].onset
    assert [note.pitch for note in planned(rig)] != [note.pitch for note in before]


def test_the_slider_changes_only_what_can_be_withdrawn():
    rig = trading(morph=0.0)
    quarters(rig, 0.0)
    rig.run_to(4 * BAR)
    sounded = len(rig.companion_notes)
    quarters(rig, 4 * BAR, tuple(reversed(LINE)))
    moved_at = 6 * BAR + 1.2
    rig.run_to(moved_at)
    assert rig.companion.turn == "playing"
    rig.companion.command(SetControl("morph", 1.0))
    rig.run_to(8 * BAR)
    notes = rig.companion_notes[sounded:]
    kept = moved_at + Controls().lookahead + REDRAW_LEAD
    call = [note for note in notes if note.onset < kept]
    own = [note for note in notes if note.onset >= kept]
    assert places(call, 6 * BAR) == higher(tuple(reversed(LINE)))[: len(call)]
    assert len(call) == 3
    assert places(own, 6 * BAR) == [(beat, pitch + OCTAVE) for beat, pitch in higher(LINE)][len(call) :]


def test_a_share_is_decoded_once_however_often_other_controls_move():
    rig = trading(morph=0.5)
    quarters(rig, 0.0)
    rig.run_to(2 * BAR + 0.5)
    model = rig.companion._morphing._model
    assert isinstance(model, MockMelodyModel)
    before = model.decoded
    for style in ("art-tatum", "charlie-parker", ""):
        rig.companion.command(SetControl("style", style))
        rig.run_to(rig.clock.now() + 0.15)
    assert model.decoded == before


def test_playing_over_it_ends_it_and_the_context_keeps_what_sounded():
    rig = trading(morph=0.0)
    quarters(rig, 0.0)
    now = 2 * BAR + 1.25
    rig.run_to(now)
    assert planned(rig)
    rig.human(NoteOn(now, 50, 80))
    assert rig.companion.turn == "listening"
    assert not rig.port.sounding
    assert planned(rig) == []
    companions = [step for step in context(rig.session) if step[-1] == Role.COMPANION]
    pitches = [step[1] + PITCH_LOWEST for step in companions]
    assert [pitch for pitch in pitches if pitch <= PITCH_HIGHEST] == [pitch + OCTAVE for pitch in LINE[:3]]


def test_going_on_takes_a_thought_opening_back_without_a_trace():
    rig = morphing(morph=0.0)
    quarters(rig, 1.0)
    before = context(rig.session)
    rig.run_until("thinking")
    assert len(context(rig.session)) > len(before)
    rig.human(NoteOn(rig.clock.now(), 70, 80))
    assert rig.companion.turn == "listening"
    assert context(rig.session)[: len(before)] == before
    assert len(context(rig.session)) == len(before) + 1


def test_a_phrase_that_hangs_over_leaves_the_opening_in_time():
    rig = trading(morph=0.0)
    quarters(rig, 0.0)
    rig.human(NoteOn(2 * BAR + 0.2, 59, 80), NoteOff(2 * BAR + 0.3, 59))
    rig.run_to(4 * BAR)
    assert places(rig.companion_notes, 2 * BAR) == higher(LINE)


def test_another_tempo_moves_the_rest_of_a_free_melody():
    rig = morphing(morph=0.0)
    quarters(rig, 1.0)
    rig.run_until("playing")
    rig.run_to(rig.clock.now() + 1.2)
    rig.companion.command(SetControl("tempo", 60.0))
    rig.run_until("listening")
    notes = rig.companion_notes
    assert notes[-1].onset - notes[-2].onset == pytest.approx(1.0)
    assert notes[-1].pitch == LINE[-1] + OCTAVE


def test_a_turn_taken_in_the_middle_of_a_bar_opens_with_the_next_one():
    rig = trading(4, morph=0.0)
    quarters(rig, 0.0, LINE[:4])
    rig.run_to(BAR + 0.7)
    rig.companion.command(TakeTurn())
    rig.run_to(3 * BAR)
    assert places(rig.companion_notes, 2 * BAR)[:4] == higher(LINE[:4])


def test_a_turn_passed_without_a_call_plays_the_companions_phrase():
    rig = morphing(morph=0.0)
    quarters(rig, 1.0)
    rig.run_until("playing")
    rig.run_until("listening")
    before = len(rig.companion_notes)
    rig.companion.command(PassTurn())
    rig.run_until("listening")
    own = rig.companion_notes[before:]
    assert places(own, own[0].onset) == [(beat, pitch + OCTAVE) for beat, pitch in higher(LINE)]


def test_stopping_the_bars_ends_it():
    rig = trading(morph=0.0)
    quarters(rig, 0.0)
    rig.run_to(2 * BAR + 0.6)
    rig.companion.command(SetControl("trade_bars", 8))
    assert rig.companion.turn == "listening"
    assert not rig.port.sounding


def test_without_a_model_it_answers_and_says_so():
    rig, plain = Rig(mode="morph"), Rig(mode="answer")
    (text,) = warnings(rig)
    assert text.startswith("mode morph plays as answer: there is no model of melodies; train one")
    for each in (rig, plain):
        each.phrase()
        each.run_until("playing")
        each.run_until("listening")
    assert rig.companion_notes == plain.companion_notes
    assert warnings(rig) == []
    rig.companion.command(SetControl("mode", "answer"))
    assert warnings(rig) == []
    rig.companion.command(SetControl("mode", "morph"))
    assert warnings(rig) == [text]


def test_in_three_four_it_answers_and_says_so():
    waltz = {"chords": "{time: 3/4} Cmaj7 | Am7 | Dm7 | G7", "count_in": 0, "trade_bars": 2}
    rig = morphing(**waltz)
    plain = morphing(**{**waltz, "mode": "answer"})
    assert warnings(rig) == ["mode morph plays as answer: its melodies are in 4/4, not 3/4"]
    for each in (rig, plain):
        quarters(each, 0.0)
        each.run_to(6 * BAR)
    assert rig.companion_notes
    assert rig.companion_notes == plain.companion_notes
    rig.companion.command(SetControl("chords", "Cmaj7 | G7"))
    assert warnings(rig) == []
    rig.companion.command(SetControl("chords", waltz["chords"]))
    assert len(warnings(rig)) == 1


def test_bars_of_a_chart_are_those_of_the_call():
    rig = morphing(morph=0.0, chords="Dm7 | G7 | Cmaj7 | A7", trade_bars=2, count_in=0)
    quarters(rig, 0.0)
    rig.run_to(4 * BAR)
    assert places(rig.companion_notes, 2 * BAR) == higher(LINE)
