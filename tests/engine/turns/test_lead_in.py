"""The lead-in: a line over the chart that is context and does not sound."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from rig import Port, Rig, context, new_session

from tatumflow.engine.clock import VirtualClock
from tatumflow.engine.controls import Controls, chart_named
from tatumflow.engine.messages import SetControl, TakeTurn
from tatumflow.engine.midi.notes import Note, Role
from tatumflow.engine.midi.scheduler import Scheduler
from tatumflow.engine.model.session import ModelSession
from tatumflow.engine.model.tokens import TURN_TOKEN
from tatumflow.engine.tempo.beat_clock import BeatClock
from tatumflow.engine.tempo.chart_clock import ChartInTime
from tatumflow.engine.turns.lead_in import LEAD_IN_BEATS, lead_in
from tatumflow.engine.turns.phrase import Phrase
from tatumflow.engine.turns.planner import Planner
from tatumflow.engine.turns.turn_request import TurnRequest
from tatumflow.engine.turns.turn_window import TurnWindow

STYLE = np.array([0, 1, 0], np.float32)
BEATS = BeatClock(180.0, 10.0)
BLUES = chart_named("blues in F")
LINE = Controls(mode="improvise", chords="blues in F", max_polyphony=1)


@given(
    begin=st.floats(-8, 400),
    low=st.integers(21, 96),
    high=st.integers(21, 108),
    seed=st.integers(0, 2**32 - 1),
    chords=st.sampled_from(["blues in F", "rhythm changes", "Dm7 | NC | Cmaj7"]),
)
@example(begin=110.0, low=66, high=84, seed=1, chords="rhythm changes")
def test_a_line_before_the_beginning_within_the_range(begin, low, high, seed, chords):
    notes = lead_in(chart_named(chords), BEATS, begin, low, high, np.random.default_rng(seed))
    onsets = [note.onset for note in notes]
    assert onsets == sorted(onsets)
    assert all(note.onset < BEATS.time(begin) for note in notes)
    assert all(low <= note.pitch <= high and note.duration > 0 for note in notes)
    assert bool(notes) == (min(high, 84) - max(low, 50) >= 12)


def test_chord_tones_on_the_beats_and_eighths_in_between():
    notes = lead_in(BLUES, BEATS, 0.0, 49, 84, np.random.default_rng(1))
    assert len(notes) > LEAD_IN_BEATS
    places = np.array([BEATS.beat(note.onset) for note in notes])
    phase = np.abs(np.mean(np.exp(2j * np.pi * (places - 0.02))))
    assert phase < 0.3
    strong = [(p, note) for p, note in zip(places, notes, strict=True) if abs(p - round(p) - 0.02) < 0.1]
    assert len(strong) > 30
    for place, note in strong:
        chord = BLUES.chord_at(round(place))
        assert chord is not None
        assert note.pitch % 12 in chord.pitch_classes
    # Half beats gather the onsets: the swung ones lie a little later.
    assert abs(np.mean(np.exp(4j * np.pi * places))) > 0.4


class Stage:
    """A planner with an empty context."""

    def __init__(self) -> None:
        self.clock = VirtualClock()
        self.session: ModelSession = new_session()
        self.port = Port()
        self.scheduler = Scheduler(self.port.send, self.clock)
        self.planner = Planner(self.session, self.scheduler, self.clock)

    def begin(self, controls: Controls, chart: bool = True) -> None:
        at = BEATS.time(0.0)
        window = TurnWindow(at, at, at + 30.0)
        in_time = ChartInTime(BLUES, BEATS) if chart else None
        call = Phrase((), 0.0, 0.0, 0.0)
        self.planner.begin(TurnRequest(call, window, controls, STYLE, (0, 0), chart=in_time))


def test_a_solo_line_over_a_chart_begins_after_it_and_it_is_not_heard():
    stage = Stage()
    stage.begin(LINE)
    read = stage.session.steps - 2
    assert read > LEAD_IN_BEATS
    assert set(stage.session.record.role[: read + 2].tolist()) == {int(Role.COMPANION)}
    stage.planner.extend(BEATS.time(0.0))
    (first,) = stage.planner.planned
    assert first.onset >= BEATS.time(0.0)
    assert stage.planner.commit(BEATS.time(0.0)) == [first]
    stage.scheduler.run_due(first.onset)
    assert [note.pitch for note in stage.port.ons] == [first.pitch]


@pytest.mark.parametrize(
    ("controls", "chart", "heard"),
    [
        (replace(LINE, max_polyphony=2), True, False),
        (LINE, False, False),
        (LINE, True, True),
        (replace(LINE, register_low=60, register_high=66), True, False),
    ],
)
def test_none_where_it_does_not_belong(controls, chart, heard):
    stage = Stage()
    if heard:
        stage.session.begin_turn(Role.HUMAN, STYLE)
        stage.session.add(Note(1.0, 0.2, 60, 80), Role.HUMAN)
    before = stage.session.steps
    stage.begin(controls, chart)
    assert stage.session.steps <= before + 2


def test_an_abandoned_turn_leaves_nothing_of_it_and_the_next_one_has_the_same():
    stage = Stage()
    stage.begin(LINE)
    fields = stage.session.record.fields[: stage.session.steps].copy()
    stage.planner.abandon()
    assert stage.session.steps == 0
    stage.begin(LINE)
    assert (stage.session.record.fields[: stage.session.steps] == fields).all()


def test_a_player_of_single_lines_plays_one_note_at_a_time_and_begins_after_a_lead_in():
    read: dict[bool, int] = {}
    for lines in ((), ("charlie-parker",)):
        rig = Rig(lines=lines, mode="improvise", style="charlie-parker", chords="blues in F", phrases=0)
        rig.companion.command(TakeTurn())
        rig.run_to(20.0)
        notes = rig.companion_notes
        assert len(notes) > 20
        overlaps = [after.onset < before.offset - 1e-6 for before, after in pairwise(notes)]
        assert any(overlaps) != bool(lines)
        read[bool(lines)] = rig.session.steps - len(notes)
    assert read[True] - read[False] > LEAD_IN_BEATS


def test_a_pianist_who_follows_plays_chords_again():
    rig = Rig(lines=("charlie-parker",), mode="improvise", style="charlie-parker", phrases=0)
    rig.companion.command(SetControl("style", "art-tatum"))
    rig.companion.command(TakeTurn())
    rig.run_to(20.0)
    notes = rig.companion_notes
    assert any(after.onset < before.offset - 1e-6 for before, after in pairwise(notes))


def in_time(**controls) -> tuple[Rig, float]:
    """Return a rig of Parker's that trades fours over a blues, and the seconds of bar 1."""
    line = {
        "mode": "answer",
        "style": "charlie-parker",
        "chords": "blues in F",
        "trade_bars": 4,
        "tempo": 180.0,
    }
    rig = Rig(lines=("charlie-parker",), **(line | controls))
    rig.run_to(0.2)
    return rig, rig.companion.form_begins


def roles(rig: Rig) -> list[int]:
    """Return who plays each note of the context, oldest first."""
    return [step[-1] for step in context(rig.session) if step[1] != TURN_TOKEN.pitch]


def test_in_time_the_human_s_first_note_follows_one_too():
    rig, start = in_time()
    assert not roles(rig), "the beat alone brings none"
    rig.play(start + 0.4)
    read = roles(rig)
    assert read.count(Role.COMPANION) > LEAD_IN_BEATS
    assert read[-1] == Role.HUMAN
    assert read.count(Role.HUMAN) == 1
    onsets = [rig.session.record.onset(p) for p in range(rig.session.steps)]
    assert max(onset for onset in onsets[:-1]) < start
    rig.play(start + 0.8, start + 1.2)
    assert roles(rig).count(Role.COMPANION) == read.count(Role.COMPANION), "once"
    assert not [on for on in rig.port.ons if on.channel == 0]


@pytest.mark.parametrize(
    "controls",
    [
        {"trade_bars": 0},
        {"chords": ""},
        {"chords": "N.C. | N.C."},
        {"style": "art-tatum"},
    ],
)
def test_the_human_s_first_note_is_the_first_in_free_time_without_chords_and_for_pianists(controls):
    rig, start = in_time(**controls)
    rig.play(max(start, 0.2) + 0.4)
    assert roles(rig) == [Role.HUMAN]
