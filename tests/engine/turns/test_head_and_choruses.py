"""The tune as it is played: the head, some choruses of solos, the head again, and an ending."""

from pathlib import Path

import mido
import pytest
from rig import Rig, context

from tatumflow.engine.controls import Controls
from tatumflow.engine.errors import SettingError
from tatumflow.engine.messages import BeginBars, Panic, PassTurn, SetControl, StopBars
from tatumflow.engine.midi.events import NoteOff, NoteOn
from tatumflow.engine.midi.head_file import read_head
from tatumflow.engine.midi.notes import PITCH_LOWEST, Role
from tatumflow.engine.tempo.band_in_time import BAND_CHANNELS

CHART = "C | F | G7 | Am7"
BEAT = 0.25
BAR = 4 * BEAT
CHORUS = 4 * BAR
MELODY = ((0.0, 72), (1.0, 74), (4.0, 76), (6.0, 77), (8.0, 79), (12.0, 81))


def melody_file(
    path: Path, notes=MELODY, *, pickup: float = 0, tracks: tuple[str, ...] = ("Melody",), metre: int = 4
) -> Path:
    """Write notes of a beat each, beats from the first bar line; the pickup is a bar of its own."""
    file = mido.MidiFile(ticks_per_beat=480)
    first = mido.MidiTrack()
    if pickup:
        first.append(mido.MetaMessage("time_signature", numerator=int(pickup), denominator=4))
    first.append(mido.MetaMessage("time_signature", numerator=metre, denominator=4, time=int(480 * pickup)))
    file.tracks.append(first)
    for number, name in enumerate(tracks):
        track = mido.MidiTrack([mido.MetaMessage("track_name", name=name)])
        now = 0
        for beat, pitch in notes:
            at = round(480 * (beat + pickup))
            key = pitch if name.startswith(("Melody", "Lead")) or len(tracks) == 1 else 30 + number
            track.append(mido.Message("note_on", note=key, velocity=90, time=at - now))
            track.append(mido.Message("note_off", note=key, time=480))
            now = at + 480
        file.tracks.append(track)
    file.save(path)
    return path


@pytest.fixture
def melody(tmp_path: Path) -> str:
    return str(melody_file(tmp_path / "melody.mid"))


def tune(**controls) -> Rig:
    return Rig(**{"chords": CHART, "count_in": 0, "tempo": 240.0, "metronome": 1.0, **controls})


def played(rig: Rig) -> list[tuple[float, int]]:
    """Return beat and pitch of the companion's notes."""
    return [(event.time / BEAT, event.pitch) for event in rig.port.ons if event.channel == 0]


def beats(found: list[tuple[float, int]]) -> list[tuple[object, int]]:
    return [(pytest.approx(beat, abs=0.05), pitch) for beat, pitch in found]


def test_the_head_is_played_once_in_time_and_the_solos_begin_after_it(melody: str):
    rig = tune(head=melody, trade_bars=2)
    rig.run_to(CHORUS - 0.3)
    assert rig.companion.turn == "playing"
    assert played(rig) == beats(list(MELODY))
    rig.run_to(CHORUS + 2 * BAR - 0.2)
    assert played(rig) == beats(list(MELODY)), "the user trades first"
    rig.run_to(CHORUS + 2 * BAR + 0.1)
    assert rig.companion.turn == "playing"
    assert played(rig)[len(MELODY)][0] == pytest.approx(24, abs=0.05)
    rig.run_to(3 * CHORUS)
    pitches = [pitch for _, pitch in played(rig)[len(MELODY) :]]
    assert pitches[: len(MELODY)] != [pitch for _, pitch in MELODY]


def test_the_user_plays_along_and_the_context_has_both(melody: str):
    rig = tune(head=melody)
    for beat in (0.5, 1.5, 4.5):
        rig.human(NoteOn(beat * BEAT, 60, 80), NoteOff((beat + 0.3) * BEAT, 60))
    rig.run_to(CHORUS - 0.3)
    assert played(rig) == beats(list(MELODY))
    steps = context(rig.session)
    roles = {(step[1] + PITCH_LOWEST, step[-1]) for step in steps if step[1] >= 0}
    assert {(pitch, Role.COMPANION) for _, pitch in MELODY} <= roles
    assert (60, Role.HUMAN) in roles
    roll = [note for note in rig.companion.snapshot().notes if note.role is Role.COMPANION]
    assert len(roll) == len(MELODY)


def test_nothing_is_answered_during_the_head_and_an_improvisation_begins_after_it(melody: str):
    rig = tune(head=melody, mode="improvise")
    rig.run_to(1.0)
    rig.companion.command(PassTurn())
    assert "head" in rig.companion.snapshot().notices[0].text
    rig.run_to(CHORUS + 0.05)
    assert played(rig)[: len(MELODY)] == beats(list(MELODY))
    assert played(rig)[len(MELODY)][0] == pytest.approx(16, abs=0.05)


def test_choruses_end_the_tune_with_the_head_and_a_last_chord(melody: str):
    rig = tune(head=melody, choruses=3, band=1, metronome=1.0, mode="improvise")
    rig.run_to(5 * CHORUS)
    out = [(beat, pitch) for beat, pitch in played(rig) if beat > 31.9]
    assert out == beats([(beat + 32, pitch) for beat, pitch in MELODY])
    solos = [beat for beat, _ in played(rig) if 15.9 < beat < 31.9]
    assert solos
    last = 3 * CHORUS
    assert not rig.port.sounding
    assert max(event.time for event in rig.port.ons) < last + BAR
    final = [event.channel for event in rig.port.ons if abs(event.time - last) < 0.03]
    assert set(BAND_CHANNELS.values()) <= set(final)
    position = rig.companion.snapshot().position
    assert position is not None
    assert position.stopped
    rig.companion.command(BeginBars())
    begun = rig.clock.now()
    rig.run_to(begun + BAR)
    again = [event.pitch for event in rig.port.ons if event.channel == 0 and event.time >= begun]
    assert again[:2] == [72, 74]


def test_the_companions_last_turn_ends_with_the_tune():
    rig = tune(choruses=2, trade_bars=3, band=1)
    rig.run_to(4 * CHORUS)
    assert rig.companion.turns[-1].end <= 2 * CHORUS + 1e-6
    assert all(note.offset <= 2 * CHORUS + 1e-6 for note in rig.companion_notes)
    free = tune(choruses=2, mode="improvise")
    free.run_to(4 * CHORUS)
    assert all(note.offset <= 2 * CHORUS + 1e-6 for note in free.companion_notes)
    assert len(free.companion.turns) == 1


def test_choruses_set_too_late_end_the_one_in_progress():
    rig = tune(band=1)
    rig.run_to(1.5 * CHORUS)
    rig.companion.command(SetControl("choruses", 1))
    rig.run_to(4 * CHORUS)
    assert max(event.time for event in rig.port.ons) < 2 * CHORUS + BAR
    rig.companion.command(SetControl("choruses", 0))
    rig.companion.command(BeginBars())
    begun = rig.clock.now()
    rig.run_to(begun + 4 * CHORUS)
    assert max(event.time for event in rig.port.ons) > begun + 4 * CHORUS - 1


def test_another_tune_has_all_its_choruses():
    rig = tune(band=1, choruses=3, metronome=0.0)
    rig.run_to(2.5 * CHORUS)
    rig.companion.command(SetControl("chords", "Dm7 | G7 | Cmaj7 | A7"))
    rig.run_to(8 * CHORUS)
    assert max(event.time for event in rig.port.ons) == pytest.approx(5 * CHORUS, abs=0.05)


def test_each_chorus_of_the_ladder_has_the_head_in_its_key(melody: str):
    rig = tune(head=melody, choruses=2, key_step="fifth")
    rig.run_to(2 * CHORUS)
    assert [pitch for _, pitch in played(rig)] == [
        *(pitch for _, pitch in MELODY),
        *(pitch - 5 for _, pitch in MELODY),
    ]


def test_a_loop_has_its_bars_of_the_head(melody: str):
    rig = tune(head=melody, loop_from=2, loop_bars=2)
    rig.run_to(2 * BAR - 0.3)
    assert played(rig) == beats([(0.0, 76), (2.0, 77), (4.0, 79)])


def test_a_pickup_sounds_in_the_count_in(tmp_path: Path):
    notes = ((-1.0, 67), *MELODY)
    rig = tune(head=str(melody_file(tmp_path / "pickup.mid", notes, pickup=1)), count_in=1, choruses=2)
    rig.run_to(CHORUS)
    assert played(rig)[:2] == beats([(3.0, 67), (4.0, 72)])
    rig.run_to(3 * CHORUS)
    assert [(beat, pitch) for beat, pitch in played(rig) if 18.5 < beat < 21] == beats(
        [(19.0, 67), (20.0, 72)]
    )


def test_the_head_follows_tempo_and_jumps(melody: str):
    rig = tune(head=melody)
    rig.run_to(1.4 * BAR)
    rig.companion.command(SetControl("tempo", 120.0))
    rig.run_to(20 * BAR)
    first = [event for event in rig.port.ons if event.channel == 0][: len(MELODY)]
    assert [event.pitch for event in first] == [pitch for _, pitch in MELODY]
    changed = 1.4 * BAR
    expected = [changed + (beat - 5.6) * 0.5 for beat, _ in MELODY if beat > 5.6]
    assert [event.time for event in first][3:] == pytest.approx(expected, abs=0.02)


@pytest.mark.parametrize("command", [StopBars(), Panic()])
def test_stop_and_panic_end_the_head_at_once(melody: str, command):
    rig = tune(head=melody)
    rig.run_to(1.1 * BAR)
    rig.companion.command(command)
    assert not rig.port.sounding
    sent = len(rig.port.ons)
    rig.run_to(3 * CHORUS)
    assert len([event for event in rig.port.ons[sent:] if event.channel == 0]) == 0


def test_half_beats_are_swung_like_the_band(tmp_path: Path):
    path = melody_file(tmp_path / "eighths.mid", ((0.0, 72), (2.5, 74)))
    rig = tune(head=str(path), band=1, band_style="swing", tempo=120.0)
    rig.run_to(2.0)
    late = [event.time / 0.5 for event in rig.port.ons if event.channel == 0][1]
    assert 2.55 < late < 2.72
    straight = tune(head=str(path), tempo=120.0)
    straight.run_to(2.0)
    assert [event.time for event in straight.port.ons if event.channel == 0][1] == pytest.approx(1.25)


def test_the_melody_is_that_of_the_named_track_in_bars_of_its_own_metre(tmp_path: Path):
    path = melody_file(tmp_path / "trio.mid", tracks=("Bass", "Lead sheet"), metre=2)
    head = read_head(path)
    assert [(note.start, note.pitch) for note in head.notes] == [(beat / 2, pitch) for beat, pitch in MELODY]
    assert read_head(melody_file(tmp_path / "one.mid", tracks=("Piano",))).notes[2].start == 1.0


def test_a_file_without_a_melody_is_refused(tmp_path: Path):
    (tmp_path / "no.mid").write_bytes(b"no")
    rig = tune()
    for name, words in (("no.mid", "not a MIDI file"), ("none.mid", "no such file"), ("a\0b", "is no file")):
        rig.companion.command(SetControl("head", str(tmp_path / name)))
        (notice,) = rig.companion.snapshot().notices
        assert notice.text.startswith("head: ")
        assert words in notice.text
        with pytest.raises(SettingError, match=words):
            Controls(head=str(tmp_path / name))
    assert rig.companion.controls.head == ""
