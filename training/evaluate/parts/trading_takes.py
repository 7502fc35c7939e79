"""Trades over tunes: the player's bars are a real solo's or chords, the companion's the whole engine's.

Both play on the chart's even beat, as to a metronome.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from tatumflow.engine.clock import VirtualClock
from tatumflow.engine.controls import Controls
from tatumflow.engine.midi.events import HumanEvent, NoteOff, NoteOn, OutputEvent
from tatumflow.engine.midi.notes import Note
from tatumflow.engine.midi.scheduler import Scheduler
from tatumflow.engine.model.bundle import Bundle
from tatumflow.engine.model.onnx_decoder import OnnxDecoder
from tatumflow.engine.model.onnx_phrase_model import OnnxPhraseModel
from tatumflow.engine.model.phrase_model import PhraseModel
from tatumflow.engine.model.providers import CPU
from tatumflow.engine.model.session import ModelSession
from tatumflow.engine.model.style_table import StyleTable
from tatumflow.engine.offline import VirtualLoop
from tatumflow.engine.turns.companion import Companion
from tatumflow.engine.turns.planner import COMPANION_CHANNEL
from tatumflow.training.evaluate.generations import seed_of, to_array, to_notes
from tatumflow.training.evaluate.parts.trading_tunes import TURN_BARS, TradedTune
from tatumflow.training.evaluate.primers import Notes

Play = Callable[[Sequence[Note], float, Controls], Notes]
"""From the player's notes, the seconds of a take and the controls to the companion's notes by onset, all in
seconds from the first beat; see `Trader.trade`."""


@dataclass(frozen=True)
class Take:
    """What the companion played over a tune, in seconds from the first beat."""

    tune: TradedTune
    notes: Notes


class Trader:
    """A model that trades bars through the whole engine, each time from an empty context."""

    def __init__(self, session: ModelSession, styles: StyleTable, phrases: PhraseModel | None = None) -> None:
        """Take a context, the model's styles, and what samples the conditions of phrases, None for none."""
        self._session = session
        self._styles = styles
        self._phrases = phrases

    @classmethod
    def of_bundle(cls, bundle: Bundle, *, conditions: bool = True) -> "Trader":
        """Open the bundle's graphs on one CPU thread.

        Without `conditions` phrases are unconditional, not conditioned on samples of the phrase model.

        Raises:
            BundleError: if a graph cannot be run.
        """
        session = ModelSession(OnnxDecoder(bundle, providers=(CPU,)))
        return cls(session, bundle, OnnxPhraseModel(bundle) if conditions else None)

    def trade(self, human: Sequence[Note], seconds: float, controls: Controls) -> Notes:
        """Play beside a player's notes from the first beat on.

        Args:
            human: The player's notes in seconds from the first beat, none of one pitch overlapping.
            seconds: How long.
            controls: How to play; the beat begins at once.

        Returns:
            The companion's notes by onset, in seconds from the first beat; one that sounds a beat too long is
            ended.

        Raises:
            SettingError: if the model lacks a style.
        """
        clock, played = VirtualClock(), _Played()
        scheduler = Scheduler(played.send, clock)
        self._session.reset()
        companion = Companion(self._session, scheduler, clock, controls, self._styles, self._phrases)
        loop, start = VirtualLoop(clock, scheduler, companion), companion.form_begins
        for event in _events(human, start):
            loop.run_to(event.time)
            companion.handle(event)
        loop.run_to(start + seconds + 60.0 / controls.tempo)
        scheduler.release_all()
        notes = to_array(sorted(played.notes, key=lambda note: (note.onset, note.pitch)))
        notes["onset"] -= start
        return notes


class _Played:
    """Collects the companion's events as notes."""

    def __init__(self) -> None:
        self.notes: list[Note] = []
        self._sounding: dict[int, NoteOn] = {}

    def send(self, event: OutputEvent) -> None:
        if isinstance(event, NoteOn) and event.channel == COMPANION_CHANNEL:
            self._sounding[event.pitch] = event
        elif isinstance(event, NoteOff) and event.channel == COMPANION_CHANNEL:
            on = self._sounding.pop(event.pitch, None)
            if on is not None:
                self.notes.append(Note(on.time, event.time - on.time, on.pitch, on.velocity))


def play_takes(
    play: Play,
    tunes: Sequence[TradedTune],
    human: Callable[[TradedTune], Notes],
    controls: Controls,
    *,
    takes: int,
    seed: int = 0,
    progress: Callable[[str], None] = lambda _: None,
) -> tuple[Take, ...]:
    """Trade over tunes in turn, at the tempos of their solos.

    Args:
        play: The companion.
        tunes: The tunes, at least one.
        human: The player's notes over a tune.
        controls: How to play; mode, chords, tempo, clock, turns, count-in and seed are replaced.
        takes: Number of takes.
        seed: Seed of the takes; each has another.
        progress: Called with the number of the take.

    Raises:
        SettingError: if the model lacks a style.
    """
    played: list[Take] = []
    for i in range(takes):
        progress(f"take {i + 1} of {takes}")
        tune = tunes[i % len(tunes)]
        drawn = replace(
            controls,
            mode="answer",
            chords=tune.chart.text,
            tempo=tune.tempo,
            clock="internal",
            trade_bars=TURN_BARS,
            trade_choruses=0,
            count_in=0,
            seed=seed_of(seed, i),
        )
        played.append(Take(tune, play(to_notes(human(tune)), tune.seconds, drawn)))
    return tuple(played)


def _events(notes: Sequence[Note], start: float) -> list[HumanEvent]:
    """Return the ons and offs of notes by time, offs first, `start` seconds later."""
    ons = [(start + note.onset, 1, note.pitch, note.velocity) for note in notes]
    offs = [(start + note.offset, 0, note.pitch, 0) for note in notes]
    return [
        NoteOn(time, pitch, velocity) if begins else NoteOff(time, pitch)
        for time, begins, pitch, velocity in sorted(ons + offs)
    ]
