"""Solos of the Weimar Jazz Database over their chords, and the tunes as charts to improvise over."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Final

import numpy as np

from tatumflow.engine.harmony.chart import Bar, Chart, ChordChange
from tatumflow.engine.harmony.chords import chord_id
from tatumflow.training.data.corpora.wjazzd import player_of, tune_of
from tatumflow.training.data.corpora.wjazzd_beats import Beat, BeatenSolo, read_solos
from tatumflow.training.data.packing import style_slug
from tatumflow.training.evaluate.bootstrap import Floats
from tatumflow.training.evaluate.metrics.beat import tempo_of
from tatumflow.training.evaluate.metrics.bebop import Harmony
from tatumflow.training.evaluate.metrics.music_metrics import stretch_of
from tatumflow.training.evaluate.primers import Notes

DOUBLE_TIME: Final = 100.0
"""Beats a minute below which a line is measured on half beats: ballads are played in double time."""

_FEWEST_BARS: Final = 8
_FEWEST_NOTES: Final = 16


@dataclass(frozen=True)
class TuneSolo:
    """A solo from its first chorus on, and its tune.

    Attributes:
        name: Name of its file.
        tune: The tune, the same for every solo on it.
        notes: Its notes in seconds from the first beat of the chorus; those before are left out.
        harmony: The annotated chords on the annotated beats, on the same clock.
        chart: The chords of its first chorus.
        tempo: Beats per minute.
    """

    name: str
    tune: str
    notes: Notes
    harmony: Harmony
    chart: Chart
    tempo: float


def solos_of(source: Path, player: str, seconds: float) -> tuple[TuneSolo, ...]:
    """Read a player's solos, each cut after `seconds`; one without a form of eight bars is left out.

    Args:
        source: The Weimar Jazz Database: its folder or archive.
        player: Slug of the player, such as charlie-parker.
        seconds: Longest stretch of a solo, from its first chorus on.

    Raises:
        CorpusError: if the database cannot be read.
    """
    return solos_by_player(source, (player,), seconds)[player]


def solos_by_player(source: Path, players: Sequence[str], seconds: float) -> dict[str, tuple[TuneSolo, ...]]:
    """Read the solos of several players as `solos_of` reads those of one, by player in the given order.

    Raises:
        CorpusError: if the database cannot be read.
    """
    found: dict[str, list[TuneSolo]] = {player: [] for player in players}
    for player, solo in _of_players(source, frozenset(players), seconds):
        found[player].append(solo)
    return {player: tuple(solos) for player, solos in found.items()}


def chart_harmony(chart: Chart, tempo: float, start: float, seconds: float) -> Harmony:
    """Return the chords of a looped chart that begins at `start` s, on beats up to `seconds` and beyond."""
    count = int(np.ceil((seconds - start) * tempo / 60.0)) + 1
    ids = [chord_id(chart.chord_at(beat)) for beat in range(count)]
    return felt(Harmony.of_beats(start + np.arange(count) * 60.0 / tempo, ids))


def felt(harmony: Harmony) -> Harmony:
    """Return the same chords on beats twice as fast where those are slower than `DOUBLE_TIME`."""
    if not tempo_of(harmony.beats) < DOUBLE_TIME:
        return harmony
    halves = np.arange(2 * len(harmony.beats) - 1) / 2
    beats: Floats = np.interp(halves, np.arange(len(harmony.beats)), harmony.beats)
    return Harmony(beats, 2 * harmony.starts, harmony.chords)


def form_of(beats: Sequence[Beat]) -> Chart | None:
    """Return the chart of a chorus from its beats; None of fewer than eight bars, or no bars at all.

    Beats after the last whole bar are left out.
    """
    bar = max((beat.beat for beat in beats), default=0)
    if bar < 2 or beats[0].beat != 1 or len(beats) < _FEWEST_BARS * bar:
        return None
    return Chart(tuple(_bar(beats[i : i + bar]) for i in range(0, len(beats) - bar + 1, bar)), bar)


def _of_players(source: Path, players: frozenset[str], seconds: float) -> Iterator[tuple[str, TuneSolo]]:
    for solo in read_solos(source):
        stem = solo.name.removesuffix(".csv")
        player = style_slug(player_of(stem))
        if player in players:
            found = _cut(solo, tune_of(stem), seconds)
            if found is not None:
                yield player, found


def _cut(solo: BeatenSolo, tune: str, seconds: float) -> TuneSolo | None:
    chart = form_of([beat for beat in solo.beats if beat.chorus == 1])
    if chart is None:
        return None
    beats = [beat for beat in solo.beats if beat.chorus > 0]
    start = beats[0].time
    notes = stretch_of(solo.notes, start, seconds)
    times = np.array([beat.time - start for beat in beats])
    kept = max(int(np.searchsorted(times, seconds)) + 1, 2)
    harmony = Harmony.of_beats(times[:kept], [chord_id(beat.chord) for beat in beats[:kept]])
    if len(notes) < _FEWEST_NOTES:
        return None
    return TuneSolo(solo.name, tune, notes, felt(harmony), chart, tempo_of(times))


def _bar(beats: Sequence[Beat]) -> Bar:
    changes = [ChordChange(Fraction(0), beats[0].chord)]
    for i, beat in enumerate(beats[1:], start=1):
        if beat.chord != changes[-1].chord:
            changes.append(ChordChange(Fraction(i), beat.chord))
    return tuple(changes)
