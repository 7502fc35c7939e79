"""The drums: time, strokes around it that follow the players, set-ups and fills at the ends of sections."""

from random import Random
from typing import Final

from tatumflow.engine.band.band_note import BandNote, velocity
from tatumflow.engine.band.band_style import BandStyle, Stroke
from tatumflow.engine.band.drum_keys import (
    CRASH,
    CRASHES,
    KICK,
    PEDAL_HAT,
    RIDE,
    RIDES,
    SIDE_STICK,
    SNARE,
    TOMS,
)
from tatumflow.engine.band.form import CHORUS, PHRASE, SECTION, BandBar
from tatumflow.engine.band.heard import Heard
from tatumflow.engine.band.swing import swung

_COUNT_LOUDNESS: Final = 92
_SHORTEST_EIGHTH: Final = 0.085
"""Seconds from the off-beat to the beat under which the ride plays quarters alone."""

_FILL_CELLS: Final = (
    (3, (0.0, 0.5)),
    (2, (0.5,)),
    (1, (0.0,)),
    (1, ()),
)
_TRIPLET_CELL: Final = (2, (0.0, 1 / 3, 2 / 3))
"""Rhythms of a beat of a fill, and their relative frequencies."""

_LONGEST_FILL: Final = {PHRASE: 1, SECTION: 2, CHORUS: 4}
"""Beats of the fill at the end of a phrase, a section and a chorus, at most."""

_FILL_SHARE: Final = {PHRASE: 0.35, SECTION: 0.8, CHORUS: 1.0}
_CRASH_SHARE: Final = {PHRASE: 0.05, SECTION: 0.3, CHORUS: 0.75}


def energy(heard: Heard) -> float:
    """Return how much the drums do relative to their style, 0.4 to 1.8, by what is heard."""
    loud = 0.0 if heard.loudness is None else min(max((heard.loudness - 70) / 40, -0.6), 0.5)
    return min(max(0.75 + 0.25 * heard.density + loud, 0.4), 1.8)


class Drummer:
    """Plays the drums, bar after bar."""

    def __init__(self, style: BandStyle) -> None:
        self._style = style
        self.restart()

    def restart(self) -> None:
        """Begin again, anywhere."""
        self._ride = RIDE
        self._filled = False

    def bar(self, bar: BandBar, heard: Heard, tempo: float, off: float, random: Random) -> list[BandNote]:
        """Return the notes of a bar; the arguments are those of the bass."""
        if bar.kind == "count-in":
            return self._count(bar)
        if bar.kind in ("stop", "end"):
            loud = 90 if bar.kind == "end" else 84
            keys = (KICK, CRASH) if bar.kind == "end" else (KICK, SNARE)
            return [_note(bar, 0.0, key, loud) for key in keys]
        level = energy(heard)
        lift = 14 * (level - 1)
        if bar.opens >= SECTION:
            self._ride = random.choice(RIDES) if self._style.swing > 1 else RIDE
        fill = self._fill_start(bar, level, random)
        strokes = self._time(bar, tempo, off, fill, random)
        if fill < bar.beats:
            strokes += self._fill(bar, fill, random)
        strokes += self._chatter(bar, level, fill, random)
        opening = _CRASH_SHARE.get(bar.opens, 0.0) * (1.0 if self._filled else 0.5)
        if bar.number > 0 and random.random() < opening * min(level, 1.2):
            strokes += [Stroke(0, random.choice(CRASHES), 92), Stroke(0, KICK, 80)]
        self._filled = fill < bar.beats
        notes: dict[tuple[float, int], BandNote] = {}
        for stroke in strokes:
            key = self._ride if stroke.key == RIDE else stroke.key
            loud = stroke.velocity + lift + random.uniform(-4, 4)
            note = _note(bar, swung(stroke.place, off), key, loud)
            kept = notes.get((note.beat, key))
            if kept is None or kept.velocity < note.velocity:
                notes[note.beat, key] = note
        return sorted(notes.values(), key=lambda note: (note.beat, note.pitch))

    def _count(self, bar: BandBar) -> list[BandNote]:
        """Return the sticks of the count-in: halves, and in its last bar each beat."""
        step = 1 if bar.closes or bar.beats % 2 else 2
        return [_note(bar, place, SIDE_STICK, _COUNT_LOUDNESS) for place in range(0, bar.beats, step)]

    def _time(self, bar: BandBar, tempo: float, off: float, fill: float, random: Random) -> list[Stroke]:
        """Return the pattern of each group; during a fill only the hi-hat's pedal goes on."""
        strokes: list[Stroke] = []
        start = 0
        for group in bar.groups:
            patterns = self._style.drums[3 if group == 3 else 4]
            for stroke in patterns[bar.number % len(patterns)]:
                at = start + stroke.place
                quick = stroke.key == RIDE and stroke.place % 1 and (1 - off) * 60 / tempo < _SHORTEST_EIGHTH
                silent = at >= fill and stroke.key != PEDAL_HAT
                if stroke.place < group and not quick and not silent and random.random() < stroke.chance:
                    strokes.append(Stroke(at, stroke.key, stroke.velocity))
            start += group
        return strokes

    def _chatter(self, bar: BandBar, level: float, fill: float, random: Random) -> list[Stroke]:
        """Return snare and bass drum between the beats, up to the fill."""
        strokes: list[Stroke] = []
        chance = min(self._style.chatter * level**1.5, 0.9)
        last = False
        for beat in range(int(fill)):
            # Two in a row are a figure, three a machine.
            if random.random() < chance * (0.6 if last else 1.0):
                kick = random.random() < 0.25
                place = beat + (0.5 if random.random() < 0.8 else 0.0)
                loud = random.uniform(62, 86) if kick else random.uniform(36, 78)
                strokes.append(Stroke(place, KICK if kick else SNARE, round(loud)))
                last = True
            else:
                last = False
        return strokes

    def _fill_start(self, bar: BandBar, level: float, random: Random) -> float:
        """Return the beat on which a fill begins; the end of the bar for none."""
        chance = self._style.fills * _FILL_SHARE.get(bar.closes, 0.0) * min(level, 1.2)
        if random.random() >= chance:
            return bar.beats
        longest = min(_LONGEST_FILL[bar.closes], bar.beats)
        return bar.beats - random.randint(max(longest // 2, 1), longest)

    def _fill(self, bar: BandBar, start: float, random: Random) -> list[Stroke]:
        """Return a fill to the end of the bar, down the drums."""
        cells = (*_FILL_CELLS, _TRIPLET_CELL) if self._style.triplets else _FILL_CELLS
        drums = (SNARE, SNARE, *TOMS)
        at = random.randint(0, 1)
        strokes: list[Stroke] = []
        for beat in range(int(start), bar.beats):
            places = random.choices([cell for _, cell in cells], [weight for weight, _ in cells])[0]
            if beat == bar.beats - 1 and not places:
                places = (0.0, 0.5)
            for index, place in enumerate(places):
                accent = 12 if index == 0 or place == 0.5 else 0
                key = drums[min(at, len(drums) - 1)]
                strokes.append(Stroke(beat + place, key, 66 + accent + random.randint(-6, 8)))
                at += random.random() < 0.55
        return strokes


def _note(bar: BandBar, place: float, key: int, loud: float) -> BandNote:
    return BandNote("drums", bar.start + place, 0.2, key, velocity(loud))
