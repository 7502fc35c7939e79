"""Figures of improvisations over whole tunes: chord tones above chance, and where the last phrase ends."""

from pathlib import Path

import numpy as np
import pytest

from tatumflow.engine.controls import Controls, chart_named
from tatumflow.engine.model.bundle import load_bundle
from tatumflow.engine.turns.turn_window import ENTRY_SECONDS
from tatumflow.training.data.corpora.piece import NOTE_DTYPE
from tatumflow.training.evaluate.generations import Notes, Performer
from tatumflow.training.evaluate.parts.tune_figures import tune_figures

TUNE = "Cmaj7 | F#7 | Ebmaj7 | A7"


class Roots:
    """Plays the root of each chord on the first beat of its bar, up to some beats from the end."""

    def __init__(self, left_out: float = 0.0, longer: float = 0.0) -> None:
        self.left_out = left_out
        self.longer = longer

    def improvise(self, seconds: float, controls: Controls, *, form: bool = False) -> Notes:
        assert form
        chart, beat = chart_named(controls.chords), 60.0 / controls.tempo
        notes = []
        for bar in range(round(seconds / beat / 4)):
            chord = chart.chord_at(4.0 * bar)
            onset = ENTRY_SECONDS + 4 * bar * beat
            if chord is not None and onset < ENTRY_SECONDS + seconds - self.left_out * beat:
                notes.append((onset, 4 * beat + self.longer, 60 + chord.root, 80, 0, 0.0, 0, 0.0))
        return np.array(notes, NOTE_DTYPE)


@pytest.mark.parametrize(
    ("player", "ends"), [(Roots(), 1.0), (Roots(left_out=7.0), 0.0), (Roots(longer=0.5), 0.0)]
)
def test_roots_fit_their_chords_and_few_others(player: Roots, ends: float) -> None:
    figures = tune_figures(player, ("a", "b"), tunes=(TUNE, TUNE))  # type: ignore[arg-type]
    assert figures["takes"] == 4
    assert figures["chord_tone_share"]["value"] == 1.0
    assert 0.0 < figures["wrong_chords"]["value"] < 0.8
    assert figures["lift"]["value"] == pytest.approx(1.0 - figures["wrong_chords"]["value"])
    assert figures["ends"]["value"] == ends


def test_a_model_plays_the_same_takes_again(tiny_bundle: Path) -> None:
    performer = Performer(load_bundle(tiny_bundle))
    first, again = (tune_figures(performer, (), tunes=(TUNE,), seconds=4.0) for _ in range(2))
    assert first == again
    assert first["takes"] == 1
