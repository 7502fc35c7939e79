"""`tatumflow score`: a recording becomes a score that other programs and the book read."""

import sys
import xml.etree.ElementTree as ElementTree
from collections import Counter
from fractions import Fraction
from pathlib import Path
from random import Random

import pytest

from tatumflow.engine.clock import VirtualClock
from tatumflow.engine.errors import MidiFileError, SettingError, TatumFlowError
from tatumflow.engine.harmony.chart import parse_chart
from tatumflow.engine.harmony.instruments import WRITTEN
from tatumflow.engine.midi.events import NoteOff, NoteOn
from tatumflow.engine.midi.midi_file import DRUM_CHANNEL, MidiTrack, write_midi
from tatumflow.engine.midi.notes import Note
from tatumflow.engine.tempo.beat_clock import BeatClock
from tatumflow.engine.tempo.time_in_force import TimeInForce
from tatumflow.live.book.music_xml import read_score
from tatumflow.live.commands.score import ScoreOptions, write_score
from tatumflow.live.processes.recorder import Recorder
from tatumflow.live.score.spelling import WrittenKey, written_key

BLUES = parse_chart(
    "{title: Test Blues}{key: F}[A] F7 | Bb7 | F7 | Cm7 F7 | [B] Bb7 | Bdim7 | F7/C | Am7b5 D7b9 |"
    "[C] Gm7 | C7sus4 C7alt | Fmaj7 D7 | Gm7 C13"
)
WALTZ = parse_chart("{title: Waltz}{key: Gm}{time: 3/4} Gm6 | Cm7 | D7 | Gm6")
SWING = 0.64


def record(path, chart, tempo=140.0, solo=True):
    """Record a chorus: swung eighths with a triplet in each fourth bar, over a chord a bar."""
    clock, beats, random = VirtualClock(10.0), BeatClock(tempo, 13.1), Random(1)
    recorder = Recorder(path, clock, lambda text, severity: None)
    recorder.time(10.0, TimeInForce(beats, chart.beats_per_bar, chart))

    def play(take, beat, pitch, length):
        start = beats.time(beat) + random.uniform(-0.008, 0.008)
        take(NoteOn(start, pitch, 80))
        take(NoteOff(start + length * 60 / tempo, pitch))

    for beat in range(chart.beats):
        places = (0, 1 / 3, 2 / 3) if beat % 16 == 3 else (0, SWING)
        for i, place in enumerate(places if solo else ()):
            play(recorder.companion, beat + place, 60 + (5 * beat + 3 * i) % 24, 0.27)
        if beat % chart.beats_per_bar == 0:
            for pitch in (41, 51, 57, 63):
                play(recorder.human, beat, pitch, chart.beats_per_bar * 0.95)
    clock.advance_to(beats.time(chart.beats))
    assert recorder.close() == ""
    return path


@pytest.fixture(scope="module")
def session(tmp_path_factory):
    return record(tmp_path_factory.mktemp("session") / "session.mid", BLUES)


@pytest.fixture(scope="module")
def score(session):
    out = session.with_suffix(".musicxml")
    write_score(ScoreOptions(session, out))
    return out.read_bytes()


def part(data, number):
    return ElementTree.fromstring(data).findall("part")[number]


def note_values(measure, staff=None):
    """Return the quarters of the notes and rests of a measure, without the further notes of chords."""
    notes = [n for n in measure.iterfind("note") if n.find("chord") is None]
    return [
        (Fraction(n.findtext("duration", "0")), n)
        for n in notes
        if staff is None or n.findtext("staff") == staff
    ]


def test_each_player_has_a_part_whose_measures_are_full(score):
    root = ElementTree.fromstring(score)
    names = [name.text for name in root.iterfind("part-list/score-part/part-name")]
    assert names == ["You", "TatumFlow"]
    piano, horn = part(score, 0), part(score, 1)
    assert piano.findtext("measure/attributes/staves") == "2"
    assert horn.find("measure/attributes/staves") is None
    divisions = Fraction(horn.findtext("measure/attributes/divisions", "0"))
    for measure in horn.iterfind("measure"):
        assert sum(length for length, _ in note_values(measure)) == 4 * divisions
    for staff in ("1", "2"):
        for measure in piano.iterfind("measure"):
            assert sum(length for length, _ in note_values(measure, staff)) == 4 * divisions


def test_swung_eighths_are_straight_ones_and_triplets_stay(score):
    values = Counter(
        (n.findtext("type"), n.find("time-modification") is not None)
        for measure in part(score, 1).iterfind("measure")
        for n in measure.iterfind("note")
        if n.find("rest") is None
    )
    assert values == {("eighth", False): 2 * 45, ("eighth", True): 3 * 3}


def test_no_pitch_is_lost(score, session):
    counts = []
    for number in (0, 1):
        heads = Counter[int]()
        for note in part(score, number).iterfind("measure/note"):
            tied = [t.get("type") for t in note.iterfind("tie")]
            if note.find("pitch") is not None and "stop" not in tied:
                step = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
                name, octave = note.findtext("pitch/step", ""), int(note.findtext("pitch/octave", "0"))
                heads[12 * (octave + 1) + step[name] + int(note.findtext("pitch/alter", "0"))] += 1
        counts.append(heads)
    assert counts[0] == {41: 12, 51: 12, 57: 12, 63: 12}
    solo = (60 + (5 * beat + 3 * i) % 24 for beat in range(48) for i in range(3 if beat % 16 == 3 else 2))
    assert counts[1] == Counter(solo)


def test_the_book_reads_chords_key_and_sections_back(score):
    read = read_score(score).chart
    lead = len(read.bars) - len(BLUES.bars)
    assert 0 <= lead <= 2
    assert read.bars[lead:] == BLUES.bars
    assert [(s.name, s.bar - lead) for s in read.sections] == [("A", 0), ("B", 4), ("C", 8)]
    assert (read.name, read.key, read.tempo) == ("Test Blues", "F", 140)


def test_it_is_valid_by_the_schema_that_the_library_brings(score):
    import music21
    import xmlschema

    folder = Path(str(music21.__file__)).parent
    schema = xmlschema.XMLSchema(str(folder / "musicxml" / "musicxml.xsd"))
    errors = [error for error in schema.iter_errors(score.decode())]
    # That schema is of MusicXML 2.0; these attributes came with 3.0 and 3.1.
    later = ("'measure' attribute", "'halign' attribute", "'valign' attribute", "'placement' attribute")
    assert [e.reason for e in errors if not str(e.reason).startswith(later)] == []


def test_the_library_reads_the_score_back(score):
    from music21 import converter, harmony, stream

    read = converter.parseData(score, format="musicxml")
    assert isinstance(read, stream.Score)
    bars = {m.number: m for m in read.parts[-1].getElementsByClass("Measure")}
    assert all(m.duration.quarterLength == 4 for m in bars.values())
    assert len(read.parts) == 3
    chords = [c for c in read.recurse().getElementsByClass(harmony.ChordSymbol)]
    assert {"F", "B-", "C", "D", "G", "A", "B"} == {c.root().name for c in chords}


@pytest.mark.parametrize(("reader", "chromatic", "fifths"), [("Bb", -2, 1), ("Eb", -9, 2), ("F", -7, 0)])
def test_horns_read_their_part_higher_than_it_sounds(session, tmp_path, reader, chromatic, fifths):
    out = tmp_path / "solo.musicxml"
    write_score(ScoreOptions(session, out, track="tatumflow", transpose=reader))
    solo = part(out.read_bytes(), 0)
    attributes = solo.find("measure/attributes")
    assert attributes is not None
    assert attributes.findtext("transpose/chromatic") == str(chromatic)
    assert attributes.findtext("key/fifths") == str(fifths)
    read = read_score(out.read_bytes()).chart
    assert read.bars[-12:] == BLUES.transposed(-chromatic).bars


def test_a_waltz_has_three_beats_and_a_minor_key(tmp_path):
    source = record(tmp_path / "waltz.mid", WALTZ)
    write_score(ScoreOptions(source, tmp_path / "waltz.xml", track="TatumFlow"))
    read = read_score((tmp_path / "waltz.xml").read_bytes()).chart
    assert (read.beats_per_bar, read.key) == (3, "Gm")
    assert read.bars[-4:] == WALTZ.bars


def test_without_beats_in_the_file_they_are_tracked(tmp_path, capsys):
    random = Random(2)
    notes = [
        Note(0.4 + i * 0.23 + random.uniform(0, 0.01), 0.2, 60 + i * 7 % 12, 80 + 20 * (i % 2 == 0))
        for i in range(96)
    ]
    source = tmp_path / "free.mid"
    write_midi(source, [MidiTrack("You", notes)])
    write_score(ScoreOptions(source, tmp_path / "free.musicxml"))
    assert "beats tracked in the notes" in capsys.readouterr().out
    heads = [
        n
        for n in part((tmp_path / "free.musicxml").read_bytes(), 0).iterfind("measure/note")
        if n.find("pitch") is not None and "stop" not in [t.get("type") for t in n.iterfind("tie")]
    ]
    assert len(heads) == len(notes)


def test_what_cannot_be_written_is_refused_before_anything_is(session, tmp_path):
    with pytest.raises(SettingError, match="no notes of 'Bird'; it has 'You', 'TatumFlow'"):
        write_score(ScoreOptions(session, tmp_path / "a.musicxml", track="Bird"))
    with pytest.raises(SettingError, match="does not end in"):
        write_score(ScoreOptions(session, tmp_path / "a.pdf"))
    with pytest.raises(SettingError, match="--transpose"):
        write_score(ScoreOptions(session, tmp_path / "a.xml", transpose="G"))  # pyright: ignore[reportArgumentType]
    drums = tmp_path / "drums.mid"
    write_midi(drums, [MidiTrack("Drums", [Note(0.0, 0.1, 38, 90)], channel=DRUM_CHANNEL)])
    with pytest.raises(MidiFileError, match="outside drum tracks"):
        write_score(ScoreOptions(drums, tmp_path / "a.xml"))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["drums.mid"]


def test_a_missing_library_is_named_with_its_extra(session, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "music21.musicxml.m21ToXml", None)
    monkeypatch.setitem(sys.modules, "music21", None)
    with pytest.raises(TatumFlowError, match=r"tatumflow\[score\]"):
        write_score(ScoreOptions(session, tmp_path / "a.musicxml"))


def test_keys_spell_pitches_as_players_read_them():
    names = {fifths: [WrittenKey(fifths).spelled(60 + i).name for i in range(12)] for fifths in (-3, 0, 4)}
    assert names[0] == ["C4", "D-4", "D4", "E-4", "E4", "F4", "F#4", "G4", "A-4", "A4", "B-4", "B4"]
    assert [names[-3][i] for i in (3, 4, 6, 11)] == ["E-4", "E4", "G-4", "B4"]
    assert WrittenKey(-6).spelled(59).name == "C-4"
    assert names[4][8] == "G#4"
    for fifths in range(-6, 7):
        for pitch in range(21, 109):
            spelled = WrittenKey(fifths).spelled(pitch)
            natural = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}[spelled.step]
            assert 12 * (spelled.octave + 1) + natural + spelled.alter == pitch
    assert written_key("Bbm", []) == WrittenKey(-5, minor=True)
    assert written_key("F", []).above(WRITTEN["Eb"]) == WrittenKey(2)
