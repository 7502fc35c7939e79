"""The band in time: its notes as notes for the scheduler, planned shortly before their bar."""

from heapq import heappop, heappush
from math import floor
from random import Random
from typing import Final

from tatumflow.engine.band.band import Band
from tatumflow.engine.band.band_note import PARTS, BandNote, Part
from tatumflow.engine.band.form import BandBar, Form
from tatumflow.engine.band.heard import BandEars
from tatumflow.engine.midi.notes import Note
from tatumflow.engine.tempo.beat_clock import Beats

BAND_CHANNELS: Final[dict[Part, int]] = {"bass": 2, "comping": 3, "drums": 10}
"""Scheduler channel of each part. That of the drums differs from the clicks', so that the band can be
released alone; both sound on the channel of percussion."""

PLAN_SECONDS: Final = 0.15
"""Seconds before a bar, and before each rhythm of the comping, at which it is planned."""

_LATE: Final = 0.04
"""Seconds after its onset up to which a planned note is still handed out."""

_SHORTEST: Final = 0.03

_BEHIND: Final[dict[Part, float]] = {"bass": 0.0, "comping": 0.006, "drums": 0.0}
_UNSTEADY: Final[dict[Part, float]] = {"bass": 0.005, "comping": 0.005, "drums": 0.003}
"""Mean lateness and its standard deviation in seconds, as of players in time together."""

_Pending = tuple[float, int, BandNote]


class BandInTime:
    """Returns each note of the band once, shortly before it is due.

    A tempo that changes moves what was not returned yet.

    Attributes:
        ears: What the band hears of the players; beats of the same clock.
        volumes: Loudness of each part: 0 for none, 1 as played, up to 1.5.
    """

    def __init__(self, band: Band, form: Form, seed: int) -> None:
        """Begin anywhere in the form; `seed` is that of the deviations from the grid."""
        self.ears = BandEars()
        self.volumes: dict[Part, float] = dict.fromkeys(PARTS, 1.0)
        self._band = band
        self._form = form
        self._seed = seed
        self._pending: list[_Pending] = []
        self._sequence = 0
        self._next_bar: int | None = None
        self._spans: list[tuple[int, int]] = []
        self._bar: BandBar | None = None

    def restart(self) -> None:
        """Begin again with the next beat: the clock has jumped."""
        self._band.restart()
        self._pending.clear()
        self._next_bar, self._bar, self._spans = None, None, []
        self.ears.clear()

    def use(self, band: Band, form: Form) -> None:
        """Play with another band or form from the next bar on."""
        self._band, self._form = band, form

    def follow(self, form: Form) -> None:
        """Play another form, or another way through it, from the next bar on."""
        if self._next_bar is not None and form.bar(self._next_bar) != self._form.bar(self._next_bar):
            self._band.redirect()
        self._form = form

    @property
    def planned_bars(self) -> int:
        """The bar before which everything is planned; 0 before the beginning."""
        return self._next_bar or 0

    def due(self, beats: Beats, tempo: float, now: float, until: float) -> list[tuple[Part, Note]]:
        """Return the notes due up to `until` seconds that were not returned yet.

        Args:
            beats: Where the beats are; beat 0 is the beginning of the form.
            tempo: Beats per minute at present.
            now: Seconds before which there are none.
            until: Seconds.
        """
        self._plan(beats, tempo, now)
        notes: list[tuple[Part, Note]] = []
        while self._pending and (onset := beats.time(self._pending[0][0])) <= until:
            _, _, planned = heappop(self._pending)
            volume = self.volumes[planned.part]
            if onset < now - _LATE or volume <= 0:
                continue
            onset = max(onset + self._deviation(planned), now)
            length = beats.time(planned.beat + planned.length) - beats.time(planned.beat)
            loud = min(max(round(planned.velocity * volume), 1), 127)
            notes.append((planned.part, Note(onset, max(length, _SHORTEST), planned.pitch, loud)))
        return notes

    def _plan(self, beats: Beats, tempo: float, now: float) -> None:
        """Plan the bars and rhythms that begin soon."""
        per_bar = self._form.chart.beats_per_bar
        ahead, present = beats.beat(now + PLAN_SECONDS), beats.beat(now)
        if self._next_bar is None:
            self._next_bar = floor(present / per_bar + 1e-6)
        while self._next_bar * per_bar <= ahead:
            self._plan_spans(self._next_bar * per_bar, present, tempo)
            bar = self._form.bar(self._next_bar)
            self._next_bar += 1
            self._bar = bar
            if bar is not None:
                after = self._form.bar(bar.number + 1)
                heard = self.ears.heard(present)
                self._put(self._band.bass_and_drums(bar, after, tempo, heard))
                self._spans = self._band.spans(bar)
        self._plan_spans(ahead, present, tempo)

    def _plan_spans(self, ahead: float, present: float, tempo: float) -> None:
        """Plan the rhythms of the comping that begin up to `ahead`, by what is heard at the present beat."""
        bar = self._bar
        while bar is not None and self._spans and bar.start + self._spans[0][0] <= ahead:
            span = self._spans.pop(0)
            after = self._form.bar(bar.number + 1)
            heard = self.ears.heard(present)
            self._put(self._band.comping(bar, after, span, tempo, heard))

    def _put(self, notes: list[BandNote]) -> None:
        for note in notes:
            self._sequence += 1
            heappush(self._pending, (note.beat, self._sequence, note))

    def _deviation(self, note: BandNote) -> float:
        """Return how late a note is, in seconds; those struck together by one player are as late."""
        random = Random(self._seed + len(PARTS) * round(480 * note.beat) + PARTS.index(note.part))
        moved = _BEHIND[note.part] + random.gauss(0, _UNSTEADY[note.part])
        return min(max(moved, -0.02), 0.02)
