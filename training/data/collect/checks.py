"""What a MIDI file must be to be taken into a corpus."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tatumflow.engine.midi.midi_file import LONGEST_SECONDS


@dataclass(frozen=True)
class Limits:
    """Bounds outside which a file is damaged, a test or a sound effect rather than music.

    Attributes:
        least_notes: Fewest notes on the piano's range.
        least_seconds: Shortest playing time.
        most_seconds: Longest playing time.
        least_pitches: Fewest different pitches.
        most_density: Most notes a second, over the whole file.
        longest_silence: Longest time between two onsets in seconds.
    """

    least_notes: int = 32
    least_seconds: float = 5.0
    most_seconds: float = LONGEST_SECONDS
    least_pitches: int = 5
    most_density: float = 60.0
    longest_silence: float = 300.0


def refusal(notes: NDArray[np.void], limits: Limits) -> str:
    """Return why a file is not taken, empty if it is; `notes` is of `NOTE_DTYPE`, (n,)."""
    count = len(notes)
    if count < limits.least_notes:
        return f"has {count} notes, fewer than {limits.least_notes}"
    seconds = playing_seconds(notes)
    if seconds < limits.least_seconds:
        return f"lasts {seconds:.1f} s, less than {limits.least_seconds:g} s"
    if seconds > limits.most_seconds:
        return f"lasts {seconds / 3600:.1f} hours, more than {limits.most_seconds / 3600:g}"
    pitches = len(np.unique(notes["pitch"]))
    if pitches < limits.least_pitches:
        return f"has {pitches} different pitches, fewer than {limits.least_pitches}"
    if count / seconds > limits.most_density:
        return f"has {count / seconds:.0f} notes a second, more than {limits.most_density:g}"
    silence = float(np.diff(notes["onset"]).max())
    if silence > limits.longest_silence:
        return f"is silent for {silence:.0f} s, longer than {limits.longest_silence:g} s"
    return ""


def playing_seconds(notes: NDArray[np.void]) -> float:
    """Return the seconds from the first onset, which is 0, to the last note's end."""
    return float((notes["onset"] + notes["duration"]).max())
