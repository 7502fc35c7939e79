"""The band of a session: made by the controls, on the clock in use, heard through the scheduler."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Final
from zlib import crc32

from tatumflow.engine.band.band import Band
from tatumflow.engine.band.band_note import Part
from tatumflow.engine.band.band_style import BandStyle
from tatumflow.engine.band.form import Form
from tatumflow.engine.band.styles import AUTO, STYLES, style_for
from tatumflow.engine.band.swing import offbeat
from tatumflow.engine.controls import Controls
from tatumflow.engine.harmony.chart import Chart
from tatumflow.engine.harmony.route import Route
from tatumflow.engine.midi.scheduler import Scheduler
from tatumflow.engine.tempo.band_in_time import BAND_CHANNELS, BandInTime
from tatumflow.engine.tempo.beat_clock import BeatClock
from tatumflow.engine.tempo.transport import Transport

_MOVED: Final = 0.1
"""Beats by which the beat may differ from where it is expected until the band begins again."""


def band_style(controls: Controls, chart: Chart) -> BandStyle:
    """Return the style that the band plays a chart in, by the controls `band_style` and `tempo`."""
    if controls.band_style != AUTO:
        return STYLES[controls.band_style]
    return style_for(chart.style, chart.beats_per_bar, controls.tempo)


def band_seed(controls: Controls) -> int:
    """Return the seed of the band: another for another chart, so that not every tune has the same rhythms."""
    return controls.seed ^ crc32(controls.chords.encode())


def part_volumes(controls: Controls) -> dict[Part, float]:
    """Return the volume of each part by the controls."""
    return {
        "bass": controls.bass_volume,
        "comping": controls.comping_volume,
        "drums": controls.drums_volume,
    }


class Accompaniment:
    """Schedules the band's notes while it is on and there is a beat; ends them when that stops or jumps."""

    def __init__(self, scheduler: Scheduler) -> None:
        """Begin without a band; see `use`."""
        self._scheduler = scheduler
        self._band: BandInTime | None = None
        self._chart: Chart | None = None
        self._form: Form | None = None
        self._style: BandStyle | None = None
        self._made: tuple[object, ...] = ()
        self._jumps = -1
        self._last: tuple[float, float] | None = None

    def use(self, controls: Controls, chart: Chart | None) -> None:
        """Follow the controls: another style or form from the next bar on, another chart at once."""
        if not controls.has_band or chart is None:
            if self._band is not None:
                self._release()
                self._band, self._chart, self._form, self._made = None, None, None, ()
            return
        style = band_style(controls, chart)
        seed = band_seed(controls)
        made = (style, controls.seed, controls.count_in, controls.band_intro, controls.stop_time)
        form = Form(chart, controls.count_in, controls.band_intro, controls.stop_time)
        if self._form is not None and chart == self._chart:
            form = replace(form, last=self._form.last, route=self._form.route)
        if self._band is None or chart != self._chart:
            if self._band is not None:
                self._release()
            self._band = BandInTime(Band(style, seed), form, seed)
        elif made != self._made:
            self._band.use(Band(style, seed), form)
        self._chart, self._form, self._style, self._made = chart, form, style, made
        self._band.volumes = part_volumes(controls)

    def hear(self, transport: Transport, notes: Iterable[tuple[float, int, int]]) -> None:
        """Let the band hear onsets of either player: seconds, pitch and velocity."""
        if self._band is not None:
            for time, pitch, velocity in notes:
                self._band.ears.add(transport.beat(time), pitch, velocity)

    def off_beat(self, tempo: float) -> float:
        """Return where the band's off-beats fall, in beats; the half of a beat without one."""
        return 0.5 if self._band is None or self._style is None else offbeat(tempo, self._style.swing)

    @property
    def planned_bars(self) -> int:
        """Bars of the beat up to which the band has planned what it plays; 0 without one."""
        return 0 if self._band is None else self._band.planned_bars

    def follow(self, chart: Chart, route: Route, last: int | None) -> None:
        """Follow a chart by the places of a route, to the bar at the place `last`, from the next bar on."""
        if self._band is not None and self._form is not None:
            self._chart = chart
            self._form = replace(self._form, chart=chart, last=last, route=route)
            self._band.follow(self._form)

    def stop(self) -> None:
        """End every note now; the band begins again with the next beat it is given."""
        if self._band is not None:
            self._begin_again(self._band)
        self._last = None

    def advance(self, transport: Transport, now: float, until: float) -> bool:
        """Schedule the notes due up to `until` seconds; return whether the band plays."""
        band = self._band
        if band is None or not transport.running:
            if band is not None and self._last is not None:
                self._begin_again(band)
            self._last = None
            return False
        clock = transport.clock
        beat = clock.beat(now)
        if transport.jumps != self._jumps:
            self._jumps = transport.jumps
            # A tempo that changes goes on from the same beat, and so does the band.
            if self._last is None or abs(beat - self._expected(self._last, clock, now)) > _MOVED:
                self._begin_again(band)
        self._last = (now, beat)
        for part, note in band.due(clock, clock.tempo, now, until):
            self._scheduler.note(note, BAND_CHANNELS[part])
        return True

    @staticmethod
    def _expected(last: tuple[float, float], clock: BeatClock, now: float) -> float:
        """Return the beat at `now` seconds if it has gone on from an earlier time and beat."""
        return last[1] + (now - last[0]) * clock.tempo / 60

    def _begin_again(self, band: BandInTime) -> None:
        self._release()
        band.restart()

    def _release(self) -> None:
        for channel in BAND_CHANNELS.values():
            self._scheduler.release_all(channel)
