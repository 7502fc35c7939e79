"""The `listen` command: the sound of an audio input, separated into stems live, without a screen."""

import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from tatumflow.engine.clock import SystemClock
from tatumflow.engine.separation.streaming import BlockModel
from tatumflow.live.audio.devices import AudioSystem
from tatumflow.live.audio.ears import AudioOptions, Ears
from tatumflow.live.audio.levels import decibels
from tatumflow.live.audio.portaudio import PortAudio
from tatumflow.live.audio.separator import open_separator
from tatumflow.live.audio.status import AudioStatus
from tatumflow.live.processes.child_process import SWITCH_SECONDS


@dataclass(frozen=True)
class ListenOptions:
    """What to listen to, and what to do with it.

    Attributes:
        audio: Devices, channels, rate.
        model: Separator: a name or a folder; the first that is found when empty, no separation for "none".
        solo: Stems to hear alone; all when empty.
        mute: Stems to leave out.
        record: Folder for the stems; None to record none.
        seconds: How long; None until interrupted.
    """

    audio: AudioOptions = field(default_factory=AudioOptions)
    model: str = ""
    solo: tuple[str, ...] = ()
    mute: tuple[str, ...] = ()
    record: Path | None = None
    seconds: float | None = None


def listen(options: ListenOptions) -> AudioStatus:
    """Listen, and return the status at the end.

    Raises:
        BundleError: if there is no such separator, or it is damaged.
        DeviceError: if a device is missing or cannot be opened.
        SettingError: if the separator has no such stems.
    """
    model = open_separator(options.model)
    # The audio callback must not wait for the separation to release the interpreter.
    sys.setswitchinterval(SWITCH_SECONDS)
    return listen_with(model, options, PortAudio())


def listen_with(
    model: BlockModel,
    options: ListenOptions,
    system: AudioSystem,
    sleep: Callable[[float], None] = time.sleep,
) -> AudioStatus:
    """Listen with an opened model and system; see `listen`."""
    ears = Ears(model, options.audio, system, SystemClock(), lambda text, severity: print(text, flush=True))
    try:
        for name in options.solo:
            ears.set_stem(name, soloed=True)
        for name in options.mute:
            ears.set_stem(name, muted=True)
        ears.open()
        ears.watch()
        ears.record(options.record)
        print(_opened(ears.status()), flush=True)
        with suppress(KeyboardInterrupt):
            if options.seconds is None:
                while True:
                    sleep(3600)
            sleep(options.seconds)
        status = ears.status()
    finally:
        ears.close()
    print("\n".join(_figures(status)))
    return status


def _opened(status: AudioStatus) -> str:
    latency = status.latency
    monitor = f"playing {status.output}" if status.output else "no monitor"
    stems = ", ".join(stem.name for stem in status.stems)
    return (
        f"listening to {status.input}, {monitor}, {status.rate} Hz: {stems}\n"
        f"{1000 * latency.monitor:.0f} ms behind, {1000 * latency.algorithmic:.0f} of them by the model; "
        f"the device adds {1000 * latency.device:.0f} ms\nstop with Ctrl+C"
    )


def _figures(status: AudioStatus) -> list[str]:
    faults = status.faults
    levels = ", ".join(f"{stem.name} {decibels(stem.level.rms):.0f} dB" for stem in status.stems)
    return [
        f"levels: input {decibels(status.input_level.rms):.0f} dB; {levels}",
        f"computing, p99: {status.cost_p99:.2f} s for each second of sound",
        f"stems ready, p99: {1000 * status.latency.ready_p99:.0f} ms after the sound",
        f"dropouts: {faults.dropouts}; xruns of the device: {faults.xruns}; "
        f"faults of the model: {faults.model_faults}",
        f"frames clipped at the input: {faults.input_clips}; limited: {faults.limited_frames}",
    ]
