"""Phrases of a turn: what the modes make of the call, and how they follow each other."""

from dataclasses import replace

import numpy as np
import pytest
from mock_decoder import MockDecoder, mock_shape
from mock_phrase_model import LATENT, MockPhraseModel

from tatumflow.engine.clock import VirtualClock
from tatumflow.engine.controls import Controls
from tatumflow.engine.harmony.chart import parse_chart
from tatumflow.engine.harmony.chords import Chord, chord_id
from tatumflow.engine.midi.notes import Note, Role
from tatumflow.engine.midi.scheduler import Scheduler
from tatumflow.engine.model.session import ModelSession
from tatumflow.engine.phrases.latent import encode_phrase
from tatumflow.engine.phrases.phrase_guide import PHRASE_NOTES, PhraseGuide
from tatumflow.engine.phrases.policy import PhrasePolicy
from tatumflow.engine.tempo.chart_clock import ChartClock
from tatumflow.engine.theory.features import PARTS
from tatumflow.engine.turns.modes import mode_named
from tatumflow.engine.turns.phrase import Phrase
from tatumflow.engine.turns.planner import Planner
from tatumflow.engine.turns.turn_request import TurnRequest
from tatumflow.engine.turns.turn_window import TurnWindow

CALL = tuple(Note(0.25 * i, 0.2, 60 + (5 * i) % 12, 80) for i in range(12))
NO_STYLE = np.array([1, 0, 0], np.float32)
STYLE = np.array([0, 1, 0], np.float32)
MAJOR = np.isin(np.arange(12), (0, 2, 4, 5, 7, 9, 11)).astype(np.int64)
PLAYED = np.roll(MAJOR, 3)
CHORDS = (Chord(2, "m7"), Chord(7, "7"))


def first(policy: PhrasePolicy, controls: Controls, chords: tuple[Chord, ...] = ()) -> np.ndarray:
    guide = PhraseGuide(MockPhraseModel())
    guide.begin(CALL, policy, controls, STYLE, chords, (1, 2))
    return present(guide.first(PLAYED))


def present(condition: np.ndarray | None) -> np.ndarray:
    assert condition is not None
    return condition


def parts(condition: np.ndarray) -> dict[str, float]:
    return {part.name: float(condition[LATENT + i]) for i, part in enumerate(PARTS)}


def test_restyling_keeps_the_theory_it_requests() -> None:
    own = parts(encode_phrase(MockPhraseModel(), CALL).code)
    found = parts(first(mode_named("restyle").phrases, Controls(mode="restyle")))
    for name in ("melody", "rhythm", "dynamics"):
        assert found[name] == pytest.approx(own[name])
    assert found["harmony"] != pytest.approx(own["harmony"])


@pytest.mark.parametrize(
    ("controls", "changed"),
    [({"pace": 1.0}, "rhythm"), ({"dynamics": 20}, "dynamics"), ({}, "harmony")],
)
def test_an_edit_changes_its_own_part_only(controls: dict[str, float], changed: str) -> None:
    policy = mode_named("reharmonize").phrases
    chords = (Chord(0, "maj7"),)
    plain = parts(first(policy, Controls(mode="reharmonize"), chords))
    steered = Controls(mode="reharmonize", **controls)  # type: ignore[arg-type]
    edited = parts(first(policy, steered, chords if controls else CHORDS))
    for name, value in edited.items():
        assert (value == pytest.approx(plain[name], abs=1e-6)) == (name != changed)


def test_improvising_does_not_depend_on_the_call() -> None:
    policy = mode_named("improvise").phrases
    guide = PhraseGuide(MockPhraseModel())
    policy = replace(policy, conditions_on=PhrasePolicy().conditions_on)
    drawn: list[np.ndarray] = []
    for call in (CALL, ()):
        guide.begin(call, policy, Controls(mode="improvise"), STYLE, (), (0,))
        drawn.append(present(guide.first(PLAYED)))
    assert np.allclose(drawn[0], drawn[1])


def test_further_phrases_take_after_the_phrase_before() -> None:
    drawn: list[np.ndarray] = []
    for played in (CALL, tuple(replace(note, pitch=note.pitch + 24) for note in CALL)):
        guide = PhraseGuide(MockPhraseModel())
        guide.begin(CALL, PhrasePolicy(), Controls(), STYLE, (), (0,))
        guide.first(PLAYED)
        drawn.append(present(guide.following(played, PLAYED)))
    assert not np.allclose(drawn[0], drawn[1])


def test_a_part_that_does_not_condition_the_decoder_is_zero() -> None:
    policy = PhrasePolicy(conditions_on=("rhythm", "dynamics"))
    found = first(policy, Controls())
    assert not found[:LATENT].any()
    assert [name for name, value in parts(found).items() if value] == ["rhythm", "dynamics"]


@pytest.mark.parametrize(
    ("relative", "names"),
    [(False, ["rhythm", "dynamics"]), (True, ["harmony", "melody", "rhythm", "dynamics"])],
)
def test_harmony_and_melody_condition_only_where_they_are_relative_to_the_key(
    relative: bool, names: list[str]
) -> None:
    guide = PhraseGuide(MockPhraseModel(relative=relative))
    guide.begin(CALL, mode_named("continue").phrases, Controls(), STYLE, (), (0,))
    found = parts(present(guide.first(PLAYED)))
    assert [name for name, value in found.items() if value] == names


def test_without_parts_there_is_no_condition() -> None:
    guide = PhraseGuide(MockPhraseModel())
    policy = PhrasePolicy(conditions_on=())
    guide.begin(CALL, policy, Controls(), STYLE, (), (0,))
    assert guide.first(PLAYED) is None
    assert guide.following(CALL, PLAYED) is None


@pytest.mark.parametrize("key", [0, 5, 10])
def test_a_condition_relative_to_the_key_moves_with_the_music(key: int) -> None:
    def drawn(shift: int) -> np.ndarray:
        call = [replace(note, pitch=note.pitch + shift) for note in CALL]
        guide = PhraseGuide(MockPhraseModel(relative=True))
        guide.begin(call, PhrasePolicy(), Controls(), STYLE, (), (0,))
        return present(guide.first(np.roll(MAJOR, shift)))

    plain, moved = drawn(0), drawn(key)
    assert moved[-12:].tolist() == np.roll(plain[-12:], key).tolist()
    assert plain[-12:].sum() == 1
    # Register and range are absolute, so that melody is not compared.
    harmony = LATENT + [part.name for part in PARTS].index("harmony")
    assert moved[harmony] == pytest.approx(plain[harmony], abs=1e-5)


class Stage:
    """A planner that plays one long turn under a guide, in no style: each phrase takes after the last."""

    def __init__(self, chart: ChartClock | None = None) -> None:
        self.clock = VirtualClock()
        self.session = ModelSession(MockDecoder(mock_shape(cache_rows=256, window=192)))
        self.session.begin_turn(Role.HUMAN, NO_STYLE)
        self.model = MockPhraseModel()
        self.planner = Planner(
            self.session, Scheduler(lambda event: None, self.clock), self.clock, PhraseGuide(self.model)
        )
        window = TurnWindow(earliest=1.0, latest_first=1.0, last_onset=1e6)
        call = Phrase(CALL, 0.0, 3.0, 0.4)
        self.planner.begin(TurnRequest(call, window, Controls(), NO_STYLE, (3,), 0.9, chart=chart))

    def draw(self, count: int) -> list[Note]:
        notes: list[Note] = []
        while len(notes) < count:
            self.planner.extend(self.clock.now(), horizon=1e6)
            self.clock.advance_to(max(self.planner.previous_onset, self.clock.now()))
            notes += self.planner.commit(self.clock.now())
        return notes

    @property
    def conditions(self) -> np.ndarray:
        record = self.session.record
        companion = record.role[: record.total] == Role.COMPANION
        return record.phrase[: record.total][companion]


def test_a_new_phrase_begins_after_its_notes() -> None:
    stage = Stage()
    stage.draw(2 * PHRASE_NOTES + 5)
    changes = np.flatnonzero(np.abs(np.diff(stage.conditions, axis=0)).sum(axis=1) > 0)
    # The step before a phrase's first note has its condition: notes lie one step behind the turn token.
    assert changes.tolist() == [PHRASE_NOTES - 1, 2 * PHRASE_NOTES - 1]


def test_a_withdrawn_phrase_comes_back_as_it_was() -> None:
    one, other = Stage(), Stage()
    one.draw(PHRASE_NOTES - 4)
    other.draw(PHRASE_NOTES - 4)
    for _ in range(12):
        one.planner.extend(one.clock.now(), horizon=1e6)
    before = one.conditions.copy()
    one.planner.withdraw(-np.inf)
    assert len(one.planner.planned) == 0
    for _ in range(12):
        one.planner.extend(one.clock.now(), horizon=1e6)
    assert np.array_equal(one.conditions[: len(before)], before[: len(one.conditions)])


def test_notes_lie_on_the_chords_of_the_chart() -> None:
    chart = ChartClock(parse_chart("Dm7 | G7"), 120.0, 1.0)
    stage = Stage(chart)
    stage.draw(40)
    record = stage.session.record
    chords = record.chord[: record.total]
    for position in range(record.total):
        if record.role[position] == Role.COMPANION and record.fields[position, 1] < 88:
            onset = record.onset(position)
            expected = Chord(2, "m7") if ((onset - 1.0) * 2) % 8 < 4 else Chord(7, "7")
            assert chords[position] == chord_id(expected), onset


def test_chords_to_come() -> None:
    clock = ChartClock(parse_chart("Dm7 | G7 | Cmaj7 | %"), 120.0, 10.0)
    assert clock.beat(11.0) == 2
    assert [chord.symbol for chord in clock.upcoming(10.0, 4.5)] == ["Dm7", "G7", "Cmaj7"]
    assert [chord.symbol for chord in clock.upcoming(9.9, 0.05)] == ["Cmaj7"]
    assert len(clock.upcoming(10.0, 1e6)) == 64


@pytest.mark.parametrize("mode", ["restyle", "reharmonize"])
def test_pace_changes_the_length_of_the_turn(mode: str) -> None:
    phrase = Phrase(CALL, 0.0, 3.0, 0.4)
    plans = [
        mode_named(mode).window(phrase, Controls(mode=mode, pace=pace), 5.0)  # type: ignore[arg-type]
        for pace in (-1.0, 0.0, 1.0)
    ]
    lengths = [plan.rest_from - plan.earliest for plan in plans]
    assert lengths[0] == pytest.approx(2 * lengths[1]) == pytest.approx(4 * lengths[2])


@pytest.mark.parametrize(("surprise", "near"), [(0.0, True), (0.4, True), (0.5, False), (1.0, False)])
def test_an_answer_near_the_call_has_its_latent_and_harmony(surprise: float, near: bool) -> None:
    found = first(mode_named("answer").phrases, Controls(surprise=surprise))
    assert bool(found[:LATENT].any()) == near
    assert bool(parts(found)["harmony"]) == near
    assert all(parts(found)[name] for name in ("melody", "rhythm", "dynamics"))


@pytest.mark.parametrize("guidance", [0.5, 2.0])
def test_guidance_weighs_the_sampled_condition(guidance: float) -> None:
    policy = mode_named("answer").phrases
    sampled = first(policy, Controls())
    assert np.abs(sampled).max() > 0
    np.testing.assert_allclose(first(policy, Controls(guidance=guidance)), guidance * sampled, rtol=1e-6)


def test_without_guidance_a_phrase_has_no_condition() -> None:
    guide = PhraseGuide(MockPhraseModel())
    guide.begin(CALL, mode_named("answer").phrases, Controls(guidance=0.0), STYLE, (), (1, 2))
    assert guide.first(PLAYED) is None
    assert guide.following(CALL, PLAYED) is None
