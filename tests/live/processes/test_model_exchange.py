"""Another model while a session goes on: it knows what was played, and no note is lost or left sounding."""

import numpy as np
import pytest
from mock_decoder import MockDecoder, mock_shape
from mock_phrase_model import MockPhraseModel
from rig import STYLES, Rig, StyleRows, context

from tatumflow.engine.arrays import Floats
from tatumflow.engine.controls import Controls
from tatumflow.engine.errors import SettingError
from tatumflow.engine.midi.events import NoteOff, NoteOn
from tatumflow.engine.midi.notes import Role
from tatumflow.engine.model.session import REPLAYED_STEPS
from tatumflow.engine.model.tokens import DURATION, HELD, TURN_TOKEN


def other_decoder() -> MockDecoder:
    """A model with another size, another window and another table of styles."""
    return MockDecoder(mock_shape(cache_rows=96, window=80, num_styles=5), seed=3)


class OtherRows(StyleRows):
    """The styles of another model."""

    def style_weights(self, controls: Controls) -> Floats:
        if controls.style:
            raise SettingError("style: unknown")
        return np.eye(5, dtype=np.float32)[4]


def exchange(rig: Rig) -> MockDecoder:
    decoder = other_decoder()
    rig.companion.use_model(decoder, Controls(style=""), OtherRows(), MockPhraseModel(5))
    return decoder


def test_the_other_model_is_fed_what_was_played_and_answers():
    rig = Rig()
    rig.phrase()
    before = context(rig.session)
    decoder = exchange(rig)
    assert context(rig.session) == before
    rig.run_until("playing")
    rig.run_until("listening")
    assert sum(decoder.decoded) > len(before)
    assert rig.port.ons
    assert not rig.port.sounding


def test_a_key_that_is_down_meanwhile_gets_its_true_length():
    rig = Rig()
    rig.human(NoteOn(1.0, 60, 80))
    exchange(rig)
    assert context(rig.session)[-1][DURATION] == HELD
    rig.human(NoteOff(1.5, 60))
    assert context(rig.session)[-1][DURATION] != HELD


def test_what_sounds_ends_by_itself_and_what_was_thought_is_thought_anew():
    rig = Rig(lookahead=1.0)
    rig.phrase()
    rig.run_until("playing")
    rig.run_to(rig.clock.now() + 20.0, until=lambda: bool(rig.port.sounding))
    with pytest.raises(ValueError, match="between turns"):
        exchange(rig)
    rig.run_until("listening")
    rig.phrase(start=rig.clock.now() + 0.5)
    rig.run_until("thinking")
    exchange(rig)
    assert rig.companion.turn == "listening"
    assert rig.companion.snapshot().notes
    sent = len(rig.port.ons)
    rig.run_until("playing")
    rig.run_until("listening")
    rig.run_to(rig.clock.now() + 10.0)
    assert len(rig.port.ons) > sent
    assert len(rig.port.ons) == len(rig.port.offs)


def test_a_style_it_does_not_know_leaves_the_model_before():
    rig = Rig()
    rig.phrase()
    steps = rig.session.steps
    with pytest.raises(SettingError):
        rig.companion.use_model(other_decoder(), Controls(style=STYLES[1]), OtherRows())
    assert rig.session.steps == steps
    rig.run_until("playing")


def test_of_a_long_session_the_end_is_told_with_its_turns():
    rig = Rig(MockDecoder(mock_shape(cache_rows=1024, window=512)))
    for _ in range(3):
        rig.phrase(start=rig.clock.now() + 0.5, notes=120, gap=0.05)
        rig.run_until("playing")
        rig.run_until("listening")
    heard = context(rig.session)
    decoder = MockDecoder(mock_shape(cache_rows=1024, window=512), seed=5)
    rig.companion.use_model(decoder, rig.companion.controls, StyleRows())
    told = context(rig.session)
    assert told[0][:4] == (TURN_TOKEN.time_shift, TURN_TOKEN.pitch, TURN_TOKEN.velocity, TURN_TOKEN.duration)
    assert told[1][1:] == heard[-REPLAYED_STEPS][1:]
    assert told[2:] == heard[-REPLAYED_STEPS + 1 :]
    assert {step[-1] for step in told} == {Role.HUMAN, Role.COMPANION}
