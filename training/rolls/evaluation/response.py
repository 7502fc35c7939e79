"""What temperature and guidance change in samples."""

from typing import Final

import numpy as np

from tatumflow.engine.rolls.conditions import RollConditions
from tatumflow.engine.rolls.roll import ONSET, Roll
from tatumflow.engine.rolls.sampler import RollSampling
from tatumflow.engine.rolls.windows import RollModel, sample_rolls
from tatumflow.engine.theory.key import parse_key
from tatumflow.training.evaluate.comparison import Figures
from tatumflow.training.rolls.evaluation.measures import density, diatonicity

TEMPERATURES: Final = (0.6, 1.0, 1.4)
GUIDANCES: Final = (0.0, 1.0, 2.0)
SPARSE, DENSE = 2, 7
"""The two densities whose ratio in samples shows what guidance does."""

KEYS: Final = ("C", "Eb", "Gb", "A")
"""Keys that are requested: a minor third apart, so that their scales share few notes."""

_MAJOR_SCALE: Final = (0, 2, 4, 5, 7, 9, 11)
_WIDTH: Final = 64


def temperature_figures(model: RollModel, count: int, steps: tuple[int, int, int], seed: int) -> Figures:
    """Return, by temperature, how many different pitches a roll has for each of its onsets, and its key."""
    figures: Figures = {}
    for temperature in TEMPERATURES:
        rolls = _sampled(
            model, RollConditions(grid="beats"), count, RollSampling(temperature, 1.0, steps), seed
        )
        figures[f"temperature {temperature:g}"] = {
            "density": _mean([density(roll, 0, _WIDTH) for roll in rolls]),
            "pitches_per_onset": _mean([_pitches_per_onset(roll) for roll in rolls]),
            "diatonicity": _mean([diatonicity(roll, 0, _WIDTH) for roll in rolls]),
        }
    return figures


def guidance_figures(model: RollModel, count: int, steps: tuple[int, int, int], seed: int) -> Figures:
    """Return, by guidance scale, the density of rolls requested to be dense over those requested sparse."""
    figures: Figures = {}
    for guidance in GUIDANCES:
        sampling = RollSampling(1.0, guidance, steps)
        means = [
            _mean(
                [
                    density(roll, 0, _WIDTH)
                    for roll in _sampled(model, RollConditions(0, requested, "beats"), count, sampling, seed)
                ]
            )
            for requested in (SPARSE, DENSE)
        ]
        figures[f"guidance {guidance:g}"] = {
            "sparse": means[0],
            "dense": means[1],
            "ratio": means[1] / means[0] if means[0] > 0 else float("nan"),
        }
    return figures


def key_figures(model: RollModel, count: int, steps: tuple[int, int, int], seed: int) -> Figures:
    """Return, by guidance scale, the share of sampled onsets in the scale of a requested major key.

    As many rolls are requested in each of `KEYS`. Seven of twelve is what a random scale gives.
    """
    figures: Figures = {}
    for guidance in GUIDANCES:
        sampling = RollSampling(1.0, guidance, steps)
        shares = [
            _mean([_share_in(roll, key) for roll in _sampled(model, request, count, sampling, seed)])
            for key, request in ((key, RollConditions(0, 0, "beats", key)) for key in KEYS)
        ]
        figures[f"key, guidance {guidance:g}"] = {"in_scale": _mean(shares)}
    return figures


def _sampled(
    model: RollModel, conditions: RollConditions, count: int, sampling: RollSampling, seed: int
) -> list[Roll]:
    return sample_rolls(model, _WIDTH, [conditions] * count, sampling, seed)


def _share_in(roll: Roll, key: str) -> float:
    """Return the share of a roll's onsets in the scale of a major key."""
    tonic, _ = parse_key(key)
    pitch, _ = np.nonzero(roll.state == ONSET)
    return float(np.isin((pitch - tonic) % 12, _MAJOR_SCALE).mean()) if len(pitch) else float("nan")


def _pitches_per_onset(roll: Roll) -> float:
    onsets = roll.state == ONSET
    return float(onsets.any(axis=1).sum()) / roll.onsets if roll.onsets else float("nan")


def _mean(values: list[float]) -> float:
    known = np.array(values)[~np.isnan(values)]
    return float(known.mean()) if len(known) else float("nan")
