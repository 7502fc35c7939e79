"""How the key of a tune moves with each chorus, for practice."""

from typing import Final, Literal, get_args

KeyStep = Literal["same", "fourth", "fifth", "semitone", "whole tone", "random"]
KEY_STEPS: Final[tuple[KeyStep, ...]] = get_args(KeyStep)
"""The same key, up by an interval with each chorus, or another one at random."""

SEMITONES: Final[dict[KeyStep, int]] = {"fourth": 5, "fifth": 7, "semitone": 1, "whole tone": 2}
"""Semitones of each interval."""
