"""Chord symbols of MusicXML scores (`.musicxml`, `.xml`, `.mxl`), with repeats, endings and jumps.

The elements are those of the MusicXML 4.0 specification of the W3C: `harmony`, `barline`, `direction`.
"""

import io
import zipfile
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Final
from xml.etree.ElementTree import Element

from tatumflow.engine.errors import ChartError
from tatumflow.engine.harmony.changes import ChordChange
from tatumflow.engine.harmony.chart import MOST_BEATS
from tatumflow.engine.harmony.form import Jump, Marks
from tatumflow.live.book.assembly import Header, WrittenBar, assemble, one_line, section_name
from tatumflow.live.book.symbols import read_symbol
from tatumflow.live.book.tunes import Notice, ReadTune
from tatumflow.live.book.xml_tree import parse_xml

LARGEST: Final = 1 << 24
"""Most bytes of a score, unpacked."""

_KINDS: Final = {
    "major": "",
    "minor": "m",
    "augmented": "aug",
    "diminished": "dim",
    "dominant": "7",
    "major-seventh": "maj7",
    "minor-seventh": "m7",
    "diminished-seventh": "dim7",
    "augmented-seventh": "7#5",
    "half-diminished": "m7b5",
    "major-minor": "mMaj7",
    "major-sixth": "6",
    "minor-sixth": "m6",
    "dominant-ninth": "9",
    "major-ninth": "maj9",
    "minor-ninth": "m9",
    "dominant-11th": "11",
    "major-11th": "maj11",
    "minor-11th": "m11",
    "dominant-13th": "13",
    "major-13th": "maj13",
    "minor-13th": "m13",
    "suspended-second": "sus2",
    "suspended-fourth": "sus4",
    "power": "5",
    "none": "N.C.",
}
_ALTERS: Final = {-2: "bb", -1: "b", 0: "", 1: "#", 2: "##"}
_FIFTHS: Final = ("Cb", "Gb", "Db", "Ab", "Eb", "Bb", "F", "C", "G", "D", "A", "E", "B", "F#", "C#")
_MINOR: Final = {"Cb": "Abm", "Gb": "Ebm", "Db": "Bbm", "Ab": "Fm", "Eb": "Cm", "Bb": "Gm", "F": "Dm"} | {
    **{"C": "Am", "G": "Em", "D": "Bm", "A": "F#m", "E": "C#m", "B": "G#m", "F#": "D#m", "C#": "A#m"}
}
_SHARPS: Final = 7
_COMPOUND: Final = {9: 3, 12: 4}
_MOST_ENDINGS: Final = 16


@dataclass
class _Measure:
    """A measure that is being read; places are quarters since its start."""

    changes: list[tuple[Fraction, str]] = field(default_factory=list)
    marks: Marks = field(default_factory=Marks)
    section: str | None = None
    length: Fraction = field(default_factory=Fraction)


@dataclass
class _Time:
    """Metre and resolution in force.

    Attributes:
        beats: Beats of a bar.
        beat: Length of a beat in quarters.
        divisions: Units of duration in a quarter.
    """

    beats: int = 4
    beat: Fraction = field(default_factory=lambda: Fraction(1))
    divisions: Fraction = field(default_factory=lambda: Fraction(1))


def unpacked(data: bytes) -> bytes:
    """Return the score of a compressed file (`.mxl`); what is not compressed comes back as it is.

    Raises:
        ChartError: if the archive is damaged, holds no score, or a score larger than 16 MB.
    """
    if not data.startswith(b"PK"):
        return data
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            names = archive.namelist()
            scores = [name for name in names if name.endswith((".xml", ".musicxml"))]
            inside = [name for name in scores if not name.startswith("META-INF/")]
            if "META-INF/container.xml" in names:
                container = parse_xml(_member(archive, "META-INF/container.xml"))
                rooted = [item.get("full-path", "") for item in _all(container, "rootfile")]
                inside = [name for name in rooted if name in names] or inside
            if not inside:
                raise ChartError("holds no score; export it again as MusicXML")
            return _member(archive, inside[0])
    except (zipfile.BadZipFile, OSError, EOFError, ValueError, NotImplementedError, RuntimeError) as error:
        raise ChartError(f"is a damaged .mxl file ({error}); export it again") from None


def _member(archive: zipfile.ZipFile, name: str) -> bytes:
    with archive.open(name) as file:
        data = file.read(LARGEST + 1)
    if len(data) > LARGEST:
        raise ChartError("holds a score larger than 16 MB; export the tune alone")
    return data


def read_score(data: bytes, name: str = "") -> ReadTune:
    """Read the chord symbols of a score, of the first part that has any.

    Args:
        data: The score, compressed or not.
        name: The title where the score has none.

    Raises:
        ChartError: if it is no score in parts, has no chord symbols, or is too long.
    """
    root = parse_xml(unpacked(data))
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]
    if root.tag != "score-partwise":
        raise ChartError(f"is {root.tag!r}, not a score in parts; export it as MusicXML 'partwise'")
    part = next((part for part in root.iterfind("part") if part.find(".//harmony") is not None), None)
    if part is None:
        raise ChartError("has no chord symbols; write them above the staff and export it again")
    notices: list[Notice] = []
    bars, pickup = _bars(part, notices)
    composer = next((c for c in root.iterfind("identification/creator") if c.get("type") == "composer"), None)
    title = _text(root, "work/work-title") or _text(root, "movement-title") or name
    header = Header(title, _words(composer), _key(part), "", _tempo(part))
    return assemble(header, bars, notices, pickup)


def _all(element: Element, tag: str) -> list[Element]:
    return [child for child in element.iter() if child.tag.rpartition("}")[2] == tag]


def _text(element: Element, path: str) -> str:
    return _words(element.find(path))


def _words(element: Element | None) -> str:
    return "" if element is None or element.text is None else element.text.strip()


def _number(text: str | None, default: Fraction) -> Fraction:
    try:
        number = Fraction((text or "").strip()[:20])
    except (ValueError, ZeroDivisionError):
        return default
    return number if abs(number) < 1_000_000 else default


def _bars(part: Element, notices: list[Notice]) -> tuple[list[WrittenBar], tuple[ChordChange, ...]]:
    """Return the bars, and the chords of a pick-up as `assemble` takes them."""
    time = _Time()
    bars: list[WrittenBar] = []
    pickup: tuple[ChordChange, ...] = ()
    section: str | None = None
    for index, element in enumerate(part.iterfind("measure")):
        number = len(bars) + 1
        measure = _measure(element, time, number, notices)
        whole = time.beats * time.beat
        if index == 0 and (element.get("implicit") == "yes" or 0 < measure.length < whole):
            length = measure.length or whole
            changes = _changes(measure, length, time, number, notices)
            pickup = tuple(replace(change, beat=change.beat - length / time.beat) for change in changes)
            section = measure.section
            continue
        changes = _changes(measure, whole, time, number, notices)
        bars.append(WrittenBar(number, changes, time.beats, measure.marks, measure.section or section))
        section = None
    return bars, pickup


def _changes(
    measure: _Measure, length: Fraction, time: _Time, number: int, notices: list[Notice]
) -> tuple[ChordChange, ...]:
    """Return the chords of a measure of so many quarters on their beats, in order."""
    changes = [
        change
        for place, symbol in measure.changes
        if (change := _change(symbol, min(place, length - time.beat / 8) / time.beat, number, notices))
    ]
    by_beat = {change.beat: change for change in changes}
    return tuple(by_beat[beat] for beat in sorted(by_beat))


def _measure(element: Element, time: _Time, number: int, notices: list[Notice]) -> _Measure:
    """Read a measure; its attributes change the metre in force."""
    measure = _Measure()
    at = Fraction(0)
    for child in element:
        if child.tag == "attributes":
            _use_attributes(child, time, number, notices)
        elif child.tag == "harmony":
            offset = _number(child.findtext("offset"), Fraction(0)) / time.divisions
            measure.changes.append((max(at + offset, Fraction(0)), _symbol(child)))
        elif child.tag in ("note", "backup", "forward"):
            if child.tag == "note" and (child.find("chord") is not None or child.find("grace") is not None):
                continue
            duration = _number(child.findtext("duration"), Fraction(0)) / time.divisions
            at = max(at + (-duration if child.tag == "backup" else duration), Fraction(0))
            measure.length = max(measure.length, at)
        elif child.tag == "barline":
            _use_barline(child, measure)
        elif child.tag == "direction":
            _use_direction(child, measure)
        elif child.tag == "sound":
            _use_sound(child, measure)
    return measure


def _use_attributes(element: Element, time: _Time, number: int, notices: list[Notice]) -> None:
    divisions = _number(element.findtext("divisions"), time.divisions)
    time.divisions = divisions if divisions > 0 else time.divisions
    upper, lower = element.findtext("time/beats"), element.findtext("time/beat-type")
    if upper is None or lower is None:
        return
    beats = sum(int(part) for part in upper.split("+") if part.strip().isdecimal() and len(part) < 4)
    unit = _number(lower, Fraction(4))
    if unit == 8 and beats in _COMPOUND:
        notices.append(Notice("metre", number, f"{beats}/8 is counted in {_COMPOUND[beats]}, with triplets"))
        time.beats, time.beat = _COMPOUND[beats], Fraction(3, 2)
    elif unit in (1, 2) and 1 <= beats * 4 / unit <= MOST_BEATS:
        time.beats, time.beat = int(beats * 4 / unit), Fraction(1)
    elif unit in (4, 8, 16) and 1 <= beats <= MOST_BEATS:
        time.beats, time.beat = beats, 4 / unit
    else:
        notices.append(Notice("metre", number, f"{one_line(upper)}/{one_line(lower)} is not known; left out"))


def _symbol(harmony: Element) -> str:
    """Return the symbol of a chord as text."""
    kind = harmony.find("kind")
    name = _words(kind)
    if name == "none":
        return "N.C."
    root = harmony.findtext("root/root-step", "").strip()
    if not root:
        # Functions and Roman numerals have no root of their own.
        return (kind.get("text") if kind is not None else None) or "?"
    root += _ALTERS.get(int(_number(harmony.findtext("root/root-alter"), Fraction(0))), "")
    tail = _KINDS.get(name)
    if tail is None:
        tail = (kind.get("text") if kind is not None else None) or ""
    added, subtracted = "", set[str]()
    for degree in harmony.iterfind("degree"):
        value = degree.findtext("degree-value", "").strip()[:2]
        alter = _ALTERS.get(int(_number(degree.findtext("degree-alter"), Fraction(0))), "")
        if degree.findtext("degree-type", "").strip() == "subtract":
            subtracted.add(value)
        elif value == "4" and not alter:
            tail += "sus4"
        elif value.isdecimal():
            added += f"{alter}{value}" if alter or tail[-1:].isdecimal() is False else f"add{value}"
    bass = harmony.findtext("bass/bass-step", "").strip()
    bass += _ALTERS.get(int(_number(harmony.findtext("bass/bass-alter"), Fraction(0))), "") if bass else ""
    return f"{root}{tail}{added}{f'/{bass}' if bass else ''}"


def _change(symbol: str, beat: Fraction, number: int, notices: list[Notice]) -> ChordChange | None:
    read = read_symbol(symbol)
    if read is None:
        text = f"{one_line(symbol)!r} is not understood; the chord before is held"
        notices.append(Notice("unreadable", number, text))
        return None
    if not read.exact:
        nearest = "no chord" if read.chord is None else read.chord.symbol
        notices.append(Notice("nearest", number, f"{one_line(symbol)} became {nearest}"))
    return ChordChange(Fraction(beat), read.chord, read.tail)


def _use_barline(element: Element, measure: _Measure) -> None:
    repeat, ending = element.find("repeat"), element.find("ending")
    marks = measure.marks
    if repeat is not None and repeat.get("direction") == "forward":
        marks = replace(marks, repeat_from=True)
    elif repeat is not None:
        times = int(_number(repeat.get("times"), Fraction(2)))
        marks = replace(marks, repeat_to=min(max(times, 1), _MOST_ENDINGS))
    if ending is not None:
        numbers = [int(n) for n in (ending.get("number") or "").replace(" ", ",").split(",") if n.isdecimal()]
        passes = frozenset(n for n in numbers if 1 <= n <= _MOST_ENDINGS)
        if ending.get("type") == "start":
            marks = replace(marks, endings=passes)
        else:
            marks = replace(marks, closes=True)
    if element.find("segno") is not None:
        marks = replace(marks, segno=True)
    if element.find("coda") is not None:
        marks = replace(marks, coda=True)
    measure.marks = marks


def _use_direction(element: Element, measure: _Measure) -> None:
    rehearsal = element.findtext("direction-type/rehearsal")
    if rehearsal and section_name(rehearsal):
        measure.section = section_name(rehearsal)
    sound = element.find("sound")
    if sound is not None:
        _use_sound(sound, measure)
    marks = measure.marks
    if element.find("direction-type/segno") is not None:
        marks = replace(marks, segno=True)
    if element.find("direction-type/coda") is not None and not marks.to_coda:
        marks = replace(marks, coda=True)
    for words in element.iterfind("direction-type/words"):
        text = _words(words).lower().replace(".", "")
        back = "dc" if "dc" in text.split() or "da capo" in text else ""
        back = back or ("ds" if "ds" in text.split() or "dal segno" in text else "")
        if back and marks.jump is None:
            until = "coda" if "coda" in text else "fine" if "fine" in text else ""
            marks = replace(marks, jump=Jump(back == "ds", until))
        elif text == "to coda":
            marks = replace(marks, to_coda=True, coda=False)
        elif text == "fine":
            marks = replace(marks, fine=True)
    measure.marks = marks


def _use_sound(element: Element, measure: _Measure) -> None:
    marks = measure.marks
    if element.get("segno"):
        marks = replace(marks, segno=True)
    if element.get("tocoda"):
        marks = replace(marks, to_coda=True, coda=False)
    elif element.get("coda"):
        marks = replace(marks, coda=True)
    if element.get("fine"):
        marks = replace(marks, fine=True)
    if element.get("dacapo") or element.get("dalsegno"):
        marks = replace(marks, jump=Jump(element.get("dalsegno") is not None))
    measure.marks = marks


def _key(part: Element) -> str:
    key = part.find("measure/attributes/key")
    if key is None:
        return ""
    fifths = int(_number(key.findtext("fifths"), Fraction(0)))
    if not -_SHARPS <= fifths <= _SHARPS:
        return ""
    major = _FIFTHS[fifths + _SHARPS]
    return _MINOR[major] if key.findtext("mode", "").strip() == "minor" else major


def _tempo(part: Element) -> float:
    sound = next((s for s in part.iter("sound") if s.get("tempo")), None)
    if sound is not None:
        return float(_number(sound.get("tempo"), Fraction(0)))
    return float(_number(part.findtext(".//metronome/per-minute"), Fraction(0)))
