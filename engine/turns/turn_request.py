"""The turn request: call, window, controls, style and chords of one turn of the companion."""

from collections.abc import Callable
from dataclasses import dataclass, field

from tatumflow.engine.arrays import Floats
from tatumflow.engine.controls import Controls
from tatumflow.engine.phrases.policy import PhrasePolicy
from tatumflow.engine.takes.take_chooser import Chooser
from tatumflow.engine.tempo.chart_clock import ChartInTime
from tatumflow.engine.turns.opening import NO_OPENING, Opening
from tatumflow.engine.turns.phrase import Phrase
from tatumflow.engine.turns.turn_window import TurnWindow


@dataclass(frozen=True, slots=True, eq=False)
class TurnRequest:
    """The inputs of the planning of one turn of the companion.

    Attributes:
        call: The human's phrase that the turn replies to; may be empty.
        window: When its first note comes, and when it ends.
        controls: Controls in force.
        style: Style weights, (S,) float32.
        seed: Seed of the turn's random generators.
        previous_onset: Seconds of the last onset of either player; None if there was none.
        policy: Policy of its phrase conditions.
        chart: The chords it is played over; None for none.
        heard_chord_at: Gives the id of the chord heard at a time in seconds, where there is no chart; None
            where the model gets none.
        opening: Notes with which the turn begins, before the model samples any.
        is_line: Whether the player of the style plays one note at a time.
        chooser: What chooses among takes of the notes; None for one take alone.
    """

    call: Phrase
    window: TurnWindow
    controls: Controls
    style: Floats
    seed: tuple[int, ...]
    previous_onset: float | None = None
    policy: PhrasePolicy = field(default_factory=PhrasePolicy)
    chart: ChartInTime | None = None
    heard_chord_at: Callable[[float], int] | None = None
    opening: Opening = NO_OPENING
    is_line: bool = False
    chooser: Chooser | None = None

    @property
    def polyphony(self) -> int:
        """Most notes held at once: one for a player of single lines, else as the controls have it."""
        return 1 if self.is_line else self.controls.max_polyphony

    @property
    def takes(self) -> int:
        """How many takes of its notes are sampled: one alone where the call's own theory is requested."""
        return 1 if self.chooser is None or self.policy.requests else self.controls.takes

    @property
    def chord_at(self) -> Callable[[float], int] | None:
        """Gives the chord id at a time in seconds: of the chart, else of what is heard."""
        return self.heard_chord_at if self.chart is None else self.chart.chord_id_at
