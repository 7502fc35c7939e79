"""The beat, the metre and the chart that hold at a moment of a session."""

from dataclasses import dataclass

from tatumflow.engine.harmony.chart import Chart
from tatumflow.engine.harmony.route import STRAIGHT, Route
from tatumflow.engine.tempo.beat_clock import BeatClock


@dataclass(frozen=True, slots=True)
class TimeInForce:
    """What bars and chords go by at a moment.

    Attributes:
        clock: Where the beats are; beat 0 is the first of the form. None in free time.
        beats_per_bar: Beats of a bar.
        chart: The chart, looped; None without one.
        route: The bar of the form, counted on from chorus to chorus, of each bar from beat 0 on.
    """

    clock: BeatClock | None
    beats_per_bar: int = 4
    chart: Chart | None = None
    route: Route = STRAIGHT
