"""MIDI files as melodies, and melodies as MIDI files."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from tatumflow.engine.errors import SettingError
from tatumflow.engine.melodies.gridding import sounding_notes
from tatumflow.engine.melodies.melody import BEATS_PER_BAR, Melody
from tatumflow.engine.melodies.played import PlayedMelodies, played_melodies, steady_beats, tracked_beats
from tatumflow.engine.midi.midi_file import MidiTrack, check_length, read_midi
from tatumflow.engine.midi.notes import Note
from tatumflow.engine.midi.tempo_map import FASTEST_TEMPO, SLOWEST_TEMPO

FILE: Final = "file"
ESTIMATE: Final = "estimate"
"""Sources of the tempo besides a number."""


def read_melodies(source: Path, tempo: str, bars: int) -> PlayedMelodies:
    """Read a MIDI file as melodies.

    Args:
        source: The file.
        tempo: "file" for the file's first tempo, estimated where it states none; "estimate"; or beats per
            minute. A tempo that is not estimated counts bars from the beginning of the file.
        bars: Bars of a melody.

    Raises:
        MidiFileError: if the file cannot be read.
        SettingError: if the tempo is none of these, or no beat is found.
    """
    performance = read_midi(source)
    notes = performance.notes
    check_length(source, notes)
    stated = performance.tempo if tempo == FILE else None if tempo == ESTIMATE else _number(tempo)
    beats = tracked_beats(notes) if stated is None else steady_beats(notes, stated)
    return played_melodies(notes, beats, bars)


def _number(tempo: str) -> float:
    try:
        value = float(tempo)
    except ValueError:
        value = 0.0
    if not SLOWEST_TEMPO <= value <= FASTEST_TEMPO:
        raise SettingError(
            f"--tempo: {tempo!r} is not file, estimate or {SLOWEST_TEMPO:g} to {FASTEST_TEMPO:g} bpm"
        )
    return value


def notes_between(
    melodies: Sequence[Melody], first: PlayedMelodies, last: PlayedMelodies, share: float, start: float = 0.0
) -> tuple[Note, ...]:
    """Return notes of melodies with tempo, swing and loudness a share of the way between two performances."""
    velocity = round(_between(first.velocity, last.velocity, share))
    off_beat = _between(first.off_beat, last.off_beat, share)
    return sounding_notes(melodies, tempo_between(first, last, share), off_beat, velocity, start)


def seconds_between(
    melodies: Sequence[Melody], first: PlayedMelodies, last: PlayedMelodies, share: float
) -> float:
    """Return the length of melodies in seconds, rests at the end included."""
    beats = BEATS_PER_BAR * sum(melody.bars for melody in melodies)
    return beats * 60 / tempo_between(first, last, share)


def tempo_between(first: PlayedMelodies, last: PlayedMelodies, share: float) -> float:
    """Return the tempo in beats per minute a share of the way between two performances."""
    return _between(first.tempo, last.tempo, share)


def melody_track(notes: Sequence[Note]) -> MidiTrack:
    """Return the track of a file of melodies."""
    return MidiTrack("melody", notes)


def _between(one: float, other: float, share: float) -> float:
    return one + share * (other - one)
