"""A chart from its beginning: the pick-up, which leads into the first chorus and into no other."""

from dataclasses import replace

from tatumflow.engine.harmony.changes import Bar, ChordChange
from tatumflow.engine.harmony.chart import Chart
from tatumflow.engine.harmony.chords import Chord


def leading_bar(chart: Chart) -> Bar:
    """Return the bar before the first chorus: the last one, and from its first chord on the pick-up."""
    pickup = chart.pickup or ()
    first = next((i for i, change in enumerate(pickup) if change.chord is not None), None)
    if first is None:
        return chart.bars[-1]
    begins = pickup[first].beat
    return (*(change for change in chart.bars[-1] if change.beat < begins), *pickup[first:])


def chord_from_start(chart: Chart, beat: float) -> Chord | None:
    """Return the chord that holds at a beat since the chart's start, None for no chord.

    It is that of `Chart.chord_at`, and in the bar before beat 0 that of `leading_bar`.
    """
    pickup = chart.pickup
    if pickup is not None and -chart.beats_per_bar <= beat < 0:
        place = beat + chart.beats_per_bar
        chord, begun = None, False
        for change in pickup:
            if change.beat > place:
                break
            chord, begun = change.chord, begun or change.chord is not None
        if begun:
            return chord
    return chart.chord_at(beat)


def change_from_start(chart: Chart, beat: float) -> ChordChange | None:
    """Return the next chord that differs from the one at a beat, as `Chart.next_change` does.

    Before beat 0 it is the next one of `chord_from_start`.
    """
    if chart.pickup is None or beat >= 0:
        return chart.next_change(beat)
    per_bar = chart.beats_per_bar
    if beat < -per_bar:
        change = chart.next_change(beat)
        if change is not None and change.beat < -per_bar:
            return change
    chord = chord_from_start(chart, beat)
    ahead = [replace(change, beat=change.beat - per_bar) for change in leading_bar(chart)]
    ahead.append(chart.bars[0][0])
    following = (change for change in ahead if change.beat > beat and change.chord != chord)
    return next(following, None) or chart.next_change(0.0)
