"""One open MIDI input: a message is stamped, played thru and queued in the moment it arrives."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Protocol

from tatumflow.engine.clock import Clock
from tatumflow.engine.midi.events import InputEvent, InputLost
from tatumflow.live.midi.midi_bytes import (
    CONTROL_CHANGE,
    SYSTEM,
    Message,
    MessageParser,
    clock_event,
    human_event,
)
from tatumflow.live.midi.midi_ports import InputPort
from tatumflow.live.midi.outputs import Ledger

NO_STEERING: Final = bytes(128)
"""A byte for each controller number: none of them steers."""


class Receiver(Protocol):
    """Takes packets on RtMidi's thread."""

    def __call__(self, packet: tuple[list[int], float], data: object = None, /) -> None:
        """Take a packet: its bytes, and RtMidi's own time since the last one, which is not used."""


class Thru(Protocol):
    """Where the user's messages are played at once."""

    def human(self, message: Message) -> None:
        """Play a message of the user's."""


@dataclass(eq=False)
class Source:
    """An open MIDI input.

    Attributes:
        name: Its name in the list of ports.
        port: RtMidi's side of it.
        parser: Makes messages of its bytes.
        held: Keys and pedals that are down.
        last_activity: When its last message arrived (seconds).
        kept: What `port_closing.set_callback` returned.
    """

    name: str
    port: InputPort
    parser: MessageParser = field(default_factory=MessageParser)
    held: Ledger = field(default_factory=Ledger)
    last_activity: float | None = None
    kept: list[object] = field(default_factory=list)

    def receiver(
        self,
        thru: Thru,
        clock: Clock,
        emit: Callable[[InputEvent], None],
        awoke: Callable[[], None],
        quiet: float,
        steering: bytes | bytearray = NO_STEERING,
    ) -> Receiver:
        """Return the callback for this input: stamp, thru, then the queue, and nothing else.

        MIDI clock goes to the queue only: thru would send it back to the program that sends it. So does a
        controller that steers: it is not music.

        Args:
            thru: Plays each message before anything else is done with it.
            clock: Stamps the packet.
            emit: Takes the events; it may not block or raise.
            awoke: Called at the first message after `quiet` seconds without any, the clock's not counted.
            quiet: Seconds.
            steering: A byte for each controller number, other than 0 where it steers; read anew each time.
        """
        now, feed, play, hold, name = clock.now, self.parser.feed, thru.human, self.held.note, self.name

        def arrived(packet: tuple[list[int], float], _: object = None) -> None:
            time_of_arrival = now()
            played = False
            for message in feed(packet[0]):
                if message[0] < SYSTEM:
                    played = True
                    if message[0] & 0xF0 != CONTROL_CHANGE or not steering[message[1]]:
                        play(message)
                        hold(message)
                    event = human_event(message, time_of_arrival)
                else:
                    event = clock_event(message, time_of_arrival, name)
                if event is not None:
                    emit(event)
            if not played:
                return
            last = self.last_activity
            self.last_activity = time_of_arrival
            if last is None or time_of_arrival - last > quiet:
                awoke()

        return arrived

    def release(self, thru: Thru, clock: Clock, emit: Callable[[InputEvent], None]) -> None:
        """Release its keys and pedals: it has gone, or the program that played into it has."""
        for message in self.held.releases():
            self.held.note(message)
            thru.human(message)
        emit(InputLost(clock.now()))
