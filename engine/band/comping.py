"""Comping: rhythms of a few beats each, more or fewer by what the players leave room for, on led voicings."""

from math import exp
from random import Random
from typing import Final

from tatumflow.engine.band.band_note import BandNote, velocity
from tatumflow.engine.band.band_style import BandStyle, Cell
from tatumflow.engine.band.form import BandBar
from tatumflow.engine.band.heard import Heard
from tatumflow.engine.band.swing import swung
from tatumflow.engine.band.voicings import MINORS, Voicing, next_voicing
from tatumflow.engine.harmony.chords import Chord

_FOURTH: Final = 5
_SPREAD: Final = (0.2, 0.55)
"""Spread of the number of chords in a rhythm around the one called for: a constant, and a share of it."""

_MOTIF: Final = 0.35
"""Probability that the rhythm of a bar before comes again where it fits."""

_LET_RING: Final = 0.25
"""Weight of rhythms that begin on a beat whose chord was anticipated, relative to the others."""

_HELD: Final = 0.6
"""Beats from which on a chord off the beat lasts into the next one."""

_UNSTATED: Final = 4.0
"""Beats after which a chord that was not stated is struck."""

_CROWDED: Final = 0.8
_LEAST_ROOM: Final = 0.15
_ANSWER: Final = 1.6
_BUSY: Final = 3.0


def room(heard: Heard) -> float:
    """Return how much the comping plays relative to its style: less beside a pianist, more in a gap.

    From 0.15, in a crowded register, over 1, without players, to 1.6, in a gap between phrases.
    """
    if heard.gap:
        return _ANSWER
    line = 0.3 * min(heard.density / _BUSY, 1.0)
    return max((1 - line) * (1 - _CROWDED * heard.crowding), _LEAST_ROOM)


class Comper:
    """Comps, group after group of beats."""

    def __init__(self, style: BandStyle) -> None:
        self._style = style
        self.restart()

    def restart(self) -> None:
        """Begin again, anywhere."""
        self._voicing: Voicing | None = None
        self._stated: Chord | None = None
        self._stated_at = -_UNSTATED
        self._anticipated = -1.0
        self._cells: list[Cell] = []

    def spans(self, bar: BandBar) -> list[tuple[int, int]]:
        """Return where the groups of a bar begin, in beats from its start, and how long they are."""
        if bar.kind in ("count-in", "stop", "end"):
            return [(0, bar.beats)]
        spans: list[tuple[int, int]] = []
        start = 0
        for group in bar.groups:
            parts = (2, 2) if group == 4 and 4 not in self._style.comping else (group,)
            for part in parts:
                spans.append((start, part))
                start += part
        return spans

    def span(
        self,
        bar: BandBar,
        after: BandBar | None,
        start: int,
        length: int,
        heard: Heard,
        off: float,
        random: Random,
    ) -> list[BandNote]:
        """Return the notes of one group of beats.

        Args:
            bar: Its bar.
            after: The next bar, None for none.
            start: Where it begins, in beats from the start of the bar.
            length: Its beats.
            heard: What the players do.
            off: Where off-beats fall, in beats.
            random: Random generator of the choices.
        """
        if bar.kind == "count-in":
            return self._pickup(bar, after, heard, off, random)
        if bar.kind in ("stop", "end"):
            hits = ((0.0, bar.beats * 0.95 if bar.kind == "end" else 0.5),)
        else:
            hits = self._rhythm(bar, start, length, heard, random)
        notes: list[BandNote] = []
        for place, lasting in hits:
            at = start + place
            notes += self._struck(bar, after, at, lasting, heard, off, random)
        return notes

    def _pickup(
        self, bar: BandBar, after: BandBar | None, heard: Heard, off: float, random: Random
    ) -> list[BandNote]:
        """Return the chords of a pick-up, each on its beat and held."""
        notes: list[BandNote] = []
        for change in bar.chords:
            at = float(change.beat)
            lasting = bar.beats - 0.1 - at
            notes += self._struck(bar, after, at, lasting, heard, off, random, anticipates=False)
        return notes

    def _rhythm(
        self, bar: BandBar, start: int, length: int, heard: Heard, random: Random
    ) -> tuple[tuple[float, float], ...]:
        cells = self._style.comping.get(length) or self._style.comping[2]
        target = self._style.activity * length * room(heard)
        if bar.closes and start + length == bar.beats:
            target *= 1.15
        motif = self._cells[-2] if len(self._cells) > 1 else None
        if motif in cells and abs(len(motif.hits) - target) < 0.8 and random.random() < _MOTIF:
            cell = motif
        else:
            spread = _SPREAD[0] + _SPREAD[1] * target
            weights = [c.weight * exp(-((len(c.hits) - target) ** 2) / spread) for c in cells]
            if abs(bar.start + start - self._anticipated) < 0.01:
                struck = [bool(c.hits) and c.hits[0][0] == 0 for c in cells]
                weights = [w * (_LET_RING if on else 1.0) for w, on in zip(weights, struck, strict=True)]
            cell = random.choices(cells, weights)[0]
        self._cells = [*self._cells[-3:], cell]
        hits = tuple(hit for hit in cell.hits if hit[0] < length)
        chord = bar.chord_at(start)
        waited = bar.start + start + length - self._stated_at
        unstated = chord is not None and chord != self._stated and waited > _UNSTATED
        if not hits and unstated and heard.crowding < 0.5:
            hits = ((0.0, min(1.4, length * 0.8)),) if random.random() < 0.5 else ((0.5, 0.4),)
        return hits

    def _struck(
        self,
        bar: BandBar,
        after: BandBar | None,
        at: float,
        lasting: float,
        heard: Heard,
        off: float,
        random: Random,
        *,
        anticipates: bool = True,
    ) -> list[BandNote]:
        """Return the chord at a place of the bar, off the beat that of the next one if it `anticipates`."""
        weak = anticipates and at % 1 >= 0.5
        ahead = at // 1 + 1 if weak else at
        chord = _chord(bar, after, ahead)
        if chord is None and weak:
            chord = _chord(bar, after, at)
        if chord is None:
            return []
        begins = bar.start + swung(at, off)
        ends = min(swung(at + lasting, off), _next_change(bar, after, ahead) - 0.1)
        following = _following(bar, after, ahead)
        altered = (
            chord.quality == "7"
            and following is not None
            and following.quality in MINORS
            and (following.root - chord.root) % 12 == _FOURTH
        )
        shell = random.random() < self._style.shells
        self._voicing = next_voicing(chord, self._voicing, random, altered=altered, shell=shell)
        self._stated, self._stated_at = chord, bar.start + at
        if weak and (chord != bar.chord_at(at) or lasting > _HELD):
            self._anticipated = bar.start + ahead
        loud = self._style.loudness + (6 if weak else 0) + random.uniform(-5, 5)
        if heard.loudness is not None:
            loud += min(max((heard.loudness - 72) * 0.3, -12), 12)
        if heard.gap:
            loud += 3
        length = max(ends - (begins - bar.start), 0.25)
        top = self._voicing[-1]
        return [
            BandNote("comping", begins, length, pitch, velocity(loud + (4 if pitch == top else 0)))
            for pitch in self._voicing
        ]


def _chord(bar: BandBar, after: BandBar | None, place: float) -> Chord | None:
    if place < bar.beats:
        return bar.chord_at(place)
    return None if after is None else after.chord_at(place - bar.beats)


def _following(bar: BandBar, after: BandBar | None, place: float) -> Chord | None:
    """Return the next chord after a place."""
    changes = [(float(change.beat), change.chord) for change in bar.chords]
    if after is not None:
        changes += [(bar.beats + float(change.beat), change.chord) for change in after.chords]
    here = _chord(bar, after, place)
    return next((chord for beat, chord in changes if beat > place and chord != here), None)


def _next_change(bar: BandBar, after: BandBar | None, place: float) -> float:
    """Return where the chord at a place ends, in beats from the start of the bar, at most in the next bar."""
    here = _chord(bar, after, place)
    changes = [(float(change.beat), change.chord) for change in bar.chords]
    if after is not None:
        changes += [(bar.beats + float(change.beat), change.chord) for change in after.chords]
        changes.append((bar.beats + after.beats, None))
    else:
        changes.append((float(bar.beats), None))
    return next((beat for beat, chord in changes if beat > place and chord != here), float(bar.beats))
