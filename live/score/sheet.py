"""A track as a part to write: staves, clefs, key and measures, transposed for its reader."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from statistics import median
from typing import Final, Literal

from tatumflow.engine.harmony.instruments import WRITTEN, Instrument
from tatumflow.engine.midi.midi_file import MidiTrack
from tatumflow.live.score.notation import Piece, written_measures
from tatumflow.live.score.quantize import BeatNote, Quantized, WrittenNote, in_one_voice, quantize
from tatumflow.live.score.spelling import WrittenKey, written_key
from tatumflow.live.score.take import Measure, Take

Clef = Literal["treble", "bass"]
Staves = Literal["auto", "1", "2"]

_MIDDLE_C: Final = 60
_BASS: Final = 55
_MONOPHONIC: Final = 0.1
"""Share of chords up to which a track is that of a horn, on one staff."""


@dataclass(frozen=True)
class Staff:
    """A staff of a part; its measures are those of the sheet."""

    clef: Clef
    measures: tuple[tuple[Piece, ...], ...]


@dataclass(frozen=True)
class SheetPart:
    """A player's part.

    Attributes:
        name: Of its track.
        program: General MIDI program.
        staves: One, or two of a piano.
        swing: Place of its off-beats, 0.5 for straight ones.
        played: Its notes.
        merged: Notes that fell on another of their pitch and place.
    """

    name: str
    program: int
    staves: tuple[Staff, ...]
    swing: float
    played: int
    merged: int


@dataclass(frozen=True)
class Sheet:
    """Written music.

    Attributes:
        title: May be empty.
        tempo: Quarters a minute.
        key: As it is written.
        transposition: Semitones by which pitches, chords and key are written above the sound.
        measures: At least one; chords at concert pitch.
        parts: At least one; pitches as they are written.
    """

    title: str
    tempo: float
    key: WrittenKey
    transposition: int
    measures: tuple[Measure, ...]
    parts: tuple[SheetPart, ...]


def make_sheet(
    take: Take,
    tracks: Sequence[MidiTrack],
    reader: Instrument = "C",
    staves: Staves = "auto",
    title: str = "",
) -> Sheet:
    """Return tracks of a take as written music.

    Args:
        take: The take.
        tracks: Of it, at least one, with notes.
        reader: Key of the reader's instrument.
        staves: Of each part; auto gives two to a track that plays chords.
        title: Where the take has none.

    Raises:
        MidiFileError: if it has over 4,096 bars.
    """
    transposition = WRITTEN[reader]
    quantized = [quantize(_in_beats(take, track)) for track in tracks]
    end = max(note.end for found in quantized for note in found.notes)
    measures = take.measures_to(float(end))
    beats = [measure.beats for measure in measures]
    parts = [
        _part(track, found, beats, transposition, staves)
        for track, found in zip(tracks, quantized, strict=True)
    ]
    sounding = written_key(take.key, [note.pitch for track in tracks for note in track.notes])
    beat = measures[0].beat
    return Sheet(
        title=take.title or title,
        tempo=take.tempo * float(beat),
        key=sounding.above(transposition),
        transposition=transposition,
        measures=tuple(measures),
        parts=tuple(parts),
    )


def _in_beats(take: Take, track: MidiTrack) -> list[BeatNote]:
    starts = take.beats_of([note.onset for note in track.notes])
    ends = take.beats_of([note.offset for note in track.notes])
    # What was played before the first beat stands on it.
    return [
        BeatNote(max(start, 0.0), max(end, start + 1e-3, 1e-3), note.pitch, note.onset)
        for start, end, note in zip(starts, ends, track.notes, strict=True)
    ]


def _part(
    track: MidiTrack, found: Quantized, beats: Sequence[int], transposition: int, staves: Staves
) -> SheetPart:
    notes = found.notes
    places = {note.start for note in notes}
    pitches = {(note.start, pitch) for note in notes for pitch in note.pitches}
    chords = len(pitches) - len(places)
    two = staves == "2" or (staves == "auto" and chords > _MONOPHONIC * len(places))
    if two:
        upper = [note for note in notes if note.pitches[0] >= _MIDDLE_C]
        lower = [note for note in notes if note.pitches[0] < _MIDDLE_C]
        written = (
            _staff("treble", upper, beats, transposition),
            _staff("bass", lower, beats, transposition),
        )
    else:
        middle = median(note.pitches[0] for note in notes) + transposition
        written = (_staff("bass" if middle < _BASS else "treble", notes, beats, transposition),)
    return SheetPart(
        track.name or "Part", track.program, written, found.swing, len(notes), len(notes) - len(pitches)
    )


def _staff(clef: Clef, notes: Sequence[WrittenNote], beats: Sequence[int], transposition: int) -> Staff:
    moved = [
        WrittenNote(note.start, note.end, tuple(pitch + transposition for pitch in note.pitches))
        for note in notes
    ]
    return Staff(clef, tuple(written_measures(in_one_voice(moved), beats)))


def length_in_quarters(piece: Piece, measure: Measure) -> Fraction:
    """Return the length of a piece of a measure in quarters."""
    return piece.length * measure.beat
