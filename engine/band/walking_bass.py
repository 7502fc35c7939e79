"""The bass: lines of target tones and approach notes, found as the smoothest path through each bar.

The rules are those of jazz bass methods (Friedland, "Building Walking Bass Lines", 1993; Coolman, "The Bass
Tradition", 1985): chord tones where a chord arrives and on strong beats, the root most of all; before a
change a note that leads to the next target by a semitone, a step or from its fifth; steps and small intervals
between.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from heapq import nsmallest
from random import Random
from typing import Final

from tatumflow.engine.band.band_note import RANGES, BandNote, velocity
from tatumflow.engine.band.band_style import BandStyle, BassPattern, BassRole, BassStrike
from tatumflow.engine.band.form import BandBar
from tatumflow.engine.band.heard import Heard
from tatumflow.engine.band.swing import swung
from tatumflow.engine.harmony.chords import QUALITY_TONES, Chord, Quality

LOWEST, HIGHEST = RANGES["bass"]
_HOME: Final = 40
_GOALS: Final = (31, 50)
"""Lowest and highest pitch towards which a line heads, bar after bar."""

_SCALES: Final[dict[Quality, frozenset[int]]] = {
    "maj7": frozenset((0, 2, 4, 5, 7, 9, 11)),
    "7": frozenset((0, 2, 4, 5, 7, 9, 10)),
    "m7": frozenset((0, 2, 3, 5, 7, 9, 10)),
    "m7b5": frozenset((0, 1, 3, 5, 6, 8, 10)),
    "dim7": frozenset((0, 2, 3, 5, 6, 8, 9, 11)),
    "m6": frozenset((0, 2, 3, 5, 7, 9, 11)),
    "7sus4": frozenset((0, 2, 4, 5, 7, 9, 10)),
    "aug": frozenset((0, 2, 4, 6, 8, 9, 11)),
}
_INTERVALS: Final = (1.6, 0.0, 0.0, 0.35, 0.4, 0.5, 1.6, 0.8, 1.7, 1.9, 3.0, 4.0, 1.3)
"""Cost of moving by so many semitones; by more than an octave 8."""

_ARRIVING: Final = {"walk": (0.0, 1.5, 1.1, 2.6), "root": (0.0, 3.0, 2.2, 4.0)}
_GOING_ON: Final = {
    "walk": (0.6, 0.2, 0.3, 0.8),
    "root": (0.0, 1.2, 0.8, 2.0),
    "fifth": (1.4, 0.9, 0.0, 1.2),
    "pickup": (0.4, 0.8, 0.3, 0.9),
}
"""Costs of root, third, fifth and seventh where a chord arrives, and where it goes on."""

_FREE_TARGETS: Final = (0.04, 0.25)
"""Probability that third, fifth or seventh of an arriving chord is nearly as good a target as its root: of a
style with few notes, and of one that walks."""

_BEAMS: Final = 8
_FARTHEST: Final = 7
"""Semitones by which a weak note lies from the one before at most; others an octave."""

_SHORTEST_SKIP: Final = 0.17
"""Shortest second eighth in seconds with which a skip note is played."""


@dataclass(frozen=True, slots=True)
class _Step:
    """A note to find a pitch for.

    Attributes:
        place: Beats from the start of its bar.
        length: Beats.
        role: Of its pattern.
        chord: The chord in force.
        arrives: Whether the chord begins here.
        strong: Whether a chord tone belongs here.
        leads: Whether another chord arrives with the next note.
    """

    place: float
    length: float
    role: BassRole
    chord: Chord
    arrives: bool
    strong: bool
    leads: bool


class Bassist:
    """Plays the bass, bar after bar.

    The path of each bar ends on the first note of the next, so that it leads there; that note is kept.
    """

    def __init__(self, style: BandStyle) -> None:
        self._style = style
        walks = any(
            strike.role == "walk" for patterns in style.bass.values() for strike in patterns[0].strikes
        )
        self._free = _FREE_TARGETS[walks]
        self.restart()

    def restart(self) -> None:
        """Begin again, anywhere."""
        self._pitch: int | None = None
        self._promised: int | None = None
        self._before: Chord | None = None
        self._goal = _HOME

    def redirect(self) -> None:
        """Lead elsewhere: another bar follows than the last one led to."""
        self._promised = None

    def bar(
        self, bar: BandBar, after: BandBar | None, heard: Heard, tempo: float, off: float, random: Random
    ) -> list[BandNote]:
        """Return the notes of a bar.

        Args:
            bar: The bar.
            after: The next one, None for none.
            heard: What the players do.
            tempo: Beats per minute.
            off: Where off-beats fall, in beats.
            random: Random generator of the choices.
        """
        steps = self._steps(bar, after, random)
        if not steps:
            self._promised, self._before = None, bar.chord_at(bar.beats)
            return []
        target = _first_step(bar, after, free=random.random() < self._free)
        if self._pitch is None:
            self._pitch = _HOME
        if abs(self._goal - self._pitch) < 4 or random.random() < 0.2:
            self._goal = random.randint(*_GOALS)
        if target is not None and after is not None and after.kind == "end":
            self._goal = _GOALS[0]
        path = self._path(steps, target, random)
        if target is not None:
            self._promised = path[-1]
        else:
            self._promised = None
        self._pitch, self._before = path[len(steps) - 1], steps[-1].chord
        return self._played(bar, steps, path, heard, tempo, off, random)

    def _steps(self, bar: BandBar, after: BandBar | None, random: Random) -> list[_Step]:
        """Return the notes of a bar without their pitches: a pattern for each group, and each new chord."""
        strikes: list[BassStrike] = []
        if bar.kind == "end":
            strikes = [BassStrike(0.0, bar.beats * 0.95, "root")]
        elif bar.kind == "stop":
            strikes = [BassStrike(0.0, 0.6, "root")]
        else:
            start = 0
            for group in bar.groups:
                pattern = _drawn(self._style, group, random)
                strikes += [replace(strike, place=start + strike.place) for strike in _cut(pattern, group)]
                start += group
            for change in bar.chords[1:]:
                at = float(change.beat)
                if not any(abs(strike.place - at) < 0.01 for strike in strikes):
                    strikes = [strike for strike in strikes if not at - 0.5 < strike.place < at]
                    strikes.append(BassStrike(at, 0.92))
            strikes.sort(key=lambda strike: strike.place)
        steps: list[_Step] = []
        before = self._before
        for index, strike in enumerate(strikes):
            place, length, role = strike.place, strike.length, strike.role
            chord = bar.chord_at(place)
            if chord is not None:
                following = strikes[index + 1].place if index + 1 < len(strikes) else None
                if following is not None:
                    length = min(length, following - place)
                    ahead = bar.chord_at(following)
                else:
                    ahead = None if after is None else after.chords[0].chord
                arrives = chord != before
                leads = ahead is not None and ahead != chord
                whole = place == int(place)
                if arrives and not steps and self._promised is None:
                    role = "root"
                held = role in ("root", "fifth")
                strong = arrives or held or (whole and int(place) % 2 == 0 and not (bar.beats % 2 and leads))
                steps.append(_Step(place, length, role, chord, arrives, strong, leads))
            before = chord
        return steps

    def _path(self, steps: Sequence[_Step], target: _Step | None, random: Random) -> list[int]:
        """Return the cheapest path of pitches through the steps and on to the target."""
        all_steps = list(steps) if target is None else [*steps, target]
        start = self._pitch if self._pitch is not None else _HOME
        beams: list[tuple[float, tuple[int, ...]]] = [(0.0, (start,))]
        for index, step in enumerate(all_steps):
            if index == 0 and self._promised is not None:
                options = {self._promised: 0.0}
            else:
                options = _options(step, all_steps[index + 1] if index + 1 < len(all_steps) else None)
            noise = {pitch: random.uniform(0, 0.9) for pitch in options}
            pull = 0.05 if index + 1 == len(all_steps) else 0.02
            before = all_steps[index - 1] if index else None
            found: list[tuple[float, tuple[int, ...]]] = []
            for cost, path in beams:
                reach = 12 if step.strong else _FARTHEST
                for pitch, own in options.items():
                    if abs(pitch - path[-1]) > reach:
                        continue
                    moved = self._moved(path, pitch, before, step)
                    total = cost + own + noise[pitch] + moved + pull * abs(pitch - self._goal)
                    found.append((total, (*path, pitch)))
            # Without a note in reach, as after a change of octave, the nearest is taken.
            beams = nsmallest(_BEAMS, found) or [
                (cost, (*path, min(options, key=lambda pitch: abs(pitch - path[-1])))) for cost, path in beams
            ]
        return list(beams[0][1][1:])

    @staticmethod
    def _moved(path: tuple[int, ...], pitch: int, before: _Step | None, step: _Step) -> float:
        """Return the cost of going on from a path to a pitch."""
        last = path[-1]
        move = pitch - last
        size = abs(move)
        cost = _INTERVALS[size] if size <= 12 else 8.0
        if not size and step.role in ("root", "fifth"):
            cost = 0.3
        if before is not None and not before.strong:
            cost += _leading(before, last, pitch, step)
        if len(path) >= 2:
            earlier = last - path[-2]
            if pitch == path[-2]:
                cost += 0.9
            if abs(earlier) > 4 and size > 4 and earlier * move > 0:
                cost += 1.5
            if earlier * move > 0 and size <= 4:
                cost -= 0.15
        return cost

    def _played(
        self,
        bar: BandBar,
        steps: Sequence[_Step],
        path: Sequence[int],
        heard: Heard,
        tempo: float,
        off: float,
        random: Random,
    ) -> list[BandNote]:
        lift = 0.0 if heard.loudness is None else min(max((heard.loudness - 72) * 0.2, -8), 8)
        notes: list[BandNote] = []
        for index, step in enumerate(steps):
            at = swung(step.place, off)
            end = swung(step.place + step.length, off)
            whole = step.place == int(step.place)
            accent = 4 if whole and int(step.place) % 2 == 1 else 0
            loud = 77 + accent + lift + random.uniform(-4, 4) - (0 if whole else 8)
            length = max(end - at, 0.2)
            skip = self._style.skips and whole and step.role == "walk" and bar.kind == "time"
            if skip and random.random() < self._style.skips and (1 - off) * 60 / tempo > _SHORTEST_SKIP * 0.5:
                length = off * 0.85
                pitch = self._skip(
                    step, path[index], path[index + 1] if index + 1 < len(path) else None, random
                )
                notes.append(
                    BandNote("bass", bar.start + at + off, (1 - off) * 0.8, pitch, velocity(loud - 20))
                )
            notes.append(BandNote("bass", bar.start + at, length, path[index], velocity(loud)))
        return sorted(notes, key=lambda note: note.beat)

    @staticmethod
    def _skip(step: _Step, pitch: int, following: int | None, random: Random) -> int:
        """Return the short note before the next beat: the same again, or the octave or fifth below."""
        root = step.chord.root if step.chord.bass is None else step.chord.bass
        below = [other for other in (pitch - 12, pitch - 5) if other >= LOWEST]
        below = [other for other in below if (other - root) % 12 in QUALITY_TONES[step.chord.quality]]
        if below and random.random() < 0.35 and following is not None and abs(following - below[0]) <= 14:
            return below[0]
        return pitch


def _first_step(bar: BandBar, after: BandBar | None, *, free: bool) -> _Step | None:
    """Return the first note of the next bar, None where it has no chord; a `free` one is more than a root."""
    chord = None if after is None or after.kind == "count-in" else after.chords[0].chord
    if chord is None:
        return None
    arrives = chord != bar.chord_at(bar.beats)
    return _Step(
        float(bar.beats), 1.0, "root" if arrives and not free else "walk", chord, arrives, True, False
    )


def _options(step: _Step, following: _Step | None) -> dict[int, float]:
    """Return the pitches that a note may have, and what each costs by itself."""
    chord = step.chord
    degrees = QUALITY_TONES[chord.quality]
    if step.arrives and chord.bass is not None:
        return {pitch: 0.0 for pitch in _pitches({chord.bass})}
    costs = _ARRIVING.get(step.role, _ARRIVING["walk"]) if step.arrives else _GOING_ON[step.role]
    options = {
        pitch: costs[rank]
        for rank, degree in enumerate(degrees)
        for pitch in _pitches({(chord.root + degree) % 12})
    }
    if not step.strong:
        scale = _SCALES[chord.quality]
        for pitch in range(LOWEST, HIGHEST + 1):
            if pitch not in options:
                diatonic = (pitch - chord.root) % 12 in scale
                options[pitch] = 0.25 if diatonic else 0.3 if step.leads else 1.0
            elif step.role == "walk":
                options[pitch] = 0.2
        if following is not None and step.leads and following.arrives and step.role == "walk":
            # The root of the next chord itself is no approach to it.
            root = following.chord.root if following.chord.bass is None else following.chord.bass
            options = {pitch: cost for pitch, cost in options.items() if pitch % 12 != root}
    for pitch in options:
        if pitch > HIGHEST - 4:
            options[pitch] += 0.25 * (pitch - HIGHEST + 4)
    return options


def _leading(weak: _Step, pitch: int, following: int, step: _Step) -> float:
    """Return the cost of a weak note by how it leads to the next one."""
    size = abs(following - pitch)
    if size == 0:
        return 1.2
    tone = (pitch - weak.chord.root) % 12 in QUALITY_TONES[weak.chord.quality]
    diatonic = (pitch - weak.chord.root) % 12 in _SCALES[weak.chord.quality]
    if weak.leads and step.arrives:
        if size == 1:
            return 0.0
        if size == 2:
            return 0.2 if diatonic else 1.0
        if (pitch - following) % 12 == 7:
            return 0.6
        return 1.4 if tone and size <= 5 else 4.0
    if tone:
        return 0.0
    return 0.0 if size <= 2 else 4.0


def _pitches(classes: set[int]) -> list[int]:
    return [pitch for pitch in range(LOWEST, HIGHEST + 1) if pitch % 12 in classes]


def _drawn(style: BandStyle, group: int, random: Random) -> BassPattern:
    patterns = style.bass[3 if group == 3 else 4]
    return random.choices(patterns, [pattern.weight for pattern in patterns])[0]


def _cut(pattern: BassPattern, group: int) -> list[BassStrike]:
    """Return the notes of a pattern that lie in a group of beats."""
    return [
        BassStrike(strike.place, min(strike.length, group - strike.place), strike.role)
        for strike in pattern.strikes
        if strike.place < group
    ]
