"""Played notes on the places of the beat: swing straightened, triplets kept, a grid for each beat."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import floor, hypot, inf
from statistics import median
from typing import Final

GRIDS: Final[Mapping[int, float]] = {1: 0.0, 2: 0.4, 4: 2.0, 3: 2.0, 6: 8.0, 8: 9.0}
"""Places of a beat, and the cost of a grid with so many: half the squared deviation, in standard deviations,
that a simpler grid may have."""

STRAIGHT: Final = 0.5
"""Place of a straight off-beat."""

_CHANGE: Final = 0.4
_COLLISION: Final = 5.0
_LOOSE_BEATS: Final = 0.03
_LOOSE_SECONDS: Final = 0.012
"""Standard deviation of played onsets: a part that grows with the beat, and one that does not."""

_CHORD_GAP: Final = 0.03
_CHORD_SPAN: Final = 0.06
"""Seconds between notes of a chord, from one to the next and from the first to the last."""

_OFF_BEAT: Final = (0.42, 0.8)
_MOST_SWING: Final = 0.72
_LEAST_OFF_BEATS: Final = 4
_LEGATO_SHARE: Final = 0.4
_LEGATO_BEATS: Final = 0.42
_LEGATO_LONG: Final = 0.14
"""A gap before the next note is articulation, not a rest, up to this share of the time between both, and up
to these beats, or to a smaller share of a long note."""

_SHORTENED: Final = 0.2
"""Steps by which notes sound shorter than they are written, as players articulate."""


@dataclass(frozen=True, slots=True)
class BeatNote:
    """A note in beats.

    Attributes:
        start: Beat of its onset.
        end: Beat at which it ends, later.
        pitch: MIDI pitch.
        seconds: Seconds of its onset.
    """

    start: float
    end: float
    pitch: int
    seconds: float


@dataclass(frozen=True, slots=True)
class WrittenNote:
    """Notes that begin and end together, in beats.

    Attributes:
        start: First beat, at least 0.
        end: Beat at which they end, later.
        pitches: Ascending, at least one.
    """

    start: Fraction
    end: Fraction
    pitches: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class _Chord:
    """Notes struck together; their mean onset."""

    start: float
    notes: tuple[BeatNote, ...]


@dataclass(frozen=True)
class Quantized:
    """Notes on the places of their beats.

    Attributes:
        notes: Each with the places of its onset and end, sorted.
        swing: Place of the off-beats as they were played, `STRAIGHT` to 0.72.
    """

    notes: tuple[WrittenNote, ...]
    swing: float


def quantize(notes: Sequence[BeatNote]) -> Quantized:
    """Put notes on the places of their beats.

    Each beat has the grid whose cost is least over all beats (Viterbi): the squared deviations of its onsets,
    the grid's complexity, a price for onsets that would fall together, and one for a change between duple
    and triple. Off-beats of a beat in two are measured from where this player swings them. A note that ends
    shortly before the next one lasts until it. No note is left out.

    Args:
        notes: At beats from 0 on, in any order.
    """
    chords = _chords(sorted(notes, key=lambda note: (note.seconds, note.pitch)))
    by_beat: dict[int, list[_Chord]] = defaultdict(list)
    for chord in chords:
        by_beat[floor(chord.start)].append(chord)
    swing = swing_of(chord.start for chord in chords)
    grids = _grids(by_beat, swing, _beat_seconds(chords))
    starts = [_place(chord.start, grids, swing) for chord in chords]
    straightened = [_straightened(chord.start, grids, swing) for chord in chords]
    written: list[WrittenNote] = []
    for i, chord in enumerate(chords):
        later = next((j for j in range(i + 1, len(chords)) if starts[j] > starts[i]), None)
        for note in chord.notes:
            end = _straightened(note.end, grids, swing)
            following = None if later is None else straightened[later]
            if following is not None and later is not None and _legato(straightened[i], end, following):
                place = starts[later]
            else:
                place = _end(end, starts[i], grids)
            written.append(WrittenNote(starts[i], place, (note.pitch,)))
    written.sort(key=lambda note: (note.start, note.pitches, note.end))
    return Quantized(tuple(written), swing)


def in_one_voice(notes: Sequence[WrittenNote]) -> list[WrittenNote]:
    """Return notes as chords in a row: each lasts until its longest note ends, or the next begins.

    Args:
        notes: Sorted by their starts.
    """
    pitches: dict[Fraction, set[int]] = defaultdict(set)
    ends: dict[Fraction, Fraction] = {}
    for note in notes:
        pitches[note.start].update(note.pitches)
        ends[note.start] = max(ends.get(note.start, note.end), note.end)
    starts = sorted(pitches)
    return [
        WrittenNote(start, min(ends[start], following or ends[start]), tuple(sorted(pitches[start])))
        for start, following in zip(starts, [*starts[1:], None], strict=True)
    ]


def swing_of(starts: Iterable[float]) -> float:
    """Return the place of the off-beats, 0.5 to 0.72: the median of those in beats of two notes or one."""
    by_beat: dict[int, list[float]] = defaultdict(list)
    for start in starts:
        by_beat[floor(start)].append(start - floor(start))
    first, last = _OFF_BEAT
    off_beats = [
        place
        for places in by_beat.values()
        for place in places
        if first <= place <= last and all(p == place or p < 0.12 or p > 0.92 for p in places)
    ]
    if len(off_beats) < _LEAST_OFF_BEATS:
        return STRAIGHT
    return min(max(median(off_beats), STRAIGHT), _MOST_SWING)


def _chords(notes: Sequence[BeatNote]) -> list[_Chord]:
    groups: list[list[BeatNote]] = []
    for note in notes:
        group = groups[-1] if groups else None
        together = (
            group is not None
            and note.seconds - group[-1].seconds <= _CHORD_GAP
            and note.seconds - group[0].seconds <= _CHORD_SPAN
            and all(note.pitch != other.pitch for other in group)
        )
        if group is not None and together:
            group.append(note)
        else:
            groups.append([note])
    return [_Chord(max(sum(n.start for n in g) / len(g), 0.0), tuple(g)) for g in groups]


def _beat_seconds(chords: Sequence[_Chord]) -> float:
    """Return the seconds of a beat, on average."""
    if len(chords) < 2 or chords[-1].start - chords[0].start <= 0:
        return STRAIGHT
    first, last = chords[0], chords[-1]
    return max((last.notes[0].seconds - first.notes[0].seconds) / (last.start - first.start), 0.05)


def _grids(by_beat: Mapping[int, Sequence[_Chord]], swing: float, beat_seconds: float) -> dict[int, int]:
    """Return the grid of each beat with onsets, that of least cost over all."""
    loose = hypot(_LOOSE_BEATS, _LOOSE_SECONDS / beat_seconds)
    beats = sorted(by_beat)
    best = dict.fromkeys(GRIDS, 0.0)
    ways: list[dict[int, int]] = []
    before: int | None = None
    for beat in beats:
        places = [chord.start - beat for chord in by_beat[beat]]
        total: dict[int, float] = {}
        way: dict[int, int] = {}
        for grid in GRIDS:
            steps = {
                other: cost + (_CHANGE if before == beat - 1 and _differ(grid, other) else 0.0)
                for other, cost in best.items()
            }
            way[grid] = min(steps, key=steps.__getitem__)
            total[grid] = steps[way[grid]] + _cost(places, grid, swing, loose)
        best, before = total, beat
        ways.append(way)
    grids: dict[int, int] = {}
    grid = min(best, key=best.__getitem__)
    for beat, way in zip(reversed(beats), reversed(ways), strict=True):
        grids[beat] = grid
        grid = way[grid]
    return grids


def _differ(grid: int, other: int) -> bool:
    """Return whether one divides the beat in threes and the other in twos."""
    return grid > 1 and other > 1 and (grid % 3 == 0) != (other % 3 == 0)


def _cost(places: Sequence[float], grid: int, swing: float, loose: float) -> float:
    cost, last = GRIDS[grid], -1
    for place in places:
        step, deviation = _nearest(place, grid, swing)
        cost += (deviation / loose) ** 2 / 2
        cost += _COLLISION if step == last else 0.0
        last = step
    return cost


def _nearest(place: float, grid: int, swing: float) -> tuple[int, float]:
    """Return the nearest step of a grid, 0 to `grid`, and how far it is."""
    best, least = 0, inf
    for step in range(grid + 1):
        at = swing if grid == 2 and step == 1 else step / grid
        if abs(place - at) < least:
            best, least = step, abs(place - at)
    return best, least


def _place(start: float, grids: Mapping[int, int], swing: float) -> Fraction:
    beat = floor(start)
    grid = grids.get(beat, 1)
    return beat + Fraction(_nearest(start - beat, grid, swing)[0], grid)


def _straightened(at: float, grids: Mapping[int, int], swing: float) -> float:
    """Return a beat with the swing of its grid taken out."""
    beat = floor(at)
    place = at - beat
    if grids.get(beat, 1) > 2:
        return at
    if place <= swing:
        return beat + place / swing * STRAIGHT
    return beat + STRAIGHT + (place - swing) / (1 - swing) * (1 - STRAIGHT)


def _legato(start: float, end: float, following: float) -> bool:
    """Return whether a note that ends at `end` is written as lasting until the next one."""
    apart = following - start
    return following - end <= min(_LEGATO_SHARE * apart, max(_LEGATO_BEATS, _LEGATO_LONG * apart))


def _end(end: float, start: Fraction, grids: Mapping[int, int]) -> Fraction:
    """Return the place at which a note ends, later than its start."""
    beat = floor(end)
    grid = max(grids.get(beat, 1), 2)
    place = beat + Fraction(round((end - beat) * grid + _SHORTENED), grid)
    if place > start:
        return place
    grid = max(grids.get(floor(start), 1), 2)
    return start + Fraction(1, grid)
