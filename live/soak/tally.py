"""Counts of output messages: notes that sound, and whether each note-on had an off of its own."""

from tatumflow.live.midi.midi_bytes import NOTE_OFF, NOTE_ON, Message


class Tally:
    """Counts messages at an output; an `outputs.Sink`.

    All Notes Off ends nothing here: a synthesizer may ignore it, so every note needs its own off.

    Attributes:
        ons: Note-ons.
        offs: Note-offs that ended a note; those without a note are not counted.
        dropped: Notes struck again before their off had come, by channel.
    """

    name = "tally"

    def __init__(self) -> None:
        self.ons = 0
        self.offs = 0
        self.dropped: dict[int, int] = {}
        self._sounding: set[tuple[int, int]] = set()

    @property
    def hanging(self) -> tuple[tuple[int, int], ...]:
        """Channel and pitch of every note whose off has not come."""
        return tuple(sorted(self._sounding))

    def send(self, message: Message) -> None:
        """Count a message."""
        kind, channel = message[0] & 0xF0, message[0] & 0x0F
        if kind not in (NOTE_ON, NOTE_OFF):
            return
        key = channel, message[1]
        if kind == NOTE_OFF or not message[2]:
            self.offs += key in self._sounding
            self._sounding.discard(key)
            return
        self.ons += 1
        if key in self._sounding:
            self.dropped[channel] = self.dropped.get(channel, 0) + 1
        self._sounding.add(key)
