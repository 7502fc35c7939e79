"""The windows that modes set for a turn."""

from typing import get_args

import pytest

from tatumflow.engine.controls import Controls, ModeName
from tatumflow.engine.midi.notes import Note
from tatumflow.engine.turns.modes import mode_named
from tatumflow.engine.turns.phrase import Phrase


def call(length: float, rest: float = 0.5) -> Phrase:
    return Phrase((Note(10.0, length, 60, 80),), 10.0, 10.0 + length, rest)


EMPTY = Phrase((), 10.0, 10.0, 0.6)


@pytest.mark.parametrize("name", get_args(ModeName))
def test_every_mode_of_the_controls_exists_and_plans_without_a_call(name: ModeName):
    mode = mode_named(name)
    window = mode.window(EMPTY, Controls(mode=name), 20.0)
    assert mode.name == name
    assert 20.0 < window.earliest <= window.latest_first < window.last_onset


def test_answer_begins_at_the_turn():
    window = mode_named("answer").window(call(4.0), Controls(), 20.0)
    assert window.earliest == window.latest_first
    assert window.earliest - 20.0 <= 0.05


@pytest.mark.parametrize(("length", "soft", "hard"), [(4.0, 3.0, 7.0), (0.2, 1.0, 2.5), (20.0, 15.0, 31.0)])
def test_answer_is_about_as_long_as_the_call(length: float, soft: float, hard: float):
    window = mode_named("answer").window(call(length), Controls(), 20.0)
    start = window.earliest
    early = start + soft - 0.01
    assert not window.ends_before(early + 0.9, early), "a rest early on does not end the answer"
    assert window.ends_before(start + soft + 0.51, start + soft)
    assert not window.ends_before(start + soft + 0.49, start + soft)
    assert not window.ends_before(start + hard - 0.01, start + hard - 0.02)
    assert window.ends_before(start + hard + 0.01, start + hard)


def test_continuation_begins_sooner_and_at_the_models_onset():
    answer, continuation = mode_named("answer"), mode_named("continue")
    window = continuation.window(call(4.0), Controls(mode="continue"), 20.0)
    assert continuation.patience < answer.patience
    assert window.earliest < window.latest_first


@pytest.mark.parametrize(
    ("phrases", "length", "soft", "hard"),
    [
        (2, 4.0, 6.0, 13.0),
        (1, 4.0, 3.0, 7.0),
        (3, 0.2, 2.25, 5.5),
        (8, 9.0, 22.5, 30.0),
        (0, 4.0, 22.5, 30.0),
    ],
)
def test_continuation_lasts_as_many_phrases_as_asked_and_ends_at_ever_shorter_rests(
    phrases: int, length: float, soft: float, hard: float
):
    window = mode_named("continue").window(call(length), Controls(mode="continue", phrases=phrases), 20.0)
    start, middle = window.earliest, (soft + hard) / 2
    assert not window.ends_before(start + soft + 0.5, start + soft - 0.01), "a rest early on does not end it"
    assert not window.ends_before(start + soft + 0.49, start + soft)
    assert window.ends_before(start + soft + 0.51, start + soft)
    assert not window.ends_before(start + middle + 0.24, start + middle)
    assert window.ends_before(start + middle + 0.26, start + middle)
    assert window.ends_before(start + hard + 0.01, start + hard)
