"""How close to its bar line an answer begins when bars are traded to an external MIDI clock."""

import queue
import threading
import time
from typing import Final

import numpy as np

from tatumflow.engine.clock import SystemClock
from tatumflow.engine.controls import Controls
from tatumflow.engine.midi.events import ClockStart, ClockTick, InputEvent, NoteOff, NoteOn, OutputEvent
from tatumflow.engine.midi.scheduler import Scheduler
from tatumflow.engine.midi.scheduler_thread import SchedulerThread
from tatumflow.engine.model.bundle import Bundle
from tatumflow.engine.model.decoder import Decoder
from tatumflow.engine.model.onnx_phrase_model import OnnxPhraseModel
from tatumflow.engine.model.session import ModelSession
from tatumflow.engine.tempo.midi_clock import TICKS_PER_BEAT
from tatumflow.engine.turns.companion import Companion
from tatumflow.engine.turns.planner import COMPANION_CHANNEL
from tatumflow.live.bench.report import Figure, Target

BAR_LINE_TARGET: Final = Target(p99=2.0)
"""Milliseconds that an answer may begin before or after its bar line."""

_TEMPO: Final = 300.0
_BEATS: Final = 4
_NOTES_A_TURN: Final = 40
_JITTER: Final = 0.001
_HEAD_START: Final = 0.2
_MISSED_MS: Final = 1e3


def bar_line(bundle: Bundle, decoder: Decoder, notes: int) -> tuple[Figure, ...]:
    """Measure the first note sent of each answer against its bar line, in real time.

    Single bars are traded with a player of eighths up to the line. The ticks of the clock come with a jitter
    of 1 ms, normally distributed; the way through the operating system's ports is not part of it.
    """
    count = max(notes // _NOTES_A_TURN, 1)
    clock = SystemClock()
    sent: list[float] = []

    def send(event: OutputEvent) -> None:
        if isinstance(event, NoteOn) and event.channel == COMPANION_CHANNEL:
            sent.append(clock.now())

    scheduler = Scheduler(send, clock)
    thread = SchedulerThread(scheduler, clock)
    controls = Controls(style=bundle.styles[-1], clock="midi", trade_bars=1)
    session, phrases = ModelSession(decoder), OnnxPhraseModel(bundle)
    companion = Companion(session, scheduler, clock, controls, bundle, phrases)
    inbox: queue.SimpleQueue[InputEvent] = queue.SimpleQueue()
    start = clock.now() + _HEAD_START
    player = threading.Thread(
        target=_play, args=(start, count, clock, inbox), name="bench player", daemon=True
    )
    thread.start()
    player.start()
    try:
        while player.is_alive():
            due = companion.advance()
            wait = _HEAD_START if due is None else min(due - clock.now(), _HEAD_START)
            try:
                companion.handle(inbox.get(timeout=max(wait, 0.0)))
            except queue.Empty:
                continue
    finally:
        companion.silence()
        thread.stop()
    bar = _BEATS * 60 / _TEMPO
    lines = start + bar * (2 * np.arange(count) + 1)
    errors = [_error_ms(sent, float(line), bar / 2) for line in lines]
    return (Figure.of("bar_line", "ms", errors, BAR_LINE_TARGET),)


def _play(start: float, turns: int, clock: SystemClock, inbox: "queue.SimpleQueue[InputEvent]") -> None:
    """Send ticks, and eighths in the bars that are not the companion's."""
    rng = np.random.default_rng(0)
    tick_seconds = 60 / _TEMPO / TICKS_PER_BEAT
    inbox.put(ClockStart(start - tick_seconds))
    for tick in range(2 * turns * _BEATS * TICKS_PER_BEAT):
        due = start + tick * tick_seconds + float(rng.normal(0.0, _JITTER))
        time.sleep(max(due - clock.now(), 0.0))
        # When it was sent, not when this thread came to it: its own delay is not what is measured.
        inbox.put(ClockTick(due))
        bar, place = divmod(tick, _BEATS * TICKS_PER_BEAT)
        if bar % 2 == 0 and place % (TICKS_PER_BEAT // 2) == 0:
            inbox.put(NoteOn(clock.now(), 60 + place // TICKS_PER_BEAT, 80))
        elif bar % 2 == 0 and place % (TICKS_PER_BEAT // 2) == TICKS_PER_BEAT // 3:
            inbox.put(NoteOff(clock.now(), 60 + place // TICKS_PER_BEAT))


def _error_ms(sent: list[float], line: float, before: float) -> float:
    """Return milliseconds from a bar line to the first note sent after the middle of the bar before it."""
    first = next((time for time in sent if time > line - before), None)
    return _MISSED_MS if first is None else min(abs(first - line) * 1e3, _MISSED_MS)
