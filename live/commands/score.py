"""`tatumflow score`: a recorded session as written music."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tatumflow.engine.errors import SettingError
from tatumflow.engine.files.regular_file import check_output
from tatumflow.engine.harmony.instruments import WRITTEN, Instrument
from tatumflow.engine.midi.midi_file import MidiTrack
from tatumflow.engine.rolls.beat_grid import GridSource
from tatumflow.live.score.music_xml import write_music_xml
from tatumflow.live.score.sheet import Sheet, Staves, make_sheet
from tatumflow.live.score.take import Take, read_take

SUFFIXES: Final = (".musicxml", ".xml")
ALL: Final = "all"

_SOURCES: Final = {"tempo": "the file's beats", "beats": "beats tracked in the notes"}


@dataclass(frozen=True)
class ScoreOptions:
    """What the command line gives.

    Attributes:
        source: A MIDI file.
        out: A .musicxml or .xml file.
        track: Name of a track, or `ALL`.
        transpose: Key of the reader's instrument.
        staves: Of each part.
        grid: Where the beats come from: auto, tempo or beats.
    """

    source: Path
    out: Path
    track: str = ALL
    transpose: Instrument = "C"
    staves: Staves = "auto"
    grid: GridSource = "auto"


def write_score(options: ScoreOptions) -> None:
    """Write tracks of a MIDI file as MusicXML.

    Raises:
        SettingError: if an option has no such value, there is no such track, or no beat is found.
        MidiFileError: if the file cannot be read, has no notes, or is too long.
        TatumFlowError: if music21 is missing, or the score cannot be written.
    """
    if options.transpose not in WRITTEN:
        raise SettingError(f"--transpose: {options.transpose!r} is none of {', '.join(WRITTEN)}")
    if options.out.suffix.casefold() not in SUFFIXES:
        raise SettingError(f"{options.out}: its name does not end in {' or '.join(SUFFIXES)}")
    check_output(options.out)
    take = read_take(options.source, options.grid)
    tracks = _tracks(take, options)
    sheet = make_sheet(take, tracks, options.transpose, options.staves, options.source.stem)
    write_music_xml(sheet, options.out)
    print(f"written: {options.out} ({_summary(sheet, take)})")


def _tracks(take: Take, options: ScoreOptions) -> Sequence[MidiTrack]:
    if options.track.casefold() == ALL:
        return take.tracks
    found = [track for track in take.tracks if track.name.casefold() == options.track.casefold()]
    if not found:
        names = ", ".join(repr(track.name) for track in take.tracks)
        raise SettingError(
            f"--track: {options.source.name} has no notes of {options.track!r}; it has {names}, or give all"
        )
    return found


def _summary(sheet: Sheet, take: Take) -> str:
    parts = [f"{len(sheet.measures)} measures", _SOURCES[take.source]]
    for part in sheet.parts:
        swing = f", off-beats at {part.swing:.2f} of the beat" if part.swing > 0.5 else ""
        merged = f", {part.merged} of them repeated too fast to write" if part.merged else ""
        parts.append(f"{part.name}: {part.played} notes{merged}{swing}")
    return "; ".join(parts)
