"""Taking controls into force: the style, the beat, the chords and the feel follow them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from tatumflow.engine.controls import Controls
from tatumflow.engine.decoder import Floats
from tatumflow.engine.planner import Planner
from tatumflow.engine.session import ModelSession
from tatumflow.engine.tempo.timekeeper import Timekeeper

_SOUND_CONTROLS: Final = ("swing", "grid_pull", "count_in", "metronome", "clock_out")
_TIME_CONTROLS: Final = (*_SOUND_CONTROLS, "clock", "tempo", "trade_bars", "chords")


@dataclass(frozen=True, slots=True)
class ControlSet:
    """A control that was set, and what that means for the turn at hand.

    Attributes:
        name: Of the control.
        new_mode: Whether the mode is another than before.
        new_bars: Whether turns are no longer those of the same bars.
    """

    name: str
    new_mode: bool
    new_bars: bool

    @property
    def redraws(self) -> bool:
        """Whether what is planned was drawn by it; if not, it only sounds otherwise, or other things do."""
        return self.name not in _SOUND_CONTROLS


class LiveControls:
    """The controls in force, and those that follow them without being asked: the beat, the chords, the feel.

    Attributes:
        values: The controls.
        style: Weights over the style table, (S,), for them.
    """

    def __init__(
        self,
        controls: Controls,
        style_weights: Callable[[Controls], Floats],
        time: Timekeeper,
        session: ModelSession,
        planner: Planner,
    ) -> None:
        """Take the first controls into force.

        Args:
            controls: Those that `time` was made with.
            style_weights: Weights over the style table, (S,), for controls.
            time: Keeps the beat.
            session: Hears the chords.
            planner: Lets notes sound where they are felt.

        Raises:
            SettingError: if `controls` name a style the model does not know.
        """
        self.values = controls
        self.style = style_weights(controls)
        self._style_weights = style_weights
        self._time = time
        self._session = session
        self._planner = planner
        self.follow_time()

    def set(self, name: str, value: object, now: float) -> ControlSet:
        """Set one control at `now` seconds.

        Raises:
            SettingError: if no control has that name, or the value does not fit it; nothing changes then.
        """
        before, controls = self.values, self.values.changed(name, value)
        style = self._style_weights(controls)
        self.values, self.style = controls, style
        new_bars = self._time.use(controls, now)
        if name in _TIME_CONTROLS:
            self.follow_time()
        return ControlSet(name, controls.mode != before.mode, new_bars)

    def use_model(self, controls: Controls, style_weights: Callable[[Controls], Floats]) -> None:
        """Take another model's table of styles, and controls whose styles it knows.

        Raises:
            SettingError: if it does not know them; nothing changes then.
        """
        self.style = style_weights(controls)
        self.values, self._style_weights = controls, style_weights

    def follow_time(self) -> None:
        """Let the model hear the chords and the plan sound by the time that is kept now."""
        chart = self._time.chart
        self._session.follow_chords(None if chart is None else chart.chord_id_at)
        self._planner.use_feel(self._time.felt if self._time.feels else None)
