"""Fitted weights: chosen takes have the players' means, as far as takes differ."""

import numpy as np
import pytest

from tatumflow.engine.midi.notes import Note
from tatumflow.engine.takes.take_chooser import TakeChooser
from tatumflow.engine.takes.take_features import FEATURES
from tatumflow.engine.turns.takes import TAKE_NOTES
from tatumflow.training.takes.commands import FITTED, Kind
from tatumflow.training.takes.fit import averaged, fit_weights
from tatumflow.training.takes.recorded_takes import RecordedTakes, played_features

NAMES = ("pace", "register", "rests")
COLUMNS = [FEATURES.index(name) for name in NAMES]


def samples(shift: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Takes whose features differ, and players whose pace lies `shift` deviations above the model's."""
    rng = np.random.default_rng(seed)
    takes, played = rng.normal(size=(400, 6, len(FEATURES))), rng.normal(size=(400, len(FEATURES)))
    played[:, COLUMNS[0]] += shift
    takes[..., COLUMNS[2]] = 3.0
    return takes, played


def test_chosen_takes_move_to_the_players_mean():
    takes, played = samples(0.6)
    fit = fit_weights(takes, played, NAMES)
    pace, register, rests = fit.features
    assert pace.weight > 0.3
    assert pace.model == pytest.approx(0.0, abs=0.05)
    assert pace.chosen == pytest.approx(pace.player, abs=0.15)
    assert abs(register.weight) < 0.15
    assert rests.weight == 0, "takes that do not differ cannot be chosen among"
    assert 1 < fit.effective < 6


def test_choosing_by_the_weights_moves_the_mean_as_the_fit_says():
    takes, played = samples(0.6)
    fit = fit_weights(takes, played, NAMES)
    chooser, rng = TakeChooser(fit.weights), np.random.default_rng(1)
    chosen = []
    for row in takes:
        score = chooser.scores(row)
        share = np.exp(score - score.max())
        chosen.append(row[rng.choice(len(row), p=share / share.sum()), COLUMNS[0]])
    assert np.mean(chosen) == pytest.approx(fit.features[0].chosen, abs=0.12)


def test_a_gain_moves_a_mean_further():
    takes, played = samples(0.4)
    plain = fit_weights(takes, played, NAMES).features[0]
    moved = fit_weights(takes, played, NAMES, {"pace": 2.0}).features[0]
    assert moved.chosen > plain.chosen + 0.15


@pytest.mark.parametrize("kind", ["piano", "line"])
def test_a_gain_moves_only_features_that_are_fitted_toward_the_players(kind: Kind):
    names, gains = FITTED[kind]
    assert {*gains} <= {*names}
    moved = FEATURES.index(next(iter(gains)))
    rng = np.random.default_rng(0)
    takes, played = rng.normal(size=(300, 6, len(FEATURES))), rng.normal(size=(300, len(FEATURES)))
    played[:, moved] -= 0.2
    fit = {row.name: row for row in fit_weights(takes, played, names, gains).features}[FEATURES[moved]]
    assert fit.chosen < fit.player < fit.model, "beyond the players, on their side of the model"


def test_rounds_are_averaged_by_what_a_feature_is_worth_in_its_own_unit():
    takes, played = samples(0.6)
    one = fit_weights(takes, played, NAMES)
    wider = fit_weights(2 * takes, 2 * played, NAMES)
    assert averaged([one]) == one.weights
    both = averaged([one, wider])
    assert both.deviation == one.weights.deviation
    assert both.weight[0] == pytest.approx(0.75 * one.weights.weight[0], abs=1e-3)


def test_equal_music_gets_no_weights():
    takes, _ = samples(0.0)
    fit = fit_weights(takes, takes[:, 0], NAMES)
    assert max(abs(weight) for weight in fit.weights.weight) < 0.15


def test_nothing_to_fit_is_an_error():
    takes, played = samples(0.0)
    with pytest.raises(ValueError, match="empty"):
        fit_weights(takes[:0], played, NAMES)


def notes(count: int, start: float = 0.0) -> list[Note]:
    return [Note(start + 0.2 * i, 0.2, 60 + i % 12, 71) for i in range(count)]


@pytest.mark.parametrize(("before", "played", "rows"), [(4, 40, 2), (4, 32, 2), (4, 15, 0), (0, 40, 1)])
def test_players_notes_are_cut_as_takes_are(before: int, played: int, rows: int):
    found = played_features(notes(before), notes(played, 5.0))
    assert len(found) == rows, "the first notes of all have nothing to be compared with"
    assert all(row.shape == (len(FEATURES),) for row in found)


def test_whole_takes_are_recorded_and_chosen_at_random_without_weights():
    recorded = RecordedTakes()
    before = [*_heard(notes(8))]
    takes = [notes(TAKE_NOTES, 2.0), notes(TAKE_NOTES, 2.1)]
    assert [recorded.choose(before, takes, uniform) for uniform in (0.0, 0.49, 0.51, 0.999)] == [0, 0, 1, 1]
    recorded.choose(before, [take[:-1] for take in takes], 0.0)
    assert len(recorded.features) == 4, "a shorter take is no sample of a whole one"
    assert recorded.features[0].shape == (2, len(FEATURES))


def _heard(played: list[Note]):
    from tatumflow.engine.midi.notes import Role
    from tatumflow.engine.model.step_record import HeardNote

    return [HeardNote(note.onset, note.pitch, note.velocity, note.duration, Role.HUMAN) for note in played]
