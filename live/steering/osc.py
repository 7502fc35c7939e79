"""Open Sound Control: every control and action under an address of its own (OSC 1.0)."""

import selectors
import socket
import threading
from collections.abc import Callable
from typing import Final

from tatumflow.engine.clock import Clock
from tatumflow.engine.controls import CONTROL_SPECS, Controls
from tatumflow.engine.errors import DeviceError, SettingError
from tatumflow.engine.messages import Command, Panic, SetControl
from tatumflow.live.notices import Notify
from tatumflow.live.steering.actions import ACTIONS
from tatumflow.live.steering.osc_packet import OscError, address_of, first_argument, messages_of

PREFIX: Final = "/tatumflow/"
"""What every address begins with: `/tatumflow/temperature 0.9`, `/tatumflow/turn`."""

_DEFAULTS: Final = Controls()
_EVERY_HOST: Final = "0.0.0.0"
_LARGEST_PACKET: Final = 65_536
_MOST_SAID: Final = 20
_LONGEST_LINE: Final = 200
_STOP_SECONDS: Final = 1.0
_PANIC: Final = PREFIX + "panic"
_TURN: Final = "turn"

_TOGETHER: Final = 256
"""Packets taken from the socket at once, of which the newest of each address is read."""

_PAUSE: Final = 0.005
"""Seconds without a look at the socket after more than one packet was found there: while packets come faster
than that, they wait in the system's buffer, where they take no time from the notes."""

_BUFFER_BYTES: Final = 1 << 20
"""Room for packets that wait, as far as the system gives it."""

_ACTIONS_TOGETHER: Final = 8
"""Actions set off by packets taken at once, at most."""

_MOST_ERRORS: Final = 8
"""Errors of the socket in a row after which it is closed."""

_FIRST_BACK_OFF: Final = 0.01
"""Seconds waited after the first error in a row; twice as long after each further one."""


class OscListener:
    """Listens on a UDP port, on a thread of its own, and makes commands of what comes.

    A message sets a control to its first argument, or sets an action off; so that a button which sends 1 when
    pressed and 0 when released does so once, an action with the argument 0 is none. Bundles are unpacked
    and their times ignored. A message without a meaning is reported once, and dropped.

    Of packets that come together, only the newest value of each control between two actions is passed on, and
    panic is passed on first.
    """

    def __init__(
        self, host: str, port: int, clock: Clock, emit: Callable[[Command], None], notify: Notify
    ) -> None:
        """Begin to listen.

        Args:
            host: Address to listen at.
            port: UDP port.
            clock: Stamps taps.
            emit: Takes the commands, on the thread that listens; must not block or raise.
            notify: Takes lines for the player, likewise.

        Raises:
            DeviceError: if the port cannot be had.
        """
        self._clock = clock
        self._emit = emit
        self._notify = notify
        self._said: set[str] = set()
        self._errors = 0
        self._stopping = threading.Event()
        self._buffer = bytearray(_LARGEST_PACKET)
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER_BYTES)
        try:
            self._socket.bind((host, port))
        except OSError as error:
            self._socket.close()
            raise DeviceError(
                f"no OSC at {host}:{port} ({error.strerror or error}); choose another port "
                "with `tatumflow jam --osc PORT`, or another host in your settings"
            ) from None
        self._socket.setblocking(False)
        self._address: tuple[str, int] = self._socket.getsockname()
        self._thread = threading.Thread(target=self._listen, name="osc", daemon=True)
        self._thread.start()

    @property
    def address(self) -> tuple[str, int]:
        """Host and port listened to."""
        return self._address

    def close(self) -> None:
        """Listen no more."""
        self._stopping.set()
        # Nothing wakes a thread that waits for a packet but a packet.
        host, port = self._address
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as waker:
            waker.sendto(b"", ("127.0.0.1" if host == _EVERY_HOST else host, port))
        self._thread.join(_STOP_SECONDS)
        self._socket.close()

    def _listen(self) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(self._socket, selectors.EVENT_READ)
            while not self._stopping.is_set():
                selector.select()
                packets = self._waiting()
                if packets is None:
                    return
                if packets and not self._stopping.is_set():
                    self._take(packets)
                if 1 < len(packets) < _TOGETHER:
                    self._stopping.wait(_PAUSE)

    def _waiting(self) -> list[bytes] | None:
        """Return the packets that wait, `_TOGETHER` at most; None once the socket is closed."""
        packets: list[bytes] = []
        try:
            while len(packets) < _TOGETHER:
                size = self._socket.recv_into(self._buffer)
                self._errors = 0
                packets.append(bytes(self._buffer[:size]))
        except BlockingIOError:
            pass
        except OSError as error:
            # A sender that has gone, as Windows reports it; or a socket that works no more.
            self._errors += 1
            if self._stopping.wait(_FIRST_BACK_OFF * 2 ** (self._errors - 1)):
                return None
            if self._errors >= _MOST_ERRORS:
                host, port = self._address
                self._notify(
                    f"OSC at {host}:{port} is closed ({error.strerror or error}); start again to use it",
                    "error",
                )
                return None
        return packets

    def _take(self, packets: list[bytes]) -> None:
        """Obey the messages of packets that came together."""
        messages: list[tuple[str, bytes]] = []
        for packet in packets:
            try:
                messages += [(address_of(message), message) for message in messages_of(packet)]
            except OscError:
                if packet:
                    self._say_no_osc()
        panic = -1
        for index, (address, message) in enumerate(messages):
            if address == _PANIC and self._sets_off(message):
                panic = index
        if panic >= 0:
            self._emit(Panic())
        newest: dict[str, bytes] = {}
        actions = 0
        for index, (address, message) in enumerate(messages):
            name = address.removeprefix(PREFIX)
            # A turn that was passed before the panic must not begin after it.
            overtaken = address == _PANIC or (name == _TURN and index < panic)
            if not address.startswith(PREFIX) or not (name in CONTROL_SPECS or name in ACTIONS):
                self._say_unknown(address)
            elif name in CONTROL_SPECS:
                # To the end, so that the newest value is also the last to be set.
                newest.pop(name, None)
                newest[name] = message
            elif not overtaken and actions < _ACTIONS_TOGETHER and self._sets_off(message):
                actions += 1
                self._set(newest)
                self._emit(ACTIONS[name].command(self._clock.now()))
        self._set(newest)

    def _sets_off(self, message: bytes) -> bool:
        """Return whether a message to the address of an action sets it off."""
        try:
            given, argument = first_argument(message)
        except OscError:
            self._say_no_osc()
            return False
        return not given or argument != 0

    def _set(self, newest: dict[str, bytes]) -> None:
        """Set controls by messages, and forget them."""
        for name, message in newest.items():
            try:
                _, argument = first_argument(message)
            except OscError:
                self._say_no_osc()
                continue
            if argument is None:
                self._say_once(f"{PREFIX}{name} needs a number or a word to set {name} to")
            elif name == "head" and argument:
                self._say_once("OSC opens no files; set head on the screen, by --head or in the settings")
            elif name == "chords" and isinstance(argument, str):
                self._take_chart(argument)
            else:
                self._emit(SetControl(name, _rounded(name, argument)))
        newest.clear()

    def _take_chart(self, text: str) -> None:
        """Parse a chart here, so that the engine neither gets what is none nor waits for it."""
        try:
            self._emit(SetControl("chords", _DEFAULTS.changed("chords", text).chords))
        except SettingError as error:
            self._say_once(str(error)[:_LONGEST_LINE])

    def _say_no_osc(self) -> None:
        self._say_once("something that is no OSC message came to the OSC port; it was passed over")

    def _say_unknown(self, address: str) -> None:
        if len(self._said) < _MOST_SAID:
            self._say_once(
                f"no OSC address {address[:80]!r}; there is one for each control, as {PREFIX}temperature, "
                f"and {', '.join(PREFIX + action for action in ACTIONS)}"
            )

    def _say_once(self, text: str) -> None:
        if text not in self._said and len(self._said) < _MOST_SAID:
            self._said.add(text)
            self._notify(text, "warning")


def _rounded(control: str, value: str | float | int) -> str | float | int:
    """Return a value as a whole number where the control is one: most senders only have floats."""
    try:
        return round(value) if CONTROL_SPECS[control].is_whole and isinstance(value, float) else value
    except (ValueError, OverflowError):
        return value
