"""Figures of the sound: state of the device, latency of the monitor, faults."""

from typing import Final

from textual.content import Content
from textual.widgets import Static

from tatumflow.live.audio.status import AudioState, AudioStatus
from tatumflow.live.tui.figures import Figure, figure_text
from tatumflow.live.tui.labels import milliseconds

_SEPARATED: Final = 0.995
"""From this share of the stems on, the dry rest is inaudible."""

_STATES: Final[dict[AudioState, str]] = {
    "open": "[$success]●[/] [b]open[/]",
    "lost": "[b $error]▲ lost, looking for it[/]",
    "closed": "[$muted]○ closed[/]",
}


class SoundLine(Static):
    """One row of figures."""

    def __init__(self) -> None:
        """Start empty."""
        super().__init__()
        self._shown: tuple[AudioState, tuple[Figure, ...]] | None = None

    def show(self, sound: AudioStatus) -> None:
        """Show the figures where they changed."""
        shown = (sound.state, sound_figures(sound))
        if shown != self._shown:
            self._shown = shown
            self.on_resize()

    def on_resize(self) -> None:
        """Show as many of the figures as fit."""
        if self._shown is not None:
            self.update(sound_text(*self._shown, self.content_size.width))


class DeviceLine(Static):
    """One row: what is heard and where it is played."""

    def __init__(self) -> None:
        """Start empty."""
        super().__init__()
        self._shown = ("", "", 0)

    def show(self, sound: AudioStatus) -> None:
        """Show the devices where they changed."""
        shown = (sound.input, sound.output, sound.rate)
        if shown != self._shown:
            self._shown = shown
            self.update(device_text(*shown))


def sound_figures(sound: AudioStatus) -> tuple[Figure, ...]:
    """Return the figures of the sound; counts of faults only where there were some, but for dropouts."""
    faults = sound.faults
    figures = _monitor(sound) if sound.state == "open" else []
    figures.append(_count("dropouts", faults.dropouts))
    load = Figure("load", f"{100 * sound.cost_p99:.0f} %", "error" if sound.cost_p99 > 1 else "")
    if sound.state == "open" and load.level:
        figures.append(load)
    if faults.model_faults:
        figures.append(Figure("model faults", f"{faults.model_faults}", "error"))
    figures += [
        _count(name, count)
        for name, count in (
            ("clips", faults.input_clips),
            ("xruns", faults.xruns),
            ("skips", faults.skips),
            ("overflow", faults.overflow_frames),
            ("bad input", faults.bad_input_frames),
            ("limited", faults.limited_frames),
        )
        if count
    ]
    if sound.state == "open" and not load.level:
        figures.append(load)
    return tuple(figures)


def _monitor(sound: AudioStatus) -> list[Figure]:
    if not sound.output:
        return [Figure("monitor", "none")]
    monitor = Figure("monitor", milliseconds(1000 * sound.latency.monitor))
    dry = f"dry {100 * (1 - sound.separated):.0f} %"
    if sound.bypass:
        return [Figure("bypass", dry), monitor]
    return [monitor] if sound.separated >= _SEPARATED else [Figure("", dry, "warning"), monitor]


def sound_text(state: AudioState, figures: tuple[Figure, ...], width: int) -> Content:
    """Return the row: the state, unless a figure of an open device implies it, and the figures.

    Where they do not fit, the last of those within their bounds are left out.
    """
    implied = state == "open" and figures[0].name in ("", "bypass")
    start = [] if implied else [Content.from_markup(_STATES[state])]
    while True:
        line = Content("  ").join([*start, *map(figure_text, figures)])
        spare = [at for at, figure in enumerate(figures) if not figure.level]
        if line.cell_length <= width or not spare:
            return line
        figures = (*figures[: spare[-1]], *figures[spare[-1] + 1 :])


def device_text(heard: str, played: str, rate: int) -> Content:
    """Return the devices' names; nothing where none is open."""
    if not heard:
        return Content()
    return Content.from_markup(
        "[$muted]in[/] $heard   [$muted]out[/] $played   [$muted]$rate[/]",
        heard=heard,
        played=played or "no monitor",
        rate=f"{rate / 1000:g} kHz",
    )


def _count(name: str, count: int) -> Figure:
    return Figure(name, f"{count}", "warning" if count else "")
