"""Finding and opening MIDI ports through RtMidi, whose callback gives us the moment of arrival."""
# RtMidi is a compiled module without type stubs.
# pyright: reportAttributeAccessIssue=false

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, Protocol, get_args

import rtmidi

from tatumflow.engine.errors import PortError

ApiName = Literal["auto", "alsa", "jack", "coremidi", "winmm"]
APIS: Final[tuple[ApiName, ...]] = get_args(ApiName)

_API_NUMBERS: Final = {
    "alsa": rtmidi.API_LINUX_ALSA,
    "jack": rtmidi.API_UNIX_JACK,
    "coremidi": rtmidi.API_MACOSX_CORE,
    "winmm": rtmidi.API_WINDOWS_MM,
}
_API_NEEDS: Final = {
    "alsa": "load its sequencer with `sudo modprobe snd-seq`, or choose --api jack",
    "jack": "start a JACK or PipeWire server, or choose another --api",
    "coremidi": "on macOS, rescan in Audio MIDI Setup; other systems have none",
    "winmm": "on Windows, look at the keyboard in the Device Manager; other systems have none",
}
MIDI_ERRORS: Final[tuple[type[Exception], ...]] = (rtmidi.RtMidiError, OSError)
"""What RtMidi raises: of its own errors some are OSErrors, some ValueErrors, some neither."""

_BUILD: Final = "install ALSA's headers (`sudo apt install libasound2-dev`) and install it again"
_NO_KEYBOARDS: Final = ("midi through", "iac", "network", "rtmidi", "loopmidi")
_ALSA_ADDRESS: Final = re.compile(r" \d+:\d+$")


@dataclass(frozen=True, slots=True)
class PortNames:
    """The ports of other programs and devices: `inputs` can be listened to, `outputs` played on."""

    inputs: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()


class Port(Protocol):
    """What RtMidi's inputs and outputs share. It is closed when nothing refers to it any more."""

    def get_ports(self) -> list[str]:
        """Return the names of the ports it could be connected to."""
        ...

    def open_port(self, port: int, name: str) -> Any:  # noqa: ANN401
        """Connect to a port by its place in `get_ports`, under a name of our own."""
        ...

    def open_virtual_port(self, name: str) -> Any:  # noqa: ANN401
        """Offer a port to other programs."""
        ...

    def close_port(self) -> None:
        """Disconnect; whatever is sent from then on is lost."""

    def delete(self) -> None:
        """Release everything; the object may not be used again."""


class InputPort(Port, Protocol):
    """An input of RtMidi's."""

    def set_callback(self, func: Callable[[tuple[list[int], float], Any], None]) -> None:
        """Have every packet passed to `func` on RtMidi's thread."""

    def ignore_types(self, sysex: bool = True, timing: bool = True, active_sense: bool = True) -> None:
        """Choose which kinds of system messages are left out."""

    def cancel_callback(self) -> None:
        """Have no packet passed on any more."""


class OutputPort(Port, Protocol):
    """An output of RtMidi's."""

    def send_message(self, message: Sequence[int]) -> None:
        """Send one whole message; holds the interpreter's lock, so that threads cannot mix theirs."""


def compiled_apis() -> tuple[str, ...]:
    """Return the names of the MIDI systems that this build of RtMidi can talk to."""
    compiled = rtmidi.get_compiled_api()
    return tuple(name for name, number in _API_NUMBERS.items() if number in compiled)


def working_api(name: str) -> str:
    """Return the MIDI system to use: the one named, or the first of `APIS` that answers for "auto".

    Raises:
        PortError: if the name is unknown, or nothing answers.
    """
    if name != "auto" and name not in _API_NUMBERS:
        raise PortError(f"MIDI system {name!r} is unknown; choose one of {', '.join(APIS)}")
    candidates = compiled_apis() if name == "auto" else (name,)
    problems = []
    for candidate in candidates:
        problem = api_problem(candidate)
        if not problem:
            return candidate
        problems.append(problem)
    raise PortError(
        "; ".join(problems) if problems else f"this build of python-rtmidi has no MIDI system in it; {_BUILD}"
    )


def api_problem(name: str) -> str:
    """Return why a MIDI system cannot be used and what to do about it, empty if it can."""
    if name not in compiled_apis():
        return f"MIDI system {name}: not part of this build of python-rtmidi; {_API_NEEDS[name]}"
    try:
        probe = rtmidi.MidiIn(_API_NUMBERS[name], "TatumFlow probe")
    except MIDI_ERRORS:
        return f"MIDI system {name}: does not answer; {_API_NEEDS[name]}"
    probe.delete()
    return ""


def new_input(api: str, client: str) -> InputPort:
    """Return an input that is not open yet, shown to other programs under the name of `client`.

    Raises:
        PortError: if the MIDI system does not answer.
    """
    try:
        return rtmidi.MidiIn(_API_NUMBERS[api], client)
    except MIDI_ERRORS:
        raise PortError(f"MIDI system {api}: does not answer; {_API_NEEDS[api]}") from None


def new_output(api: str, client: str) -> OutputPort:
    """Return an output that is not open yet, shown to other programs under the name of `client`.

    Raises:
        PortError: if the MIDI system does not answer.
    """
    try:
        return rtmidi.MidiOut(_API_NUMBERS[api], client)
    except MIDI_ERRORS:
        raise PortError(f"MIDI system {api}: does not answer; {_API_NEEDS[api]}") from None


def connect(port: Port, name: str, own_name: str) -> None:
    """Connect a port, not open yet, to the one of this whole name, wherever it stands in the list by now.

    `own_name` is what our end is called.

    Raises:
        PortError: if it has gone meanwhile, or another program holds it.
    """
    try:
        names = port.get_ports()
        if name not in names:
            raise PortError(f"{name}: has just gone; connect it again")
        port.open_port(names.index(name), own_name)
    except MIDI_ERRORS as error:
        raise PortError(f"{name}: cannot be opened ({error}); close the program that holds it") from None


def has_virtual_ports(api: str) -> bool:
    """Return whether a MIDI system lets a program offer ports of its own."""
    return api != "winmm"


class PortScanner:
    """Lists ports with one pair of clients that stays open."""

    def __init__(self, api: str, own_name: str) -> None:
        """Scan one MIDI system, from `working_api`; leave out ports whose names begin with `own_name`."""
        self._own_name = own_name
        self._input = new_input(api, f"{own_name} scan")
        self._output = new_output(api, f"{own_name} scan")

    def scan(self) -> PortNames:
        """Return the ports there are now.

        Raises:
            PortError: if the MIDI system does not list them.
        """
        try:
            return PortNames(self._others(self._input.get_ports()), self._others(self._output.get_ports()))
        except (*MIDI_ERRORS, ValueError) as error:
            # ValueError: a name that is no text.
            raise PortError(
                f"MIDI ports cannot be listed ({error}); unplug what was plugged in last"
            ) from None

    def close(self) -> None:
        """Close the clients."""
        self._input.delete()
        self._output.delete()

    def _others(self, names: Sequence[str]) -> tuple[str, ...]:
        return tuple(name for name in names if not name.startswith(self._own_name))


def list_ports(api: str, own_name: str = "TatumFlow") -> PortNames:
    """Return the ports there are now.

    Raises:
        PortError: if the MIDI system does not answer.
    """
    scanner = PortScanner(working_api(api), own_name)
    names = scanner.scan()
    scanner.close()
    return names


def stable_name(name: str) -> str:
    """Return a port's name without the address that ALSA changes with every plugging in."""
    return _ALSA_ADDRESS.sub("", name)


def match_port(requested: str, names: Sequence[str], side: Literal["input", "output"]) -> str:
    """Return the one port of this name.

    Args:
        requested: A whole name, its number in the list counted from 0, or a part of it in any case.
        names: The ports there are.
        side: For the message.

    Raises:
        PortError: if no port or more than one fits.
    """
    whole = [name for name in names if requested in (name, stable_name(name))]
    if whole:
        return whole[0]
    if requested.isdecimal() and int(requested) < len(names):
        return names[int(requested)]
    parts = [name for name in names if requested.casefold() in name.casefold()]
    if len(parts) == 1:
        return parts[0]
    if parts:
        raise PortError(f"MIDI {side} {requested!r} fits {_listed(parts)}; give more of the name")
    if names:
        raise PortError(f"MIDI {side} {requested!r} does not exist; there is {_listed(names)}")
    raise PortError(f"MIDI {side} {requested!r} does not exist; there are no MIDI {side}s, connect a device")


def first_keyboard(names: Sequence[str], api: str) -> str:
    """Return the input to take when none was chosen: the first that looks like a device, empty if none does.

    Under JACK any program's output is in the list, so only what the server marks as hardware counts.
    """
    for name in names:
        folded = name.casefold()
        if api == "jack":
            if folded.startswith(("system:", "a2j:", "midi-bridge:")) and "through" not in folded:
                return name
        elif not any(part in folded for part in _NO_KEYBOARDS):
            return name
    return ""


def _listed(names: Sequence[str]) -> str:
    return ", ".join(repr(name) for name in names)
