"""A companion on a virtual clock, with a port that listens, for the tests of turns and planning."""

from collections.abc import Callable

import numpy as np
from mock_decoder import MockDecoder, mock_shape

from tatumflow.engine.arrays import Floats
from tatumflow.engine.clock import VirtualClock
from tatumflow.engine.controls import Controls
from tatumflow.engine.errors import SettingError
from tatumflow.engine.melodies.melody_model import MelodyModel
from tatumflow.engine.midi.events import HumanEvent, NoteOff, NoteOn, OutputEvent
from tatumflow.engine.midi.notes import Note
from tatumflow.engine.midi.scheduler import Scheduler
from tatumflow.engine.model.phrase_model import PhraseModel
from tatumflow.engine.model.session import ModelSession
from tatumflow.engine.model.take_weights import TakeWeights
from tatumflow.engine.offline import VirtualLoop
from tatumflow.engine.turns.companion import Companion

STYLES = ("", "art-tatum", "charlie-parker")


def style_weights(controls: Controls) -> Floats:
    if controls.style not in STYLES:
        raise SettingError(f"style: {controls.style!r} is not known")
    return np.eye(len(STYLES), dtype=np.float32)[STYLES.index(controls.style)]


class StyleRows:
    """The styles of the tests' model, each a row; `lines` are those of players of single lines."""

    def __init__(self, *lines: str, takes: TakeWeights | None = None) -> None:
        self._lines = {*lines}
        self._takes = takes

    def style_weights(self, controls: Controls) -> Floats:
        return style_weights(controls)

    def plays_lines(self, controls: Controls) -> bool:
        return controls.style in self._lines

    def take_weights(self, controls: Controls) -> TakeWeights | None:
        return self._takes


def context(session: ModelSession) -> list[tuple[int, ...]]:
    """Fields and role of every step, oldest first."""
    record = session.record
    slots = [position % record.capacity for position in range(record.oldest, record.total)]
    return [(*record.fields[slot].tolist(), int(record.role[slot])) for slot in slots]


def new_session(decoder: MockDecoder | None = None) -> ModelSession:
    return ModelSession(decoder or MockDecoder(mock_shape(cache_rows=256, window=192)))


class Port:
    """Collects what is sent, checks that ons and offs of a key alternate, and can be made to fail."""

    def __init__(self) -> None:
        self.events: list[OutputEvent] = []
        self.sounding: set[tuple[int, int]] = set()
        self.broken = False

    def send(self, event: OutputEvent) -> None:
        if self.broken:
            raise OSError("port gone")
        self.events.append(event)
        if isinstance(event, NoteOn):
            key = (event.channel, event.pitch)
            assert key not in self.sounding, "struck again without an off"
            self.sounding.add(key)
        elif isinstance(event, NoteOff):
            self.sounding.discard((event.channel, event.pitch))

    @property
    def ons(self) -> list[NoteOn]:
        return [event for event in self.events if isinstance(event, NoteOn)]

    @property
    def offs(self) -> list[NoteOff]:
        return [event for event in self.events if isinstance(event, NoteOff)]


class Rig:
    """Everything around a companion; times are absolute seconds."""

    def __init__(
        self,
        decoder: MockDecoder | None = None,
        *,
        phrase_model: PhraseModel | None = None,
        melodies: MelodyModel | None = None,
        lines: tuple[str, ...] = (),
        take_weights: TakeWeights | None = None,
        **controls,
    ) -> None:
        self.clock = VirtualClock()
        self.port = Port()
        self.decoder = decoder or MockDecoder(mock_shape(cache_rows=256, window=192))
        self.session = ModelSession(self.decoder)
        self.scheduler = Scheduler(self.port.send, self.clock)
        self.companion = Companion(
            self.session,
            self.scheduler,
            self.clock,
            Controls(**controls),
            StyleRows(*lines, takes=take_weights),
            phrase_model,
            melodies,
        )
        self._loop = VirtualLoop(self.clock, self.scheduler, self.companion)

    def run_to(self, end: float, until: Callable[[], bool] = lambda: False) -> None:
        self._loop.run_to(end, until)

    def human(self, *events: HumanEvent) -> None:
        for event in events:
            self.run_to(event.time)
            self.companion.handle(event)

    def play(self, *onsets: float, length: float = 0.1, first_pitch: int = 60) -> None:
        for index, onset in enumerate(onsets):
            pitch = first_pitch + index % 12
            self.human(NoteOn(onset, pitch, 80), NoteOff(onset + length, pitch))

    def phrase(self, start: float = 1.0, notes: int = 10, gap: float = 0.25) -> float:
        """Play an even phrase and return when it ends."""
        self.play(*(start + gap * index for index in range(notes)))
        return start + gap * (notes - 1) + 0.1

    def run_until(self, turn: str, limit: float = 60.0) -> None:
        self.run_to(self.clock.now() + limit, until=lambda: self.companion.turn == turn)
        assert self.companion.turn == turn

    @property
    def companion_notes(self) -> list[Note]:
        """What the companion's notes sounded like."""
        notes: list[Note] = []
        open_notes: dict[int, NoteOn] = {}
        for event in self.port.events:
            if isinstance(event, NoteOn) and event.channel == 0:
                open_notes[event.pitch] = event
            elif isinstance(event, NoteOff) and event.channel == 0 and event.pitch in open_notes:
                on = open_notes.pop(event.pitch)
                notes.append(Note(on.time, event.time - on.time, on.pitch, on.velocity))
        return sorted(notes, key=lambda note: (note.onset, note.pitch))
