"""The delay of notes at another program's port, while the screen draws and the model decodes.

Five processes as in a jam with a DAW: this one in the engine's place, the one that holds its outputs, a
screen that is sent 30 snapshots a second, a JACK server, and a program that listens at a port and stamps what
arrives.
"""

import gc
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from multiprocessing import get_context
from multiprocessing.connection import Connection
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from tatumflow.engine.clock import SystemClock
from tatumflow.engine.errors import DeviceError
from tatumflow.engine.midi.events import NoteEvent, OutputEvent
from tatumflow.engine.midi.notes import PITCH_HIGHEST, PITCH_LOWEST, Note
from tatumflow.engine.midi.scheduler import LATE_LIMIT, Scheduler
from tatumflow.engine.midi.scheduler_thread import SchedulerThread
from tatumflow.engine.model.bundle import Bundle
from tatumflow.engine.model.constraints import Constraints
from tatumflow.engine.model.decoder import Decoder
from tatumflow.engine.model.sampling import Sampling
from tatumflow.live.bench.listener import listen
from tatumflow.live.bench.note_cost import full_session
from tatumflow.live.bench.report import Figure, Target
from tatumflow.live.bench.screen import draw
from tatumflow.live.bench.timing import JITTER_TARGET
from tatumflow.live.midi.jack_server import dummy_jack
from tatumflow.live.midi.midi_ports import new_output
from tatumflow.live.midi.output_link import OutputLink
from tatumflow.live.midi.output_process import OutputProcess
from tatumflow.live.midi.outputs import MidiSink, Outputs
from tatumflow.live.midi.port_closing import end_sending
from tatumflow.live.processes.engine_loop import SNAPSHOT_SECONDS
from tatumflow.live.processes.reports import Failure, ReportPipe
from tatumflow.live.tui.demonstration import demonstration

_PERIOD: Final = 32
_PORT: Final = "TatumFlow bench out"
_CHANNEL: Final = 1
_SPACING: Final = (0.005, 0.015)
_LENGTH: Final = 0.004
_HEAD_START: Final = 1.0
_AHEAD: Final = 1.0
_PATIENCE: Final = 60.0
_PITCHES: Final = PITCH_HIGHEST - PITCH_LOWEST + 1
_CODES: Final = _PITCHES * 127
_ROLL_SECONDS: Final = 6.0


def receive(bundle: Bundle, decoder: Decoder, minutes: float) -> tuple[Figure, ...]:
    """Measure note-ons received against scheduled.

    JACK delivers once a period, 0.7 ms here, and notes are due at random moments of it: a period evenly
    spread, p99 0.33 ms after the median, is the least there is.

    Returns:
        `receive_delay`, from the due time to the arrival; `receive_jitter`, the same with the median of those
        that arrived taken off; `drawn`, how many of the snapshots the screen drew.

    Raises:
        DeviceError: if there is no JACK, one of the programs does not start, or nothing arrives.
    """
    due = _due_times(minutes)
    clock, context = SystemClock(), get_context("spawn")
    outputs = Outputs(clock, thru=True)
    with dummy_jack(_PERIOD), _output(outputs):
        listener, for_listener = context.Pipe()
        screen, for_screen = context.Pipe()
        painter, for_painter = context.Pipe()
        for what, to in ((listen, (for_listener, _PORT)), (draw, (for_screen, for_painter))):
            context.Process(target=what, args=to, name=f"bench {what.__name__}", daemon=True).start()
        for given in (for_listener, for_screen, for_painter):
            given.close()
        _answer(listener)
        _answer(painter)
        start = _play(bundle, decoder, due, outputs, screen)
        drawn = _answer(painter)
        listener.send(None)
        heard = _answer(listener)
    delays = delays_of(start + due, heard) * 1e3
    arrived = delays[delays < LATE_LIMIT * 1e3]
    if not len(arrived):
        raise DeviceError("bench --receive: no note has arrived in time; run it with nothing else going on")
    return (
        Figure.of("receive_delay", "ms", delays, Target()),
        Figure.of("receive_jitter", "ms", delays - np.median(arrived), JITTER_TARGET),
        Figure.of("drawn", "per_second", [drawn / (60 * minutes)], Target()),
    )


def delays_of(due: NDArray[np.float64], heard: Sequence[tuple[float, int, int]]) -> NDArray[np.float64]:
    """Return the seconds after which each note arrived, (n,); one that did not counts as late as the limit.

    Args:
        due: Seconds at which the notes were due, (n,).
        heard: Seconds, pitch and velocity of each note-on received, in order. The last two identify
            the note.
    """
    delays = np.full(len(due), LATE_LIMIT)
    expected = 0
    for time, pitch, velocity in heard:
        skipped = ((velocity - 1) * _PITCHES + pitch - PITCH_LOWEST - expected) % _CODES
        if skipped > _CODES // 2 or expected + skipped >= len(due):
            # A repetition: JACK sends messages again to a client that is very late.
            continue
        delays[expected + skipped] = time - due[expected + skipped]
        expected += skipped + 1
    return delays


def _due_times(minutes: float) -> NDArray[np.float64]:
    """Return seconds from the start at which notes are due: a hundred a second, unevenly, (n,)."""
    count = max(round(60 * minutes / float(np.mean(_SPACING))), 1)
    return np.cumsum(np.random.default_rng(0).uniform(*_SPACING, count))


@contextmanager
def _output(outputs: Outputs) -> Iterator[None]:
    """Let `outputs` play on a port of our own, held by another process as in a jam."""
    process = OutputProcess()
    channel = process.channel()
    link = None if channel is None else OutputLink(channel, lambda: None)
    port = new_output("jack", _PORT) if link is None else link.new_output("jack", _PORT)
    port.open_virtual_port(_PORT)
    outputs.add(MidiSink(_PORT, port))
    try:
        yield
    finally:
        end_sending([port])
        port.delete()
        if link is not None:
            link.close()
        process.close()


def _answer(connection: Connection) -> Any:  # noqa: ANN401
    """Return what another process sends within `_PATIENCE` seconds."""
    try:
        if connection.poll(_PATIENCE):
            return connection.recv()
    except (EOFError, OSError):
        pass
    raise DeviceError("bench --receive: a program it started has ended; run it with nothing else going on")


def _play(
    bundle: Bundle, decoder: Decoder, due: NDArray[np.float64], outputs: Outputs, pipe: Connection
) -> float:
    """Play notes at their times with the model decoding without pause; return when its time began."""
    clock = SystemClock()

    def send(event: OutputEvent) -> None:
        if isinstance(event, NoteEvent):
            outputs.play(event, _CHANNEL)

    scheduler = Scheduler(send, clock)
    thread = SchedulerThread(scheduler, clock)
    moment = demonstration()
    session, onset = full_session(bundle, decoder)
    rng = np.random.default_rng(0)
    gc.collect()
    gc.freeze()
    screen = ReportPipe(pipe)
    thread.start()
    try:
        start = next_snapshot = clock.now() + _HEAD_START
        scheduled = 0
        while (now := clock.now()) < start + due[-1] + LATE_LIMIT:
            while scheduled < len(due) and start + due[scheduled] < now + _AHEAD:
                velocity, pitch = divmod(scheduled % _CODES, _PITCHES)
                note = Note(start + float(due[scheduled]), _LENGTH, PITCH_LOWEST + pitch, velocity + 1)
                scheduler.note(note)
                scheduled += 1
            if now >= next_snapshot:
                next_snapshot = now + SNAPSHOT_SECONDS
                screen.show(replace(moment, time=moment.time + (now - start) % _ROLL_SECONDS))
            onset = session.next_note(Sampling(), Constraints(), rng, previous_onset=onset).onset
    finally:
        thread.stop()
        screen.report(Failure("", expected=True))
        screen.close()
        gc.unfreeze()
    return start
