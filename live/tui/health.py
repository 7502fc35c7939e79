"""Timing at a glance: how late notes leave, what a note costs, how soon an answer starts."""

from typing import Final

from textual.content import Content
from textual.widgets import Static

from tatumflow.engine.messages import Health, Snapshot
from tatumflow.live.tui.labels import milliseconds

_LATENESS_FINE_MS: Final = 1.0
_LATENESS_BAD_MS: Final = 5.0
_NOTE_FINE_MS: Final = 6.0
_FIRST_NOTE_FINE_MS: Final = 25.0


class HealthLine(Static):
    """One row of figures. A figure out of its bounds is marked with ▲, not by colour alone."""

    def __init__(self) -> None:
        """Start empty."""
        super().__init__()
        self._shown: Health | None = None

    def show(self, snapshot: Snapshot) -> None:
        """Show the figures where they changed."""
        health = snapshot.health
        if health != self._shown:
            self._shown = health
            self.update(health_text(health))


def health_text(health: Health) -> Content:
    """Return the row of figures."""
    lateness = health.send_lateness_p99_ms
    first = health.first_note_ms
    parts = [
        _figure("send p99", milliseconds(lateness), _level(lateness, _LATENESS_FINE_MS, _LATENESS_BAD_MS)),
        _figure("late", f"{health.late_notes}", "warning" if health.late_notes else ""),
        _figure(
            "note",
            milliseconds(health.note_cost_p50_ms),
            _level(health.note_cost_p50_ms, _NOTE_FINE_MS, 4 * _NOTE_FINE_MS),
        ),
        _figure(
            "first note",
            milliseconds(first),
            _level(first or 0.0, _FIRST_NOTE_FINE_MS, 10 * _FIRST_NOTE_FINE_MS),
        ),
    ]
    if health.model_faults:
        parts.append(_figure("model faults", f"{health.model_faults}", "error"))
    return Content("   ").join(parts)


def _level(value: float, fine: float, bad: float) -> str:
    return "" if value <= fine else "warning" if value <= bad else "error"


def _figure(name: str, value: str, level: str) -> Content:
    if level:
        return Content.from_markup(f"[$muted]$name[/] [b ${level}]▲ $value[/]", name=name, value=value)
    return Content.from_markup("[$muted]$name[/] [b]$value[/]", name=name, value=value)
