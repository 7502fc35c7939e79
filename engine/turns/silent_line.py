"""A line beside the human's chords that does not sound, as context of a line to be played after them.

What a model plays follows the notes before. After some bars of chords alone, with a line before those, single
lines have lost the beat; after chords with a line in time beside them they keep it.
"""

from collections import deque
from math import floor
from typing import Final

import numpy as np

from tatumflow.engine.controls import Controls
from tatumflow.engine.harmony.chart import Chart
from tatumflow.engine.midi.notes import Note, Role
from tatumflow.engine.model.session import ModelSession
from tatumflow.engine.tempo.chart_clock import ChartInTime
from tatumflow.engine.turns.lead_in import LEAD_IN_BEATS, lead_in

TOGETHER: Final = 0.05
"""Seconds between onsets up to which the human's notes belong to one chord."""

CHORD_NOTES: Final = 2
"""Notes struck together that are a chord."""

COMPING_BEATS: Final = 8.0
"""Beats after the human's last chord up to which a line goes on beside it."""

_ROUNDING: Final = 1e-6
_STREAM: Final = 3
"""Stream of the random generator of a turn's seed."""


class SilentLine:
    """Adds the notes of a lead-in to the context, one by one as they are due, while the human plays chords.

    Beside a line of the human's, and in silence, it adds none.
    """

    def __init__(self, session: ModelSession) -> None:
        """Add nothing yet to a context."""
        self._session = session
        self._struck = -np.inf
        self._together = 0
        self._chart: Chart | None = None
        self._line: deque[tuple[float, Note]] = deque()

    def strike(self, onset: float) -> None:
        """Take note of a key of the human's, struck at `onset` seconds."""
        if onset - self._struck > TOGETHER:
            self._struck, self._together = onset, 0
        self._together += 1

    def advance(
        self, now: float, chart: ChartInTime, controls: Controls, seed: tuple[int, ...]
    ) -> tuple[float | None, float | None]:
        """Add the notes that are due at `now` seconds, in the range of the controls.

        Args:
            now: Seconds.
            chart: The chords, and where the beats are.
            controls: Those in force.
            seed: Seed of the turn to come.

        Returns:
            Seconds of the last note added, and those at which to call it again; None for none.
        """
        beat = chart.beats.beat(now)
        if not self._is_comped(beat, chart):
            return None, None
        self._fill(beat, chart, controls, seed)
        added: float | None = None
        while self._line and self._line[0][0] <= beat + _ROUNDING:
            place, note = self._line.popleft()
            onset = chart.beats.time(place)
            # One that was due before the chord has no place behind it any more.
            if onset >= self._struck:
                self._session.add(Note(onset, note.duration, note.pitch, note.velocity), Role.COMPANION)
                added = onset
        return added, chart.beats.time(self._line[0][0]) if self._line else None

    def _is_comped(self, beat: float, chart: ChartInTime) -> bool:
        """Return whether what the human played last is a chord, and not long ago."""
        if self._together < CHORD_NOTES:
            return False
        return beat - chart.beats.beat(self._struck) <= COMPING_BEATS

    def _fill(self, beat: float, chart: ChartInTime, controls: Controls, seed: tuple[int, ...]) -> None:
        """Make a new line from `beat` on where there is none left, or the chart is another."""
        if self._line and self._chart == chart.chart:
            return
        self._chart = chart.chart
        end = floor(beat) + LEAD_IN_BEATS
        rng = np.random.default_rng((*seed, _STREAM, end))
        notes = lead_in(chart.chart, chart.beats, end, controls.register_low, controls.register_high, rng)
        self._line = deque(
            (place, note) for note in notes if (place := chart.beats.beat(note.onset)) > beat - 1
        )
