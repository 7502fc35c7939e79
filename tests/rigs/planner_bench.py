"""A planner in a turn of its own, without a companion around it."""

from collections.abc import Callable

import numpy as np
from mock_decoder import MockDecoder, mock_shape
from rig import Port, new_session

from tatumflow.engine.arrays import Floats, Ints
from tatumflow.engine.clock import VirtualClock
from tatumflow.engine.controls import Controls
from tatumflow.engine.midi.notes import Note, Role
from tatumflow.engine.midi.scheduler import Scheduler
from tatumflow.engine.takes.take_chooser import Chooser
from tatumflow.engine.turns.phrase import Phrase
from tatumflow.engine.turns.planner import Planner
from tatumflow.engine.turns.turn_request import TurnRequest
from tatumflow.engine.turns.turn_window import TurnWindow

CALL = tuple(Note(0.2 * i, 0.1, 60 + i, 80) for i in range(8))
PHRASE = Phrase(CALL, 0.0, 1.5, 0.4)
STYLE = np.array([0, 1, 0], np.float32)
OTHER_STYLE = np.array([0, 0, 1], np.float32)
WINDOW = TurnWindow(earliest=2.0, latest_first=2.0, last_onset=30.0)


def request(window: TurnWindow = WINDOW, *, chooser: Chooser | None = None, **controls) -> TurnRequest:
    """A request of a turn after `CALL`, with controls by name."""
    return TurnRequest(PHRASE, window, Controls(**controls), STYLE, (0, 0), CALL[-1].onset, chooser=chooser)


class SlowDecoder(MockDecoder):
    """Takes `seconds` of a virtual clock for every note, while the scheduler goes on as its thread would."""

    def __init__(self, pass_time: Callable[[float], None]) -> None:
        super().__init__(mock_shape(cache_rows=256, window=192))
        self.pass_time = pass_time
        self.seconds = 0.0

    def field_logits(
        self, field: int, hidden: Floats, known: Ints, chord: Ints, metre: Ints, pocket: float = 1.0
    ) -> Floats:
        if field == 0:
            self.pass_time(self.seconds)
        return super().field_logits(field, hidden, known, chord, metre, pocket)


class PlannerBench:
    """A planner after a call, on a virtual clock that a slow model can move."""

    def __init__(self) -> None:
        self.clock = VirtualClock()
        self.decoder = SlowDecoder(self.pass_time)
        self.session = new_session(self.decoder)
        self.session.begin_turn(Role.HUMAN, STYLE)
        for note in CALL:
            self.session.add(note, Role.HUMAN)
        self.port = Port()
        self.scheduler = Scheduler(self.port.send, self.clock)
        self.planner = Planner(self.session, self.scheduler, self.clock)
        self.clock.advance_to(1.95)

    def pass_time(self, seconds: float) -> None:
        end = self.clock.now() + seconds
        while (due := self.scheduler.next_due()) is not None and due <= end:
            self.clock.advance_to(max(due, self.clock.now()))
            self.scheduler.run_due(self.clock.now())
        self.clock.advance_to(end)

    def begin(self, window: TurnWindow = WINDOW, *, chooser: Chooser | None = None, **controls) -> None:
        self.planner.begin(request(window, chooser=chooser, **controls))

    def fill(self) -> None:
        while self.planner.extend(self.clock.now()):
            pass

    def run_to(self, end: float, until: Callable[[], bool] = lambda: False) -> list[Note]:
        """Extend and commit as the companion does; return the committed notes."""
        notes: list[Note] = []
        while not until():
            more = self.planner.extend(self.clock.now())
            notes += self.planner.commit(self.clock.now())
            self.scheduler.run_due(self.clock.now())
            times = [self.scheduler.next_due(), self.clock.now() if more else self.planner.next_wake()]
            wake = min((time for time in times if time is not None), default=end)
            if wake >= end or self.planner.done_at is not None:
                break
            self.clock.advance_to(max(wake, self.clock.now()))
        self.clock.advance_to(max(end, self.clock.now()))
        self.scheduler.run_due(self.clock.now())
        return notes
