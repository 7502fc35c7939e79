"""The health line: whether notes are sent on time, what a note costs, how soon an answer starts."""

from typing import Final

from textual.content import Content
from textual.widgets import Static

from tatumflow.engine.messages import Health, Snapshot
from tatumflow.live.tui.figures import Figure, figure_text, level_of
from tatumflow.live.tui.labels import milliseconds

_LATENESS_FINE_MS: Final = 1.0
_LATENESS_BAD_MS: Final = 5.0
_NOTE_FINE_MS: Final = 6.0
_FIRST_NOTE_FINE_MS: Final = 25.0


class HealthLine(Static):
    """One row of figures."""

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
    lateness, note = health.send_lateness_p99_ms, health.note_cost_p50_ms
    first = health.first_note_ms
    figures = [
        _timing(lateness, level_of(lateness, _LATENESS_FINE_MS, _LATENESS_BAD_MS)),
        Figure("late", f"{health.late_notes}", "warning" if health.late_notes else ""),
        Figure("note", milliseconds(note), level_of(note, _NOTE_FINE_MS, 4 * _NOTE_FINE_MS)),
        Figure(
            "first note",
            milliseconds(first),
            level_of(first or 0.0, _FIRST_NOTE_FINE_MS, 10 * _FIRST_NOTE_FINE_MS),
        ),
    ]
    if health.model_faults:
        figures.append(Figure("faults", f"{health.model_faults}", "error"))
    return Content("   ").join(map(figure_text, figures))


def _timing(lateness: float, level: str) -> Figure:
    """Return the verdict on the 99th percentile of the lateness, with its milliseconds."""
    shown = milliseconds(lateness)
    return Figure("", f"timing late {shown}", level) if level else Figure("timing", f"ok {shown}")
