"""The thread that separates the input into stems and mixes them for the monitor."""

import math
import threading
import time
from collections.abc import Callable
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from tatumflow.engine.clock import Clock
from tatumflow.engine.ring import Ring
from tatumflow.engine.separation.streaming import BlockModel, StreamingSeparator
from tatumflow.live.audio.frame_clock import FrameClock
from tatumflow.live.audio.levels import LevelMeter
from tatumflow.live.audio.limiter import soft_limit
from tatumflow.live.audio.monitor_path import InputBlock, MonitorPath
from tatumflow.live.audio.resampler import Resampler, held_back
from tatumflow.live.audio.stem_listener import StemListener
from tatumflow.live.audio.stem_mixer import StemMixer
from tatumflow.live.audio.tally import Tally
from tatumflow.live.notices import Notify

FADE_SECONDS: Final = 0.005

LEAST_ALLOWANCE: Final = 0.03
"""Seconds for computing that the smallest model is given: threads wake late, and others compute too."""

_TRIALS: Final = 5
_TRIAL_SHARE: Final = 2.5

_POLL_SECONDS: Final = 0.002
_HOPELESS_SECONDS: Final = 1.0
_FAULTS_IN_A_ROW: Final = 3
_FULL_SCALE: Final = 0.999
_STOP_SECONDS: Final = 10.0


class StemSink(Protocol):
    """Takes all stems, such as a recorder."""

    def write(self, stems: NDArray[np.float32], time: float) -> None:
        """Take stems (s, 2, n) whose first sample arrived at a time (seconds); never waits."""


def algorithmic_seconds(model: BlockModel, rate: int) -> float:
    """Return the seconds that a frame waits for its stems even if computing took no time.

    `rate` is the device's, in frames a second.
    """
    waits = StreamingSeparator(model).latency / model.rate
    return waits + held_back(rate, model.rate) + held_back(model.rate, rate)


def latency_frames(model: BlockModel, rate: int, block: int, allowance: float) -> int:
    """Return for how many frames the monitor is behind the input.

    Args:
        model: Separates the input into stems.
        rate: Of the device, frames a second.
        block: Frames of a device's block.
        allowance: Seconds for computing.
    """
    waits = algorithmic_seconds(model, rate) + allowance + FADE_SECONDS
    return math.ceil(waits * rate) + block


def measured_allowance(model: BlockModel, clock: Clock) -> float:
    """Return the seconds that a model needs for a block here, from a few of silence; resets its state."""
    model.reset()
    silence = np.zeros((4, model.transform.bins, model.block), dtype=np.float32)
    model.separate(silence)
    longest = 0.0
    for _ in range(_TRIALS):
        begun = clock.now()
        model.separate(silence)
        longest = max(longest, clock.now() - begun)
    model.reset()
    return max(LEAST_ALLOWANCE, _TRIAL_SHARE * longest)


class Separation:
    """Takes blocks from a monitor path, and gives the mix of their stems back to it.

    A block whose stems are not finite, or for which the model fails, is left out: the path then plays the dry
    signal. The stream is begun again after it, and after frames that were lost.

    Attributes:
        mixer: Mixes the stems for the monitor.
        meters: Level of each stem before the mixer.
        input_meter: Level of the input.
        chosen: Index of the stem that the listener is given, None for none.
        listener: Takes its samples.
        sink: Takes all stems; None for none.
        cost: Seconds of computing for each second of sound, of the last blocks.
        ready: Seconds from the arrival of a sample until its stems were mixed, the latest of each block.
    """

    def __init__(self, model: BlockModel, clock: Clock, tally: Tally, notify: Notify) -> None:
        """Begin with nothing connected.

        Args:
            model: Separates the input into stems; called by one thread at a time.
            clock: Measures how late the stems are.
            tally: Counts faults.
            notify: Takes notices for the user.
        """
        self.names = model.stems.names
        self.mixer = StemMixer(len(self.names), model.rate)
        self.meters = tuple(LevelMeter(model.rate) for _ in self.names)
        self.input_meter = LevelMeter(model.rate)
        self.chosen: int | None = None
        self.listener: StemListener | None = None
        self.sink: StemSink | None = None
        self.cost = Ring()
        self.ready = Ring()
        self._model = model
        self._separator = StreamingSeparator(model)
        self._clock = clock
        self._tally = tally
        self._notify = notify
        self._following: tuple[StemListener, int] | None = None
        self._faults = 0
        self._most = model.most * model.block * model.transform.hop
        self.connect(None)

    def connect(self, path: MonitorPath | None) -> None:
        """Work for another path, from its next block on; not while `step` runs."""
        self._path = path
        self._next: int | None = None
        if path is not None:
            self._frames = FrameClock(path.rate)

    def step(self) -> bool:
        """Work on what waits, as much of it as the model takes at once; return whether there was anything."""
        path = self._path
        if path is None:
            return False
        if path.waiting > _HOPELESS_SECONDS * path.rate:
            # The moment to play these has passed; newer frames can still be in time.
            path.skip()
            self._tally.skips += 1
        blocks: list[InputBlock] = []
        count = 0
        while count * self._model.rate < self._most * path.rate and (block := path.take()) is not None:
            self._frames.observe(block.first, block.time)
            if blocks and block.first != blocks[-1].first + len(blocks[-1].frames):
                self._work(path, blocks)
                blocks, count = [], 0
            blocks.append(block)
            count += len(block.frames)
        if blocks:
            self._work(path, blocks)
        return bool(blocks)

    def _work(self, path: MonitorPath, blocks: list[InputBlock]) -> None:
        first, frames = blocks[0].first, np.concatenate([block.frames for block in blocks])
        if first != self._next:
            self._begin(path, first)
        self._next = first + len(frames)
        clips = np.abs(frames).max(axis=1, initial=0.0) >= _FULL_SCALE
        self._tally.input_clips += int(np.count_nonzero(clips))
        samples = self._down.push(frames).T
        self.input_meter.push(samples)
        began = self._clock.now()
        stems = self._separated(samples)
        if stems is None:
            self._next = None
            return
        if not stems.shape[-1]:
            return
        now = self._clock.now()
        self.cost.add((now - began) * self._model.rate / stems.shape[-1])
        self.ready.add(now - self._time_of(path, self._samples))
        self._give(path, stems)

    def _begin(self, path: MonitorPath, first: int) -> None:
        """Begin the stream again with a frame."""
        self._separator.begin()
        self._down = Resampler(path.rate, self._model.rate)
        self._up = Resampler(self._model.rate, path.rate)
        self._start = self._publish_at = first
        self._samples = 0
        """Samples of the stems since the start."""
        self._break_off(self._frames.time_of(first))

    def _separated(self, samples: NDArray[np.float32]) -> NDArray[np.float32] | None:
        """Return the stems that are ready, None where the model fails."""
        reason = "gives values that are not finite"
        try:
            stems = self._separator.push(samples)
        except Exception as error:
            # A model may raise anything; playing goes on without it.
            reason = f"fails ({type(error).__name__}: {error})"
        else:
            if np.isfinite(stems).all():
                if stems.shape[-1]:
                    self._faults = 0
                return stems
        self._tally.model_faults += 1
        self._faults += 1
        if self._faults == _FAULTS_IN_A_ROW:
            line = f"the separation model {reason}; you hear the dry signal, choose another model"
            self._notify(" ".join(line.split()), "error")
        return None

    def _give(self, path: MonitorPath, stems: NDArray[np.float32]) -> None:
        arrived_at = self._time_of(path, self._samples)
        for meter, stem in zip(self.meters, stems, strict=True):
            meter.push(stem)
        mixed, limited = soft_limit(self.mixer.mix(stems).T)
        self._tally.limited_frames += limited
        frames = self._up.push(mixed)
        path.publish(self._publish_at, frames)
        self._publish_at += len(frames)
        # The monitor comes first; these may take a moment.
        sink = self.sink
        if sink is not None:
            sink.write(stems, arrived_at)
        self._send_chosen(stems, arrived_at)
        self._samples += stems.shape[-1]

    def _send_chosen(self, stems: NDArray[np.float32], time: float) -> None:
        """Send the chosen stem to the listener."""
        listener, chosen = self.listener, self.chosen
        now = None if listener is None or chosen is None else (listener, chosen)
        if now != self._following:
            self._break_off(time)
            self._following = now
        if now is not None:
            now[0].hear(stems[now[1]].mean(axis=0), time)

    def _break_off(self, time: float) -> None:
        if self._following is not None:
            self._following[0].lose(time)
            self._following = None

    def _time_of(self, path: MonitorPath, sample: int) -> float:
        return self._frames.time_of(self._start + sample * path.rate / self._model.rate)


class SeparationThread:
    """Runs a separation on a path until closed."""

    def __init__(self, separation: Separation, path: MonitorPath) -> None:
        """Start."""
        self._separation = separation
        self._stop = threading.Event()
        separation.connect(path)
        self._thread = threading.Thread(target=self._run, name="separation", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop, and wait for the block that is being worked on."""
        self._stop.set()
        self._thread.join(_STOP_SECONDS)
        if not self._thread.is_alive():
            self._separation.connect(None)

    def _run(self, sleep: Callable[[float], None] = time.sleep) -> None:
        # Polled: to wake a thread takes a lock, and the audio callback takes none.
        while not self._stop.is_set():
            if not self._separation.step():
                sleep(_POLL_SECONDS)
