"""Audio devices through PortAudio, which sounddevice brings."""

import atexit
import time
from importlib import import_module
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from tatumflow.engine.errors import DeviceError
from tatumflow.live.audio.devices import AudioDevice, AudioStream, Process, StreamPlan
from tatumflow.live.quiet import quiet_stderr

_LONGEST_AGO: Final = 1.0
_LONGEST_LATENCY: Final = 2.0
_JACK: Final = "JACK"


class PortAudio:
    """An `AudioSystem`."""

    def __init__(self) -> None:
        """Load PortAudio.

        Raises:
            DeviceError: if it is not installed.
        """
        try:
            with quiet_stderr():
                self._library: Any = import_module("sounddevice")
        except ImportError:
            raise DeviceError("no audio: sounddevice is missing; `pip install sounddevice`") from None
        except OSError:
            raise DeviceError(
                "no audio: the PortAudio library is missing; install it with "
                "`sudo apt install libportaudio2` or `brew install portaudio`"
            ) from None
        self._stream: _Stream | None = None

    def devices(self) -> tuple[AudioDevice, ...]:
        """Return the devices there are now; not while a stream is open."""
        library = self._library
        try:
            self._look_again()
            apis = [api["name"] for api in library.query_hostapis()]
            default_input, default_output = library.default.device
            listed = list(library.query_devices())
        except library.PortAudioError as error:
            raise DeviceError(f"no audio: PortAudio fails ({error}); check the sound system") from None
        return tuple(
            AudioDevice(
                number,
                device["name"],
                apis[device["hostapi"]],
                device["max_input_channels"],
                device["max_output_channels"],
                round(device["default_samplerate"]),
                number == default_input,
                number == default_output,
            )
            for number, device in enumerate(listed)
        )

    def takes(self, plan: StreamPlan) -> bool:
        """Return whether the devices can be opened so."""
        library, kind = self._library, ("float32", None, plan.rate)
        try:
            with quiet_stderr():
                library.check_input_settings(plan.input.number, plan.inputs, *kind)
                if plan.output is not None:
                    library.check_output_settings(plan.output.number, plan.outputs, *kind)
        except (library.PortAudioError, ValueError):
            return False
        return True

    def open(self, plan: StreamPlan, process: Process) -> AudioStream:
        """Open and start a stream."""
        library = self._library
        common = {
            "samplerate": plan.rate,
            "blocksize": plan.block,
            "dtype": "float32",
            "latency": "low",
        }
        try:
            with quiet_stderr():
                if plan.output is None:
                    stream = library.InputStream(
                        device=plan.input.number, channels=plan.inputs, callback=_listening(process), **common
                    )
                else:
                    stream = library.Stream(
                        device=(plan.input.number, plan.output.number),
                        channels=(plan.inputs, plan.outputs),
                        callback=_playing(process),
                        **common,
                    )
                stream.start()
        except (library.PortAudioError, ValueError) as error:
            names = plan.input.name if plan.output is None else f"{plan.input.name}, {plan.output.name}"
            raise DeviceError(
                f"audio device {names}: cannot be opened at {plan.rate} Hz ({error}); close the program that "
                "holds it, or choose another"
            ) from None
        self._stream = _Stream(stream, library.PortAudioError, plan.input.api)
        return self._stream

    def close(self) -> None:
        """Release everything; `devices` begins anew."""
        if self._server_has_gone():
            # PortAudio would end the process, now or at its end.
            atexit.unregister(self._library._exit_handler)
            return
        with quiet_stderr():
            while self._library._initialized:
                self._library._terminate()

    def _server_has_gone(self) -> bool:
        stream = self._stream
        return stream is not None and stream.broke_off and _JACK in stream.api

    def _look_again(self) -> None:
        """Have PortAudio look for devices, which it does only when it begins.

        Raises:
            DeviceError: if it was a client of a JACK server that has gone: ending PortAudio would then end
                the process.
        """
        if self._server_has_gone():
            raise DeviceError("the JACK server has gone; start it, and then TatumFlow again")
        self.close()
        with quiet_stderr():
            self._library._initialize()


class _Stream:
    """A stream of sounddevice's."""

    def __init__(self, stream: Any, errors: type[Exception], api: str) -> None:  # noqa: ANN401
        self._stream = stream
        self._errors = errors
        self.api = api
        self.broke_off = False
        """Whether it had ended before it was closed."""
        latency = stream.latency
        sides = latency if isinstance(latency, tuple) else (latency,)
        # Under JACK a port that is not connected yet may have millions of seconds.
        self.device_seconds = sum(side for side in sides if 0 <= side < _LONGEST_LATENCY)

    @property
    def active(self) -> bool:
        """Whether it still runs."""
        try:
            return bool(self._stream.active)
        except self._errors:
            return False

    def close(self) -> None:
        """End it."""
        self.broke_off = not self.active
        if self.broke_off and _JACK in self.api:
            # PortAudio waits without end for the last cycle of a server that has gone.
            return
        with quiet_stderr():
            self._stream.close(ignore_errors=True)


def _listening(process: Process) -> Any:  # noqa: ANN401
    """Return the callback of a stream with an input only."""
    now = time.monotonic

    def called(recorded: NDArray[np.float32], frames: int, times: Any, status: Any) -> None:  # noqa: ANN401
        process(recorded, None, now() - _ago(times), bool(status))

    return called


def _playing(process: Process) -> Any:  # noqa: ANN401
    """Return the callback of a stream with input and output."""
    now = time.monotonic

    def called(
        recorded: NDArray[np.float32],
        played: NDArray[np.float32],
        frames: int,
        times: Any,  # noqa: ANN401
        status: Any,  # noqa: ANN401
    ) -> None:
        process(recorded, played, now() - _ago(times), bool(status))

    return called


def _ago(times: Any) -> float:  # noqa: ANN401
    """Return for how many seconds the first frame has been waiting; 0 where the device does not report it."""
    ago = times.currentTime - times.inputBufferAdcTime
    return ago if 0 <= ago < _LONGEST_AGO else 0.0
