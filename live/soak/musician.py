"""A random musician: phrases, chords, pedal, interruptions, and commands at the controls."""

import itertools
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from tatumflow.engine.band.styles import STYLE_NAMES
from tatumflow.engine.messages import BeginBars, Command, EndTune, PlayKey, SetControl, TakeTurn, YieldTurn
from tatumflow.engine.midi.events import SUSTAIN
from tatumflow.live.midi.midi_bytes import CONTROL_CHANGE, NOTE_OFF, NOTE_ON, Message

MUSICIAN_CHANNEL: Final = 6
"""Channel that only the musician plays on, 0 to 15."""

_PITCHES: Final = (40, 90)
_VELOCITIES: Final = (30, 115)
_PHRASE_NOTES: Final = (3, 24)
_SPACING: Final = (0.07, 0.35)
_SHORTEST: Final = 0.02
_CHORD: Final = 4
_CHORD_SHARE: Final = 0.2
_PEDAL_SHARE: Final = 0.15
_COMMAND_SHARE: Final = 0.3
_PAUSES: Final = (0.2, 8.0)
_RESTS: Final = (30.0, 0.05)


WITH_BAND: Final = {"band": 1, "chords": "rhythm changes", "tempo": 160.0, "metronome": 0.5}
"""Controls of a session with the band and the metronome."""


@dataclass(frozen=True, slots=True)
class Gesture:
    """Something done at `time` seconds: a message on the keyboard, or a command at the screen."""

    time: float
    what: Message | Command


def gestures(seed: int, styles: Sequence[str], leave: Collection[str] = ()) -> Iterator[Gesture]:
    """Yield what a musician does, in order of time from 0 on; the same seed does the same.

    No key is struck while it is down. After each phrase follows a pause: some too short for the companion to
    begin, some long enough for it to finish, most of them ending while it plays.

    Args:
        seed: Seed of the random generator.
        styles: Slugs to choose from; not empty.
        leave: Controls that are not touched.
    """
    rng = np.random.default_rng(seed)
    time = 1.0
    while True:
        phrase = sorted(_phrase(rng, time), key=lambda gesture: gesture.time)
        yield from phrase
        time = phrase[-1].time
        if rng.random() < _COMMAND_SHARE:
            time += float(rng.uniform(0.0, 2.0))
            command = _command(rng, styles)
            if not (isinstance(command, SetControl) and command.name in leave):
                yield Gesture(time, command)
        length, share = _RESTS
        time += length if rng.random() < share else float(rng.uniform(*_PAUSES))


def _phrase(rng: np.random.Generator, start: float) -> Iterator[Gesture]:
    """Yield a phrase, unordered; offs lie before the next on of their key."""
    keys: dict[int, float] = {}
    onset = start
    pedal = rng.random() < _PEDAL_SHARE
    if pedal:
        yield Gesture(start, (CONTROL_CHANGE | MUSICIAN_CHANNEL, SUSTAIN, 127))
    for _ in range(int(rng.integers(*_PHRASE_NOTES))):
        spacing = float(rng.uniform(*_SPACING))
        together = int(rng.integers(2, _CHORD + 1)) if rng.random() < _CHORD_SHARE else 1
        for pitch in map(int, rng.choice(np.arange(*_PITCHES), together, replace=False)):
            if keys.get(pitch, 0.0) >= onset:
                continue
            end = keys[pitch] = onset + max(_SHORTEST, spacing * float(rng.uniform(0.3, 3.0)))
            velocity = int(rng.integers(*_VELOCITIES))
            yield Gesture(onset, (NOTE_ON | MUSICIAN_CHANNEL, pitch, velocity))
            yield Gesture(end, (NOTE_OFF | MUSICIAN_CHANNEL, pitch, 0))
        onset += spacing
    if pedal:
        yield Gesture(max(onset, *keys.values()), (CONTROL_CHANGE | MUSICIAN_CHANNEL, SUSTAIN, 0))


def _command(rng: np.random.Generator, styles: Sequence[str]) -> Command:
    """Return something to do at the screen, but never a panic, which would end hung notes."""
    offers: tuple[Command, ...] = (
        TakeTurn(),
        YieldTurn(),
        BeginBars(),
        PlayKey(int(rng.integers(*_PITCHES))),
        SetControl("mode", str(rng.choice(["answer", "answer", "continue", "improvise", "restyle"]))),
        SetControl("style", str(rng.choice(list(styles)))),
        SetControl("temperature", round(float(rng.uniform(0.5, 1.5)), 2)),
        SetControl("density", round(float(rng.uniform(-1.0, 1.0)), 2)),
        SetControl("trade_bars", int(rng.choice([0, 0, 1, 2]))),
        SetControl("chords", str(rng.choice(["", "blues in F"]))),
        SetControl("band", int(rng.integers(2))),
        SetControl("band_style", str(rng.choice(STYLE_NAMES))),
        EndTune(),
        SetControl("swing", float(rng.choice([0.0, 1.0]))),
        SetControl("seed", int(rng.integers(1000))),
    )
    return offers[int(rng.integers(len(offers)))]


def until(gestures: Iterator[Gesture], end: float) -> Iterator[Gesture]:
    """Yield the gestures before `end` seconds, then the note-offs of keys still down, at `end`."""
    keys: set[int] = set()
    for gesture in itertools.takewhile(lambda gesture: gesture.time < end, gestures):
        match gesture.what:
            case (kind, pitch, _) if kind & 0xF0 == NOTE_ON:
                keys.add(pitch)
            case (kind, pitch, _) if kind & 0xF0 == NOTE_OFF:
                keys.discard(pitch)
            case _:
                pass
        yield gesture
    for pitch in sorted(keys):
        yield Gesture(end, (NOTE_OFF | MUSICIAN_CHANNEL, pitch, 0))
    yield Gesture(end, (CONTROL_CHANGE | MUSICIAN_CHANNEL, SUSTAIN, 0))
