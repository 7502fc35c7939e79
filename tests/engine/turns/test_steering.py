"""Controls set while the companion plays: together, seldom, and only what they change is drawn again."""

from itertools import pairwise

import numpy as np
import pytest
from mock_decoder import MockDecoder, mock_shape
from mock_phrase_model import MockPhraseModel
from rig import Rig

from tatumflow.engine.arrays import Floats, Ints
from tatumflow.engine.controls import Controls
from tatumflow.engine.harmony.chords import CHORD_TONES, chord_id, parse_chord
from tatumflow.engine.messages import RollNote, SetControl
from tatumflow.engine.midi.notes import PITCH_HIGHEST, PITCH_LOWEST
from tatumflow.engine.model.tokens import PITCH
from tatumflow.engine.phrases.latent import FLOW_STEPS
from tatumflow.engine.turns.planner import REDRAW_LEAD, Planner
from tatumflow.engine.turns.redraws import REDRAW_SPACING
from tatumflow.engine.turns.turn_request import TurnRequest


def playing(model: MockPhraseModel | None = None, **controls) -> Rig:
    rig = Rig(phrase_model=model or MockPhraseModel(), mode="improvise", **controls)
    rig.phrase()
    rig.run_until("playing")
    rig.run_to(rig.clock.now() + 1.0)
    assert rig.companion.turn == "playing"
    return rig


def planned(rig: Rig) -> list[RollNote]:
    return [note for note in rig.companion.snapshot().notes if note.planned]


def set_all(rig: Rig, **values) -> None:
    rig.companion.set_controls([SetControl(name, value) for name, value in values.items()])


def test_controls_set_together_draw_the_plan_again_once(monkeypatch: pytest.MonkeyPatch):
    rig, steered = playing(), list[str]()
    for name in ("steer", "resample"):
        monkeypatch.setattr(Planner, name, lambda *_, name=name, **__: steered.append(name))
    set_all(rig, temperature=0.5, surprise=0.9, top_p=0.5, style="charlie-parker")
    assert steered == ["steer"]
    controls = rig.companion.controls
    assert (controls.temperature, controls.surprise, controls.style) == (0.5, 0.9, "charlie-parker")


@pytest.mark.parametrize(
    "values",
    [
        {"temperature": 0.5},
        {"top_p": 0.5, "top_k": 3, "min_p": 0.2},
        {"density": 1.0, "register_low": 50, "register_high": 80},
        {"pitch_classes": 0xAB5, "repetition": 1.0, "velocity_follow": 0.0, "max_polyphony": 2},
    ],
)
def test_controls_of_sampling_leave_the_condition_of_the_phrase(values: dict[str, float]):
    model = MockPhraseModel()
    rig = playing(model)
    calls, before = model.calls, planned(rig)
    set_all(rig, **values)
    assert model.calls == calls
    assert len(planned(rig)) < len(before)
    rig.run_to(rig.clock.now() + 0.5)
    assert model.calls == calls


@pytest.mark.parametrize("values", [{"style": "charlie-parker"}, {"surprise": 0.9}, {"seed": 3}])
def test_a_new_condition_is_drawn_once(values: dict[str, float]):
    model = MockPhraseModel()
    rig = playing(model)
    before = model.calls
    set_all(rig, **values)
    assert model.calls - before == FLOW_STEPS


@pytest.mark.parametrize("values", [{"temperature": 1.0}, {"swing": 0.0}, {"style": "art-tatum"}])
def test_a_value_that_is_in_force_changes_nothing(values: dict[str, float]):
    rig = playing()
    before = planned(rig)
    set_all(rig, **values)
    assert planned(rig) == before


class ChordTones(MockDecoder):
    """Plays tones of the chord that it is conditioned on, and anything without one."""

    def field_logits(
        self, field: int, hidden: Floats, known: Ints, chord: Ints, metre: Ints, pocket: float = 1.0
    ) -> Floats:
        logits = super().field_logits(field, hidden, known, chord, metre, pocket)
        if field == PITCH:
            logits += 50 * CHORD_TONES[chord][:, np.arange(PITCH_LOWEST, PITCH_HIGHEST + 1) % 12]
        return logits


def test_chords_set_while_it_plays_are_those_of_the_next_notes_each_in_its_bar():
    rig = Rig(ChordTones(mock_shape(cache_rows=256, window=192)), mode="improvise", lookahead=0.1)
    rig.phrase()
    rig.run_until("playing")
    rig.run_to(rig.clock.now() + 1.0)
    set_at = rig.clock.now()
    set_all(rig, tempo=120.0, chords="Fm7 | E7")
    rig.run_to(set_at + 12.0)
    steered = [on for on in rig.port.ons if on.time > set_at + 0.1 + REDRAW_LEAD]
    # Bars of two seconds from the moment the chart was set; what lies on a bar line may be of either chord.
    inside = [on for on in steered if 0.05 < (on.time - set_at) % 2 < 1.95]
    tones = [CHORD_TONES[chord_id(parse_chord(name))] for name in ("Fm7", "E7")]
    bars = [int((on.time - set_at) // 2) % 2 for on in inside]
    assert min(bars.count(0), bars.count(1)) > 10
    assert all(tones[bar][on.pitch % 12] for bar, on in zip(bars, inside, strict=True))
    cleared = rig.clock.now()
    set_all(rig, chords="")
    rig.run_to(cleared + 6.0)
    free = {on.pitch % 12 for on in rig.port.ons if on.time > cleared + 0.1 + REDRAW_LEAD}
    assert len(free) > 8, "any pitch class again"


def test_what_is_due_before_it_can_be_drawn_again_stays():
    rig = playing(lookahead=0.3)
    now, before = rig.clock.now(), planned(rig)
    set_all(rig, style="charlie-parker")
    assert planned(rig) == [note for note in before if note.onset < now + 0.3 + REDRAW_LEAD]


def flood(rig: Rig, seconds: float, **names) -> None:
    """Set controls 200 times a second, in turn to a value and a little above it."""
    start = rig.clock.now()
    for step in range(round(200 * seconds)):
        rig.run_to(start + step / 200)
        set_all(rig, **{name: low + 0.1 * (step % 2) for name, low in names.items()})


def record_redraws(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> list[tuple[float, Controls]]:
    """Return a list to which each redraw of a plan adds its time and its controls."""
    redraws: list[tuple[float, Controls]] = []
    steer, resample = Planner.steer, Planner.resample

    def steered(planner: Planner, request: TurnRequest, **how: bool) -> None:
        redraws.append((rig.clock.now(), request.controls))
        steer(planner, request, **how)

    def resampled(planner: Planner, controls: Controls) -> None:
        redraws.append((rig.clock.now(), controls))
        resample(planner, controls)

    monkeypatch.setattr(Planner, "steer", steered)
    monkeypatch.setattr(Planner, "resample", resampled)
    return redraws


@pytest.mark.parametrize(
    "names", [{"temperature": 0.9}, {"surprise": 0.4}, {"density": 0, "style_blend": 0.1}]
)
def test_a_flood_of_values_leaves_the_notes_and_the_last_value_takes_effect(
    names: dict[str, float], monkeypatch: pytest.MonkeyPatch
):
    counts: list[int] = []
    for floods in (False, True):
        rig = playing()
        before = len(rig.port.ons)
        if floods:
            redraws = record_redraws(rig, monkeypatch)
            flood(rig, 1.0, **names)
            assert 4 < (during := len(redraws)) <= 11
            rig.run_to(rig.clock.now() + 2 * REDRAW_SPACING)
            assert len(redraws) == during + 1, "the last values waited"
            assert redraws[-1][1] == rig.companion.controls
            assert all(b - a > REDRAW_SPACING - 1e-9 for (a, _), (b, _) in pairwise(redraws))
        else:
            rig.run_to(rig.clock.now() + 1.0 + 2 * REDRAW_SPACING)
        counts.append(len(rig.port.ons) - before)
        assert rig.scheduler.late_notes == 0
    without, under = counts
    assert 0.6 * without <= under <= 1.5 * without


def test_a_flood_while_it_thinks_does_not_keep_the_turn_from_coming():
    rig = Rig(phrase_model=MockPhraseModel(), mode="answer")
    end = rig.phrase()
    for step in range(1000):
        rig.run_to(end + step / 250)
        set_all(rig, surprise=0.4 + 0.1 * (step % 2))
        if rig.companion.turn == "playing":
            break
    assert rig.companion.turn == "playing"


def test_values_are_tried_again_once_the_others_are_set_and_refused_one_by_one():
    rig = Rig()
    set_all(rig, register_low=40, register_high=60)
    set_all(rig, register_low=70, register_high=90, temperature=9.0, nonsense=1, style="unknown")
    controls = rig.companion.controls
    assert (controls.register_low, controls.register_high) == (70, 90)
    assert (controls.temperature, controls.style) == (1.0, "art-tatum")
    texts = [notice.text for notice in rig.companion.snapshot().notices]
    assert len(texts) == 3
    assert any("temperature: 9.0 is outside" in text for text in texts)


def test_a_flood_repeats_with_a_seed():
    onsets: list[list[float]] = []
    for _ in range(2):
        rig = playing(seed=5)
        flood(rig, 0.5, temperature=0.9, surprise=0.4)
        onsets.append([note.time for note in rig.port.ons])
    assert np.array_equal(onsets[0], onsets[1])
