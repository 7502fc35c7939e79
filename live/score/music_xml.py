"""A sheet as a MusicXML file, by music21."""

import warnings
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

from tatumflow.engine.errors import TatumFlowError
from tatumflow.engine.files.whole_file import whole_file
from tatumflow.engine.harmony.changes import ChordChange
from tatumflow.engine.harmony.chords import Quality
from tatumflow.live.libraries import needed_library
from tatumflow.live.score.notation import Piece
from tatumflow.live.score.sheet import Sheet, SheetPart, Staff, length_in_quarters
from tatumflow.live.score.spelling import WrittenKey
from tatumflow.live.score.take import Measure

EXTRA: Final = "score"
"""The extra that brings music21."""

_SWUNG: Final = 0.55
_KINDS: Final[dict[Quality, str]] = {
    "maj7": "major-seventh",
    "7": "dominant-seventh",
    "m7": "minor-seventh",
    "m7b5": "half-diminished-seventh",
    "dim7": "diminished-seventh",
    "m6": "minor-sixth",
    "7sus4": "suspended-fourth",
    "aug": "augmented",
}
_KINDS_OF_TAILS: Final = {
    **{"": "major", "6": "major-sixth", "m": "minor", "-": "minor", "dim": "diminished"},
    **{"mMaj7": "minor-major-seventh", "mM7": "minor-major-seventh", "sus4": "suspended-fourth"},
    **{"9": "dominant-ninth", "13": "dominant-13th", "maj9": "major-ninth", "m9": "minor-ninth"},
}
_TRANSPOSED: Final = {2: "M-2", 9: "M-6", 7: "P-5"}


def write_music_xml(sheet: Sheet, path: Path) -> None:
    """Write a sheet as MusicXML, whole or not at all.

    Raises:
        TatumFlowError: if music21 is not installed, or the file cannot be written.
    """
    data = music_xml(sheet)
    try:
        with whole_file(path) as partial:
            partial.write_bytes(data)
    except OSError as error:
        raise TatumFlowError(
            f"{path}: cannot be written ({error.strerror}); check that its folder exists and is writable"
        ) from error


def music_xml(sheet: Sheet) -> bytes:
    """Return a sheet as MusicXML.

    Raises:
        TatumFlowError: if music21 is not installed.
    """
    with needed_library("music21", EXTRA), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from music21.musicxml.m21ToXml import GeneralObjectExporter

        return GeneralObjectExporter(_score(sheet)).parse()


def _score(sheet: Sheet) -> Any:  # noqa: ANN401 - music21 is imported late
    from music21 import layout, metadata, stream

    score = stream.Score()
    score.insert(0, metadata.Metadata(title=sheet.title or "Session", composer=""))
    for number, part in enumerate(sheet.parts):
        staves = [
            _staff(sheet, part, staff, first=number == 0 and upper, named=upper)
            for upper, staff in zip((True, False), part.staves, strict=False)
        ]
        for staff in staves:
            score.insert(0, staff)
        if len(staves) > 1:
            score.insert(0, layout.StaffGroup(staves, name=part.name, symbol="brace"))
    return score


def _staff(sheet: Sheet, part: SheetPart, staff: Staff, *, first: bool, named: bool) -> Any:  # noqa: ANN401
    """Return a staff; the first of the sheet has its tempo, the upper one of a part chords and sections."""
    from music21 import clef, expressions, instrument, interval, key, meter, stream, tempo

    result = stream.PartStaff() if len(part.staves) > 1 else stream.Part()
    result.partName = part.name
    player = instrument.Instrument(part.name)
    player.midiProgram = part.program
    if sheet.transposition:
        player.transposition = interval.Interval(_TRANSPOSED[sheet.transposition])
    result.insert(0, player)
    metre: tuple[int, Fraction] | None = None
    symbol = ""
    at = Fraction(0)
    for number, (measure, pieces) in enumerate(zip(sheet.measures, staff.measures, strict=True), start=1):
        written = stream.Measure(number=number)
        if number == 1:
            written.insert(0, clef.BassClef() if staff.clef == "bass" else clef.TrebleClef())
            signature = key.KeySignature(sheet.key.fifths)
            written.insert(0, signature.asKey("minor" if sheet.key.minor else "major"))
            if first:
                written.insert(0, tempo.MetronomeMark(number=round(sheet.tempo)))
            if named and part.swing >= _SWUNG:
                written.insert(0, expressions.TextExpression("Swing"))
        if (measure.beats, measure.beat) != metre:
            metre = (measure.beats, measure.beat)
            written.insert(0, meter.TimeSignature(_metre_name(measure)))
        if named and measure.section:
            written.insert(0, expressions.RehearsalMark(measure.section))
        if named:
            for change in measure.changes:
                if change.symbol != symbol:
                    symbol = change.symbol
                    place = change.beat * measure.beat
                    written.insert(place, _chord_symbol(change, sheet.transposition, sheet.key))
        for piece in pieces:
            written.insert(piece.start * measure.beat, _value(piece, measure, sheet.key))
        result.insert(at, written)
        at += measure.beats * measure.beat
    return result


def _metre_name(measure: Measure) -> str:
    whole = 4 / measure.beat
    if whole.denominator == 1:
        return f"{measure.beats}/{whole.numerator}"
    return f"{measure.beats * measure.beat.numerator}/{4 * measure.beat.denominator}"


def _value(piece: Piece, measure: Measure, key: WrittenKey) -> Any:  # noqa: ANN401
    from music21 import chord, duration, note, tie

    length = duration.Duration(length_in_quarters(piece, measure))
    names = [key.spelled(pitch).name for pitch in piece.pitches]
    if not names:
        rest = note.Rest(duration=length)
        if piece.length == measure.beats:
            rest.fullMeasure = True
        return rest
    value = note.Note(names[0], duration=length) if len(names) == 1 else chord.Chord(names, duration=length)
    if piece.tied_back or piece.tied_on:
        kind = "continue" if piece.tied_back and piece.tied_on else "stop" if piece.tied_back else "start"
        value.tie = tie.Tie(kind)
    return value


def _chord_symbol(change: ChordChange, transposition: int, key: WrittenKey) -> Any:  # noqa: ANN401
    from music21 import harmony

    if change.chord is None:
        return harmony.NoChord("N.C.")
    chord = change.chord.transposed(transposition)
    spelled = key.spelled(60 + chord.root)
    bass = None if chord.bass is None else key.spelled(48 + chord.bass).name[:-1]
    tail = chord.quality if change.tail is None else change.tail
    kind = _KINDS_OF_TAILS.get(tail, _KINDS[chord.quality])
    symbol = harmony.ChordSymbol(root=spelled.name[:-1], bass=bass, kind=kind)
    symbol.chordKindStr = tail
    return symbol
