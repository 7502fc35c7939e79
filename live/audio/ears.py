"""The audio input of a session: kept open, separated into stems, monitored, recorded and transcribed."""

import threading
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from tatumflow.engine.clock import Clock
from tatumflow.engine.errors import DeviceError, SettingError
from tatumflow.engine.separation.streaming import BlockModel
from tatumflow.live.audio.devices import AudioDevice, AudioStream, AudioSystem, StreamPlan, match_device
from tatumflow.live.audio.monitor_path import MonitorPath
from tatumflow.live.audio.separation_thread import (
    FADE_SECONDS,
    Separation,
    SeparationThread,
    algorithmic_seconds,
    latency_frames,
    measured_allowance,
)
from tatumflow.live.audio.status import AudioFaults, AudioLatency, AudioState, AudioStatus, StemStatus
from tatumflow.live.audio.stem_listener import StemListener
from tatumflow.live.audio.stem_recorder import StemRecorder
from tatumflow.live.audio.tally import Tally
from tatumflow.live.notices import Notify

_POLL_SECONDS: Final = 0.25
STALLED_SECONDS: Final = 2.0
_FIRST_RETRY: Final = 0.5
_LAST_RETRY: Final = 8.0
_SILENT_SECONDS: Final = 10.0
_SILENT_RMS: Final = 1e-5
_STEREO: Final = 2


@dataclass(frozen=True)
class AudioOptions:
    """The audio devices of a session, and how they are opened.

    Attributes:
        input: Input device: name, part of it or number; empty for the system's default.
        output: Output device for the monitor, likewise; None for no monitor.
        channels: Input channels for left and right, counted from 1; one alone for a mono source.
            Empty for the first two, or the only one.
        rate: Frames a second; 0 for the model's where the device takes it, else the device's own.
        block: Frames of a device's block, 16 to 4,096.
        allowance: Seconds for computing a block, 0 to 2; more delays the monitor, less may be too little.
            None for what is measured of the model.

    Raises:
        SettingError: if one is outside its range.
    """

    input: str = ""
    output: str | None = ""
    channels: tuple[int, ...] = ()
    rate: int = 0
    block: int = 256
    allowance: float | None = None

    def __post_init__(self) -> None:
        if len(self.channels) > _STEREO or any(channel < 1 for channel in self.channels):
            raise SettingError(f"audio channels {self.channels}: give one or two, counted from 1")
        if self.rate and not 8000 <= self.rate <= 384_000:
            raise SettingError(f"audio rate {self.rate} is outside 8000 to 384000 Hz")
        if not 16 <= self.block <= 4096:
            raise SettingError(f"audio block {self.block} is outside 16 to 4096 frames")
        if self.allowance is not None and not 0 <= self.allowance <= 2:
            raise SettingError(f"audio allowance {self.allowance} is outside 0 to 2 seconds")


@dataclass(frozen=True)
class _Connection:
    """An open device, its stream and its separation thread."""

    plan: StreamPlan
    path: MonitorPath
    stream: AudioStream
    thread: SeparationThread


class Ears:
    """The audio input and the monitor of a session.

    A device that vanishes, stands still or changes its rate is closed and opened again as soon as that can be
    done, after half a second and then after ever longer waits, up to eight seconds. Only the thread that
    calls `open` and then the one that watches open or close a device.
    """

    def __init__(
        self,
        model: BlockModel,
        options: AudioOptions,
        system: AudioSystem,
        clock: Clock,
        notify: Notify,
        listener: StemListener | None = None,
    ) -> None:
        """Open nothing yet.

        Args:
            model: Separates the input into stems; for this session alone.
            options: The devices, and how they are opened.
            system: Opens them.
            clock: That of the session; a `SystemClock` wherever a device is real.
            notify: Takes notices for the user.
            listener: Takes the samples of the chosen stem.
        """
        self._model = model
        self._options = options
        self._system = system
        self._clock = clock
        self._notify = notify
        self._tally = Tally()
        given = options.allowance
        self._allowance = measured_allowance(model, clock) if given is None else given
        self._separation = Separation(model, clock, self._tally, notify)
        self._separation.listener = listener
        self._recorder: StemRecorder | None = None
        self._connection: _Connection | None = None
        self._state: AudioState = "closed"
        self._bypass = False
        self._looked, self._position, self._still = 0.0, 0, 0.0
        self._retry_after = _FIRST_RETRY
        self._retry_at = 0.0
        self._notified = ""
        self._quiet_since: float | None = None
        self._silence_reported = False
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="audio watch", daemon=True)

    def open(self) -> None:
        """Open the device; keep it open from now on, with `watch` or calls of `look`.

        Raises:
            DeviceError: if there is none, or it cannot be opened; with what is missing and how to get it.
        """
        self._connect()

    def watch(self) -> None:
        """Call `look` now and then, on a thread of its own."""
        self._thread.start()

    def look(self) -> None:
        """See whether the device still runs, and open it again if it does not."""
        now = self._clock.now()
        connection = self._connection
        if connection is not None:
            self._look_after(connection, now)
        elif self._state == "lost" and now >= self._retry_at:
            try:
                self._connect()
            except DeviceError as error:
                self._notify_once(str(error))
                self._retry_after = min(2 * self._retry_after, _LAST_RETRY)
                self._retry_at = now + self._retry_after
            else:
                self._notify("the sound is back", "information")

    def status(self) -> AudioStatus:
        """Return the state at this moment."""
        separation, connection, recorder = self._separation, self._connection, self._recorder
        stems = tuple(
            StemStatus(name, meter.level, mix, place == separation.chosen)
            for place, (name, meter, mix) in enumerate(
                zip(separation.names, separation.meters, separation.mixer.mixes, strict=True)
            )
        )
        status = AudioStatus(
            state=self._state,
            model_rate=self._model.rate,
            input_level=separation.input_meter.level,
            stems=stems,
            bypass=self._bypass,
            cost_p99=separation.cost.percentile(99),
            faults=AudioFaults.of(self._tally),
            recording="" if recorder is None or recorder.failed else str(recorder.folder),
        )
        if connection is None:
            return status
        plan, path = connection.plan, connection.path
        return replace(
            status,
            input=plan.input.name,
            output="" if plan.output is None else plan.output.name,
            rate=path.rate,
            separated=path.share,
            latency=AudioLatency(
                self._algorithmic,
                path.latency / path.rate,
                connection.stream.device_seconds,
                separation.ready.percentile(99),
            ),
        )

    def set_stem(
        self,
        name: str,
        *,
        gain_db: float | None = None,
        muted: bool | None = None,
        soloed: bool | None = None,
    ) -> None:
        """Change the mix of a stem; None leaves a value as it is.

        Raises:
            SettingError: if there is no such stem, or the gain is outside its range.
        """
        place = self._place(name)
        mixer = self._separation.mixer
        given = {"gain_db": gain_db, "muted": muted, "soloed": soloed}
        changes = {field: value for field, value in given.items() if value is not None}
        mixes = list(mixer.mixes)
        mixes[place] = replace(mixes[place], **changes)
        mixer.mixes = tuple(mixes)

    def choose(self, name: str) -> None:
        """Send a stem to the listener; the empty string none.

        Raises:
            SettingError: if there is no such stem.
        """
        self._separation.chosen = self._place(name) if name else None

    def set_bypass(self, bypass: bool) -> None:
        """Play the dry signal on purpose, or the stems again."""
        self._bypass = bypass
        connection = self._connection
        if connection is not None:
            connection.path.bypass = bypass

    def record(self, folder: Path | None) -> None:
        """Record the stems to a folder from now on; None ends the recording."""
        before, self._recorder = self._recorder, None
        self._separation.sink = None
        if before is not None:
            before.close()
        if folder is not None:
            self._recorder = StemRecorder(folder, self._separation.names, self._model.rate, self._notify)
            self._separation.sink = self._recorder

    def close(self) -> None:
        """Close the device, the audio system and the recording."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()
        self._disconnect("closed")
        self._system.close()
        self.record(None)

    def _place(self, name: str) -> int:
        names = self._separation.names
        if name not in names:
            raise SettingError(f"stem {name!r} does not exist; there is {', '.join(names)}")
        return names.index(name)

    def _watch(self) -> None:
        while not self._stop.wait(_POLL_SECONDS):
            self.look()

    def _connect(self) -> None:
        plan = self._planned(self._system.devices())
        columns = self._columns(plan)
        latency = latency_frames(self._model, plan.rate, plan.block, self._allowance)
        self._algorithmic = algorithmic_seconds(self._model, plan.rate)
        path = MonitorPath(plan.rate, latency, round(FADE_SECONDS * plan.rate), self._tally, columns)
        path.bypass = self._bypass
        stream = self._system.open(plan, path.process)
        thread = SeparationThread(self._separation, path)
        self._connection = _Connection(plan, path, stream, thread)
        self._state, self._notified = "open", ""
        self._retry_after = _FIRST_RETRY
        self._looked, self._position, self._still = self._clock.now(), path.position, 0.0
        self._quiet_since = None

    def _disconnect(self, state: AudioState) -> None:
        connection, self._connection = self._connection, None
        self._state = state
        if connection is not None:
            connection.stream.close()
            connection.thread.close()

    def _planned(self, devices: tuple[AudioDevice, ...]) -> StreamPlan:
        options = self._options
        source = match_device(options.input, devices, "input")
        monitor: AudioDevice | None = None
        if options.output is not None:
            try:
                monitor = match_device(options.output, devices, "output")
            except DeviceError as error:
                if options.output:
                    raise
                # The input can be transcribed all the same.
                self._notify_once(f"{error}; going on without a monitor")
        inputs = max(options.channels, default=min(source.inputs, _STEREO))
        if inputs > source.inputs:
            raise DeviceError(f"audio input {source.name!r}: has {source.inputs} channels, not {inputs}")
        outputs = 0 if monitor is None else min(monitor.outputs, _STEREO)
        plan = StreamPlan(source, monitor, options.rate or self._model.rate, options.block, inputs, outputs)
        if options.rate or self._system.takes(plan):
            return plan
        return replace(plan, rate=source.rate)

    def _columns(self, plan: StreamPlan) -> tuple[int, int]:
        channels = self._options.channels or tuple(range(1, plan.inputs + 1))
        return channels[0] - 1, channels[-1] - 1

    def _look_after(self, connection: _Connection, now: float) -> None:
        position = connection.path.position
        # After a computer was busy or asleep its device may be well: no wait counts for more than two polls.
        self._still += min(now - self._looked, 2 * _POLL_SECONDS)
        if position != self._position:
            self._still = 0.0
        self._looked, self._position = now, position
        if not connection.stream.active or self._still > STALLED_SECONDS:
            self._disconnect("lost")
            self._retry_after = _FIRST_RETRY
            self._retry_at = now + self._retry_after
            name = connection.plan.input.name
            self._notify_once(f"{name}: no sound comes from it any more; plug it in again to go on with it")
            return
        self._look_for_silence(connection, now)

    def _look_for_silence(self, connection: _Connection, now: float) -> None:
        """Report once that the input is silent, which is rarely intended."""
        if self._separation.input_meter.level.rms > _SILENT_RMS:
            self._quiet_since = None
        elif self._quiet_since is None:
            self._quiet_since = now
        elif now - self._quiet_since > _SILENT_SECONDS and not self._silence_reported:
            self._silence_reported = True
            name = connection.plan.input.name
            self._notify(f"{name}: the input is silent; check cable, channel and input level", "warning")

    def _notify_once(self, text: str) -> None:
        if text != self._notified:
            self._notified = text
            self._notify(text, "warning")
