import contextlib
import io
from collections.abc import Sequence
from pathlib import Path

import mido
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tatumflow.engine.errors import MidiFileError
from tatumflow.engine.midi.midi_file import (
    DRUM_CHANNEL,
    MidiPerformance,
    MidiTrack,
    read_midi,
    read_tracks,
    write_midi,
)
from tatumflow.engine.midi.notes import Note

# At mido's default of 480 ticks per beat and 120 bpm, 960 ticks are a second.
SECOND = 960


def save(path: Path, *tracks: Sequence[tuple[int, mido.Message | mido.MetaMessage]]) -> Path:
    """Write tracks of (absolute tick, message) as a format 1 file."""
    file = mido.MidiFile(type=1)
    for events in tracks:
        track, now = mido.MidiTrack(), 0
        for tick, message in sorted(events, key=lambda event: event[0]):
            track.append(message.copy(time=tick - now))
            now = tick
        file.tracks.append(track)
    file.save(str(path))
    return path


def on(tick: int, pitch: int, velocity: int = 64, channel: int = 0) -> tuple[int, mido.Message]:
    return tick, mido.Message("note_on", note=pitch, velocity=velocity, channel=channel)


def off(tick: int, pitch: int, channel: int = 0) -> tuple[int, mido.Message]:
    return tick, mido.Message("note_off", note=pitch, channel=channel)


def pedal(tick: int, value: int) -> tuple[int, mido.Message]:
    return tick, mido.Message("control_change", control=64, value=value)


def tempo(tick: int, bpm: float) -> tuple[int, mido.MetaMessage]:
    return tick, mido.MetaMessage("set_tempo", tempo=round(60e6 / bpm))


def spans(performance: MidiPerformance) -> list[tuple[float, float, int]]:
    return [(round(n.onset, 6), round(n.offset, 6), n.pitch) for n in performance.notes]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "tune.mid"


def test_times_follow_the_tempo_map(path: Path) -> None:
    save(path, [tempo(0, 60), tempo(480, 240)], [on(0, 60), off(960, 60), on(960, 64), off(1440, 64)])
    performance = read_midi(path)
    assert spans(performance) == [(0.0, 1.25, 60), (1.25, 1.5, 64)]
    assert performance.tempo == pytest.approx(60)


def test_a_file_without_tempo_plays_at_120_and_reports_none(path: Path) -> None:
    performance = read_midi(save(path, [on(480, 60), off(960, 60)]))
    assert spans(performance) == [(0.5, 1.0, 60)]
    assert performance.tempo is None


def test_tracks_are_merged_and_drums_left_out(path: Path) -> None:
    save(
        path,
        [on(480, 67), off(960, 67)],
        [on(0, 36, channel=9), off(480, 36, channel=9)],
        [on(480, 60, channel=1), off(960, 60, channel=1)],
    )
    assert spans(read_midi(path)) == [(0.5, 1.0, 60), (0.5, 1.0, 67)]


def test_notes_off_the_piano_are_dropped_and_counted(path: Path) -> None:
    save(path, [on(0, 20), off(10, 20), on(0, 21), off(480, 21), on(0, 109), off(9, 109)])
    performance = read_midi(path)
    assert [note.pitch for note in performance.notes] == [21]
    assert performance.dropped == 2


def test_the_pedal_holds_notes_until_it_comes_up(path: Path) -> None:
    save(
        path,
        [
            on(0, 60),
            pedal(100, 64),
            off(480, 60),
            pedal(600, 127),
            pedal(960, 63),
            on(1000, 64),
            off(1100, 64),
        ],
    )
    assert spans(read_midi(path)) == [
        (0.0, 1.0, 60),
        (round(1000 / SECOND, 6), round(1100 / SECOND, 6), 64),
    ]


def test_a_pedalled_note_ends_where_its_pitch_sounds_again(path: Path) -> None:
    save(path, [pedal(0, 127), on(0, 60), off(96, 60), on(480, 60), off(576, 60), pedal(960, 0)])
    assert spans(read_midi(path)) == [(0.0, 0.5, 60), (0.5, 1.0, 60)]


def test_a_pedal_that_never_comes_up_holds_to_the_last_event(path: Path) -> None:
    save(path, [pedal(0, 127), on(0, 60), off(96, 60), on(480, 64), off(960, 64)])
    assert spans(read_midi(path)) == [(0.0, 1.0, 60), (0.5, 1.0, 64)]


def test_a_pedal_below_half_holds_nothing(path: Path) -> None:
    save(path, [pedal(0, 63), on(0, 60), off(480, 60), pedal(960, 0)])
    assert spans(read_midi(path)) == [(0.0, 0.5, 60)]


def test_overlaps_of_one_pitch_are_cut_and_duplicates_merged(path: Path) -> None:
    save(
        path,
        [on(0, 60, 50), off(960, 60), on(0, 64), off(960, 64)],
        [on(0, 60, 90, 1), off(480, 60, 1), on(480, 64, 90, 1), off(720, 64, 1)],
    )
    performance = read_midi(path)
    assert spans(performance) == [(0.0, 1.0, 60), (0.0, 0.5, 64), (0.5, 0.75, 64)]
    assert performance.notes[0].velocity == 90


def test_a_note_of_no_length_lasts(path: Path) -> None:
    notes = read_midi(save(path, [on(0, 60), off(0, 60), on(480, 62), off(960, 62)])).notes
    assert all(note.duration > 0 for note in notes)


def test_unknown_chunks_are_passed_over(path: Path) -> None:
    data = save(path, [on(0, 60), off(480, 60)]).read_bytes()
    path.write_bytes(data[:14] + b"XFIH\0\0\0\3abc" + data[14:])
    assert spans(read_midi(path)) == [(0.0, 0.5, 60)]


def _whole_file() -> bytes:
    file, buffer = mido.MidiFile(type=1), io.BytesIO()
    for channel in range(2):
        messages = [
            mido.Message(kind, note=50 + i, velocity=64, time=30, channel=channel)
            for i in range(40)
            for kind in ("note_on", "note_off")
        ]
        file.tracks.append(mido.MidiTrack(messages))
    file.save(file=buffer)
    return buffer.getvalue()


WHOLE = _whole_file()


def message_of(path: Path) -> str:
    with pytest.raises(MidiFileError) as caught:
        read_midi(path)
    message = str(caught.value)
    assert path.name in message
    assert "\n" not in message
    assert ";" in message, "a message ends in what to do"
    return message


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "is empty"),
        (b"Dear diary,\ntoday I practised.\n", "is not a MIDI file"),
        (WHOLE[:10], "cut short in its header"),
        (WHOLE[: len(WHOLE) // 2], "cut short in track"),
        (WHOLE[:-1], "cut short in track 2 of 2"),
        (WHOLE[:12] + b"\xe7\x28" + WHOLE[14:], "SMPTE"),
        (WHOLE[:12] + b"\0\0" + WHOLE[14:], "no ticks per beat"),
        (WHOLE[:30] + b"\xff\xff\xff\xff" + WHOLE[34:], "is damaged"),
    ],
    ids=["empty", "text", "header", "half", "last byte", "smpte", "no division", "bytes"],
)
def test_a_damaged_file_is_refused_in_one_line(path: Path, data: bytes, reason: str) -> None:
    path.write_bytes(data)
    assert reason in message_of(path)


def test_every_cut_of_a_file_is_refused(path: Path) -> None:
    for length in range(len(WHOLE)):
        path.write_bytes(WHOLE[:length])
        with pytest.raises(MidiFileError):
            read_midi(path)


def test_a_missing_file_and_a_folder_are_refused(path: Path, tmp_path: Path) -> None:
    assert "no such file" in message_of(path)
    assert "cannot be read" in message_of(tmp_path)


def test_a_file_without_piano_notes_is_refused(path: Path) -> None:
    save(path, [on(0, 36, channel=9), off(480, 36, channel=9)])
    assert "no notes outside drum tracks" in message_of(path)
    save(path, [on(0, 120), off(480, 120)])
    assert "no notes between A0 and C8" in message_of(path)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.integers(0, len(WHOLE) - 1), st.integers(0, 255)), min_size=1, max_size=8))
def test_any_damage_ends_in_notes_or_the_one_error(path: Path, damage: list[tuple[int, int]]) -> None:
    data = bytearray(WHOLE)
    for place, value in damage:
        data[place] = value
    path.write_bytes(data)
    with contextlib.suppress(MidiFileError):
        assert all(note.duration > 0 and 21 <= note.pitch <= 108 for note in read_midi(path).notes)
    with contextlib.suppress(MidiFileError):
        assert all(note.duration > 0 for track in read_tracks(path) for note in track.notes)


NOTES = st.builds(
    Note,
    onset=st.floats(0, 60),
    duration=st.floats(0.01, 12),
    pitch=st.integers(21, 108),
    velocity=st.integers(1, 127),
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(NOTES, min_size=1, max_size=20, unique_by=lambda n: n.pitch), st.floats(30, 300))
def test_written_notes_are_read_back(path: Path, notes: list[Note], bpm: float) -> None:
    write_midi(path, [MidiTrack("Jürgens ♪", notes, program=4, channel=2)], tempo=bpm)
    performance = read_midi(path)
    tick = 60 / bpm / 480
    assert performance.tempo == pytest.approx(bpm, rel=1e-4)
    written = {note.pitch: note for note in notes}
    assert len(performance.notes) == len(written)
    for note in performance.notes:
        assert note.velocity == written[note.pitch].velocity
        assert note.onset == pytest.approx(written[note.pitch].onset, abs=tick)
        assert note.offset == pytest.approx(written[note.pitch].offset, abs=2 * tick)


def test_both_players_are_written_as_named_tracks(path: Path) -> None:
    write_midi(
        path,
        [MidiTrack("you", [Note(0.0, 0.5, 60, 64)]), MidiTrack("companion", [Note(0.5, 0.5, 64, 80)], 5, 1)],
    )
    file = mido.MidiFile(str(path))
    assert [track.name for track in file.tracks[1:]] == ["you", "companion"]
    programs = [m for track in file.tracks for m in track if m.type == "program_change"]
    assert [(m.program, m.channel) for m in programs] == [(0, 0), (5, 1)]
    assert len(read_midi(path).notes) == 2


def test_tracks_are_read_as_they_were_written(path: Path) -> None:
    written = (
        MidiTrack("you", (Note(0.0, 2.0, 60, 64), Note(1.0, 0.5, 127, 64)), channel=0),
        MidiTrack("companion", (Note(0.5, 0.5, 60, 80),), program=5, channel=1),
        MidiTrack("drums", (Note(0.0, 0.25, 36, 90),), channel=DRUM_CHANNEL),
    )
    write_midi(path, written)
    assert read_tracks(path) == written


def test_the_only_track_is_read_as_the_performance(path: Path) -> None:
    save(
        path, [tempo(0, 90), pedal(0, 127), on(0, 60), off(96, 60), on(480, 60), off(576, 60), pedal(960, 0)]
    )
    (track,) = read_tracks(path)
    assert track.notes == read_midi(path).notes


def test_a_file_without_any_note_has_no_tracks(path: Path) -> None:
    save(path, [tempo(0, 90)])
    with pytest.raises(MidiFileError, match=r"tune\.mid: has no notes"):
        read_tracks(path)


def test_a_written_note_ends_before_its_pitch_begins_again(path: Path) -> None:
    write_midi(path, [MidiTrack("you", [Note(0.0, 2.0, 60, 64), Note(1.0, 1.0, 60, 64)])])
    messages = [m for m in mido.MidiFile(str(path)).tracks[1] if m.type.startswith("note")]
    assert [m.type for m in messages] == ["note_on", "note_off", "note_on", "note_off"]


def test_an_unknown_velocity_still_sounds(path: Path) -> None:
    write_midi(path, [MidiTrack("sax", [Note(0.0, 1.0, 60, 0)])])
    assert read_midi(path).notes[0].velocity == 1


def test_a_failed_write_leaves_nothing_and_names_the_folder(tmp_path: Path) -> None:
    folder = tmp_path / "missing"
    with pytest.raises(MidiFileError, match=r"answer\.mid: cannot be written .*missing") as caught:
        write_midi(folder / "answer.mid", [MidiTrack("you", [Note(0.0, 1.0, 60, 64)])])
    assert "\n" not in str(caught.value)
    taken = tmp_path / "taken.mid"
    taken.mkdir()
    with pytest.raises(MidiFileError):
        write_midi(taken, [MidiTrack("you", [Note(0.0, 1.0, 60, 64)])])
    assert [p.name for p in tmp_path.iterdir()] == ["taken.mid"]


def test_impossible_values_are_refused_before_writing(path: Path) -> None:
    with pytest.raises(ValueError, match="before time 0"):
        write_midi(path, [MidiTrack("you", [Note(-0.1, 1.0, 60, 64)])])
    with pytest.raises(ValueError, match="tempo"):
        write_midi(path, [], tempo=0.0)
    assert not path.exists()


def test_long_tempo_maps_keep_time(path: Path) -> None:
    rng = np.random.default_rng(3)
    bpms = rng.uniform(40, 300, size=200)
    ends = [off(480 * i + 240, 60) for i in range(200)]
    save(
        path,
        [tempo(480 * i, bpm) for i, bpm in enumerate(bpms)],
        [on(480 * i, 60) for i in range(200)] + ends,
    )
    beats = np.array([round(60e6 / bpm) / 1e6 for bpm in bpms])
    expected = np.concatenate([[0.0], np.cumsum(beats)[:-1]])
    np.testing.assert_allclose([note.onset for note in read_midi(path).notes], expected, atol=1e-9)
