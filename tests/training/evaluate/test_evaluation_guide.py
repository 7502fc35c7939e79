"""The guide of evaluation: the figures that it gives for made lines, computed here."""

import re
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from tatumflow.training.data.corpora.piece import NOTE_DTYPE
from tatumflow.training.evaluate.metrics import key, motif, pitch, rhythm, texture
from tatumflow.training.evaluate.metrics.beat import concentration, place_onsets

GUIDE = (Path(__file__).parents[3] / "docs" / "guide" / "evaluation.md").read_text(encoding="utf-8")
SCALE = [60 + interval for interval in (0, 2, 4, 5, 7, 9, 11)]
SECONDS = 20.0


def line(pitches: list[int]) -> NDArray[np.void]:
    """Return a note every quarter of a second."""
    notes = np.zeros(len(pitches), NOTE_DTYPE)
    notes["onset"] = 0.25 * np.arange(len(pitches))
    notes["duration"], notes["velocity"], notes["pitch"] = 0.25, 80, pitches
    return notes


def transposed(semitones: int) -> NDArray[np.void]:
    return line([note + semitones for note in SCALE] * 12)


def random_line() -> NDArray[np.void]:
    rng = np.random.default_rng(0)
    notes = line(rng.integers(36, 96, 84).tolist())
    notes["onset"] = np.sort(rng.uniform(0, SECONDS, len(notes)))
    return notes


def random_chords() -> NDArray[np.void]:
    notes = line(np.random.default_rng(0).integers(40, 80, 90).tolist())
    notes["onset"] = np.repeat(0.6 * np.arange(30), 3)
    return notes


def concentrated(phases: list[float], late: float = 0.0) -> float:
    beats = 0.5 * np.arange(40)
    onsets = [0.5 * (beat + phase) + late for beat in range(32) for phase in phases]
    return concentration(place_onsets(onsets, beats))


def divergence(one: NDArray[np.void], other: NDArray[np.void]) -> float:
    return pitch.kl_divergence(pitch.pitch_class_counts(one), pitch.pitch_class_counts(other))


CHROMATIC = line(list(range(60, 72)) * 7)
LOOP = line([60, 62, 64, 65] * 21)

FOOLED = {
    "one note for ever": key.diatonicity(line([60] * 84)),
    "root and fifth alone": key.diatonicity(line([60, 67] * 42)),
    "C major scale, evenly": key.diatonicity(transposed(0)),
    "all twelve, evenly": key.diatonicity(CHROMATIC),
    "all twelve, evenly, against a C major scale": divergence(transposed(0), CHROMATIC),
    "the same scale a semitone higher": divergence(transposed(0), transposed(1)),
    "the same scale a fifth higher": divergence(transposed(0), transposed(7)),
    "random pitches": pitch.pitch_entropy(random_line()),
    "random onsets": rhythm.rhythm_diversity(random_line()),
    "one note in 20 s": rhythm.groove_similarity(line([60]), SECONDS),
    "a loop of four notes": motif.repeated_share(motif.steps(LOOP)),
    "random chords": texture.distinct_voicings(random_chords()),
}
CONCENTRATED = {
    "quarters": concentrated([0]),
    "straight eighths": concentrated([0, 0.5]),
    "straight eighths, all 60 ms late": concentrated([0, 0.5], late=0.06),
    "swung eighths, 1.5 to 1": concentrated([0, 0.6]),
    "swung eighths, 2 to 1": concentrated([0, 2 / 3]),
    "sixteenths": concentrated([0, 0.25, 0.5, 0.75]),
    "triplets": concentrated([0, 1 / 3, 2 / 3]),
}


@pytest.mark.parametrize(("name", "value"), [*FOOLED.items(), *CONCENTRATED.items()])
def test_the_guide_gives_what_is_computed(name: str, value: float) -> None:
    found = re.search(rf"\| {re.escape(name)} \| (-?[\d.]+) \|", GUIDE)
    assert found is not None
    assert float(found[1]) == pytest.approx(value, abs=0.51 if value > 10 else 0.006)


def test_what_the_guide_says_of_keys() -> None:
    assert key.fifths_agreement(transposed(0), transposed(7)) == pytest.approx(0.87, abs=0.005)
    assert key.same_key(transposed(0), transposed(7)) == 0
    assert motif.commonest_cell(LOOP) == pytest.approx(0.26, abs=0.005)
    assert divergence(transposed(0), CHROMATIC) < divergence(transposed(0), transposed(1))
