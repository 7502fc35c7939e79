"""Requests of turns: what the planner needs, under the controls, the beat and the chords as they are now."""

from tatumflow.engine.tempo.timekeeper import Timekeeper
from tatumflow.engine.turns.heard_harmony import HeardHarmony
from tatumflow.engine.turns.listener import Listener
from tatumflow.engine.turns.live_controls import LiveControls
from tatumflow.engine.turns.modes import mode_named
from tatumflow.engine.turns.morphing import Morphing
from tatumflow.engine.turns.turn_request import TurnRequest
from tatumflow.engine.turns.turn_taking import CompanionTurn, TurnTaking
from tatumflow.engine.turns.turn_window import TurnWindow


class TurnRequests:
    """Gathers the request of a turn from the parts of a companion."""

    def __init__(
        self,
        live: LiveControls,
        turn_taking: TurnTaking,
        listener: Listener,
        time: Timekeeper,
        harmony: HeardHarmony,
        morphing: Morphing,
    ) -> None:
        self._live = live
        self._turn_taking = turn_taking
        self._listener = listener
        self._time = time
        self._harmony = harmony
        self._morphing = morphing

    def request(
        self, turn: CompanionTurn, seed: tuple[int, ...], now: float, window: TurnWindow | None = None
    ) -> TurnRequest:
        """Return the request of a turn that is planned, or planned again, at `now` seconds.

        Args:
            turn: The turn.
            seed: Seed of its random generators.
            now: Seconds.
            window: The window that it has; None for a new one.
        """
        controls = self._live.values
        opening = self._morphing.opening(turn, controls, now)
        if window is None or opening.notes:
            window = self._turn_taking.window(turn, opening)
        return TurnRequest(
            call=turn.call,
            window=window,
            controls=controls,
            style=self._live.style,
            seed=seed,
            previous_onset=self._listener.last_onset,
            policy=mode_named(controls.mode).phrases,
            chart=self._time.chart,
            heard_chord_at=self._harmony.chord_at,
            opening=opening,
            is_line=self._live.plays_lines,
            chooser=self._live.chooser,
        )
