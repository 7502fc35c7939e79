"""The band: its three players, bar after bar of a form."""

from random import Random

from tatumflow.engine.band.band_note import BandNote, Part
from tatumflow.engine.band.band_style import BandStyle
from tatumflow.engine.band.comping import Comper
from tatumflow.engine.band.drums import Drummer
from tatumflow.engine.band.form import BandBar
from tatumflow.engine.band.heard import NOTHING, Heard
from tatumflow.engine.band.swing import offbeat
from tatumflow.engine.band.walking_bass import Bassist


class Band:
    """Bass, comping and drums. The same seed, bars and sounds heard give the same notes.

    Bass and drums are asked for a bar at a time, the comping for a group of beats at a time, so that it
    answers within the bar.
    """

    def __init__(self, style: BandStyle, seed: int) -> None:
        """Begin anywhere, with a style; `seed` is that of the random generators."""
        self.style = style
        self._seed = seed
        self._bassist = Bassist(style)
        self._comper = Comper(style)
        self._drummer = Drummer(style)

    def restart(self) -> None:
        """Begin again, anywhere: the beat has jumped."""
        for player in (self._bassist, self._comper, self._drummer):
            player.restart()

    def redirect(self) -> None:
        """Go on with another bar than the last one was followed by."""
        self._bassist.redirect()

    def bass_and_drums(
        self, bar: BandBar, after: BandBar | None, tempo: float, heard: Heard = NOTHING
    ) -> list[BandNote]:
        """Return the notes of bass and drums in a bar.

        Args:
            bar: The bar; bars come in order, else after `restart`.
            after: The next bar, None for none.
            tempo: Beats per minute.
            heard: What the players do.
        """
        off = offbeat(tempo, self.style.swing)
        return [
            *self._bassist.bar(bar, after, heard, tempo, off, self._random("bass", bar.number)),
            *self._drummer.bar(bar, heard, tempo, off, self._random("drums", bar.number)),
        ]

    def spans(self, bar: BandBar) -> list[tuple[int, int]]:
        """Return the groups of beats of a bar that the comping is asked for; see `Comper.spans`."""
        return self._comper.spans(bar)

    def comping(
        self,
        bar: BandBar,
        after: BandBar | None,
        span: tuple[int, int],
        tempo: float,
        heard: Heard = NOTHING,
    ) -> list[BandNote]:
        """Return the notes of the comping in one of the bar's `spans`."""
        start, length = span
        off = offbeat(tempo, self.style.swing)
        random = self._random("comping", bar.number, start)
        return self._comper.span(bar, after, start, length, heard, off, random)

    def bar(
        self, bar: BandBar, after: BandBar | None, tempo: float, heard: Heard = NOTHING
    ) -> list[BandNote]:
        """Return the notes of the whole band in a bar, by beat."""
        notes = self.bass_and_drums(bar, after, tempo, heard)
        for span in self.spans(bar):
            notes += self.comping(bar, after, span, tempo, heard)
        return sorted(notes, key=lambda note: (note.beat, note.part, note.pitch))

    def _random(self, part: Part, *place: int) -> Random:
        # Text as a seed is hashed the same in every process.
        return Random(f"{self._seed} {self.style.name} {part} {place}")
