"""Controls in force, and the style, beat, chords and feel that follow from them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from tatumflow.engine.controls import Controls
from tatumflow.engine.errors import SettingError
from tatumflow.engine.model.session import ModelSession
from tatumflow.engine.model.style_table import StyleTable
from tatumflow.engine.takes.take_chooser import TakeChooser
from tatumflow.engine.tempo.timekeeper import Timekeeper
from tatumflow.engine.turns.heard_harmony import HeardHarmony
from tatumflow.engine.turns.planner import Planner

_BAND_CONTROLS: Final = frozenset(
    {"band", "band_style", "bass_volume", "comping_volume", "drums_volume", "band_intro", "stop_time"}
)
_SOUND_CONTROLS: Final = _BAND_CONTROLS | {
    "swing",
    "grid_pull",
    "count_in",
    "metronome",
    "clock_out",
    "lookahead",
    "tempo_step",
}
_TIME_CONTROLS: Final = frozenset(
    {
        "swing",
        "grid_pull",
        "count_in",
        "metronome",
        "clock_out",
        "clock",
        "tempo",
        "trade_bars",
        "trade_choruses",
        "loop_from",
        "loop_bars",
        "key_step",
        "seed",
        "chords",
        "hear_chords",
        "heard_bars",
        "band",
        "head",
        "choruses",
    }
)
_SAMPLING_CONTROLS: Final = frozenset(
    {
        "temperature",
        "top_p",
        "pocket",
        "top_k",
        "min_p",
        "repetition",
        "density",
        "register_low",
        "register_high",
        "max_polyphony",
        "velocity_follow",
        "pitch_classes",
    }
)
_STYLE_CONTROLS: Final = frozenset({"style", "style_b", "style_blend", "style_strength"})


@dataclass(frozen=True, slots=True)
class ControlsSet:
    """Controls that were set together, and their consequences for the turn in progress.

    Attributes:
        names: Names of the controls whose value changed, and of the seed if it was set.
        new_mode: Whether the mode changed.
        new_bars: Whether the bars of turns changed.
        refused: Why values were refused, a line each.
    """

    names: frozenset[str] = frozenset()
    new_mode: bool = False
    new_bars: bool = False
    refused: tuple[str, ...] = ()

    @property
    def redraws(self) -> bool:
        """Whether the plan depends on them; controls of sound alone do not change it."""
        return bool(self.names - _SOUND_CONTROLS)

    @property
    def redraws_condition(self) -> bool:
        """Whether the condition of the phrase depends on them too."""
        return bool(self.names - _SOUND_CONTROLS - _SAMPLING_CONTROLS)

    def and_then(self, later: "ControlsSet") -> "ControlsSet":
        """Return this change and a later one as one change."""
        return ControlsSet(
            self.names | later.names, self.new_mode or later.new_mode, self.new_bars or later.new_bars
        )


class LiveControls:
    """The controls in force; beat, chords and feel follow each change.

    Attributes:
        values: The controls.
        style: Their weights over the style table, (S,).
    """

    def __init__(
        self,
        controls: Controls,
        styles: StyleTable,
        time: Timekeeper,
        session: ModelSession,
        planner: Planner,
        harmony: HeardHarmony,
    ) -> None:
        """Put the first controls in force.

        Args:
            controls: Those that `time` was created with.
            styles: The model's styles.
            time: Keeps the beat.
            session: The model's context, which chords and beat are set for.
            planner: Moves notes by the feel.
            harmony: Hears chords where there is no chart.

        Raises:
            SettingError: if `controls` name a style that the model does not have.
        """
        self.values = controls
        self.style = styles.style_weights(controls)
        self._styles = styles
        self._time = time
        self._session = session
        self._planner = planner
        self._harmony = harmony
        self.follow_time()

    def set_many(self, values: Sequence[tuple[str, object]], now: float) -> ControlsSet:
        """Set controls together at `now` seconds, by names and values in the order of the commands.

        A value that does not fit the others is tried again once they are set; one that still does not fit is
        refused and changes nothing.
        """
        before, controls, style = self.values, self.values, self.style
        waiting, refused, progress = list(values), dict[str, str](), True
        while waiting and progress:
            progress, tried, waiting = False, waiting, []
            for name, value in tried:
                try:
                    changed = controls.changed(name, value)
                    if name in _STYLE_CONTROLS:
                        style = self._styles.style_weights(changed)
                except SettingError as error:
                    waiting.append((name, value))
                    refused[name] = str(error)
                else:
                    controls, progress = changed, True
                    refused.pop(name, None)
        names = {name for name, _ in values if name not in refused}
        changed_names = frozenset(
            name for name in names if name == "seed" or getattr(controls, name) != getattr(before, name)
        )
        self.values, self.style = controls, style
        new_bars = bool(changed_names) and self._time.use(controls, now)
        self._harmony.use(controls)
        if changed_names & _TIME_CONTROLS:
            self.follow_time()
        return ControlsSet(
            changed_names, controls.mode != before.mode, new_bars, tuple(refused[name] for name in refused)
        )

    @property
    def chooser(self) -> TakeChooser | None:
        """What chooses among takes in the style of the controls; None for one take alone."""
        weights = self._styles.take_weights(self.values)
        return None if weights is None else TakeChooser(weights)

    @property
    def plays_lines(self) -> bool:
        """Whether the player of the controls plays single lines."""
        return self._styles.plays_lines(self.values)

    @property
    def polyphony(self) -> int:
        """Most notes that the companion holds at once: one for a player of single lines."""
        return 1 if self.plays_lines else self.values.max_polyphony

    def use_model(self, controls: Controls, styles: StyleTable) -> None:
        """Use another model's styles, and controls whose styles it has.

        Raises:
            SettingError: if it does not have them; nothing changes then.
        """
        self.style = styles.style_weights(controls)
        self.values, self._styles = controls, styles

    def follow_time(self) -> None:
        """Set chords and beat of the session and the feel of the plan by the clock in use."""
        chart = self._time.chart
        self._session.follow_chords(self._harmony.chord_at if chart is None else chart.chord_id_at)
        self._session.follow_beats(self._time.beats, self._time.beats_per_bar)
        self._planner.use_feel(self._time.felt if self._time.feels else None)
