"""Any commands in any order, with any values, are carried out or refused with a notice."""

from dataclasses import fields, replace

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from mock_decoder import MockDecoder, mock_shape
from mock_melody_model import MockMelodyModel
from mock_phrase_model import MockPhraseModel
from rig import Rig

from tatumflow.engine.controls import CLOCKS, MODES, Controls
from tatumflow.engine.messages import (
    BeginBars,
    EndTune,
    GoToBar,
    GoToSection,
    Panic,
    PassTurn,
    PlayKey,
    SetControl,
    StopBars,
    TakeTurn,
    TapTempo,
    YieldTurn,
)
from tatumflow.engine.midi.events import (
    ClockContinue,
    ClockStart,
    ClockStop,
    ClockTick,
    NoteOff,
    NoteOn,
    SongPosition,
)

pytestmark = pytest.mark.slow

NAMES = [field.name for field in fields(Controls)]
VALUES = st.one_of(
    st.sampled_from([*MODES, *CLOCKS, "", "blues in F", "Dm7 | G7", "charlie-parker", "0", "1e400", "nan"]),
    st.text(max_size=8),
    st.integers(-200, 200),
    st.integers(),
    st.floats(),
    st.floats(0.0, 2.0),
    st.sampled_from([None, True, (), b"1"]),
)
COMMANDS = st.one_of(
    st.builds(SetControl, st.sampled_from(NAMES), VALUES),
    st.builds(SetControl, st.text(max_size=8), VALUES),
    st.builds(SetControl, st.just("mode"), st.sampled_from(MODES)),
    st.builds(TapTempo, st.floats(-10.0, 10.0)),
    st.builds(PlayKey, st.integers(0, 127), st.integers(1, 127), st.floats(0.0, 3.0)),
    st.builds(GoToBar, st.integers(-2, 14)),
    st.builds(GoToSection, st.integers(-3, 3)),
    st.sampled_from([TakeTurn(), YieldTurn(), PassTurn(), Panic(), BeginBars(), StopBars(), EndTune()]),
)
EVENTS = st.one_of(
    st.builds(NoteOn, st.just(0.0), st.integers(0, 127), st.integers(0, 127)),
    st.builds(NoteOff, st.just(0.0), st.integers(0, 127)),
    st.sampled_from([ClockTick(0.0), ClockStart(0.0), ClockContinue(0.0), ClockStop(0.0)]),
    st.builds(SongPosition, st.just(0.0), st.integers(0, 16383)),
)
COMMAND_TYPES = (
    *(SetControl, TapTempo, PlayKey, TakeTurn, YieldTurn, PassTurn, Panic),
    *(BeginBars, StopBars, EndTune, GoToBar, GoToSection),
)
WAITS = st.sampled_from([0.0, 0.01, 0.3, 2.0])


@settings(max_examples=150, deadline=None)
@example([(0.0, SetControl("trade_bars", float("inf")))])
@given(st.lists(st.tuples(WAITS, st.one_of(COMMANDS, EVENTS)), max_size=25))
def test_any_command_is_done_or_refused(steps):
    decoder = MockDecoder(mock_shape(cache_rows=64, window=48))
    rig = Rig(decoder, phrase_model=MockPhraseModel(), melodies=MockMelodyModel())
    for wait, step in steps:
        rig.run_to(rig.clock.now() + wait)
        if isinstance(step, COMMAND_TYPES):
            rig.companion.command(step)
        else:
            rig.companion.handle(replace(step, time=rig.clock.now()))
        rig.companion.snapshot()
    rig.companion.silence()
    assert not rig.port.sounding
