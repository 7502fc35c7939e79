"""Morphing: turns that open with a melody between the human's phrase and the companion's last one."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import ceil, floor
from typing import Final

import numpy as np

from tatumflow.engine.arrays import Floats
from tatumflow.engine.controls import Controls
from tatumflow.engine.melodies.feel import off_beat_of, swung
from tatumflow.engine.melodies.gridding import grid_notes
from tatumflow.engine.melodies.interpolation import interpolated
from tatumflow.engine.melodies.melody import (
    BEATS_PER_BAR,
    FIRST_PITCH,
    STEPS_PER_BAR,
    STEPS_PER_BEAT,
    Melody,
    event_row,
)
from tatumflow.engine.melodies.melody_model import MelodyModel
from tatumflow.engine.midi.notes import Note, fold_pitch
from tatumflow.engine.tempo.beat_clock import BeatClock, Beats
from tatumflow.engine.tempo.timekeeper import Timekeeper
from tatumflow.engine.turns.opening import NO_OPENING, Opening
from tatumflow.engine.turns.turn_taking import Bars, CompanionTurn
from tatumflow.engine.turns.turn_window import ENTRY_SECONDS

DECODING_SECONDS: Final = 0.1
"""Seconds from the planning of a turn in free time to its first note: time to encode and decode a melody."""

_EARLY: Final = 0.125
"""Beats before a bar line from which a note belongs to it."""

_ROUNDING: Final = 1e-6


@dataclass(frozen=True, slots=True)
class PlayedLine:
    """The top line of a phrase on the grid, and how it was played.

    Attributes:
        melody: The line.
        off_beat: Place of its off-beats within the beat.
        velocity: Median MIDI velocity.
    """

    melody: Melody
    off_beat: float
    velocity: int


@dataclass(frozen=True, slots=True)
class _Start:
    """Where an opening begins: the seconds, and the beat where there is one."""

    time: float
    beat: float | None


def line_of(notes: Sequence[Note], beats: Beats, turn_bars: Bars | None, bars: int) -> PlayedLine | None:
    """Return the top line of some bars of a phrase; None where no note begins in them.

    In free turns they are the first ones, from the bar line before the first note on. Where bars are traded,
    they are the last ones with a note before the player's bars end.

    Args:
        notes: The phrase, by onset.
        beats: Bar lines lie on every fourth beat.
        turn_bars: The player's bars; None in free turns.
        bars: Number of bars.
    """
    if not notes:
        return None
    onset = np.array([beats.beat(note.onset) for note in notes])
    end = np.array([beats.beat(note.offset) for note in notes])
    first, last = (floor((beat + _EARLY) / BEATS_PER_BAR) for beat in (onset[0], onset[-1]))
    if turn_bars is not None:
        first = max(min(last + 1, _next_bar(turn_bars.end)) - bars, first)
    off_beat = off_beat_of(onset)
    pitch = [fold_pitch(note.pitch) for note in notes]
    placed = grid_notes(onset - BEATS_PER_BAR * first, end - onset, pitch, off_beat)
    row = event_row(placed, bars * STEPS_PER_BAR)
    if row.max() < FIRST_PITCH:
        return None
    velocity = round(float(np.median([note.velocity for note in notes])))
    return PlayedLine(Melody(tuple(row.tolist())), off_beat, velocity)


class Morphing:
    """Makes the openings of turns in the mode *morph*.

    The opening is a melody of the model's length between the last phrase of each player: 0 of the control
    `morph` decodes the human's, 1 the companion's, and between them lies a spherical interpolation of their
    latents. Where a player has no phrase yet, it is the other's alone. It begins on the turn's bar line, or
    the next one, where there is a beat; in free time at once, on a grid in the tempo of the controls. It has
    the swing and the loudness of the human's phrase. The likeliest events are decoded, so that the phrases
    alone decide.
    """

    def __init__(self, time: Timekeeper, model: MelodyModel | None) -> None:
        """Begin without a phrase of the companion's; without a model there are no openings."""
        self._time = time
        self._model = model
        self._last: PlayedLine | None = None
        self._turn: CompanionTurn | None = None
        self._start = _Start(0.0, None)
        self._played: PlayedLine | None = None
        self._latents: tuple[Floats, Floats] | None = None
        self._decoded: tuple[float, Melody] | None = None

    @property
    def obstacle(self) -> str:
        """Why turns have no opening, and what to do; empty where they have."""
        if self._model is None:
            return (
                "mode morph plays as answer: there is no model of melodies; train one with "
                "configs/train/music-vae-2bar.yaml, export it, and start again"
            )
        if self._time.beats_per_bar != BEATS_PER_BAR:
            return f"mode morph plays as answer: its melodies are in 4/4, not {self._time.beats_per_bar}/4"
        return ""

    def remember(self, notes: Sequence[Note], turn: CompanionTurn, controls: Controls) -> None:
        """Keep the notes of a turn that has ended, by onset, as the companion's last phrase."""
        if self._model is not None and notes:
            bars = turn.bars
            self._last = line_of(notes, self._beats(notes, controls), bars, self._model.bars) or self._last

    def opening(self, turn: CompanionTurn, controls: Controls, now: float) -> Opening:
        """Return the opening of a turn that is planned, or planned again, at `now` seconds.

        A turn is encoded once, and decoded again only for another share.
        """
        if controls.mode != "morph" or self._model is None or self.obstacle:
            return NO_OPENING
        before = self._turn
        if before is None or turn.call is not before.call or turn.at != before.at:
            self._begin(self._model, turn, controls, now)
        if self._played is None or self._latents is None:
            return NO_OPENING
        if self._decoded is None or self._decoded[0] != controls.morph:
            latent = interpolated(*self._latents, controls.morph)
            self._decoded = controls.morph, self._model.decode(latent)[0]
        return self._placed(self._decoded[1], self._played, controls)

    def _begin(self, model: MelodyModel, turn: CompanionTurn, controls: Controls, now: float) -> None:
        """Encode the phrases between which a turn morphs."""
        self._turn, self._decoded = turn, None
        played = self._called(turn, controls, now, model.bars) if turn.call.notes else None
        lines = [line for line in (played, self._last) if line is not None]
        self._played = lines[0] if lines else None
        self._start = self._starting(turn, now)
        self._latents = None
        if lines:
            means = model.encode([line.melody for line in lines]).mean
            self._latents = means[:1], means[-1:]

    def _called(self, turn: CompanionTurn, controls: Controls, now: float, bars: int) -> PlayedLine | None:
        """Return the line of the human's phrase; keys that are down at `now` seconds are held to the turn."""
        notes = [
            replace(note, duration=max(turn.at + ENTRY_SECONDS, now) - note.onset)
            if note.offset >= now - _ROUNDING
            else note
            for note in turn.call.notes
        ]
        turn_bars = None if turn.bars is None else Bars(0.0, turn.bars.first)
        return line_of(notes, self._beats(notes, controls), turn_bars, bars)

    def _starting(self, turn: CompanionTurn, now: float) -> _Start:
        beats, at = self._time.beats, turn.at + ENTRY_SECONDS
        if beats is None:
            return _Start(max(at, now + DECODING_SECONDS), None)
        bar = _next_bar(beats.beat(at) if turn.bars is None else turn.bars.first)
        return _Start(at, float(max(bar, 0) * BEATS_PER_BAR))

    def _placed(self, melody: Melody, played: PlayedLine, controls: Controls) -> Opening:
        """Return a melody on the beat as it is now, played like a line."""
        beats, start = self._time.beats, self._start
        first = start.beat
        if beats is None or first is None:
            beats, first = BeatClock(controls.tempo, start.time), 0.0
        notes: list[Note] = []
        for note in melody.notes():
            steps = np.array([note.step, note.step + note.steps])
            onset, end = (beats.time(first + beat) for beat in swung(steps / STEPS_PER_BEAT, played.off_beat))
            notes.append(Note(onset, end - onset, note.pitch, played.velocity))
        if not notes:
            return NO_OPENING
        return Opening(
            tuple(notes), beats.time(first), beats.time(first + len(melody.events) / STEPS_PER_BEAT)
        )

    def _beats(self, notes: Sequence[Note], controls: Controls) -> Beats:
        """Return the beat, or where there is none a steady one from the first of some notes on."""
        return self._time.beats or BeatClock(controls.tempo, notes[0].onset)


def _next_bar(beat: float) -> int:
    """Return the number of the first bar that begins on a beat or after it."""
    return ceil(beat / BEATS_PER_BAR - _ROUNDING)
