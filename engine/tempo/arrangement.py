"""The arrangement of a tune on the beat: its course, its melody, and the band under it."""

from collections.abc import Iterable
from typing import Final

from tatumflow.engine.controls import Controls, head_named
from tatumflow.engine.harmony.chart import Bar, Chart
from tatumflow.engine.messages import GoToBar, GoToSection
from tatumflow.engine.midi.notes import Note
from tatumflow.engine.midi.scheduler import Scheduler
from tatumflow.engine.tempo.accompaniment import Accompaniment
from tatumflow.engine.tempo.course import Course
from tatumflow.engine.tempo.head import HeadInTime
from tatumflow.engine.tempo.transport import Transport
from tatumflow.engine.tempo.tune import tune_of

SOLO_AHEAD: Final = 0.25
"""Seconds before the solos begin from which on the companion may plan its turn."""


class Arrangement:
    """What is played of a tune, as the controls have it.

    Attributes:
        course: Where the form is; None without a chart.
    """

    def __init__(self, scheduler: Scheduler, controls: Controls, transport: Transport) -> None:
        """Begin at the beginning of the form, on the beat of `transport`."""
        self.course: Course | None = None
        self._controls = controls
        self._transport = transport
        self._band = Accompaniment(scheduler)
        self._head: HeadInTime | None = None
        self._use_tune()
        self._band.use(controls, self._chart)
        self._follow()

    @property
    def has_head(self) -> bool:
        """Whether there is a melody over a chart."""
        return self._head is not None and self.course is not None

    @property
    def end_bar(self) -> int | None:
        """Bar of the beat before which the tune has ended, its last chord included; None without an end."""
        last = None if self.course is None else self.course.last_bar
        return None if last is None else last + self._controls.has_band

    def use(self, controls: Controls, beat: float) -> bool:
        """Follow the controls at a beat; return whether the tune is another one."""
        before, self._controls = self._controls, controls
        other = tune_of(controls) != tune_of(before)
        if other:
            self._use_tune()
            if self.course is not None and controls.choruses:
                # Its choruses are counted from the one in progress.
                bar = max(self.course.bar(beat), 0)
                self.course.go_to(bar % len(self.course.tune.chart.bars), bar)
        elif self.course is not None and controls.choruses != before.choruses:
            self.course.use_choruses(controls.choruses, beat, self._band.planned_bars)
        if controls.head != before.head:
            self._use_head()
        self._band.use(controls, self._chart)
        self._follow()
        return other

    def begin(self, place: int = 0) -> None:
        """Begin the form at a place with beat 0."""
        self.rest()
        if self.course is not None:
            self.course.begin(place)
            self._follow()

    def end_at(self, beat: float) -> int | None:
        """Let the band end with the bar line at a beat or later; return its bar, None without a band."""
        if self.course is None or not self._controls.has_band:
            return None
        bar = self.course.end_at(beat, self._band.planned_bars)
        self._follow()
        return bar

    def end_with_chorus(self, beat: float) -> None:
        """End the tune with the chorus at a beat; nothing happens without a chart."""
        if self.course is not None:
            self.course.end_with_chorus(beat, self._band.planned_bars)
            self._follow()

    def target(self, command: GoToBar | GoToSection, beat: float) -> int | str:
        """Return the place that a command goes to from a beat, or why there is none."""
        course = self.course
        if course is None:
            return "there is no chart to move in; set chords"
        if isinstance(command, GoToSection):
            return course.section_target(command.steps, beat)
        place = course.bar_target(command.bar, beat)
        part = "loop" if self._controls.loop_bars else "chart"
        bars = f"bar {command.bar}: the {part} has bars 1 to {len(course.tune.chart.bars)}"
        return bars if place is None else place

    def go_to(self, place: int, bar: int) -> None:
        """Go on from a place with a bar of the beat, or the first that the band has not planned."""
        if self.course is not None:
            self.course.go_to(place, max(bar, 0, self._band.planned_bars))
            self._follow()

    def use_bar(self, bar: int, chords: Bar) -> bool:
        """Use other chords in the form with a bar of the beat; return whether they are other ones."""
        if self.course is None or not self.course.use_bar(bar, chords):
            return False
        self._follow()
        return True

    def hear(self, notes: Iterable[tuple[float, int, int]]) -> None:
        """Let the band hear onsets of either player: seconds, pitch and velocity."""
        self._band.hear(self._transport, notes)

    def advance(self, now: float, until: float) -> bool:
        """Schedule the band's notes due up to `until` seconds; return whether it plays."""
        return self._band.advance(self._transport, now, until)

    def heads(self, now: float, ahead: float) -> bool:
        """Return whether the melody is played `ahead` of `now`, and goes on until a turn can be planned."""
        course, beat = self.course, self._transport.beat
        if course is None or course.head is None:
            return False
        return course.heads(beat(now + ahead)) and course.heads(beat(now + SOLO_AHEAD))

    def head_notes(self, now: float, until: float) -> list[Note]:
        """Return the notes of the melody that are due up to `until` seconds, each once."""
        if self._head is None or self.course is None:
            return []
        clock = self._transport.clock
        return self._head.due(self.course, clock, now, until, self._band.off_beat(clock.tempo))

    def rest(self) -> None:
        """Begin the melody again with the next beat that it is given; what sounds goes on."""
        if self._head is not None:
            self._head.stop()

    def stop(self) -> None:
        """End every note of the band now."""
        self.rest()
        self._band.stop()

    @property
    def _chart(self) -> Chart | None:
        return None if self.course is None else self.course.tune.chart

    def _use_tune(self) -> None:
        tune = tune_of(self._controls)
        self.course = None if tune is None else Course(tune, self._transport)
        if self.course is not None:
            self.course.choruses = self._controls.choruses
            self.course.begin()
        self._use_head()

    def _use_head(self) -> None:
        """Use the melody of the controls; one that is the same goes on."""
        head = head_named(self._controls.head) if self._controls.head else None
        if self.course is not None:
            self.course.head = head
        if head is None:
            self._head = None
        elif self._head is None or self._head.head != head:
            self._head = HeadInTime(head)

    def _follow(self) -> None:
        """Let the band follow the course of the tune."""
        if self.course is not None:
            self._band.follow(self.course.tune.chart, self.course.route, self.course.last)
