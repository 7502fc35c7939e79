"""Offline playing: the companion on a virtual clock; the same seed gives the same notes bit for bit."""

import heapq
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import inf
from typing import Final

from tatumflow.engine.band.band_note import Part
from tatumflow.engine.clock import Clock, VirtualClock
from tatumflow.engine.messages import TakeTurn, YieldTurn
from tatumflow.engine.midi.events import HumanEvent, NoteOff, NoteOn, OutputEvent
from tatumflow.engine.midi.notes import Note
from tatumflow.engine.midi.scheduler import Scheduler
from tatumflow.engine.model.tokens import TICK_SECONDS
from tatumflow.engine.tempo.band_in_time import BAND_CHANNELS
from tatumflow.engine.tempo.time_in_force import TimeInForce
from tatumflow.engine.turns.companion import Companion
from tatumflow.engine.turns.modes import mode_named
from tatumflow.engine.turns.phrase import PhraseTracker
from tatumflow.engine.turns.planner import COMPANION_CHANNEL
from tatumflow.engine.turns.turn_report import TurnReport
from tatumflow.engine.turns.turn_window import ENTRY_SECONDS

MAX_PHRASE: Final = 12.0
"""Seconds after which a phrase without a pause ends at the next small gap."""

BREATH: Final = 0.5
"""Seconds from the end of an answer to the next phrase of the file."""

_SMALL_GAP: Final = 0.15
_HURRY: Final = 1.5


@dataclass(frozen=True, slots=True)
class OfflineResult:
    """A file's notes and the answers to them, on one clock.

    Attributes:
        human: The file's notes, later phrases moved behind the answers.
        companion: The companion's notes as they sounded.
        band: Those of each part of the band that played.
        turns: One report per answer.
        time: The beat and the chart of music that was improvised; None for a file that was answered.
    """

    human: tuple[Note, ...]
    companion: tuple[Note, ...]
    turns: tuple[TurnReport, ...]
    band: Mapping[Part, tuple[Note, ...]] = field(default_factory=dict)
    time: TimeInForce | None = None


def answer_file(
    notes: Sequence[Note],
    make_companion: Callable[[Scheduler, Clock], Companion],
    *,
    max_phrase: float = MAX_PHRASE,
    progress: Callable[[int], None] = lambda done: None,
) -> OfflineResult:
    """Let a companion answer a file phrase by phrase.

    The file is cut into phrases by the rule that ends them live. After each one the companion plays its
    answer to the end; the rest of the file moves later by as much, plus `BREATH`.

    Args:
        notes: The file's notes; times in seconds from the beginning.
        make_companion: Creates the companion from a scheduler and a virtual clock.
        max_phrase: Seconds after which a phrase is ended at the next small gap.
        progress: Called with the number of the file's notes played so far.
    """
    clock = VirtualClock()
    collector = _Collector()
    scheduler = Scheduler(collector.send, clock)
    companion = make_companion(scheduler, clock)
    loop = VirtualLoop(clock, scheduler, companion)
    patience = mode_named(companion.controls.mode).patience
    human: list[Note] = []
    turns: list[TurnReport] = []
    shift = 0.0
    played = 0
    for phrase in split_phrases(notes, patience=patience, max_phrase=max_phrase):
        shift = max(shift, clock.now() + (BREATH if turns else 0.0) - phrase[0].onset)
        moved = [replace(note, onset=note.onset + shift) for note in phrase]
        for event in _events(moved):
            loop.run_to(event.time)
            companion.handle(event)
            if isinstance(event, NoteOn):
                played += 1
                progress(played)
        human += moved
        answered = len(companion.turns)
        loop.run_to(inf, until=lambda answered=answered: len(companion.turns) > answered)
        turns += list(companion.turns)[answered:]
    # A band goes on for ever if it is not ended.
    end = companion.end_tune(clock.now())
    loop.run_to(inf if end is None else end)
    return OfflineResult(tuple(human), collector.companion, tuple(turns), collector.band)


def improvise(
    make_companion: Callable[[Scheduler, Clock], Companion],
    seconds: float,
    progress: Callable[[float], None] = lambda done: None,
    *,
    form: bool = False,
) -> OfflineResult:
    """Let a companion play alone for some seconds.

    Args:
        make_companion: Creates the companion from a scheduler and a virtual clock.
        seconds: How long; from its first beat on where it plays a form.
        progress: Called with the seconds played so far.
        form: Whether the music is a form of that length, whose last phrase ends with it. Otherwise the
            sounding notes are ended then, wherever the phrase is.
    """
    clock = VirtualClock()
    collector = _Collector()
    scheduler = Scheduler(collector.send, clock)
    companion = make_companion(scheduler, clock)
    loop = VirtualLoop(clock, scheduler, companion)
    start = ENTRY_SECONDS if form else 0.0
    if companion.controls.has_band:
        start = companion.form_begins
    end = start + seconds
    # The band's last chord sounds after the form; without a form everything ends at once.
    band_end = companion.end_tune(end) if form else None
    companion.command(TakeTurn(end if form else None))

    def report() -> bool:
        progress(clock.now())
        return False

    loop.run_to(end, until=report)
    companion.command(YieldTurn())
    if band_end is not None:
        loop.run_to(band_end)
    scheduler.release_all()
    time = companion.time_in_force
    return OfflineResult((), collector.companion, tuple(companion.turns), collector.band, time)


def split_phrases(
    notes: Sequence[Note], *, patience: float = 1.0, max_phrase: float = MAX_PHRASE
) -> list[list[Note]]:
    """Cut notes into phrases where a turn would go over.

    A phrase longer than `max_phrase` seconds ends before the next onset that follows a gap of 0.15 s, or any
    gap once it is half as long again; its sounding notes end there. A note that overlaps the next one of its
    pitch ends where that starts.

    Args:
        notes: Times in seconds, in any order.
        patience: Factor on the silence that ends a phrase; see `Mode.patience`.
        max_phrase: Seconds.

    Returns:
        Phrases in order, each by onset and none empty.
    """
    tracker = PhraseTracker()
    phrases: list[list[Note]] = []
    phrase: list[Note] = []
    offs: list[tuple[float, int]] = []
    for note in _apart(notes):
        while offs and offs[0][0] <= note.onset:
            tracker.feed(NoteOff(*heapq.heappop(offs)))
        due = tracker.turn_due(patience)
        forced = bool(phrase) and _too_long(phrase, note.onset, max_phrase)
        if forced or (due is not None and due <= note.onset):
            phrases.append([_ended_by(earlier, note.onset) for earlier in phrase])
            phrase = []
            for _, pitch in offs:
                tracker.feed(NoteOff(note.onset, pitch))
            offs.clear()
            tracker.next_phrase()
        tracker.feed(NoteOn(note.onset, note.pitch, note.velocity))
        heapq.heappush(offs, (note.offset, note.pitch))
        phrase.append(note)
    return [*phrases, phrase] if phrase else phrases


class _Collector:
    """Collects the events of the companion and the band as notes."""

    def __init__(self) -> None:
        self._notes: dict[int, list[Note]] = {}
        self._sounding: dict[tuple[int, int], NoteOn] = {}

    @property
    def companion(self) -> tuple[Note, ...]:
        """The companion's notes by onset."""
        return self._of(COMPANION_CHANNEL)

    @property
    def band(self) -> Mapping[Part, tuple[Note, ...]]:
        """The notes by onset of each part of the band that played."""
        return {part: notes for part, channel in BAND_CHANNELS.items() if (notes := self._of(channel))}

    def send(self, event: OutputEvent) -> None:
        match event:
            case NoteOn():
                self._sounding[event.channel, event.pitch] = event
            case NoteOff():
                on = self._sounding.pop((event.channel, event.pitch), None)
                if on is not None:
                    duration = max(event.time - on.time, TICK_SECONDS)
                    note = Note(on.time, duration, on.pitch, on.velocity)
                    self._notes.setdefault(event.channel, []).append(note)
            case _:
                pass

    def _of(self, channel: int) -> tuple[Note, ...]:
        return tuple(sorted(self._notes.get(channel, ()), key=_by_onset))


class VirtualLoop:
    """Moves the clock from one piece of work to the next."""

    def __init__(self, clock: VirtualClock, scheduler: Scheduler, companion: Companion) -> None:
        self._clock = clock
        self._scheduler = scheduler
        self._companion = companion

    def run_to(self, end: float, until: Callable[[], bool] = lambda: False) -> None:
        """Do everything due up to `end` seconds, or until `until` is true, or until nothing is due."""
        while True:
            wake = self._companion.advance()
            self._scheduler.run_due(self._clock.now())
            if until():
                return
            due = self._scheduler.next_due()
            following = min((time for time in (wake, due) if time is not None), default=inf)
            if following > end or following == inf:
                if end < inf:
                    self._clock.advance_to(max(end, self._clock.now()))
                return
            self._clock.advance_to(max(following, self._clock.now()))


def _by_onset(note: Note) -> tuple[float, int]:
    return note.onset, note.pitch


def _apart(notes: Sequence[Note]) -> list[Note]:
    """Return notes by onset, those of one pitch not overlapping and not starting together."""
    ordered: list[Note] = []
    last: dict[int, int] = {}
    for note in sorted(notes, key=_by_onset):
        index = last.get(note.pitch)
        if index is not None and note.onset - ordered[index].onset < TICK_SECONDS:
            continue
        if index is not None:
            ordered[index] = _ended_by(ordered[index], note.onset)
        last[note.pitch] = len(ordered)
        ordered.append(note)
    return ordered


def _ended_by(note: Note, time: float) -> Note:
    return replace(note, duration=time - note.onset) if note.offset > time else note


def _too_long(phrase: list[Note], onset: float, max_phrase: float) -> bool:
    length, gap = onset - phrase[0].onset, onset - phrase[-1].onset
    return (length >= max_phrase and gap >= _SMALL_GAP) or (
        length >= _HURRY * max_phrase and gap >= TICK_SECONDS
    )


def _events(notes: Sequence[Note]) -> list[HumanEvent]:
    """Return the ons and offs of notes by time, offs first."""
    ons = [(note.onset, 1, note.pitch, note.velocity) for note in notes]
    offs = [(note.offset, 0, note.pitch, 0) for note in notes]
    return [
        NoteOn(time, pitch, velocity) if kind else NoteOff(time, pitch)
        for time, kind, pitch, velocity in sorted(ons + offs)
    ]
