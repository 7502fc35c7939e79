"""The engine loop: it sleeps until its inbox holds a user's event or a command, or the companion is due.

Between two steps of the companion it takes a bounded part of what waits, the most urgent first, so that no
flood of input keeps notes from being sampled. The model is loaded after the ports are open, so that thru
works from the first moment; what is played meanwhile waits.
"""

import gc
import threading
import traceback
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from tatumflow.engine.band.band_note import Part
from tatumflow.engine.clock import SystemClock
from tatumflow.engine.controls import Controls
from tatumflow.engine.errors import DeviceError, SettingError
from tatumflow.engine.messages import (
    Command,
    ConnectPorts,
    ForgetController,
    LearnController,
    Panic,
    PortStatus,
    SetControl,
    Shutdown,
    Snapshot,
    UseModel,
)
from tatumflow.engine.midi.events import (
    ClockEvent,
    ClockStop,
    ControlChange,
    HumanEvent,
    InputEvent,
    OutputEvent,
    TimeEvent,
)
from tatumflow.engine.tempo.band_in_time import BAND_CHANNELS
from tatumflow.engine.tempo.metronome import CLICK_CHANNEL
from tatumflow.engine.turns.companion import KEYS_CHANNEL
from tatumflow.live.audio.commands import AudioCommand
from tatumflow.live.band_tracks import band_tracks, part_channels, part_programs
from tatumflow.live.midi.link_clock import LinkClock
from tatumflow.live.midi.output_pipe import OutputChannel
from tatumflow.live.midi.outputs import Outputs
from tatumflow.live.midi.port_set import PortSet
from tatumflow.live.midi.synth import LiveSynth
from tatumflow.live.notices import Notices
from tatumflow.live.processes.ears_link import EarsLink
from tatumflow.live.processes.engine_log import EngineLog
from tatumflow.live.processes.inbox import PANIC_CONTROLS, Inbox, Steered
from tatumflow.live.processes.model_exchange import ModelExchange
from tatumflow.live.processes.options import EarsOptions, EngineOptions
from tatumflow.live.processes.recorder import Recorder, free_path, recording_path
from tatumflow.live.processes.reports import Failure, Ready, ReportPipe
from tatumflow.live.steering.control_surface import ControlSurface
from tatumflow.live.steering.osc import OscListener

if TYPE_CHECKING:
    from tatumflow.live.processes.session import LoadedModel, OpenModel

SNAPSHOT_SECONDS: Final = 1 / 30
_KEYS_MIDI_CHANNEL: Final = 0
_EVENTS_A_STEP: Final = 256
_COMMANDS_SECONDS: Final = 0.002
_STUCK_SECONDS: Final = 1.0
_CLOSE_SECONDS: Final = 2.0
_LOG_SECONDS: Final = 1.0


class Engine:
    """Ports, ears, synthesizer, recorder and companion of one session.

    Attributes:
        inbox: Takes the events of the user and the commands of the screen, from any thread.
        outputs: Where the companion plays.
    """

    def __init__(
        self,
        options: EngineOptions,
        connection: Connection,
        pipe: ReportPipe,
        log: EngineLog | None = None,
        channel: OutputChannel | None = None,
        open_model: "Callable[[str], OpenModel] | None" = None,
    ) -> None:
        """Open nothing yet.

        Args:
            options: What to start with.
            connection: Gives `Command`s.
            pipe: Takes `EngineReport`s.
            log: Kept from growing too large; None for none.
            channel: To the process that holds the MIDI outputs; None opens them in this one.
            open_model: Opens another bundle while the session goes on; None for `session.open_model`.
        """
        settings = options.settings
        self._options = options
        self._settings = settings
        self._clock = SystemClock()
        self._log = log
        self._notices = Notices(self._clock)
        self._companion_channel = settings.ports.companion_channel - 1
        self._band_parts: dict[int, Part] = {channel: part for part, channel in BAND_CHANNELS.items()}
        self._band_channels = part_channels(settings)
        self.outputs = Outputs(self._clock, thru=settings.ports.thru)
        self._surface = ControlSurface(settings.controllers)
        self.inbox = Inbox(self._surface.taken, self._hush)
        emit, taken = self.inbox.put, self._surface.taken
        self._ports = PortSet(settings.ports, self._clock, self.outputs, emit, self._notify, taken, channel)
        self._connection = connection
        self._pipe = pipe
        self._synth: LiveSynth | None = None
        self._recorder: Recorder | None = None
        self._model: LoadedModel | None = None
        self._exchange = ModelExchange(self._notify, open_model)
        self._link: LinkClock | None = None
        self._osc: OscListener | None = None
        self._ears: EarsLink | None = None
        self._stopping = False
        self._stuck = False
        self._dropped = 0
        self._last: Snapshot | None = None

    def run(self) -> None:
        """Open everything, then play until it is time to stop."""
        self.inbox.read(self._connection)
        if self._settings.recording.enabled or self._options.recording is not None:
            self._recorder = Recorder(
                self._recording_path(),
                self._clock,
                self._notify,
                lambda notes: band_tracks(notes, self._settings),
            )
        if self._settings.audio.enabled:
            # Its models load while this process loads the decoder.
            self._ears = self._start_ears()
        self._ports.open(need_input=self._options.need_input, need_output=self._options.need_output)
        if self._settings.synth.enabled:
            self._start_synth()
        self.publish(self._clock.now())
        # Imported late: the inference library takes longer to load than the ports to open.
        from tatumflow.live.processes.session import load_model, melodies_at_hand

        melodies = melodies_at_hand(self._notify)
        self.use(load_model(self._settings, self._send, self._clock, self.outputs.silence, melodies))
        gc.collect()
        # What is alive now stays; the collector need not look at it again while notes are due.
        gc.freeze()
        self.publish(self._clock.now())
        if self._ears is not None and self._options.need_ears:
            self._ears.wait_ready()
        self._listen_to_osc()
        self._pipe.report(Ready())
        self._follow_link()
        self.loop()

    def use(self, model: "LoadedModel") -> None:
        """Play with this companion and bundle."""
        self._model = model

    def stop(self) -> None:
        """End the loop soon; a signal handler may call this."""
        self._stopping = True
        self.inbox.put(Shutdown())

    def close(self) -> None:
        """Silence everything, save the recording, close the ports; one step's failure stops no other."""
        model, recorder, synth, link = self._model, self._recorder, self._synth, self._link
        ears, osc = self._ears, self._osc
        steps = [
            osc.close if osc else None,
            link.close if link else None,
            model.close if model else None,
            # An output that does not return does not keep the recording from being saved.
            (lambda: _within(_CLOSE_SECONDS, lambda: self._stop_clock(model))) if model else None,
            lambda: _within(_CLOSE_SECONDS, self.outputs.silence),
            (lambda: self._end_recording(recorder)) if recorder else None,
            ears.close if ears else None,
            self._ports.close,
            synth.close if synth else None,
            lambda: self.publish(self._clock.now()),
        ]
        for step in steps:
            try:
                if step is not None:
                    step()
            except Exception:
                traceback.print_exc()

    @property
    def _session(self) -> "LoadedModel":
        """The companion and the bundle in use now; another one after a model was exchanged."""
        assert self._model is not None, "the model is loaded before the loop begins"
        return self._model

    def loop(self) -> None:
        """Take what arrives and let the companion go on, until a `Shutdown`."""
        now = self._clock.now
        next_snapshot = next_look = now()
        while not self._stopping:
            self._model = self._exchange.exchange(self._session)
            due = self._model.companion.advance()
            wake = next_snapshot if due is None else min(due, next_snapshot)
            self.inbox.wait(max(wake - now(), 0.0))
            self.step()
            if now() >= next_snapshot:
                self.watch_outputs()
                self.publish(now())
                next_snapshot = now() + SNAPSHOT_SECONDS
            if now() >= next_look:
                next_look = now() + _LOG_SECONDS
                if self._log is not None:
                    self._log.limit()

    def step(self) -> None:
        """Take what is urgent and what was played, then commands for a moment or one change of controls."""
        inbox, now = self.inbox, self._clock.now
        for _ in range(_EVENTS_A_STEP):
            event = inbox.event()
            if event is None or self._stopping:
                break
            self._take(event)
        end = now() + _COMMANDS_SECONDS
        while not self._stopping and now() < end:
            command = inbox.command()
            if command is None:
                break
            if isinstance(command, tuple):
                self._set(command)
                break
            self._take(command)
        if inbox.dropped != self._dropped:
            self._dropped = inbox.dropped
            self._notify("more commands than can be done: some were dropped", "warning")

    def _take(self, item: InputEvent | Command | AudioCommand) -> None:
        companion = self._session.companion
        if isinstance(item, TimeEvent):
            companion.handle(item)
        elif isinstance(item, ControlChange) and self._surface.takes(item):
            self._set((item,))
        elif isinstance(item, HumanEvent):
            if self._recorder is not None:
                self._recorder.human(item)
            companion.handle(item)
            if isinstance(item, ControlChange) and item.number in PANIC_CONTROLS:
                self._take(Panic())
        elif isinstance(item, SetControl):
            self._set((item,))
        elif isinstance(item, Shutdown):
            self._stopping = True
        elif isinstance(item, ConnectPorts):
            self._ports.connect(input_name=item.input, output_name=item.output)
        elif isinstance(item, LearnController | ForgetController):
            self._assign(item)
        elif isinstance(item, UseModel):
            self._exchange.request(item.model)
        elif isinstance(item, AudioCommand):
            if self._ears is not None:
                self._ears.send(item)
            else:
                line = "there is no audio input; `tatumflow jam --stem input` opens a microphone"
                self._notify(line, "warning")
        else:
            companion.command(item)

    def _set(self, steered: tuple[Steered, ...]) -> None:
        """Set controls together, to the values and controller positions that arrived together."""
        session = self._session
        controls, commands = session.companion.controls, list[SetControl]()
        for item in steered:
            command = item if isinstance(item, SetControl) else self._steered(item, controls)
            if isinstance(command, SetControl):
                commands.append(command)
                controls = _if_fits(controls, command)
            elif command is not None:
                self._take(command)
        if commands:
            session.companion.set_controls(commands)
        if any(command.name == "clock" for command in commands):
            self._follow_link()

    def _steered(self, event: ControlChange, controls: Controls) -> Command | None:
        """Return the command of a controller that steers; None for one that has just been learned."""
        surface = self._surface
        if surface.learning:
            target = surface.assign(event.number)
            self._notify(f"controller {event.number} steers {target}", "information")
            return None
        return surface.command(event, controls, self._session.bundle.styles)

    def _hush(self) -> None:
        """Silence what sounds before the loop takes a panic; on any thread."""
        model = self._model
        if model is not None:
            model.thread.hush()

    def watch_outputs(self) -> None:
        """Restart the thread that sends if it has died, and report an output that hangs by its name.

        Raises:
            SchedulerError: if the thread dies again and again.
        """
        thread = self._session.thread
        if thread.revive():
            self._notify("the thread that sends notes died and was started again", "error")
        stuck = thread.stuck(self._clock.now()) > _STUCK_SECONDS
        if stuck and not self._stuck:
            name = self.outputs.sending_to or "an output"
            self._notify(f"{name} takes no more notes; choose another output, or restart its driver", "error")
        self._stuck = stuck

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
        if isinstance(event, ClockEvent):
            self.outputs.send_clock(event)
            return
        if event.channel == CLICK_CHANNEL:
            self.outputs.play(event, CLICK_CHANNEL)
            return
        if event.channel == KEYS_CHANNEL:
            self.outputs.play(event, _KEYS_MIDI_CHANNEL)
            if recorder is not None:
                recorder.human(event)
            return
        part = self._band_parts.get(event.channel)
        if part is not None:
            self.outputs.play(event, self._band_channels[part])
            if recorder is not None:
                recorder.band(part, event)
            return
        self.outputs.play(event, self._companion_channel)
        if recorder is not None:
            recorder.companion(event)

    def _stop_clock(self, model: "LoadedModel") -> None:
        """Stop the MIDI clock that other programs follow."""
        if model.companion.controls.clock_out:
            self.outputs.send_clock(ClockStop(self._clock.now()))

    def _follow_link(self) -> None:
        """Join or leave Ableton Link, as the control `clock` requests."""
        controls = self._session.companion.controls
        requested = controls.clock == "link"
        if requested and self._link is None:
            try:
                self._link = LinkClock(self._clock, controls.tempo, self.inbox.put)
            except DeviceError as error:
                self._notify(str(error), "warning")
        elif not requested and self._link is not None:
            self._link.close()
            self._link = None

    def publish(self, time: float) -> None:
        """Send the screen a snapshot if it differs from the last one in more than its time."""
        model = self._model
        if model is None:
            snapshot = Snapshot(time, "listening", self._settings.controls)
        else:
            snapshot = replace(
                model.companion.snapshot(), model=model.bundle.name, styles=model.bundle.styles
            )
        notices = self._notices.take(snapshot.notices)
        recorder = self._recorder
        if recorder is not None and model is not None:
            recorder.time(time, model.companion.time_in_force)
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
            self._pipe.show(snapshot)

    def _synth_status(self) -> tuple[PortStatus, ...]:
        synth = self._synth
        return () if synth is None else (PortStatus(synth.name, True, self.outputs.last_activity),)

    def _start_synth(self) -> None:
        try:
            channels, programs = self._band_channels, part_programs(self._settings)
            sounds = {channel: programs[part] for part, channel in channels.items()}
            self._synth = LiveSynth(self._settings.synth, sounds)
        except DeviceError as error:
            self._notify(str(error), "warning")
        else:
            self.outputs.add(self._synth)

    def _listen_to_osc(self) -> None:
        if self._settings.osc.port:
            try:
                at = self._settings.osc
                self._osc = OscListener(at.host, at.port, self._clock, self.inbox.put, self._notify)
            except DeviceError as error:
                self._notify(str(error), "warning")

    def _start_ears(self) -> EarsLink:
        recorder = self._recorder
        beside = self._recording_path() if recorder is None else recorder.path
        options = EarsOptions(self._settings.audio, beside.with_name(f"{beside.stem} stems"))
        ears = EarsLink(options, self._clock, self.inbox.put, self._pipe.show, self._notify)
        ears.start(needed=self._options.need_ears)
        return ears

    def _end_recording(self, recorder: Recorder) -> None:
        lost = recorder.close()
        if lost:
            self._pipe.report(Failure(lost, expected=True))

    def _recording_path(self) -> Path:
        if self._options.recording is not None:
            return free_path(self._options.recording)
        return recording_path(self._settings.recording.path, datetime.now())

    def _notify(self, text: str, severity: Literal["information", "warning", "error"]) -> None:
        self._notices.put(text, severity)


def _if_fits(controls: Controls, command: SetControl) -> Controls:
    """Return controls with a value set, as they are if it does not fit."""
    try:
        return controls.changed(command.name, command.value)
    except SettingError:
        return controls


def _within(seconds: float, step: Callable[[], None]) -> None:
    """Do a step on a thread of its own and wait for `seconds` at most until it is done."""
    thread = threading.Thread(target=step, name="closing", daemon=True)
    thread.start()
    thread.join(seconds)
