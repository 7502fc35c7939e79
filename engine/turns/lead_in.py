"""A line of swung eighths over a chart, as the beginning of a context in which single lines are to be played.

What a model plays follows the notes before. From an empty context it begins as its largest corpus does, with
the rhythms of a pianist in free time, whatever the style; after a line in time it goes on as one. After a few
bars of a human's alone it hardly does, after a line in time and those it does as well.
"""

from math import ceil, floor
from typing import Final

import numpy as np

from tatumflow.engine.arrays import Floats
from tatumflow.engine.controls import Controls
from tatumflow.engine.harmony.chart import Chart
from tatumflow.engine.harmony.chords import Chord
from tatumflow.engine.harmony.pickup import chord_from_start
from tatumflow.engine.midi.notes import Note, Role
from tatumflow.engine.model.session import ModelSession
from tatumflow.engine.tempo.beat_clock import Beats
from tatumflow.engine.tempo.chart_clock import ChartInTime

LEAD_IN_BEATS: Final = 80
"""Beats of a lead-in, rests included; after half as many the beat is less sure."""

SMALLEST_RANGE: Final = 12
"""Fewest semitones from the lowest pitch of a lead-in to the highest."""

_LOWEST: Final = 50
_HIGHEST: Final = 84
"""The range of horns, where that of the controls is wider."""

_PATTERNS: Final = ((0.0, 0.5), (0.0, 1 / 3, 2 / 3), (0.0,), (0.5,))
_SHARES: Final = (0.74, 0.08, 0.09, 0.09)
"""Onsets within a beat, and how often each pattern comes."""

_PHRASE: Final = (6, 14)
_REST: Final = (1, 3)
"""Fewest and most beats of a phrase, and of the rest after it."""

_OFFBEAT: Final = 0.575
"""Where the second eighth of a beat falls: soloists swing less than drummers, 1.35 to 1 at medium tempos."""

_STREAM: Final = 1
"""Stream of the random generator of a turn's seed."""

_LATE: Final = 0.008
_UNSTEADY: Final = 0.008
"""Mean lateness of onsets and its standard deviation, in seconds."""

_LEGATO: Final = 0.92
_LOUDNESS: Final = (82, 6)
_APPROACHES: Final = (-1, -1, 1, 2, -2)
"""Semitones from a chord tone of the notes that lead to it."""


def put_lead_in(
    session: ModelSession,
    chart: ChartInTime,
    controls: Controls,
    style: Floats,
    seed: tuple[int, ...],
    at: float,
) -> None:
    """Put a lead-in before the first note of a context; nothing happens where it has one.

    It is the companion's own and does not sound.

    Args:
        session: The context.
        chart: The chords.
        controls: Those in force.
        style: Style weights, (S,).
        seed: Seed of the turn in progress or to come.
        at: Seconds of the first note.
    """
    if session.has_notes:
        return
    rng = np.random.default_rng((*seed, _STREAM))
    beat = chart.beats.beat(at)
    notes = lead_in(chart.chart, chart.beats, beat, controls.register_low, controls.register_high, rng)
    if notes:
        session.begin_turn(Role.COMPANION, style)
    for note in notes:
        session.add(note, Role.COMPANION)


def lead_in(
    chart: Chart, beats: Beats, begin: float, low: int, high: int, rng: np.random.Generator
) -> tuple[Note, ...]:
    """Make a line of swung eighths that ends a beat before a solo begins.

    Chord tones fall on the beats; what lies between leads to the next of them by step or half-step, or is a
    chord tone as well.

    Args:
        chart: The chords, from beat 0 on, looped in both directions, with the pick-up before beat 0.
        beats: Where the beats are.
        begin: Beat on which the solo begins.
        low: Lowest MIDI pitch.
        high: Highest MIDI pitch.
        rng: Random generator.

    Returns:
        The notes by onset, all before `begin`; none where the range is smaller than `SMALLEST_RANGE`, or the
        chart has no chord.
    """
    low, high = max(low, _LOWEST), min(high, _HIGHEST)
    has_chords = any(change.chord for bar in chart.bars for change in bar)
    if high - low < SMALLEST_RANGE or not has_chords:
        return ()
    first, end = ceil(begin) - LEAD_IN_BEATS, floor(begin) - 1
    places = _places(first, end, rng)
    pitches = _pitches(chart, places, low, high, rng)
    onsets = [beats.time(place) + _LATE + _UNSTEADY * float(rng.standard_normal()) for place in places]
    onsets.sort()
    notes = []
    for i, (onset, pitch) in enumerate(zip(onsets, pitches, strict=True)):
        beat = beats.time(places[i] + 1) - beats.time(places[i])
        gap = onsets[i + 1] - onset if i + 1 < len(onsets) else beat
        velocity = int(np.clip(rng.normal(*_LOUDNESS), 40, 110))
        notes.append(Note(onset, max(_LEGATO * min(gap, 0.7 * beat), 0.04), pitch, velocity))
    return tuple(notes)


def _places(first: int, end: int, rng: np.random.Generator) -> list[float]:
    """Return the places of onsets in beats, ascending: phrases and rests."""
    places: list[float] = []
    beat = first
    while beat < end:
        last = min(beat + int(rng.integers(*_PHRASE, endpoint=True)), end)
        for number in range(beat, last):
            pattern = _PATTERNS[int(rng.choice(len(_PATTERNS), p=_SHARES))]
            places += [number + (_OFFBEAT if place == 0.5 else place) for place in pattern]
        beat = last + int(rng.integers(*_REST, endpoint=True))
    return places


def _pitches(chart: Chart, places: list[float], low: int, high: int, rng: np.random.Generator) -> list[int]:
    """Return a pitch for each place: chord tones on the beats, steps to them in between."""
    strong = [place == floor(place) for place in places]
    pitches = [0] * len(places)
    centre, direction = (low + high) // 2, 1
    pitch = centre + int(rng.integers(-5, 6))
    for i, place in enumerate(places):
        if not strong[i]:
            continue
        if rng.random() < 0.25 or not low + 5 < pitch < high - 5:
            direction = 1 if pitch < centre else -1
        aim = pitch + direction * int(rng.integers(1, 5))
        pitch = pitches[i] = _nearest(
            chord_from_start(chart, place), min(max(aim, low), high), pitch, low, high
        )
    for i in reversed(range(len(places))):
        if strong[i]:
            continue
        goal = pitches[i + 1] if i + 1 < len(places) else centre
        if rng.random() < 0.35:
            pitches[i] = _nearest(
                chord_from_start(chart, places[i]), goal + int(rng.choice((-4, -3, 3, 4))), goal, low, high
            )
        else:
            pitches[i] = goal + int(rng.choice(_APPROACHES))
        pitches[i] = min(max(pitches[i], low), high)
    return pitches


def _nearest(chord: Chord | None, aim: int, other: int, low: int, high: int) -> int:
    """Return the pitch of a chord nearest to `aim` within a range of an octave or more, not `other` again.

    Without a chord it is `aim` itself.
    """
    if chord is None:
        return aim
    tones = chord.pitch_classes
    near = [pitch for pitch in range(low, high + 1) if pitch % 12 in tones and pitch != other]
    return min(near, key=lambda pitch: abs(pitch - aim))
