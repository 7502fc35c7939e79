"""A model whose output is not a number: notes are left out and counted, and nothing else suffers."""

import numpy as np
import pytest
from mock_decoder import MockDecoder, mock_shape
from mock_phrase_model import MockPhraseModel
from rig import Rig, context

from tatumflow.engine.arrays import Floats, Ints
from tatumflow.engine.errors import ModelFault
from tatumflow.engine.midi.notes import Note, Role
from tatumflow.engine.model.session import ModelSession


class FlakyDecoder(MockDecoder):
    """Fails at chosen draws, counted from 0."""

    def __init__(self, *faulty: int) -> None:
        super().__init__(mock_shape(cache_rows=256, window=192))
        self._faulty = faulty
        self._draws = -1

    def field_logits(
        self, field: int, hidden: Floats, known: Ints, chord: Ints, metre: Ints, pocket: float = 1.0
    ) -> Floats:
        self._draws += field == 0
        self.broken = self._draws in self._faulty
        return super().field_logits(field, hidden, known, chord, metre, pocket)


class BrokenPhraseModel(MockPhraseModel):
    """Its conditions are not finite."""

    def velocity(self, x: Floats, time: float, style: Floats, before: Floats, requested: Floats) -> Floats:
        return np.full_like(x, np.nan)


def test_a_note_that_is_no_number_is_left_out_and_counted_and_the_answer_goes_on():
    rig = Rig(FlakyDecoder(2))
    rig.phrase()
    rig.run_until("playing")
    rig.run_until("listening")
    snapshot = rig.companion.snapshot()
    assert snapshot.health.model_faults == 1
    assert snapshot.notices == ()
    assert len(rig.port.ons) > 2
    assert not rig.port.sounding


def test_three_in_a_row_silence_the_companion_with_a_message():
    rig = Rig(FlakyDecoder(2, 3, 4))
    rig.phrase()
    rig.run_until("thinking")
    rig.run_to(rig.clock.now() + 5.0)
    snapshot = rig.companion.snapshot()
    assert snapshot.turn == "listening"
    assert snapshot.health.model_faults == 3
    (notice,) = snapshot.notices
    assert notice.severity == "error"
    assert "not finite" in notice.text
    assert not rig.port.sounding
    assert len(rig.port.ons) <= 2


def test_a_model_that_takes_nothing_in_can_be_played_on_for_ever_and_recovers():
    rig = Rig(MockDecoder(mock_shape(cache_rows=32, window=24)), mode="continue")
    rig.decoder.broken_states = True
    end = 0.0
    for _ in range(2):
        rig.run_to(rig.phrase(start=end + 0.1, notes=40, gap=0.05) + 3.0)
        end = rig.clock.now()
    assert rig.companion.snapshot().health.model_faults >= 3
    rig.decoder.broken_states = False
    rig.phrase(start=end + 1.0)
    rig.run_until("playing")
    rig.run_to(rig.clock.now() + 2.0)
    assert rig.port.ons


def test_steps_that_cannot_be_fed_are_forgotten_and_marks_among_them_lead_to_an_empty_context():
    decoder = MockDecoder(mock_shape(cache_rows=16, window=8))
    session = ModelSession(decoder)
    style = np.eye(3, dtype=np.float32)[1]
    session.begin_turn(Role.COMPANION, style)
    mark = session.mark()
    decoder.broken_states = True
    for index in range(40):
        session.add(Note(0.1 * index, 0.1, 60, 64), Role.HUMAN)
    assert session.pending == session.steps < 16
    with pytest.raises(ModelFault):
        session.sync()
    decoder.broken_states = False
    assert session.sync() == 0
    session.rollback(mark)
    assert [step[-1] for step in context(session)] == [Role.COMPANION]


def test_a_condition_that_is_no_number_leaves_the_phrase_without_one():
    rig = Rig(phrase_model=BrokenPhraseModel())
    rig.phrase()
    rig.run_until("playing")
    rig.run_until("listening")
    assert rig.port.ons
    assert rig.companion.snapshot().health.model_faults > 0
    assert np.isfinite(rig.session.record.phrase).all()
