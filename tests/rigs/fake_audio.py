"""Audio devices that a test plugs in and out."""

from dataclasses import dataclass

import numpy as np

from tatumflow.engine.errors import DeviceError
from tatumflow.live.audio.devices import AudioDevice, AudioStream, Process, StreamPlan

MICROPHONE = AudioDevice(0, "USB microphone", "ALSA", 1, 0, 8000, is_default_input=True)
SPEAKERS = AudioDevice(1, "Built-in speakers", "ALSA", 0, 2, 8000, is_default_output=True)
INTERFACE = AudioDevice(2, "Interface 4i4", "ALSA", 4, 4, 16_000)
SAME_BY_JACK = AudioDevice(3, "Interface 4i4", "JACK", 4, 4, 16_000)
ALL = (MICROPHONE, SPEAKERS, INTERFACE, SAME_BY_JACK)


@dataclass
class FakeStream:
    plan: StreamPlan
    process: Process
    active: bool = True
    closed: bool = False
    device_seconds: float = 0.01

    def close(self) -> None:
        self.closed = True

    def hear(self, frames: np.ndarray, seconds: float) -> np.ndarray:
        recorded = np.repeat(frames[:, None], self.plan.inputs, axis=1).astype(np.float32)
        played = np.zeros((len(frames), self.plan.outputs), dtype=np.float32)
        self.process(recorded, played if self.plan.output else None, seconds, False)
        return played


class FakeSystem:
    """Devices that a test plugs in and out."""

    def __init__(self, *devices: AudioDevice, rates: tuple[int, ...] = (8000, 16_000)) -> None:
        self.present = devices
        self.rates = rates
        self.refuses = False
        self.streams: list[FakeStream] = []
        self.asked: list[float] = []

    def devices(self) -> tuple[AudioDevice, ...]:
        assert not any(stream.active and not stream.closed for stream in self.streams)
        return self.present

    def takes(self, plan: StreamPlan) -> bool:
        return plan.rate in self.rates

    def open(self, plan: StreamPlan, process: Process) -> AudioStream:
        if self.refuses:
            raise DeviceError(f"audio device {plan.input.name}: is busy; close the program that holds it")
        self.streams.append(FakeStream(plan, process))
        return self.streams[-1]

    def close(self) -> None:
        assert all(stream.closed or not stream.active for stream in self.streams)
