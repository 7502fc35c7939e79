"""The ports of a session: opened, listened to, lost and found again."""

import threading
import traceback
from collections.abc import Callable
from contextlib import suppress
from typing import Final, Literal

from tatumflow.engine.clock import Clock
from tatumflow.engine.errors import PortError
from tatumflow.engine.messages import PortStatus
from tatumflow.engine.midi.events import InputEvent
from tatumflow.live.midi.input_source import NO_STEERING, Source
from tatumflow.live.midi.midi_bytes import MessageParser
from tatumflow.live.midi.midi_ports import (
    MIDI_ERRORS,
    OutputPort,
    PortNames,
    PortScanner,
    connect,
    first_keyboard,
    has_virtual_ports,
    match_port,
    new_input,
    new_output,
    stable_name,
    working_api,
)
from tatumflow.live.midi.output_link import OutputLink
from tatumflow.live.midi.output_pipe import OutputChannel
from tatumflow.live.midi.outputs import MidiSink, Outputs
from tatumflow.live.midi.panic import silence_outputs
from tatumflow.live.midi.port_closing import end_callbacks, end_sending, set_callback
from tatumflow.live.notices import Notify
from tatumflow.live.settings import PortSettings

POLL_SECONDS: Final = 1.0


class PortSet:
    """The inputs and outputs of one session, its virtual ports among them.

    Ports that come and go are looked for once a second in a thread of its own; only that thread, and before
    it starts the one that called `open`, ever opens or closes a port.
    """

    def __init__(
        self,
        settings: PortSettings,
        clock: Clock,
        outputs: Outputs,
        emit: Callable[[InputEvent], None],
        notify: Notify,
        steering: bytes | bytearray = NO_STEERING,
        channel: OutputChannel | None = None,
    ) -> None:
        """Open nothing yet.

        Args:
            settings: Which ports.
            clock: Stamps what arrives.
            outputs: Given thru at once, and the MIDI outputs as they are opened.
            emit: Takes the user's events and the clock's, from RtMidi's thread; it may not block or raise.
            notify: Takes notices for the user.
            steering: A byte for each controller number, other than 0 where it steers and is not played thru.
            channel: To the process that holds the outputs; None opens them in this one.
        """
        self._steering = steering
        self._settings = settings
        self._clock = clock
        self._outputs = outputs
        self._emit = emit
        self._notify = notify
        self._requested_input = settings.input
        self._requested_output = settings.output
        self._virtual_source: Source | None = None
        self._virtual_sink: MidiSink | None = None
        self._source: Source | None = None
        self._sink: MidiSink | None = None
        self._names = PortNames()
        self._notified: set[str] = set()
        self._wake = threading.Event()
        self._stopping = False
        self._link = None if channel is None else OutputLink(channel, self._wake.set)
        self._thread = threading.Thread(target=self._watch, name="port watch", daemon=True)

    def open(self, *, need_input: bool = False, need_output: bool = False) -> None:
        """Open the ports and begin to watch for others.

        Args:
            need_input: Whether a missing input is an error rather than something to wait for.
            need_output: The same for the output.

        Where no MIDI system answers, the session goes on without ports, unless one was requested.

        Raises:
            PortError: if the requested MIDI system does not answer, or a needed port is missing.
        """
        try:
            self._api = working_api(self._settings.api)
        except PortError as error:
            if self._settings.api != "auto" or need_input or need_output:
                raise
            self._notify(f"no MIDI ports: {error}", "warning")
            return
        self._scanner = PortScanner(self._api, self._settings.virtual_name)
        names = self._scanner.scan()
        if need_input:
            match_port(self._requested_input, names.inputs, "input")
        if need_output:
            match_port(self._requested_output, names.outputs, "output")
        if self._settings.virtual and has_virtual_ports(self._api):
            self._open_virtual()
        self._reconcile(names)
        self._thread.start()

    def connect(self, *, input_name: str | None = None, output_name: str | None = None) -> None:
        """Change to other ports soon: None leaves a side as it is, the empty string disconnects it."""
        if input_name is not None:
            self._requested_input = input_name
        if output_name is not None:
            self._requested_output = output_name
        self._notified.clear()
        self._wake.set()

    def inputs(self) -> tuple[PortStatus, ...]:
        """Return the virtual input and every input there is."""
        virtual, source, names = self._virtual_source, self._source, self._names.inputs
        own = () if virtual is None else (PortStatus(virtual.name, True, virtual.last_activity),)
        return own + tuple(
            PortStatus(name, True, source.last_activity)
            if source is not None and source.name == name
            else PortStatus(name, False)
            for name in names
        )

    def outputs(self) -> tuple[PortStatus, ...]:
        """Return the virtual output and every output there is."""
        virtual, sink, names = self._virtual_sink, self._sink, self._names.outputs
        active = self._outputs.last_activity
        own = () if virtual is None else (PortStatus(virtual.name, True, active),)
        return own + tuple(
            PortStatus(name, True, active)
            if sink is not None and sink.name == name
            else PortStatus(name, False)
            for name in names
        )

    def close(self) -> None:
        """Close every port; silence them first, since what sounds on a closed port cannot be ended."""
        self._stopping = True
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join()
        sources = [source for source in (self._source, self._virtual_source) if source is not None]
        sinks = [sink for sink in (self._sink, self._virtual_sink) if sink is not None]
        end_callbacks(source.port for source in sources)
        for source in sources:
            self._release(source)
        for sink in sinks:
            self._outputs.remove(sink)
        end_sending(sink.port for sink in sinks)
        for open_port in (*sources, *sinks):
            open_port.port.delete()
        if self._link is not None:
            self._link.close()
        self._source = self._virtual_source = self._sink = self._virtual_sink = None
        if hasattr(self, "_scanner"):
            self._scanner.close()

    def _open_virtual(self) -> None:
        name = self._settings.virtual_name
        source = self._new_source(f"{name} in", f"{name} in")
        try:
            source.port.open_virtual_port(source.name)
            sink = self._virtual_output()
        except MIDI_ERRORS as error:
            self._notify(f"no virtual MIDI ports ({error}); connect hardware ports instead", "warning")
            return
        self._listen(source)
        self._virtual_source, self._virtual_sink = source, sink
        self._outputs.add(sink)

    def _new_source(self, name: str, client: str) -> Source:
        return Source(name, new_input(self._api, client), MessageParser(self._settings.transpose))

    def _virtual_output(self) -> MidiSink:
        name = f"{self._settings.virtual_name} out"
        sink = MidiSink(name, self._new_output(name))
        sink.port.open_virtual_port(name)
        return sink

    def _new_output(self, client: str) -> OutputPort:
        link = self._link
        return new_output(self._api, client) if link is None else link.new_output(self._api, client)

    def _open_outputs_here(self) -> None:
        """Open the outputs in this process, since the one that held them has gone and they with it."""
        self._link = None
        virtual, sink = self._virtual_sink, self._sink
        self._virtual_sink = self._sink = None
        for lost in (virtual, sink):
            if lost is not None:
                self._outputs.remove(lost)
        if sink is not None:
            with suppress(PortError, *MIDI_ERRORS):
                silence_outputs((sink.name,), self._settings)
        notice = "the process that holds the MIDI outputs has ended; they are opened again"
        if virtual is not None:
            notice += f": connect {virtual.name!r} again in the program that listens"
            self._virtual_sink = self._virtual_output()
            self._outputs.add(self._virtual_sink)
        self._notify(notice, "warning")

    def _listen(self, source: Source) -> None:
        # The first message after a pause wakes the scan, so that a program that plays and goes is not missed.
        callback = source.receiver(
            self._outputs, self._clock, self._emit, self._wake.set, POLL_SECONDS, self._steering
        )
        # RtMidi leaves out SysEx, clock and active sensing unless they are requested.
        source.port.ignore_types(timing=False)
        source.kept = set_callback(source.port, callback)

    def _watch(self) -> None:
        while not self._stopping:
            self._wake.wait(POLL_SECONDS)
            self._wake.clear()
            if self._stopping:
                return
            try:
                if self._link is not None and not self._link.alive:
                    self._open_outputs_here()
                self._reconcile(self._scanner.scan())
            except PortError as error:
                self._notify_once(str(error))
            except Exception as error:
                # With a faulty driver RtMidi may raise anything; the next scan may find the ports in order.
                if self._notify_once(f"MIDI ports: {error or type(error).__name__}; they are scanned again"):
                    traceback.print_exc()

    def _reconcile(self, names: PortNames) -> None:
        """Bring the open ports into line with those requested and those there are."""
        vanished = set(self._names.inputs) - set(names.inputs)
        self._names = names
        self._reconcile_input(names.inputs)
        self._reconcile_output(names.outputs)
        virtual = self._virtual_source
        # A virtual input does not show which program plays into it, or that it has gone; keys still down when
        # an input vanishes are counted as its own.
        if vanished and virtual is not None and virtual.held.anything_down():
            self._release(virtual)
            self._notify(f"{', '.join(sorted(vanished))} vanished; its keys count as released", "warning")

    def _reconcile_input(self, names: tuple[str, ...]) -> None:
        source = self._source
        if source is not None and source.name not in names:
            self._source = None
            self._close_source(source)
            self._notify_unplugged(source.name)
            return
        requested = self._requested_input
        if requested == "auto":
            requested = first_keyboard(names, self._api) if source is None else source.name
        target = self._target(requested, names, "input")
        if source is not None and source.name != target:
            self._source = None
            self._close_source(source)
        if target and self._source is None:
            found = self._new_source(target, f"{self._settings.virtual_name} listener")
            try:
                connect(found.port, target, f"{self._settings.virtual_name} listener")
            except PortError as error:
                self._notify_once(str(error))
                return
            self._listen(found)
            self._source = found
            if self._requested_input != "auto":
                self._requested_input = stable_name(target)
            self._notify(f"listening to {stable_name(target)}", "information")

    def _reconcile_output(self, names: tuple[str, ...]) -> None:
        sink = self._sink
        if sink is not None and sink.name not in names:
            self._close_sink(sink)
            self._notify_unplugged(sink.name)
            return
        target = self._target(self._requested_output, names, "output")
        if sink is not None and sink.name != target:
            self._close_sink(sink)
        if target and self._sink is None:
            port = self._new_output(f"{self._settings.virtual_name} player")
            try:
                connect(port, target, f"{self._settings.virtual_name} player")
            except PortError as error:
                port.delete()
                self._notify_once(str(error))
                return
            self._sink = MidiSink(target, port)
            self._outputs.add(self._sink)
            self._requested_output = stable_name(target)
            self._notify(f"playing on {stable_name(target)}", "information")

    def _close_sink(self, sink: MidiSink) -> None:
        self._sink = None
        self._outputs.remove(sink)
        # Not deleted, but left to the last reference to it: another thread may hold the old list of sinks
        # and send once more.
        end_sending([sink.port])
        if self._link is not None:
            # Of a port in the other process that thread holds a number only.
            sink.port.delete()

    def _target(self, requested: str, names: tuple[str, ...], side: Literal["input", "output"]) -> str:
        if not requested:
            return ""
        try:
            return match_port(requested, names, side)
        except PortError as error:
            self._notify_once(str(error))
            return ""

    def _notify_unplugged(self, name: str) -> None:
        self._notify(f"{stable_name(name)} was unplugged; plug it in again to go on with it", "warning")

    def _notify_once(self, text: str) -> bool:
        """Show the user a line, if it is new since ports were last chosen; return whether it was."""
        if text in self._notified:
            return False
        self._notified.add(text)
        self._notify(text, "warning")
        return True

    def _close_source(self, source: Source) -> None:
        end_callbacks([source.port])
        self._release(source)
        source.port.delete()

    def _release(self, source: Source) -> None:
        source.release(self._outputs, self._clock, self._emit)
