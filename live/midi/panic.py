"""Silence on the ports of other programs and devices, when the engine can no longer send it."""

import time
from collections.abc import Iterable
from typing import Final

from tatumflow.engine.errors import PortError
from tatumflow.live.midi.midi_bytes import NOTE_OFF, Message, silence
from tatumflow.live.midi.midi_ports import PortScanner, connect, new_output, working_api
from tatumflow.live.midi.port_closing import end_sending
from tatumflow.live.quiet import quiet_stderr
from tatumflow.live.settings import PortSettings

_CONNECT_SECONDS: Final = 0.3


def silence_outputs(names: Iterable[str], settings: PortSettings) -> None:
    """Send a note-off for every key on the channels of user and companion, then silence all channels.

    Args:
        names: Outputs to silence; those that are not there, or cannot be opened, are passed over.
        settings: MIDI system, our own name, the companion's channel.

    Raises:
        PortError: if the MIDI system does not answer.
    """
    offs: list[Message] = [
        (NOTE_OFF | channel, pitch, 0)
        for channel in {0, settings.companion_channel - 1}
        for pitch in range(128)
    ]
    with quiet_stderr():
        api = working_api(settings.api)
        scanner = PortScanner(api, settings.virtual_name)
        present = scanner.scan().outputs
        scanner.close()
        for name in set(names).intersection(present):
            port = new_output(api, f"{settings.virtual_name} panic")
            try:
                connect(port, name, f"{settings.virtual_name} panic")
            except PortError:
                continue
            # JACK loses what is sent before it has run a cycle with the new connection.
            time.sleep(_CONNECT_SECONDS)
            for message in (*offs, *silence()):
                port.send_message(message)
            end_sending([port])
            port.delete()
