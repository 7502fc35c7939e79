"""The band under finished music: its notes for a file, which it hears as it goes."""

from collections.abc import Sequence
from math import ceil
from typing import Final

from tatumflow.engine.band.band import Band
from tatumflow.engine.band.band_note import PARTS, Part
from tatumflow.engine.band.form import Form
from tatumflow.engine.controls import Controls
from tatumflow.engine.midi.notes import Note
from tatumflow.engine.tempo.accompaniment import band_seed, band_style, part_volumes
from tatumflow.engine.tempo.band_in_time import BandInTime
from tatumflow.engine.tempo.beat_clock import BeatClock
from tatumflow.engine.tempo.tune import tune_of

_STEP: Final = 0.05
_ROUNDING: Final = 1e-6


def accompany(controls: Controls, notes: Sequence[Note]) -> dict[Part, tuple[Note, ...]]:
    """Return what the band plays under notes that begin with the form at 0 s, at the controls' tempo.

    It ends on the bar line after the last note.

    Args:
        controls: With a chart; band on or off.
        notes: In seconds, in any order.
    """
    tune, clock = tune_of(controls), BeatClock(controls.tempo, 0.0)
    assert tune is not None, "without a chart there is no band"
    chart = tune.chart
    sounds_to = clock.beat(max((note.offset for note in notes), default=0.0))
    last = max(ceil(sounds_to / chart.beats_per_bar - _ROUNDING), 1)
    form = Form(chart, stop_bars=controls.stop_time, last=last)
    seed = band_seed(controls)
    band = BandInTime(Band(band_style(controls, chart), seed), form, seed)
    band.volumes = part_volumes(controls)
    onsets = sorted((note.onset, note.pitch, note.velocity) for note in notes)
    end = clock.time((last + 1) * chart.beats_per_bar)
    played: dict[Part, list[Note]] = {part: [] for part in PARTS}
    heard, now = 0, 0.0
    while now < end:
        while heard < len(onsets) and onsets[heard][0] <= now:
            time, pitch, velocity = onsets[heard]
            band.ears.add(clock.beat(time), pitch, velocity)
            heard += 1
        for part, note in band.due(clock, controls.tempo, now, now + _STEP):
            played[part].append(note)
        now += _STEP
    return {part: tuple(part_notes) for part, part_notes in played.items() if part_notes}
