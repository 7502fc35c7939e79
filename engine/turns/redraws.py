"""Rate limit on sampling a plan again while controls change."""

from typing import Final

from tatumflow.engine.turns.live_controls import ControlsSet

REDRAW_SPACING: Final = 0.1
"""Shortest time in seconds between two redraws of a plan, so that a knob that is turned leaves time to sample
notes."""


class Redraws:
    """Gathers changes of controls until the plan may be sampled again."""

    def __init__(self, now: float) -> None:
        """Wait for nothing; the first redraw may come at `now` seconds."""
        self._pending: ControlsSet | None = None
        self._earliest = now

    def add(self, changed: ControlsSet) -> None:
        """Add a change for which the plan is to be sampled again."""
        self._pending = changed if self._pending is None else self._pending.and_then(changed)

    def clear(self) -> None:
        """Drop the pending changes: the plan was sampled under the newest values."""
        self._pending = None

    def next_due(self, now: float) -> float | None:
        """Return the seconds at which a redraw is due, `now` at the earliest; None without a change."""
        return None if self._pending is None else max(self._earliest, now)

    def take(self, now: float) -> ControlsSet | None:
        """Return the pending changes if a redraw is due at `now` seconds, else None."""
        if now < self._earliest:
            return None
        changed, self._pending = self._pending, None
        return changed

    def done(self, now: float) -> None:
        """Space the next redraw from the end of one, at `now` seconds, since a redraw takes time itself."""
        self._earliest = now + REDRAW_SPACING
