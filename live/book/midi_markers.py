"""Chords that the markers or texts of a MIDI file name, as Band-in-a-Box and notation programs write them."""

import io
from collections import Counter
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Final

import mido

from tatumflow.engine.errors import ChartError, ChordError
from tatumflow.engine.harmony.changes import ChordChange
from tatumflow.engine.harmony.chart import MOST_BEATS
from tatumflow.engine.harmony.chords import chord_tail, parse_chord
from tatumflow.engine.harmony.form import MOST_BARS
from tatumflow.live.book.assembly import Header, WrittenBar, assemble, section_name
from tatumflow.live.book.tunes import Notice, ReadTune

_KINDS: Final = ("marker", "text", "cue_marker", "lyrics")
_LONGEST: Final = 24
_GRID: Final = 4
_COMPOUND: Final = {9: 3, 12: 4}


@dataclass(frozen=True)
class _Text:
    tick: int
    kind: str
    text: str


@dataclass(frozen=True)
class MarkedBars:
    """The bars of a MIDI file, with the chords and sections that its texts name.

    Attributes:
        bars: In order, to the end of the file at least.
        starts: Tick of each bar, its beats, and the ticks of one of them.
        ticks_per_quarter: Ticks of a quarter note.
        has_metre: Whether the file states a metre; else the bars have four quarters.
        has_chords: Whether a text names a chord.
        key: As the file names it; empty where it names none.
        tempo: Its first, in quarters a minute; 0 where it states none.
        title: Name of its first track.
        notices: What was read otherwise than it is written.
    """

    bars: tuple[WrittenBar, ...]
    starts: tuple[tuple[int, int, Fraction], ...]
    ticks_per_quarter: int
    has_metre: bool
    has_chords: bool
    key: str
    tempo: float
    title: str
    notices: tuple[Notice, ...]


def read_markers(data: bytes, name: str = "") -> ReadTune:
    """Read the chords that the texts of a MIDI file name, with its metre, tempo and key.

    The kind of text that names the most chords counts as chords; what markers name besides are sections. A
    first bar that is shorter than the next is a pick-up.

    Args:
        data: The file.
        name: The title.

    Raises:
        ChartError: if it is no MIDI file, names no chords, or has over 4,096 bars.
    """
    marked = read_bars(data)
    if not marked.has_chords:
        raise ChartError("has no markers or texts that name chords; write them as markers such as Dm7")
    header = Header(name, "", marked.key, "", marked.tempo)
    lengths = [beats * beat for _, beats, beat in marked.starts[:2]]
    if len(lengths) < 2 or lengths[0] >= lengths[1]:
        return assemble(header, marked.bars, marked.notices)
    first, second, *others = (replace(bar, number=bar.number - 1) for bar in marked.bars)
    beat, following = (beat for _, _, beat in marked.starts[:2])
    pickup = [replace(change, beat=(change.beat * beat - lengths[0]) / following) for change in first.changes]
    bars = [replace(second, section=second.section or first.section), *others]
    notices = [replace(notice, bar=max(notice.bar - 1, 1)) for notice in marked.notices]
    return assemble(header, bars, notices, pickup)


def read_bars(data: bytes) -> MarkedBars:
    """Read the bars of a MIDI file, with chords and sections as `read_markers` reads them.

    Raises:
        ChartError: if it is no MIDI file, or has over 4,096 bars.
    """
    try:
        file = mido.MidiFile(file=io.BytesIO(data), clip=True)
    except Exception as error:  # the parser raises errors of many kinds
        raise ChartError(f"is no MIDI file that can be read ({error}); export it again") from None
    if file.ticks_per_beat <= 0:
        raise ChartError("counts time in SMPTE frames instead of beats; export it again")
    texts: list[_Text] = []
    metres: list[tuple[int, int, int]] = []
    tempo, key, title, end = 0.0, "", "", 0
    for track in file.tracks:
        tick = 0
        for message in track:
            tick += message.time
            if message.type in _KINDS:
                text = str(message.name if message.type == "cue_marker" else message.text)
                texts.append(_Text(tick, message.type, text.strip()))
            elif message.type == "time_signature":
                metres.append((tick, message.numerator, message.denominator))
            elif message.type == "set_tempo" and not tempo:
                tempo = 60e6 / max(message.tempo, 1)
            elif message.type == "key_signature" and not key:
                key = message.key
            elif message.type == "track_name" and track is file.tracks[0]:
                title = title or str(message.name).strip()
        end = max(end, tick)
    chords = _chords(texts)
    sections = {
        text.tick: section_name(text.text)
        for text in texts
        if text.kind == "marker" and (not chords or chords[0].kind != "marker" or not _is_chord(text.text))
    }
    notices: list[Notice] = []
    last = chords[-1].tick + 1 if chords else 0
    starts = _bar_starts(metres, max(end, last, 1), file.ticks_per_beat, notices)
    bars = _bars(starts, chords, sections, file.ticks_per_beat)
    return MarkedBars(
        bars=tuple(bars),
        starts=tuple(starts),
        ticks_per_quarter=file.ticks_per_beat,
        has_metre=bool(metres),
        has_chords=bool(chords),
        key=key,
        tempo=tempo,
        title=title,
        notices=tuple(notices),
    )


def _chords(texts: list[_Text]) -> list[_Text]:
    """Return the texts that name chords, in order, all of the kind that names the most."""
    named = [text for text in texts if 0 < len(text.text) <= _LONGEST and _is_chord(text.text)]
    # A single letter may as well name a section.
    counts = Counter[str]()
    for text in named:
        counts[text.kind] += min(len(text.text), 2)
    if not counts:
        return []
    kind = max(_KINDS, key=lambda kind: counts[kind])
    return sorted((text for text in named if text.kind == kind), key=lambda text: text.tick)


def _is_chord(text: str) -> bool:
    try:
        parse_chord(text)
    except ChordError:
        return False
    return True


def _bar_starts(
    metres: list[tuple[int, int, int]], end: int, per_quarter: int, notices: list[Notice]
) -> list[tuple[int, int, Fraction]]:
    """Return the first tick of each bar before `end`, its beats, and the ticks of a beat."""
    changes = sorted(metres) or [(0, 4, 4)]
    starts: list[tuple[int, int, Fraction]] = []
    tick = Fraction(0)
    beats, beat = 4, Fraction(per_quarter)
    while tick < end:
        while changes and changes[0][0] <= tick:
            _, upper, lower = changes.pop(0)
            beat = Fraction(4 * per_quarter, max(lower, 1))
            if lower == 8 and upper in _COMPOUND:
                beats, beat = _COMPOUND[upper], beat * 3
                text = f"{upper}/8 is counted in {beats}, with triplets"
                notices.append(Notice("metre", len(starts) + 1, text))
            else:
                beats = min(max(upper, 1), MOST_BEATS)
        starts.append((int(tick), beats, beat))
        tick += beats * beat
        if len(starts) > MOST_BARS:
            raise ChartError(f"has over {MOST_BARS} bars; export the tune alone")
    return starts


def _bars(
    starts: list[tuple[int, int, Fraction]], chords: list[_Text], sections: dict[int, str], per_quarter: int
) -> list[WrittenBar]:
    """Return the bars with their chords, each on the nearest quarter of a beat."""
    bars: list[WrittenBar] = []
    waiting = [*chords]
    early = per_quarter // 8
    for number, (tick, beats, beat) in enumerate(starts, start=1):
        following = starts[number][0] if number < len(starts) else tick + int(beats * beat)
        changes: dict[Fraction, ChordChange] = {}
        while waiting and waiting[0].tick < following - early:
            text = waiting.pop(0)
            place = Fraction(round(Fraction(text.tick - tick) / beat * _GRID), _GRID)
            place = min(max(place, Fraction(0)), beats - Fraction(1, _GRID))
            changes[place] = ChordChange(place, parse_chord(text.text), chord_tail(text.text))
        names = [name for at, name in sections.items() if tick - early <= at < following - early and name]
        ordered = tuple(changes[place] for place in sorted(changes))
        bars.append(WrittenBar(number, ordered, beats, section=names[0] if names else None))
    return bars
