"""Tunes to trade over, each with a real solo in even time: the solo's bars, and the chart's chords to comp.

Turns of four bars, the player's first, twice: the player has bars 1 to 4 and 9 to 12, the companion the bars
after each.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from tatumflow.engine.harmony.chart import Chart
from tatumflow.engine.midi.notes import Note
from tatumflow.engine.model.tokens import TICK_SECONDS
from tatumflow.training.data.corpora.piece import NOTE_DTYPE
from tatumflow.training.evaluate.bootstrap import Floats
from tatumflow.training.evaluate.generations import to_array
from tatumflow.training.evaluate.parts.bebop_tunes import TuneSolo, solos_by_player
from tatumflow.training.evaluate.primers import Notes

PLAYERS: Final = ("charlie-parker", "sonny-stitt", "clifford-brown", "dexter-gordon", "sonny-rollins")
"""Players whose solos are traded with, one tune of each in turn."""

TEMPOS: Final = (140.0, 240.0)
"""Slowest and fastest solo, in beats a minute."""

TURN_BARS: Final = 4
"""Bars of a turn."""

BAR_BEATS: Final = 4
"""Beats of a bar."""

TURN_BEATS: Final = TURN_BARS * BAR_BEATS
"""Beats of a turn."""

ROUNDS: Final = 2
"""Turns of the companion in a take."""

BEATS: Final = 2 * ROUNDS * TURN_BEATS
"""Beats of a take."""

EARLY: Final = 0.25
"""Beats before a bar line from which a solo's onset belongs to the bar after it."""

LINE_VELOCITY: Final = 80
"""MIDI velocity of the player's lines, of which Weimar has none."""

CHORD_VELOCITY: Final = 64
"""MIDI velocity of the player's chords."""

_SOLO_SECONDS: Final = 40.0
_CHORD_ROOT: Final = 48
_OCTAVE: Final = 12
_CHORD_BEATS: Final = 2.0
_DETACHED: Final = 0.9


@dataclass(frozen=True)
class TradedTune:
    """A tune to trade over, and a real solo on it in even time.

    Attributes:
        tune: The tune, the same for every solo on it.
        name: Name of the solo's file.
        chart: The chords of its first chorus.
        tempo: Beats per minute.
        solo: The solo's first `BEATS` beats, moved to even beats; seconds from the first.
    """

    tune: str
    name: str
    chart: Chart
    tempo: float
    solo: Notes

    @property
    def period(self) -> float:
        """Seconds of a beat."""
        return 60.0 / self.tempo

    @property
    def seconds(self) -> float:
        """Seconds of a take."""
        return BEATS * self.period

    @property
    def line(self) -> Notes:
        """The solo's notes in the player's bars; one just before the companion's belongs to those."""
        return self.solo[self._place % (2 * TURN_BEATS) < TURN_BEATS - EARLY]

    @property
    def answer(self) -> Notes:
        """The solo's notes in the companion's bars."""
        return self.solo[(self._place + EARLY) // TURN_BEATS % 2 == 1]

    @property
    def chords(self) -> Notes:
        """The chart's chords in the player's bars, each with its root an octave below, under two beats."""
        own = (bar for bar in range(BEATS // BAR_BEATS) if bar // TURN_BARS % 2 == 0)
        return to_array([note for bar in own for note in self._comped(bar)])

    @property
    def _place(self) -> Floats:
        return self.solo["onset"].astype(np.float64) / self.period

    def _comped(self, bar: int) -> list[Note]:
        changes = self.chart.bars[bar % len(self.chart.bars)]
        begins = [float(change.beat) for change in changes]
        notes: list[Note] = []
        for change, begin, end in zip(changes, begins, [*begins[1:], float(BAR_BEATS)], strict=True):
            if change.chord is None:
                continue
            root = _CHORD_ROOT + change.chord.root % _OCTAVE
            above = sorted((tone - root) % _OCTAVE for tone in change.chord.pitch_classes)
            onset = (bar * BAR_BEATS + begin) * self.period
            length = _DETACHED * min(_CHORD_BEATS, end - begin) * self.period
            notes += [
                Note(onset, length, pitch, CHORD_VELOCITY)
                for pitch in (root - _OCTAVE, *(root + interval for interval in above))
            ]
        return notes


def traded_tunes(source: Path) -> tuple[TradedTune, ...]:
    """Return the tunes of `PLAYERS` in 4/4 within `TEMPOS` whose solos last a take, by each player in turn.

    Args:
        source: The Weimar Jazz Database: its folder or archive.

    Raises:
        CorpusError: if the database cannot be read.
    """
    fitting = [
        [solo for solo in solos if _fits(solo)]
        for solos in solos_by_player(source, PLAYERS, _SOLO_SECONDS).values()
    ]
    most = max(map(len, fitting))
    return tuple(_even(solos[i]) for i in range(most) for solos in fitting if i < len(solos))


def _fits(solo: TuneSolo) -> bool:
    slowest, fastest = TEMPOS
    return (
        slowest <= solo.tempo <= fastest
        and solo.chart.beats_per_bar == BAR_BEATS
        and len(solo.harmony.beats) > BEATS
    )


def _even(solo: TuneSolo) -> TradedTune:
    """Return a solo's tune with its notes moved to even beats, each ended by the next."""
    onset = solo.notes["onset"].astype(np.float64)
    begin, end = (_place(solo, seconds) for seconds in (onset, onset + solo.notes["duration"]))
    inside = begin < BEATS
    notes = np.zeros(int(inside.sum()), dtype=NOTE_DTYPE)
    period, begin = 60.0 / solo.tempo, begin[inside]
    following = np.append(begin[1:], np.inf)
    notes["onset"] = period * begin
    notes["duration"] = np.maximum(period * (np.minimum(end[inside], following) - begin), TICK_SECONDS)
    notes["pitch"], notes["velocity"] = solo.notes["pitch"][inside], LINE_VELOCITY
    return TradedTune(solo.tune, solo.name, solo.chart, solo.tempo, notes)


def _place(solo: TuneSolo, seconds: Floats) -> Floats:
    """Return the places of seconds in beats, (n,)."""
    beats = solo.harmony.beats
    return np.interp(seconds, beats, np.arange(len(beats)))
