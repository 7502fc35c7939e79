"""The audio callback: input frames go to the separation thread; the stems, or the dry signal, are played.

The dry signal is delayed as long as the stems, so that one fades into the other without a jump in time. Stems
are played while more of them are at hand than a fade is long; as soon as they are not, what is left of them
carries the fade. So late stems never leave a block silent or broken.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tatumflow.live.audio.circle import put, take
from tatumflow.live.audio.frame_ring import FrameRing
from tatumflow.live.audio.span_ring import SpanRing
from tatumflow.live.audio.tally import Tally

SIDES: Final = 2
LONGEST_BLOCK: Final = 4096
"""Frames that are processed at a time; a device's longer blocks are split."""

_QUEUED_SECONDS: Final = 4.0
_DRY_SECONDS: Final = 0.2
"""How long the dry signal stays at least, so that a separation at its limit does not flutter."""

_HEADER: Final = 3
_SHORTEST_BLOCK: Final = 16


@dataclass(frozen=True)
class InputBlock:
    """A block from the device.

    Attributes:
        first: Number of its first frame, counted from the stream's first.
        time: When that one arrived, in the clock's seconds.
        frames: Shape (n, 2).
    """

    first: int
    time: float
    frames: NDArray[np.float32]


class MonitorPath:
    """From a device's input to its output, by way of the separation thread.

    `process` is for the audio callback: it takes no lock, imports and logs nothing, and all its arrays are
    made beforehand. `take`, `waiting`, `skip` and `publish` are for the separation thread.
    """

    def __init__(
        self, rate: int, latency: int, fade: int, tally: Tally, sides: tuple[int, int] = (0, 1)
    ) -> None:
        """Begin before the first frame.

        Args:
            rate: Frames a second.
            latency: Frames from input to output, more than a fade.
            fade: Frames of a fade between stems and dry signal, at least 1.
            tally: Counts.
            sides: Columns of the input for left and right; the same twice for a mono source.
        """
        self.rate = rate
        self.latency = latency
        self._fade = fade
        self._tally = tally
        self._left, self._right = sides
        self.position = 0
        """Frames that the device has given so far."""
        self.bypass = False
        """Whether the dry signal is played on purpose."""
        self._headers = FrameRing(int(_QUEUED_SECONDS * rate / _SHORTEST_BLOCK), _HEADER, np.float64)
        self._queue = FrameRing(int(_QUEUED_SECONDS * rate), SIDES)
        capacity = latency + int(_QUEUED_SECONDS * rate) + LONGEST_BLOCK
        self._dry = np.zeros((capacity, SIDES), dtype=np.float32)
        self._stems = SpanRing(capacity, SIDES)
        self._share = 0.0
        """Of the stems in the output, 0 to 1."""
        self._playing_stems = False
        self._resume = -latency
        """Number of the first frame at which stems may be played again."""
        self._header = np.zeros((1, _HEADER))
        self._block = np.zeros((LONGEST_BLOCK, SIDES), dtype=np.float32)
        self._bad = np.zeros((LONGEST_BLOCK, SIDES), dtype=np.bool_)
        self._mixed = np.zeros((LONGEST_BLOCK, SIDES), dtype=np.float32)
        self._wet = np.zeros((LONGEST_BLOCK, SIDES), dtype=np.float32)
        self._steps = np.arange(1, LONGEST_BLOCK + 1, dtype=np.float32) / np.float32(fade)
        self._weights = np.zeros(LONGEST_BLOCK, dtype=np.float32)

    @property
    def share(self) -> float:
        """Of the stems in what is played now, 0 to 1."""
        return self._share

    def process(
        self,
        recorded: NDArray[np.float32],
        played: NDArray[np.float32] | None,
        time: float,
        xrun: bool = False,
    ) -> None:
        """Take a block and fill one of the same length.

        Args:
            recorded: Shape (n, inputs).
            played: Shape (n, outputs), filled; None where nothing is played.
            time: When the block's first frame arrived, in the clock's seconds.
            xrun: Whether the device lost or lacked frames before it.
        """
        if xrun:
            self._tally.xruns += 1
        for first in range(0, len(recorded), LONGEST_BLOCK):
            piece = slice(first, first + LONGEST_BLOCK)
            count = self._take_in(recorded[piece], time + first / self.rate)
            if played is not None:
                self._play(self.position - count - self.latency, played[piece])

    @property
    def waiting(self) -> int:
        """Frames that wait for the separation thread."""
        return self._queue.filled

    def take(self) -> InputBlock | None:
        """Return the oldest block that waits, None if there is none."""
        header = np.zeros((1, _HEADER))
        if not self._headers.pull(header):
            return None
        first, count, time = header[0]
        frames = np.zeros((int(count), SIDES), dtype=np.float32)
        self._queue.pull(frames)
        return InputBlock(int(first), float(time), frames)

    def skip(self) -> None:
        """Drop all blocks that wait but the newest."""
        header = np.zeros((1, _HEADER))
        while self._headers.filled > 1 and self._headers.pull(header):
            self._queue.skip(int(header[0, 1]))

    def publish(self, first: int, stems: NDArray[np.float32]) -> None:
        """Give the mix of the stems, (n, 2), to be played for the frames from number `first` on."""
        self._stems.write(first, stems)

    def _take_in(self, recorded: NDArray[np.float32], time: float) -> int:
        count = len(recorded)
        block, bad = self._block[:count], self._bad[:count]
        block[:, 0] = recorded[:, self._left]
        block[:, 1] = recorded[:, self._right]
        np.isfinite(block, out=bad)
        np.logical_not(bad, out=bad)
        if bad.any():
            self._tally.bad_input_frames += int(np.count_nonzero(bad[:, 0] | bad[:, 1]))
            np.copyto(block, 0.0, where=bad)
        # Samples whose header finds no place would be read as those of the next.
        if self._queue.free >= count and self._headers.free:
            self._header[0] = self.position, count, time
            self._queue.push(block)
            self._headers.push(self._header)
        else:
            self._tally.overflow_frames += count
        put(self._dry, self.position, block)
        self.position += count
        return count

    def _play(self, first: int, played: NDArray[np.float32]) -> None:
        count = len(played)
        mixed = self._mixed[:count]
        take(self._dry, first, mixed)
        self._blend(first, mixed)
        # Devices treat values beyond full scale in different ways, most of them audible.
        np.clip(mixed, -1.0, 1.0, out=mixed)
        if played.shape[1] == 1:
            np.add(mixed[:, :1], mixed[:, 1:], out=played)
            np.multiply(played, 0.5, out=played)
            return
        played[:, :SIDES] = mixed
        played[:, SIDES:] = 0.0

    def _blend(self, first: int, mixed: NDArray[np.float32]) -> None:
        """Fade the stems into the dry signal, or out of it."""
        count = len(mixed)
        ready = self._stems.ready(first)
        may = not self.bypass and (self._playing_stems or first >= self._resume)
        enough = may and ready >= count + self._fade
        if self._playing_stems and not enough and not self.bypass:
            self._tally.dropouts += 1
            self._resume = first + int(_DRY_SECONDS * self.rate)
        self._playing_stems = enough
        share = self._share
        if not enough and share == 0.0:
            if first >= 0:
                self._tally.dry_frames += count
            return
        at_hand = min(ready, count)
        wet = self._wet[:count]
        self._stems.read(first, wet[:at_hand])
        if enough and share == 1.0:
            mixed[:] = wet
            return
        # Where no stems are left, their share has come down to nothing.
        wet[at_hand:] = 0.0
        weights = self._weights[:count]
        np.multiply(self._steps[:count], 1.0 if enough else -1.0, out=weights)
        np.add(weights, share, out=weights)
        np.clip(weights, 0.0, 1.0, out=weights)
        np.subtract(wet, mixed, out=wet)
        for side in range(SIDES):
            # Spread over both sides at once, NumPy would allocate a buffer.
            np.multiply(wet[:, side], weights, out=wet[:, side])
        np.add(mixed, wet, out=mixed)
        self._share = float(weights[-1])
        self._tally.dry_frames += count
