"""MusicXML, Impro-Visor and MIDI files as charts."""

import io
import zipfile

import mido
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tatumflow.engine.errors import ChartError
from tatumflow.engine.harmony.chart import parse_chart
from tatumflow.live.book.files import read_content
from tatumflow.live.book.improvisor import read_leadsheet
from tatumflow.live.book.midi_markers import read_markers
from tatumflow.live.book.music_xml import read_score
from tatumflow.live.book.symbols import read_symbol
from tatumflow.live.book.tunes import ReadTune

DOCTYPE = (
    '<?xml version="1.0"?><!DOCTYPE score-partwise PUBLIC "-//Recordare//DTD MusicXML 4.0 Partwise//EN" '
    '"http://www.musicxml.org/dtds/partwise.dtd">'
)


def bars(read: ReadTune) -> list[str]:
    return [
        " ".join(change.symbol + (f"@{change.beat}" if change.beat else "") for change in bar)
        for bar in read.chart.bars
    ]


def harmony(root: str, kind: str, more: str = "") -> str:
    alter = "<root-alter>-1</root-alter>" if root.endswith("b") else ""
    return f"<harmony><root><root-step>{root[0]}</root-step>{alter}</root><kind>{kind}</kind>{more}</harmony>"


def note(quarters: int) -> str:
    return f"<note><rest/><duration>{quarters * 2}</duration></note>"


def measure(*content: str, attributes: str = "") -> str:
    return f"<measure {attributes}>{''.join(content)}</measure>"


def score(*measures: str, head: str = "") -> bytes:
    attributes = (
        "<attributes><divisions>2</divisions><key><fifths>-3</fifths><mode>minor</mode></key>"
        "<time><beats>4</beats><beat-type>4</beat-type></time></attributes>"
    )
    first = measures[0].replace(">", f">{attributes}", 1)
    title = "<work><work-title>Tune</work-title></work>"
    creator = '<identification><creator type="composer">A. Writer</creator></identification>'
    parts = f"<part><measure><note/></measure></part><part>{first}{''.join(measures[1:])}</part>"
    return f"{head or DOCTYPE}<score-partwise>{title}{creator}{parts}</score-partwise>".encode()


SIMPLE = score(
    measure(harmony("F", "minor-seventh"), note(4)),
    measure(harmony("B", "dominant"), note(2), harmony("Eb", "major-seventh"), note(2)),
)


def test_a_score_is_read_with_its_header() -> None:
    read = read_score(SIMPLE)
    assert bars(read) == ["Fm7", "B7 Ebmaj7@2"]
    assert (read.chart.name, read.chart.composer, read.chart.key) == ("Tune", "A. Writer", "Cm")


def test_degrees_basses_and_kinds() -> None:
    flat_nine = (
        "<degree><degree-value>9</degree-value><degree-alter>-1</degree-alter>"
        "<degree-type>add</degree-type></degree>"
    )
    bass = "<bass><bass-step>B</bass-step><bass-alter>-1</bass-alter></bass>"
    read = read_score(
        score(
            measure(harmony("G", "dominant", flat_nine), note(4)),
            measure(harmony("C", "minor", bass), note(4)),
            measure(harmony("C", "Tristan"), note(4)),
            measure("<harmony><function>V</function><kind>major</kind></harmony>", note(4)),
            measure("<harmony><root><root-step>C</root-step></root><kind>none</kind></harmony>", note(4)),
        )
    )
    assert bars(read) == ["G7b9", "Cm/Bb", "C", "C", "N.C."]
    assert [(notice.kind, notice.bar) for notice in read.notices] == [("unreadable", 4)]


def test_repeats_endings_and_jumps_of_a_score() -> None:
    left = '<barline location="left">{}</barline>'
    right = '<barline location="right">{}</barline>'
    end = right.format('<ending number="{0}" type="stop"/><repeat direction="backward"/>')
    read = read_score(
        score(
            measure(left.format('<repeat direction="forward"/>'), harmony("A", "minor"), note(4)),
            measure(
                left.format('<ending number="1" type="start"/>'),
                harmony("B", "minor"),
                note(4),
                end.format(1),
            ),
            measure(
                left.format('<ending number="2" type="start"/>'),
                harmony("C", "minor"),
                "<direction><direction-type><words>Fine</words></direction-type></direction>",
                note(4),
                right.format('<ending number="2" type="discontinue"/>'),
            ),
            measure(
                "<direction><direction-type><rehearsal>Bridge</rehearsal></direction-type></direction>",
                harmony("D", "minor"),
                note(4),
                "<direction><direction-type><words>D.C. al Fine</words></direction-type></direction>",
            ),
        )
    )
    assert bars(read) == ["Am", "Bm", "Am", "Cm", "Dm", "Am", "Cm"]
    assert [(section.name, section.bar) for section in read.chart.sections] == [("Bridge", 4)]


def pickup(read: ReadTune) -> list[tuple[str, str]] | None:
    if read.chart.pickup is None:
        return None
    return [(str(change.beat), change.symbol) for change in read.chart.pickup]


@pytest.mark.parametrize("attributes", ["", 'implicit="yes"'])
def test_the_pick_up_of_a_score_ends_with_the_bar_line(attributes: str) -> None:
    first = measure(harmony("D", "minor"), note(1), harmony("G", "dominant"), note(1), attributes=attributes)
    read = read_score(score(first, measure(harmony("C", ""), note(4)), measure(note(4))))
    assert bars(read) == ["C", "C"]
    assert pickup(read) == [("0", "N.C."), ("2", "Dm"), ("3", "G7")]
    assert read.notices == ()
    assert parse_chart(read.chart.text) == read.chart


def test_a_pick_up_without_chords_is_left_out_and_nothing_is_said() -> None:
    rehearsal = "<direction><direction-type><rehearsal>A</rehearsal></direction-type></direction>"
    read = read_score(
        score(
            measure(rehearsal, note(1), attributes='implicit="yes"'),
            measure(harmony("C", ""), note(4)),
            measure(harmony("F", ""), note(2)),
        )
    )
    assert (bars(read), pickup(read), read.notices) == (["C", "F"], None, ())
    assert [(section.name, section.bar) for section in read.chart.sections] == [("A", 0)]


def test_the_chord_of_a_pick_up_is_held() -> None:
    read = read_score(score(measure(harmony("C", ""), note(2)), measure(note(2), harmony("F", ""), note(2))))
    assert (bars(read), pickup(read)) == (["C F@2"], [("0", "N.C."), ("2", "C")])


def test_what_of_a_pick_up_is_longer_than_a_bar_is_left_out() -> None:
    two = "<attributes><time><beats>2</beats><beat-type>4</beat-type></time></attributes>"
    read = read_score(
        score(
            measure(harmony("D", "minor"), note(1), harmony("G", "dominant"), note(2)),
            *(measure(two, harmony("C", ""), note(2)) for _ in range(3)),
        )
    )
    assert pickup(read) == [("0", "G7")]
    assert [notice.kind for notice in read.notices] == ["pick-up"]


def test_a_compressed_score_is_read() -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        container = '<container><rootfiles><rootfile full-path="a/s.musicxml"/></rootfiles></container>'
        archive.writestr("META-INF/container.xml", container)
        archive.writestr("a/s.musicxml", SIMPLE)
    (read,) = read_content(packed.getvalue(), suffix=".mxl").tunes
    assert bars(read) == ["Fm7", "B7 Ebmaj7@2"]


BOMB = (
    '<!DOCTYPE score-partwise [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>'
    "<score-partwise>&b;</score-partwise>"
)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (BOMB.encode(), "declares entities"),
        (b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/hostname">]><x>&e;</x>', "declares entities"),
        (b"<a>" * 5000, "nested over 100"),
        (b"<score-timewise/>", "score-timewise"),
        (b"<score-partwise><part/></score-partwise>", "no chord symbols"),
        (b"<score-partwise>", "not well-formed"),
        (b"PK\3\4 not an archive", "damaged"),
        (b"", "not well-formed"),
    ],
)
def test_what_is_no_score_is_refused(data: bytes, reason: str) -> None:
    with pytest.raises(ChartError, match=reason):
        read_score(data)


SHEET = """(title Some (Other) Tune)
(composer A. Writer)
(meter 3 4)
(key -3)
(tempo 140.0)
(style waltz (swing 0.67) (bass-high g-))
(part (type chords) (title ) (volume 65) (key 0))
(section (style waltz))
CM7 | Dm7 / G7 | NC | / |
(section (style))
Cphryg | C\\D7 | Xyz | Bb7alt/Ab |
(section (style waltz))
CM7 | Dm7 / G7 | NC | / |
(part (type melody) (title ) (instrument 11))
 C4 A8 r1+1
"""


def test_a_lead_sheet_is_read() -> None:
    read = read_leadsheet(SHEET)
    assert bars(read) == [
        *("CM7", "Dm7 G7@2", "N.C.", "N.C."),
        *("Cmaj7", "D7", "D7", "Bb7alt/Ab"),
        *("CM7", "Dm7 G7@2", "N.C.", "N.C."),
    ]
    chart = read.chart
    assert [(section.name, section.bar) for section in chart.sections] == [("A", 0), ("B", 4), ("A", 8)]
    assert (chart.composer, chart.key, chart.style, chart.tempo) == ("A. Writer", "Eb", "waltz", 140)
    assert [(notice.kind, notice.bar) for notice in read.notices] == [("nearest", 5), ("nearest", 6)]


def test_the_tempo_of_a_lead_sheet_counts_quarters() -> None:
    read = read_leadsheet("(meter 6 8)(tempo 100)\nC | F |")
    assert (read.chart.beats_per_bar, read.chart.tempo) == (6, 200)
    slow = read_leadsheet("(meter 12 8)(tempo 90)\nC | F |")
    assert (slow.chart.beats_per_bar, slow.chart.tempo) == (4, 60)


def midi(*events: mido.MetaMessage) -> bytes:
    track = mido.MidiTrack([mido.MetaMessage("set_tempo", tempo=500_000), *events])
    written = io.BytesIO()
    mido.MidiFile(ticks_per_beat=480, tracks=[track]).save(file=written)
    return written.getvalue()


def marker(text: str, time: int = 0, kind: str = "marker") -> mido.MetaMessage:
    return mido.MetaMessage(kind, text=text, time=time)


def test_markers_that_name_chords_are_read() -> None:
    read = read_markers(
        midi(
            marker("Head"),
            marker("Dm7"),
            marker("G7", 970),
            marker("Solo", 950),
            marker("Cmaj7"),
            marker("end", 1920),
        ),
        "song",
    )
    assert bars(read) == ["Dm7 G7@2", "Cmaj7"]
    assert [(section.name, section.bar) for section in read.chart.sections] == [("Head", 0), ("Solo", 1)]
    assert (read.chart.name, read.chart.tempo) == ("song", 120)


def test_texts_count_where_they_name_more_chords_than_markers() -> None:
    events = [marker("A"), marker("Dm7", kind="text"), marker("G7", 1920, kind="text"), marker("B", 0)]
    read = read_markers(midi(mido.MetaMessage("time_signature", numerator=4, denominator=4), *events))
    assert bars(read) == ["Dm7", "G7"]
    assert [(section.name, section.bar) for section in read.chart.sections] == [("A", 0), ("B", 1)]


def metre(beats: int, time: int = 0) -> mido.MetaMessage:
    return mido.MetaMessage("time_signature", numerator=beats, denominator=4, time=time)


def test_a_first_bar_of_midi_that_is_shorter_than_the_next_is_a_pick_up() -> None:
    after = (marker("Cmaj7"), marker("F7", 1920), marker("end", 1920))
    read = read_markers(
        midi(marker("Head"), metre(2), marker("Dm7"), marker("G7", 480), metre(4, 480), *after)
    )
    assert bars(read) == ["Cmaj7", "F7"]
    assert pickup(read) == [("0", "N.C."), ("2", "Dm7"), ("3", "G7")]
    assert [(section.name, section.bar) for section in read.chart.sections] == [("Head", 0)]
    assert read.notices == ()
    silent = read_markers(midi(metre(1), metre(4, 480), *after))
    assert (bars(silent), pickup(silent), silent.notices) == (["Cmaj7", "F7"], None, ())


def test_a_first_bar_of_midi_that_is_longer_than_the_next_is_a_bar() -> None:
    read = read_markers(midi(metre(4), marker("C"), metre(2, 1920), marker("F"), marker("G", 960)))
    assert (bars(read)[0], pickup(read)) == ("C", None)


@pytest.mark.parametrize("data", [b"", b"MThd", midi(), midi(marker("hello"))])
def test_what_names_no_chords_is_refused(data: bytes) -> None:
    with pytest.raises(ChartError):
        read_markers(data)


@settings(max_examples=60)
@given(
    st.sampled_from([SIMPLE, SHEET.encode(), midi(marker("Dm7"), marker("G7", 1920))]),
    st.integers(0, 400),
    st.binary(max_size=6),
    st.sampled_from(["", ".mxl", ".xml", ".ls", ".mid", ".txt", ".html"]),
)
def test_damaged_files_end_in_a_chart_or_a_chart_error(data: bytes, at: int, put: bytes, suffix: str) -> None:
    try:
        read = read_content(data[:at] + put + data[at + len(put) :], "x", suffix)
    except ChartError:
        return
    assert read.tunes


@pytest.mark.parametrize(
    ("symbol", "chord"),
    [
        ("C\\D7", "D7"),
        ("GBass", "Gmaj7"),
        ("Eb7/B6", "Eb7/B"),
        ("C7(no3)xyz", "C7"),
        ("F#mystery", "Gbm6"),
        ("tacet", None),
    ],
)
def test_symbols_that_are_not_known_become_the_nearest(symbol: str, chord: str | None) -> None:
    read = read_symbol(symbol)
    assert read is not None
    assert (None if read.chord is None else str(read.chord)) == chord


@settings(max_examples=50)
@given(st.text("CDb#7m(9)/\\NTΔø ?\0", max_size=12))
def test_any_text_as_a_symbol_is_read_or_none(text: str) -> None:
    read = read_symbol(text)
    assert read is None or read.chord is None or read.chord.quality
