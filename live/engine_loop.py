"""The engine loop: one queue carries the human's events and the screen's commands, and it sleeps on that.

It wakes, too, for whatever the companion wants to do next. The model is loaded after the ports are open, so
that thru works from the first moment; what is played meanwhile waits in the queue.
"""

import gc
import queue
import signal
import traceback
from collections import deque
from dataclasses import replace
from datetime import datetime
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from tatumflow.engine.clock import SystemClock
from tatumflow.engine.companion import KEYS_CHANNEL
from tatumflow.engine.errors import DeviceError, SettingError
from tatumflow.engine.events import (
    ALL_NOTES_OFF,
    ALL_SOUND_OFF,
    BeatReport,
    ClockContinue,
    ClockStart,
    ClockStop,
    ClockTick,
    ControlChange,
    InputEvent,
    InputLost,
    NoteOff,
    NoteOn,
    OutputEvent,
    SongPosition,
)
from tatumflow.engine.messages import (
    Command,
    ConnectPorts,
    ForgetController,
    LearnController,
    Notice,
    Panic,
    PortStatus,
    SetControl,
    Shutdown,
    Snapshot,
    UseModel,
)
from tatumflow.engine.tempo.metronome import CLICK_CHANNEL
from tatumflow.live.audio.commands import AudioCommand
from tatumflow.live.ears_link import EarsLink
from tatumflow.live.ears_options import EarsOptions
from tatumflow.live.engine_options import EngineOptions
from tatumflow.live.link_clock import LinkClock
from tatumflow.live.model_exchange import ModelExchange
from tatumflow.live.output_pipe import OutputChannel
from tatumflow.live.outputs import Outputs
from tatumflow.live.port_set import PortSet
from tatumflow.live.recorder import Recorder, free_path, recording_path
from tatumflow.live.screen_pipe import EngineFailure, EngineReady, Screen
from tatumflow.live.steering.control_surface import ControlSurface
from tatumflow.live.steering.osc import OscListener
from tatumflow.live.synth import LiveSynth

if TYPE_CHECKING:
    from tatumflow.live.session import LoadedModel

SNAPSHOT_SECONDS: Final = 1 / 30
_KEYS_MIDI_CHANNEL: Final = 0
_PANIC_CONTROLS: Final = (ALL_SOUND_OFF, ALL_NOTES_OFF)
_HUMAN_EVENTS: Final = (NoteOn, NoteOff, ControlChange, InputLost)
_CLOCK_EVENTS: Final = (ClockTick, ClockStart, ClockContinue, ClockStop, SongPosition)
_TIME_EVENTS: Final = (*_CLOCK_EVENTS, BeatReport)


class Engine:
    """Ports, ears, synthesizer, recorder and companion of one session."""

    def __init__(
        self, options: EngineOptions, connection: Connection, channel: OutputChannel | None = None
    ) -> None:
        settings = options.settings
        self._options = options
        self._settings = settings
        self._clock = SystemClock()
        self._inbox: queue.SimpleQueue[InputEvent | Command | AudioCommand] = queue.SimpleQueue()
        self._notices: deque[Notice] = deque(maxlen=100)
        self._companion_channel = settings.ports.companion_channel - 1
        self._outputs = Outputs(self._clock, thru=settings.ports.thru)
        self._surface = ControlSurface(settings.controllers)
        emit, taken = self._inbox.put, self._surface.taken
        self._ports = PortSet(settings.ports, self._clock, self._outputs, emit, self._notify, taken, channel)
        self._screen = Screen(connection, self._inbox)
        self._synth: LiveSynth | None = None
        self._recorder: Recorder | None = None
        self._model: LoadedModel | None = None
        self._exchange = ModelExchange(self._notify)
        self._link: LinkClock | None = None
        self._osc: OscListener | None = None
        self._ears: EarsLink | None = None
        self._stopping = False
        self._last: Snapshot | None = None

    def run(self) -> None:
        """Open everything, then play until it is time to stop."""
        for name in ("SIGINT", "SIGTERM", "SIGHUP"):
            # `nohup` asks for a session that outlives its terminal.
            if hasattr(signal, name) and signal.getsignal(getattr(signal, name)) != signal.SIG_IGN:
                signal.signal(getattr(signal, name), self._signalled)
        self._screen.start()
        if self._settings.recording.enabled or self._options.recording is not None:
            self._recorder = Recorder(self._recording_path(), self._clock, self._notify)
        if self._settings.audio.enabled:
            # Their models load beside ours.
            self._ears = self._start_ears()
        self._ports.open(need_input=self._options.need_input, need_output=self._options.need_output)
        if self._settings.synth.enabled:
            self._start_synth()
        self._publish(self._clock.now())
        # Imported late: the inference library takes longer to load than the ports to open.
        from tatumflow.live.session import load_model

        self._model = load_model(self._settings, self._send, self._clock)
        gc.collect()
        # What is alive now stays; the collector need not look at it again while notes are due.
        gc.freeze()
        self._publish(self._clock.now())
        if self._ears is not None and self._options.need_ears:
            self._ears.wait()
        self._listen_to_osc()
        self.report(EngineReady())
        self._follow_link(self._model)
        self._loop(self._model)

    def report(self, report: EngineReady | EngineFailure) -> None:
        """Send a report before anything that waits to be sent."""
        self._screen.report(report)

    def close(self) -> None:
        """Silence everything, save the recording, close the ports; one step's failure stops no other."""
        model, recorder, synth, link = self._model, self._recorder, self._synth, self._link
        ears, osc = self._ears, self._osc
        steps = [
            osc.close if osc else None,
            link.close if link else None,
            (lambda: model.close()) if model else None,
            (lambda: self._stop_clock(model)) if model else None,
            self._outputs.silence,
            (lambda: self._end_recording(recorder)) if recorder else None,
            ears.close if ears else None,
            self._ports.close,
            synth.close if synth else None,
            lambda: self._publish(self._clock.now()),
            self._screen.close,
        ]
        for step in steps:
            try:
                if step is not None:
                    step()
            except Exception:
                traceback.print_exc()

    def _loop(self, model: "LoadedModel") -> None:
        companion, inbox, now = model.companion, self._inbox, self._clock.now
        next_snapshot = now()
        while not self._stopping:
            self._model = self._exchange.exchange(self._model or model)
            due = companion.advance()
            wake = next_snapshot if due is None else min(due, next_snapshot)
            try:
                item = inbox.get(timeout=max(wake - now(), 0.0))
                while True:
                    self._take(item, model)
                    item = inbox.get_nowait()
            except queue.Empty:
                pass
            if now() >= next_snapshot:
                self._publish(now())
                next_snapshot = now() + SNAPSHOT_SECONDS

    def _take(self, item: InputEvent | Command | AudioCommand, model: "LoadedModel") -> None:
        if isinstance(item, _TIME_EVENTS):
            model.companion.handle(item)
        elif isinstance(item, ControlChange) and self._surface.takes(item):
            self._steer(item, model)
        elif isinstance(item, _HUMAN_EVENTS):
            if self._recorder is not None:
                self._recorder.human(item)
            model.companion.handle(item)
            if isinstance(item, ControlChange) and item.number in _PANIC_CONTROLS:
                self._take(Panic(), model)
        elif isinstance(item, Shutdown):
            self._stopping = True
        elif isinstance(item, ConnectPorts):
            self._ports.connect(input_name=item.input, output_name=item.output)
        elif isinstance(item, LearnController | ForgetController):
            self._assign(item)
        elif isinstance(item, UseModel):
            self._exchange.ask(item.model)
        elif isinstance(item, AudioCommand):
            if self._ears is not None:
                self._ears.send(item)
            else:
                self._notify("no sound is heard; `tatumflow jam --stem input` hears a microphone", "warning")
        else:
            model.companion.command(item)
            if isinstance(item, Panic):
                self._outputs.silence()
            elif isinstance(item, SetControl) and item.name == "clock":
                self._follow_link(model)

    def _steer(self, event: ControlChange, model: "LoadedModel") -> None:
        """Do what a controller that is no music asks for."""
        surface = self._surface
        if surface.learning:
            target = surface.assign(event.number)
            self._notify(f"controller {event.number} steers {target}", "information")
            return
        command = surface.command(event, model.companion.controls, model.bundle.styles)
        if command is not None:
            self._take(command, model)

    def _assign(self, item: LearnController | ForgetController) -> None:
        try:
            if isinstance(item, ForgetController):
                self._surface.forget(item.target)
            else:
                self._surface.learn(item.target)
        except SettingError as error:
            self._notify(str(error), "warning")

    def _send(self, event: OutputEvent) -> None:
        """Play what the scheduler sends; runs on its thread."""
        recorder = self._recorder
        if isinstance(event, _CLOCK_EVENTS):
            self._outputs.tell(event)
            return
        if event.channel == CLICK_CHANNEL:
            self._outputs.play(event, CLICK_CHANNEL)
            return
        if event.channel == KEYS_CHANNEL:
            self._outputs.play(event, _KEYS_MIDI_CHANNEL)
            if recorder is not None:
                recorder.human(event)
            return
        self._outputs.play(event, self._companion_channel)
        if recorder is not None:
            recorder.companion(event)

    def _stop_clock(self, model: "LoadedModel") -> None:
        """Tell those who follow our clock that there will be none."""
        if model.companion.controls.clock_out:
            self._outputs.tell(ClockStop(self._clock.now()))

    def _follow_link(self, model: "LoadedModel") -> None:
        """Join or leave Ableton Link, as the controls say."""
        wanted = model.companion.controls.clock == "link"
        if wanted and self._link is None:
            try:
                self._link = LinkClock(self._clock, model.companion.controls.tempo, self._inbox.put)
            except DeviceError as error:
                self._notify(str(error), "warning")
        elif not wanted and self._link is not None:
            self._link.close()
            self._link = None

    def _publish(self, time: float) -> None:
        """Hand the screen a snapshot if it differs from the last one in more than its time."""
        model = self._model
        if model is None:
            snapshot = Snapshot(time, "listening", self._settings.controls)
        else:
            snapshot = replace(
                model.companion.snapshot(), model=model.bundle.name, styles=model.bundle.styles
            )
        notices = (*snapshot.notices, *(self._notices.popleft() for _ in range(len(self._notices))))
        recorder = self._recorder
        snapshot = replace(
            snapshot,
            inputs=self._ports.inputs(),
            outputs=(*self._ports.outputs(), *self._synth_status()),
            recording="" if recorder is None else str(recorder.path),
            controllers=self._surface.assigned,
            learning=self._surface.learning,
            notices=notices,
        )
        last = self._last
        if last is None or notices or replace(snapshot, time=last.time) != last:
            self._last = replace(snapshot, notices=())
            self._screen.show(snapshot)

    def _synth_status(self) -> tuple[PortStatus, ...]:
        synth = self._synth
        return () if synth is None else (PortStatus(synth.name, True, self._outputs.last_activity),)

    def _start_synth(self) -> None:
        try:
            self._synth = LiveSynth(self._settings.synth)
        except DeviceError as error:
            self._notify(str(error), "warning")
        else:
            self._outputs.add(self._synth)

    def _listen_to_osc(self) -> None:
        if self._settings.osc.port:
            try:
                self._osc = OscListener(self._settings.osc, self._clock, self._inbox.put, self._notify)
            except DeviceError as error:
                self._notify(str(error), "warning")

    def _start_ears(self) -> EarsLink:
        recorder = self._recorder
        beside = self._recording_path() if recorder is None else recorder.path
        options = EarsOptions(self._settings.audio, beside.with_name(f"{beside.stem} stems"))
        ears = EarsLink(options, self._clock, self._inbox.put, self._screen.show_audio, self._notify)
        ears.start(needed=self._options.need_ears)
        return ears

    def _end_recording(self, recorder: Recorder) -> None:
        lost = recorder.close()
        if lost:
            self.report(EngineFailure(lost, expected=True))

    def _recording_path(self) -> Path:
        if self._options.recording is not None:
            return free_path(self._options.recording)
        return recording_path(self._settings.recording.path, datetime.now())

    def _notify(self, text: str, severity: Literal["information", "warning", "error"]) -> None:
        self._notices.append(Notice(self._clock.now(), text, severity))

    def _signalled(self, number: int, frame: object) -> None:
        self._stopping = True
        self._inbox.put(Shutdown())
