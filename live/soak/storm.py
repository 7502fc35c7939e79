"""Random MIDI, much of it broken, into the callback that RtMidi calls."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from tatumflow.engine.controls import Controls
from tatumflow.engine.midi.events import ALL_NOTES_OFF, ALL_SOUND_OFF, SUSTAIN
from tatumflow.engine.model.bundle import Bundle
from tatumflow.engine.model.decoder import Decoder
from tatumflow.live.midi.midi_bytes import CONTROL_CHANGE, NOTE_OFF, NOTE_ON, SYSTEM
from tatumflow.live.soak.tally import Tally
from tatumflow.live.soak.virtual_jam import VirtualJam

_SPACING: Final = 0.002
_PAUSE: Final = 4.0
_PAUSE_SHARE: Final = 0.001
_UNPLUG_SHARE: Final = 0.001
_HEARD_TOGETHER: Final = 8


@dataclass(frozen=True, slots=True)
class StormReport:
    """The outcome of a storm of packets.

    Attributes:
        messages: Packets delivered.
        ons: Note-ons that came out, of both players.
        turns: Turns the companion took meanwhile.
        hanging: Channel and pitch of what still sounded when the keyboard had gone and the companion stopped.
    """

    messages: int
    ons: int
    turns: int
    hanging: tuple[tuple[int, int], ...]


def packets(seed: int) -> Iterator[list[int]]:
    """Yield random packets for ever: valid, joined, split, running status, SysEx cut short, noise."""
    rng = np.random.default_rng(seed)
    while True:
        data, channel = rng.integers(0, 128, 8).tolist(), int(rng.integers(16))
        kind = int(rng.integers(16))
        if kind < 5:
            yield [NOTE_ON | channel, *data[:2]]
        elif kind < 8:
            yield [NOTE_OFF | channel, *data[:2]]
        elif kind == 8:
            number = int(rng.choice([SUSTAIN, SUSTAIN, SUSTAIN, ALL_NOTES_OFF, ALL_SOUND_OFF, data[0]]))
            yield [CONTROL_CHANGE | channel, number, data[1]]
        elif kind == 9:
            yield [NOTE_ON | channel, *data[:6]]
        elif kind == 10:
            yield data[: int(rng.integers(1, 4))]
        elif kind == 11:
            yield [SYSTEM, *data] + [0xF7] * int(rng.integers(2))
        elif kind == 12:
            yield [NOTE_ON | channel, data[0]]
            yield [data[1]]
        elif kind == 13:
            yield [int(rng.integers(0xF0, 0x100)), *data[: int(rng.integers(3))]]
        elif kind == 14:
            yield [0x80 | int(rng.integers(128)), *data[: int(rng.integers(4))]]
        else:
            yield rng.integers(0, 256, int(rng.integers(12))).tolist()


def storm(
    bundle: Bundle, decoder: Decoder, messages: int, *, seed: int = 0, controls: Controls | None = None
) -> StormReport:
    """Deliver random packets on a virtual clock, in bursts of 500 a second with pauses in between.

    Now and then the keyboard vanishes in the middle of it. Whatever is raised is a fault, and not caught.
    """
    rng = np.random.default_rng((seed, 1))
    tally = Tally()
    jam = VirtualJam(bundle, decoder, controls or Controls(style=""), tally)
    turns = 0
    for count, packet in zip(range(messages), packets(seed), strict=False):
        jam.receive(packet)
        draw = rng.random()
        if draw < _UNPLUG_SHARE:
            jam.unplug()
        if draw < _UNPLUG_SHARE + _PAUSE_SHARE:
            before = jam.companion.turn
            jam.run_to(jam.clock.now() + _PAUSE)
            turns += before == "listening" and jam.companion.turn == "playing"
        elif count % _HEARD_TOGETHER == 0:
            jam.run_to(jam.clock.now() + _HEARD_TOGETHER * _SPACING)
    jam.end()
    return StormReport(messages, tally.ons, turns, tally.hanging)
