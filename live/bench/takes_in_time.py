"""How many takes a choice has in real time, and whether the notes are in time all the same."""

from typing import Final

from tatumflow.engine.controls import Controls
from tatumflow.engine.messages import TakeTurn, YieldTurn
from tatumflow.engine.midi.scheduler import Scheduler
from tatumflow.engine.model.bundle import Bundle
from tatumflow.engine.model.decoder import Decoder
from tatumflow.engine.model.onnx_phrase_model import OnnxPhraseModel
from tatumflow.engine.model.session import ModelSession
from tatumflow.engine.offline import VirtualLoop
from tatumflow.engine.turns.companion import Companion
from tatumflow.live.bench.report import Figure, Target
from tatumflow.live.bench.turns import WorkClock

TAKES_TARGET: Final = Target(least_mean=4.0)
"""Takes that a choice should have on average; the control asks for six."""

_SECONDS_A_NOTE: Final = 0.1
_TURN_SECONDS: Final = 10.0


def takes_in_time(bundle: Bundle, decoder: Decoder, notes: int) -> tuple[Figure, ...]:
    """Improvise turns of ten seconds, on a clock that work moves and waiting does not.

    Returns:
        `takes`, from how many takes each turn's notes were chosen, on average; empty for a model without
        weights for a choice.
    """
    clock = WorkClock()
    scheduler = Scheduler(lambda _: None, clock)
    controls = Controls(mode="improvise")
    session, phrases = ModelSession(decoder), OnnxPhraseModel(bundle)
    companion = Companion(session, scheduler, clock, controls, bundle, phrases)
    loop = VirtualLoop(clock, scheduler, companion)
    for _ in range(max(round(notes * _SECONDS_A_NOTE / _TURN_SECONDS), 1)):
        companion.command(TakeTurn())
        loop.run_to(clock.now() + _TURN_SECONDS)
        companion.command(YieldTurn())
    takes = [report.takes for report in companion.turns if report.takes is not None]
    return (Figure.of("takes", "takes", takes, TAKES_TARGET),) if takes else ()
