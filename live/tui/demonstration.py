"""An invented moment of a jam, for pictures of the screen."""

from dataclasses import dataclass, field
from typing import Final

from tatumflow.engine.controls import Controls
from tatumflow.engine.messages import Command, Health, PortStatus, RollNote, Snapshot
from tatumflow.engine.midi.notes import Role
from tatumflow.live.audio.commands import AudioCommand
from tatumflow.live.audio.status import AudioStatus

NOW: Final = 100.0

# Beats, pitches and lengths in beats at 150 beats a minute: a call in F, an answer that runs on past "now".
_BEAT: Final = 0.4
_CALL: Final = (
    (0.0, 65, 0.5), (0.5, 69, 0.5), (1.0, 72, 0.5), (1.5, 76, 1.0), (2.5, 74, 0.5), (3.0, 72, 0.5),
    (3.5, 70, 0.5), (4.0, 69, 1.5), (5.5, 67, 0.5), (6.0, 65, 0.5), (6.5, 64, 0.5), (7.0, 65, 1.8),
    (0.0, 53, 1.9), (0.0, 57, 1.9), (2.0, 55, 1.9), (2.0, 58, 1.9), (4.0, 52, 1.9), (4.0, 58, 1.9),
    (6.0, 48, 2.6), (6.0, 53, 2.6), (6.0, 57, 2.6),
)  # fmt: skip
_ANSWER: Final = (
    (9.5, 77, 0.5), (10.0, 81, 0.5), (10.5, 84, 0.5), (11.0, 88, 0.5), (11.5, 86, 0.25), (11.75, 85, 0.25),
    (12.0, 84, 0.5), (12.5, 82, 0.5), (13.0, 81, 0.5), (13.5, 79, 0.5), (14.0, 78, 0.5), (14.5, 77, 0.5),
    (15.0, 76, 0.5), (15.5, 74, 0.5), (16.0, 73, 0.5), (16.5, 74, 0.5), (17.0, 76, 0.5), (17.5, 79, 1.0),
    (18.5, 77, 0.5), (19.0, 74, 0.5), (19.5, 72, 0.5), (20.0, 69, 0.5), (20.5, 68, 0.5), (21.0, 67, 0.5),
    (21.5, 70, 0.5), (22.0, 72, 0.5), (22.5, 74, 0.5), (23.0, 76, 0.5), (23.5, 77, 2.0),
    (10.0, 53, 1.0), (11.0, 63, 0.9), (11.0, 57, 0.9), (12.0, 46, 1.0), (13.0, 62, 0.9), (13.0, 56, 0.9),
    (14.0, 55, 1.0), (15.0, 65, 0.9), (15.0, 59, 0.9), (16.0, 48, 1.0), (17.0, 64, 1.5), (17.0, 58, 1.5),
    (19.0, 53, 1.0), (20.0, 63, 0.9), (20.0, 57, 0.9), (21.0, 46, 1.0), (22.0, 62, 0.9), (22.0, 56, 0.9),
)  # fmt: skip
_NOW_BEAT: Final = 17.2
_COMMITTED_BEATS: Final = 0.2

STYLES: Final = ("art-tatum", "bill-evans", "bud-powell", "charlie-parker", "fats-waller", "oscar-peterson")


def demonstration() -> Snapshot:
    """Return the companion in the middle of an answer, with more of it planned."""
    notes = [_note(Role.HUMAN, *note) for note in _CALL] + [_note(Role.COMPANION, *note) for note in _ANSWER]
    sounding = tuple(
        (note.role, note.pitch)
        for note in notes
        if note.duration is not None and note.onset <= NOW < note.onset + note.duration
    )
    return Snapshot(
        time=NOW,
        turn="playing",
        controls=Controls(density=0.5),
        notes=tuple(sorted(notes, key=lambda note: note.onset)),
        held=sounding,
        health=Health(send_lateness_p99_ms=0.21, note_cost_p50_ms=2.4, first_note_ms=3.1),
        inputs=(PortStatus("Keystation 61", True, NOW - 4.0),),
        outputs=(PortStatus("built-in synth", True, NOW),),
        model="tatumflow-live",
        styles=STYLES,
        recording="jam.mid",
    )


def _note(role: Role, beat: float, pitch: int, beats: float) -> RollNote:
    return RollNote(
        role=role,
        onset=NOW + (beat - _NOW_BEAT) * _BEAT,
        duration=beats * _BEAT * 0.92,
        pitch=pitch,
        velocity=80,
        planned=beat > _NOW_BEAT + _COMMITTED_BEATS,
    )


@dataclass
class StillLink:
    """An engine link that stands still: always the same snapshot, commands kept in `sent`."""

    snapshot: Snapshot | None
    alive: bool = True
    failure: str = ""
    restarting: bool = False
    sound: AudioStatus | None = None
    sent: list[Command | AudioCommand] = field(default_factory=list)

    def send(self, command: Command | AudioCommand) -> None:
        """Keep the command."""
        self.sent.append(command)

    def audio(self) -> AudioStatus | None:
        """Return the state of the sound."""
        return self.sound

    def latest(self) -> Snapshot | None:
        """Return the snapshot."""
        return self.snapshot
