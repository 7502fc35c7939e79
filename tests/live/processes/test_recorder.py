"""The recording: events to notes, periodic saving, and playing on when the disk is full."""

import tempfile
import time
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tatumflow.engine.clock import VirtualClock
from tatumflow.engine.midi.events import ControlChange, InputLost, NoteOff, NoteOn
from tatumflow.engine.midi.midi_file import read_midi, read_tracks
from tatumflow.engine.midi.notes import Note
from tatumflow.live.band_tracks import band_tracks
from tatumflow.live.processes import recorder as module
from tatumflow.live.processes.recorder import Recorder, free_path, notes_of, recording_path
from tatumflow.live.settings import Settings


@pytest.fixture
def notices():
    return []


@pytest.fixture
def clock():
    return VirtualClock(100.0)


@pytest.fixture
def recorder(tmp_path, clock, notices):
    recorder = Recorder(
        tmp_path / "new" / "session.mid", clock, lambda text, severity: notices.append((severity, text))
    )
    yield recorder
    recorder.close()


def test_notes_end_at_their_off_and_open_ones_at_the_end():
    events = [NoteOn(1.0, 60, 80), NoteOn(1.5, 64, 70), NoteOff(2.0, 60)]
    assert notes_of(events, 3.0) == [Note(1.0, 1.0, 60, 80), Note(1.5, 1.5, 64, 70)]


def test_the_pedal_prolongs_what_is_released_under_it():
    events = [
        ControlChange(0.5, 64, 127),
        NoteOn(1.0, 60, 80),
        NoteOff(1.2, 60),
        NoteOn(1.5, 60, 81),
        NoteOff(1.7, 60),
        ControlChange(4.0, 64, 0),
        NoteOff(5.0, 61),
    ]
    assert notes_of(events, 9.0) == [Note(1.0, 0.5, 60, 80), Note(1.5, 2.5, 60, 81)]


def test_losing_the_input_ends_its_notes():
    assert notes_of([NoteOn(1.0, 60, 80), InputLost(2.0), NoteOff(3.0, 60)], 9.0) == [Note(1.0, 1.0, 60, 80)]


@given(
    st.lists(
        st.one_of(
            st.builds(NoteOn, st.just(0.0), st.integers(60, 63), st.integers(1, 127), st.integers(0, 1)),
            st.builds(NoteOff, st.just(0.0), st.integers(60, 63), st.integers(0, 1)),
            st.builds(ControlChange, st.just(0.0), st.just(64), st.integers(0, 127), st.integers(0, 1)),
            st.builds(InputLost, st.just(0.0)),
        ),
        max_size=40,
    )
)
def test_every_note_on_becomes_one_note_that_lasts(events):
    timed = [type(e)(float(i), *[getattr(e, n) for n in e.__slots__[1:]]) for i, e in enumerate(events)]
    notes = notes_of(timed, float(len(timed)))
    assert sorted(n.onset for n in notes) == [e.time for e in timed if isinstance(e, NoteOn)]
    assert all(n.duration > 0 for n in notes)


def test_both_players_are_saved_on_tracks_of_their_own(recorder, clock):
    recorder.human(NoteOn(101.0, 60, 80))
    recorder.human(NoteOff(101.5, 60))
    recorder.companion(NoteOn(102.0, 72, 90, 1))
    clock.advance_to(103.0)
    assert recorder.save()
    notes = read_midi(recorder.path).notes
    assert [(round(n.onset, 3), round(n.duration, 3), n.pitch) for n in notes] == [
        (1.0, 0.5, 60),
        (2.0, 1.0, 72),
    ]


def test_nothing_played_leaves_no_file(recorder):
    recorder.close()
    assert not recorder.path.parent.exists()


def test_closing_saves(recorder, clock):
    recorder.human(NoteOn(101.0, 60, 80))
    clock.advance_to(102.0)
    recorder.close()
    assert len(read_midi(recorder.path).notes) == 1


def test_it_saves_by_itself(tmp_path, clock, monkeypatch):
    monkeypatch.setattr(module, "SAVE_SECONDS", 0.02)
    recorder = Recorder(tmp_path / "session.mid", clock, lambda *_: None)
    recorder.human(NoteOn(100.0, 60, 80))
    clock.advance_to(101.0)
    patience = time.monotonic() + 60.0
    while not recorder.path.exists() and time.monotonic() < patience:
        time.sleep(0.01)
    saved = recorder.path.exists()
    recorder.close()
    assert saved


def test_a_full_disk_warns_once_and_the_next_save_can_succeed(recorder, clock, notices, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    recorder.human(NoteOn(101.0, 60, 80))
    clock.advance_to(102.0)
    with monkeypatch.context() as patch:
        patch.setattr(module, "write_midi", full)
        assert not recorder.save()
        assert not recorder.save()
        assert "nothing of it is kept" in recorder.close()
    assert [severity for severity, _ in notices] == ["warning"]
    assert "No space left" in notices[0][1]
    assert recorder.save()
    assert recorder.path.exists()


@pytest.fixture
def spare(tmp_path, monkeypatch):
    """The user's temporary folder."""
    folder = tmp_path / "spare"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


def test_a_folder_that_takes_no_file_is_stood_in_for_by_the_temporary_one(tmp_path, clock, notices, spare):
    (tmp_path / "new").write_text("no folder")
    requested = tmp_path / "new" / "session.mid"
    recorder = Recorder(requested, clock, lambda text, severity: notices.append((severity, text)))
    recorder.human(NoteOn(101.0, 60, 80))
    clock.advance_to(102.0)
    assert recorder.save()
    recorder.human(NoteOn(102.0, 62, 80))
    clock.advance_to(103.0)
    assert recorder.close() == ""
    assert recorder.path.is_relative_to(spare)
    assert recorder.path.name == "session.mid"
    assert len(read_midi(recorder.path).notes) == 2
    ((severity, text),) = notices
    assert severity == "warning"
    assert str(requested.parent) in text
    assert f"kept in {recorder.path} instead" in text


def test_a_folder_that_takes_files_again_gets_the_whole_recording(tmp_path, clock, notices, spare):
    blocked = tmp_path / "new"
    blocked.write_text("no folder")
    recorder = Recorder(blocked / "session.mid", clock, lambda text, severity: notices.append(text))
    recorder.human(NoteOn(101.0, 60, 80))
    clock.advance_to(102.0)
    assert recorder.save()
    blocked.unlink()
    recorder.human(NoteOn(102.0, 62, 80))
    clock.advance_to(103.0)
    assert recorder.close() == ""
    assert recorder.path == blocked / "session.mid"
    assert len(read_midi(recorder.path).notes) == 2
    assert list(spare.iterdir()) == []


def test_a_recording_that_can_go_nowhere_is_reported_as_lost(tmp_path, clock, notices, monkeypatch):
    (tmp_path / "new").write_text("no folder")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "new"))
    recorder = Recorder(tmp_path / "new" / "session.mid", clock, lambda text, severity: notices.append(text))
    recorder.human(NoteOn(101.0, 60, 80))
    clock.advance_to(102.0)
    assert "nothing of it is kept" in recorder.close()
    assert recorder.close()
    assert len(notices) == 1


def test_no_recording_is_overwritten(tmp_path):
    path = recording_path(tmp_path, datetime(2030, 1, 2, 3, 4, 5))
    assert path.name == "2030-01-02 03.04.05.mid"
    path.touch()
    second = free_path(path)
    assert second.name == "2030-01-02 03.04.05 2.mid"
    second.touch()
    assert free_path(path).name == "2030-01-02 03.04.05 3.mid"


def test_each_part_of_the_band_that_played_has_a_track_of_its_own(tmp_path, clock):
    recorder = Recorder(
        tmp_path / "session.mid", clock, lambda *_: None, lambda notes: band_tracks(notes, Settings())
    )
    recorder.human(NoteOn(100.5, 60, 80))
    recorder.band("bass", NoteOn(101.0, 40, 80))
    recorder.band("bass", NoteOff(101.5, 40))
    recorder.band("drums", NoteOn(101.0, 51, 70))
    recorder.band("drums", NoteOff(101.1, 51))
    clock.advance_to(102.0)
    assert recorder.close() == ""
    tracks = {track.name: track for track in read_tracks(recorder.path)}
    assert set(tracks) == {"You", "Bass", "Drums"}
    assert tracks["Bass"].program == 32
    assert [(n.onset, n.pitch) for n in tracks["Bass"].notes] == [(pytest.approx(1.0, abs=0.002), 40)]
    assert tracks["Drums"].channel == 9
