"""Measuring note trackers: notes are matched as often as they can be, and rendered stems have known notes."""

import json
from pathlib import Path

import numpy as np
import pytest
from quartet_samples import soundfont, write_weimar
from scipy.io import wavfile

from tatumflow.engine.errors import CorpusError, SettingError
from tatumflow.engine.midi.events import NoteOff, NoteOn
from tatumflow.engine.midi.notes import Note
from tatumflow.engine.note_tracking.tracker import Samples
from tatumflow.training.separation.note_tracking.commands import NoteEvaluation, evaluate_notes
from tatumflow.training.separation.note_tracking.figures import median_interval, table, tracking_figures
from tatumflow.training.separation.note_tracking.matching import Onsets, f1, match
from tatumflow.training.separation.note_tracking.recordings import NotedRecording, read_noted_stems
from tatumflow.training.separation.quartet.generate import QuartetSettings, generate_quartets

RATE = 8000


def onsets(*notes: tuple[float, int]) -> Onsets:
    return Onsets(np.array([time for time, _ in notes]), np.array([pitch for _, pitch in notes], np.int64))


def test_a_found_note_counts_once_and_as_many_count_as_can():
    played = onsets((1.00, 60), (1.04, 60))
    assert match(played, onsets((1.045, 60))).tolist().count(0) == 1
    # The first found note is near both, the second only near the first played one.
    assert sorted(match(played, onsets((1.02, 60), (0.96, 60))).tolist()) == [0, 1]


def test_a_match_is_near_and_of_the_same_pitch():
    played = onsets((1.0, 60), (2.0, 60), (3.0, 60))
    found = onsets((1.049, 60), (2.051, 60), (3.0, 72))
    assert match(played, found).tolist() == [0, -1, -1]
    assert match(played, found, by_pitch=False).tolist() == [0, -1, 2]
    assert match(onsets(), found).tolist() == []
    assert match(played, onsets()).tolist() == [-1, -1, -1]


def test_f1_is_the_harmonic_mean_of_precision_and_recall():
    assert f1(played=4, found=2, matched=2) == pytest.approx(2 * 1.0 * 0.5 / 1.5)
    assert f1(0, 0, 0) == 1
    assert f1(3, 0, 0) == 0


def test_an_interval_lies_around_the_median():
    interval = median_interval([0.5, 0.8, 0.9, 0.95, 1.0])
    assert interval.value == 0.9
    assert 0.5 <= interval.low < 0.9 < interval.high <= 1.0
    assert median_interval([0.7]).low == median_interval([0.7]).high == 0.7


class KnownTracker:
    """Reports given notes, each half a second late."""

    def __init__(self, notes: list[NoteOn]) -> None:
        self.rate = RATE
        self.latency = 0.5
        self._notes = notes

    def push(self, samples: Samples, time: float) -> list[NoteOn | NoteOff]:
        now = time + len(samples) / self.rate
        return [note for note in self._notes if time < note.time + self.latency <= now]

    def finish(self, time: float) -> list[NoteOn | NoteOff]:
        return [note for note in self._notes if note.time + self.latency > time]


def test_figures_tell_what_was_found_and_how_late(tmp_path: Path):
    path = tmp_path / "horn.wav"
    wavfile.write(path, 2 * RATE, np.zeros((2 * 4 * RATE, 2), np.int16))
    notes = (Note(0.5, 0.2, 60, 80), Note(1.5, 0.2, 62, 90), Note(2.5, 0.2, 64, 100), Note(9.0, 1, 60, 80))
    found = [NoteOn(0.52, 60, 70), NoteOn(1.5, 50, 80), NoteOn(2.48, 64, 90), NoteOn(3.4, 64, 90)]
    recording = NotedRecording("one", "flute", path, notes)
    figures = tracking_figures(KnownTracker(found), [recording], seconds=4.0)
    solo = figures.solos[0]
    assert solo.seconds == pytest.approx(4.0)
    assert solo.notes == 3, "what begins after the end was not played"
    assert solo.note_f1 == pytest.approx(2 * 2 / (3 + 4))
    assert solo.onset_f1 == pytest.approx(2 * 3 / (3 + 4))
    assert solo.latencies == pytest.approx([0.52, 0.48], abs=0.011)
    assert "flute" in "\n".join(table(figures))
    assert json.dumps(figures.plain(), allow_nan=False)


def test_what_cannot_be_read_is_named(tmp_path: Path):
    broken = tmp_path / "horn.wav"
    broken.write_bytes(b"no sound")
    with pytest.raises(CorpusError, match=r"horn\.wav"):
        NotedRecording("one", "flute", broken, ()).read(RATE, 1.0)
    with pytest.raises(CorpusError, match="data quartet"):
        list(read_noted_stems(tmp_path, tmp_path))
    with pytest.raises(SettingError, match="horn, piano"):
        list(read_noted_stems(tmp_path, tmp_path, stem="kazoo"))


@pytest.mark.slow
@pytest.mark.needs("fluidsynth", "soundfont")
def test_a_rendered_horn_is_transcribed(tmp_path: Path):
    names = [f"Player_Tune{letter}_Solo" for letter in "ABCDEFGHIJKL"]
    weimar = write_weimar(tmp_path / "weimar", names)
    settings = QuartetSettings("val", hours=5 / 3600, soundfonts=(soundfont(),))
    generate_quartets(weimar, tmp_path / "quartets", settings)
    side = tmp_path / "quartets" / "val"
    path = tmp_path / "figures.json"
    figures = evaluate_notes(NoteEvaluation(side, weimar, seconds=6.0, limit=2), path)
    assert figures.note_f1.value > 0.6
    assert 0 < figures.latency_p50 < 0.25
    written = json.loads(path.read_text(encoding="utf-8"))
    assert written["command"].startswith("tatumflow evaluate-notes val weimar")
    assert "synthetic" in written["note"]
    piano = evaluate_notes(NoteEvaluation(side, weimar, "piano", seconds=3.0, limit=1, polyphonic=True))
    assert piano.note_f1.value > 0.3
    with pytest.raises(CorpusError, match="horn"):
        evaluate_notes(NoteEvaluation(side, weimar, stems=tmp_path))
