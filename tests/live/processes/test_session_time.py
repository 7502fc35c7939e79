"""The beats of a recording: bar lines where they were played, chords as the book reads them back."""

from dataclasses import replace

import mido
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tatumflow.engine.clock import VirtualClock
from tatumflow.engine.harmony.chart import parse_chart
from tatumflow.engine.harmony.route import STRAIGHT
from tatumflow.engine.midi.events import NoteOff, NoteOn
from tatumflow.engine.midi.midi_file import read_midi
from tatumflow.engine.midi.tempo_map import TempoMap, tempo_seconds
from tatumflow.engine.tempo.beat_clock import BeatClock
from tatumflow.engine.tempo.time_in_force import TimeInForce
from tatumflow.live.book.midi_markers import read_markers
from tatumflow.live.processes.recorder import Recorder
from tatumflow.live.processes.session_time import SessionTime, TimeSpan, session_map

CHART = parse_chart(
    "{title: Test}{key: Bb}[A] Cm7 | F7b9 | Bbmaj7 | G7alt Dm7 | [B] Ebmaj7 | Ab7 . . Dm7b5 | N.C. | Bb/D"
)


def beat_seconds(beats, found: TempoMap):
    return tempo_seconds([round(480 * beat) for beat in beats], found.tempos, 480)


@given(
    origin=st.floats(0.0, 9.0),
    tempo=st.floats(40.0, 320.0),
    second=st.floats(40.0, 320.0),
    gap=st.floats(0.0, 5.0),
    per_bar=st.sampled_from([3, 4, 5]),
)
@settings(max_examples=40, deadline=None)
def test_bar_lines_lie_where_they_were_played(origin, tempo, second, gap, per_bar):
    first = BeatClock(tempo, 100.0 + origin)
    again = first.time(16 * per_bar) + gap
    other = BeatClock(second, again + 0.3)
    spans = [
        TimeSpan(100.0, TimeInForce(first, 4)),
        TimeSpan(again, TimeInForce(other, per_bar)),
    ]
    found = session_map(spans, 100.0, other.time(8 * per_bar))
    assert found is not None
    (at, of), (last, beats) = found.metres[0], found.metres[-1]
    assert (of, beats) == (4, per_bar)
    bars = beat_seconds([at + 4 * i for i in range(8)], found)
    place = [first.beat(time + 100.0) / 4 for time in bars]
    assert place == pytest.approx([round(place[0]) + i for i in range(8)], abs=0.01)
    if beats != 4:
        assert (last - at) % 4 == pytest.approx(0, abs=1e-6)
        place = [other.beat(time + 100.0) / beats for time in beat_seconds([last, last + beats], found)]
        assert place == pytest.approx([round(place[0]), round(place[0]) + 1], abs=0.01)


def test_a_clock_that_is_followed_is_followed_in_the_file():
    kept = SessionTime()
    now, clock = 0.0, BeatClock(100.0, 1.0)
    while now < 60.0:
        kept.add(now, TimeInForce(clock, 4))
        now += 1 / 30
        clock = clock.at_tempo(100.0 + 20.0 * now / 60.0, now)
    found = session_map(kept.spans, 0.0, 60.0)
    assert found is not None
    assert len(kept.spans) < 200
    start = found.metres[0][0]
    assert beat_seconds([start + clock.beat(58.0)], found) == pytest.approx([58.0], abs=0.02)


def test_free_time_has_no_beats():
    assert session_map([TimeSpan(0.0, TimeInForce(None))], 0.0, 9.0) is None


@pytest.fixture
def recording(tmp_path):
    clock = VirtualClock(50.0)
    recorder = Recorder(tmp_path / "session.mid", clock, lambda text, severity: None)
    yield recorder, clock
    recorder.close()


def test_the_book_reads_the_chart_back_from_a_recording(recording):
    recorder, clock = recording
    beats = BeatClock(132.0, 53.3)
    recorder.time(50.0, TimeInForce(None, 4, CHART))
    recorder.time(51.0, TimeInForce(beats, 4, CHART))
    end = beats.time(2 * CHART.beats)
    for i in range(40):
        recorder.human(NoteOn(50.5 + i * 0.7, 60, 80))
        recorder.human(NoteOff(50.9 + i * 0.7, 60))
    recorder.companion(NoteOn(end - 0.5, 72, 80, 1))
    recorder.companion(NoteOff(end, 72, 1))
    clock.advance_to(end + 20.0)
    assert recorder.save()
    read = read_markers(recorder.path.read_bytes(), "Test").chart
    bars = len(CHART.bars)
    lead = len(read.bars) - 2 * bars
    assert 0 <= lead <= 2
    assert read.bars[lead:] == CHART.bars * 2
    assert [c.symbol for bar in read.bars[lead : lead + bars] for c in bar] == [
        c.symbol for bar in CHART.bars for c in bar
    ]
    assert [(s.name, s.bar - lead) for s in read.sections if s.bar >= lead] == [
        ("A", 0), ("B", 4), ("A", bars), ("B", bars + 4)
    ]  # fmt: skip
    assert (read.key, read.beats_per_bar) == ("Bb", 4)
    onsets = [note.onset for note in read_midi(recorder.path).notes]
    assert onsets[:40] == pytest.approx([0.5 + i * 0.7 for i in range(40)], abs=0.002)


def test_another_chart_begins_where_it_was_chosen(recording):
    recorder, clock = recording
    beats = BeatClock(120.0, 50.0)
    waltz = replace(parse_chart("Gm7 | C7"), key="F")
    recorder.time(50.0, TimeInForce(beats, 4, CHART))
    recorder.time(54.1, TimeInForce(beats, 4, waltz))
    recorder.human(NoteOn(50.0, 60, 80))
    recorder.human(NoteOff(58.0, 60))
    clock.advance_to(59.0)
    assert recorder.save()
    file = mido.MidiFile(recorder.path)
    now, texts = 0, []
    for message in file.tracks[0]:
        now += message.time
        if message.type == "text":
            texts.append((now / 480, message.text))
    assert [text for at, text in texts if at < 8.1] == ["Cm7", "F7b9", "Bbmaj7"]
    later = [(pytest.approx(at, abs=0.01), text) for at, text in texts if at > 8.1]
    assert later == [(8.2, "Gm7"), (12.0, "C7")]


def test_a_form_that_goes_on_elsewhere_is_written_as_it_was_played(recording):
    recorder, clock = recording
    beats = BeatClock(120.0, 50.0)
    route = STRAIGHT.jumped(2, 4)
    recorder.time(50.0, TimeInForce(beats, 4, CHART))
    recorder.time(53.1, TimeInForce(beats, 4, CHART, route))
    recorder.time(56.4, TimeInForce(beats, 4, CHART, route.jumped(4, 0)))
    recorder.human(NoteOn(50.0, 60, 80))
    recorder.human(NoteOff(59.9, 60))
    clock.advance_to(61.0)
    assert recorder.save()
    read = read_markers(recorder.path.read_bytes(), "Test").chart
    played = [0, 1, 4, 5, 0]
    assert read.bars[:5] == tuple(CHART.bars[bar] for bar in played)
    assert [(section.name, section.bar) for section in read.sections][:3] == [("A", 0), ("B", 2), ("A", 4)]
