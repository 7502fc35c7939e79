"""Open Sound Control: every control and action under an address of its own (OSC 1.0)."""

import socket
import threading
from collections.abc import Callable
from dataclasses import fields
from typing import Final

from tatumflow.engine.clock import Clock
from tatumflow.engine.controls import Controls
from tatumflow.engine.errors import DeviceError, SettingError
from tatumflow.engine.messages import Command, SetControl
from tatumflow.live.port_set import Notify
from tatumflow.live.settings import OscSettings
from tatumflow.live.steering.actions import ACTIONS

PREFIX: Final = "/tatumflow/"
"""What every address begins with: `/tatumflow/temperature 0.9`, `/tatumflow/turn`."""

_DEFAULTS: Final = Controls()
_CONTROLS: Final = frozenset(control.name for control in fields(Controls))
_EVERY_HOST: Final = "0.0.0.0"
_LARGEST_PACKET: Final = 65_536
_MOST_SAID: Final = 20
_LONGEST_LINE: Final = 200
_STOP_SECONDS: Final = 1.0


class OscListener:
    """Listens on a UDP port, on a thread of its own, and makes commands of what comes.

    A message sets a control to its first argument, or sets an action off; so that a button which sends 1 when
    pressed and 0 when released does so once, an action with the argument 0 is none. Bundles are taken apart
    and their times not waited for. What means nothing is said once, and lost.
    """

    def __init__(
        self, settings: OscSettings, clock: Clock, emit: Callable[[Command], None], notify: Notify
    ) -> None:
        """Begin to listen.

        Args:
            settings: Where.
            clock: Stamps taps.
            emit: Takes the commands, on the thread that listens; must not block or raise.
            notify: Takes lines for the player, likewise.

        Raises:
            DeviceError: if the port cannot be had.
        """
        # Imported late: few sessions listen.
        from pythonosc.osc_packet import OscPacket

        self._packet = OscPacket
        self._clock = clock
        self._emit = emit
        self._notify = notify
        self._said: set[str] = set()
        self._stopping = False
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            self._socket.bind((settings.host, settings.port))
        except OSError as error:
            self._socket.close()
            raise DeviceError(
                f"no OSC at {settings.host}:{settings.port} ({error.strerror or error}); choose another port "
                "with `tatumflow jam --osc PORT`, or another host in your settings"
            ) from None
        self._thread = threading.Thread(target=self._listen, name="osc", daemon=True)
        self._thread.start()

    @property
    def address(self) -> tuple[str, int]:
        """Host and port listened to."""
        host, port = self._socket.getsockname()
        return host, port

    def close(self) -> None:
        """Listen no more."""
        self._stopping = True
        # Nothing wakes a thread that waits for a packet but a packet.
        host, port = self.address
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as waker:
            waker.sendto(b"", ("127.0.0.1" if host == _EVERY_HOST else host, port))
        self._thread.join(_STOP_SECONDS)
        self._socket.close()

    def _listen(self) -> None:
        while True:
            try:
                data = self._socket.recv(_LARGEST_PACKET)
            except OSError:
                # A sender that has gone, as Windows reports it; or the socket, if we are to stop.
                data = b""
            if self._stopping:
                return
            if data:
                self._take(data)

    def _take(self, data: bytes) -> None:
        try:
            messages = [timed.message for timed in self._packet(data).messages]
        except Exception:
            # The library has an error of its own for some malformed packets, and Python's for the others.
            self._say_once("something that is no OSC message came to the OSC port; it was passed over")
            return
        for message in messages:
            self._obey(message.address, message.params)

    def _obey(self, address: str, arguments: list[object]) -> None:
        name = address.removeprefix(PREFIX)
        if not address.startswith(PREFIX) or not (name in _CONTROLS or name in ACTIONS):
            self._say_once(
                f"no OSC address {address[:80]!r}; there is one for each control, as {PREFIX}temperature, "
                f"and {', '.join(PREFIX + action for action in ACTIONS)}"
            )
        elif name in ACTIONS:
            if not arguments or arguments[0] != 0:
                self._emit(ACTIONS[name](self._clock.now()))
        elif name == "chords" and arguments and isinstance(arguments[0], str):
            self._take_chart(arguments[0])
        elif arguments and isinstance(arguments[0], str | float | int):
            self._emit(SetControl(name, _rounded(name, arguments[0])))
        else:
            self._say_once(f"{address} wants a number or a word to set {name} to")

    def _take_chart(self, text: str) -> None:
        """Parse a chart here, so that the engine is neither asked to read what is none nor waits for it."""
        try:
            self._emit(SetControl("chords", _DEFAULTS.changed("chords", text).chords))
        except SettingError as error:
            self._say_once(str(error)[:_LONGEST_LINE])

    def _say_once(self, text: str) -> None:
        if text not in self._said and len(self._said) < _MOST_SAID:
            self._said.add(text)
            self._notify(text, "warning")


def _rounded(control: str, value: str | float | int) -> str | float | int:
    """Return a value as a whole number where the control wants one: most senders know floats only."""
    whole = isinstance(getattr(_DEFAULTS, control), int)
    try:
        return round(value) if whole and isinstance(value, float) else value
    except (ValueError, OverflowError):
        return value
