"""The live beat's confidence: beats as a jam reports them, and what is fitted to them."""

from dataclasses import replace
from importlib.resources import as_file, files
from pathlib import Path

import numpy as np
import pytest

from tatumflow.engine.beats.network import BeatNetwork, read_with_extra, write_network
from tatumflow.engine.beats.tracker import SIGNS, WEIGHTS_FILE, BeatTracker, Confidence, bundled_tracker
from tatumflow.engine.errors import BundleError
from tatumflow.training.beats import commands
from tatumflow.training.beats.chunks import merged
from tatumflow.training.beats.commands import calibrate_live
from tatumflow.training.beats.examples import BeatExample, NoteList
from tatumflow.training.beats.learning import BeatTraining
from tatumflow.training.beats.live_confidence import fit_live_confidence, play_live


def bundled() -> BeatNetwork:
    with as_file(files("tatumflow.engine.beats") / WEIGHTS_FILE) as path:
        return read_with_extra(path)[0]


def notes_of(onset: np.ndarray, pitch: int = 67) -> NoteList:
    return NoteList(onset, np.full(len(onset), pitch), np.full(len(onset), 80))


def steady(tempo: float, seconds: float = 14.0) -> BeatExample:
    """A bass on the beats under swung eighths."""
    beats = np.arange(0.5, seconds, 60 / tempo)
    line = np.concatenate([beats, beats + 2 / 3 * 60 / tempo])
    return BeatExample(
        name=f"{tempo}",
        kind="solo",
        split="val",
        notes=merged(notes_of(np.sort(line)), notes_of(beats, 40)),
        bass=notes_of(beats[:0]),
        beats=beats,
        position=np.arange(len(beats)) % 4 + 1,
        certainty=np.ones(len(beats)),
    )


def loose(seed: int) -> BeatExample:
    """Notes at random times, whose beats have nothing to do with them."""
    random = np.random.default_rng(seed)
    return replace(steady(97.0), name=f"loose {seed}", notes=notes_of(np.sort(random.uniform(0, 14, 50))))


def test_beats_are_reported_once_each_while_notes_come() -> None:
    example = steady(120.0)
    live = play_live(BeatTracker(bundled(), Confidence((0.0,) * SIGNS, 0.0)), example.notes)
    assert live.signs.shape == (len(live.time), SIGNS)
    later = live.time > 8
    assert np.diff(live.time[later]).min() > 0.4
    np.testing.assert_allclose(live.period[later], 0.5, rtol=0.05)
    assert live.time[-1] < example.notes.onset[-1] + 2


def test_the_confidence_is_high_in_time_and_low_in_rubato() -> None:
    examples = [steady(tempo) for tempo in (110.0, 170.0)] + [loose(seed) for seed in range(2)]
    confidence, (figures,) = fit_live_confidence(bundled(), examples)
    tracker = BeatTracker(bundled(), confidence)

    def mean(example: BeatExample) -> float:
        rows = play_live(tracker, example.notes).signs[8:]
        return float(np.mean([confidence.of(row) for row in rows]))

    assert mean(steady(130.0)) > 0.7
    assert mean(loose(9)) < 0.4
    assert (figures.name, figures.performances) == ("solo", 4)
    assert abs(figures.confidence - figures.right) < 0.1, "calibrated on the whole"
    assert figures.sure_right > figures.right
    assert figures.brier < 0.2


def test_a_tracker_that_reports_no_beat_is_never_sure() -> None:
    silent = replace(steady(120.0), notes=notes_of(np.empty(0)))
    assert not len(play_live(bundled_tracker(), silent.notes).time)
    confidence, (figures,) = fit_live_confidence(bundled(), [silent])
    assert confidence.of(np.ones(SIGNS)) < 0.01
    assert (figures.right, figures.sure) == (0, 0)


def test_the_command_writes_what_the_engine_reads_and_leaves_the_weights(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commands, "read_solos", lambda _: [steady(130.0), loose(1)])
    monkeypatch.setattr(commands, "read_piano", lambda *_: [replace(steady(90.0), split="train")])
    before = bundled()
    old, new = tmp_path / "old.npz", tmp_path / "new.npz"
    write_network(old, before.shape, before.weights, "CC BY-NC 4.0")
    lines = calibrate_live(tmp_path, tmp_path, tmp_path, old, new)
    network, about = read_with_extra(new)
    assert network.shape == before.shape
    for name, array in before.weights.items():
        np.testing.assert_array_equal(network.weights[name], array)
    assert about["licence"] == "CC BY-NC 4.0"
    assert len(about["confidence"]["weight"]) == SIGNS
    assert isinstance(about["confidence"]["bias"], float)
    assert lines[1].split()[:2] == ["solo", "2"]


@pytest.mark.parametrize(("causal", "kept"), [(True, "confidence"), (False, "calibration")])
def test_training_writes_the_confidence_of_its_kind_of_tracker(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, causal: bool, kept: str
) -> None:
    examples = [steady(130.0), replace(steady(90.0), split="train")]
    monkeypatch.setattr(commands, "read_solos", lambda _: examples)
    monkeypatch.setattr(commands, "read_piano", lambda *_: [])
    out = tmp_path / "weights.npz"
    settings = BeatTraining(causal=causal, steps=1, batch=1, seconds=4.0, channels=4, delay=3, piano=0.0)
    lines = commands.train(tmp_path, tmp_path, tmp_path, out, settings)
    network, about = read_with_extra(out)
    assert set(about) & {"confidence", "calibration"} == {kept}
    assert (network.shape.channels, network.shape.delay) == (4, 3 if causal else 0)
    assert any(line.startswith("live") for line in lines) == causal


def test_a_network_that_reads_later_notes_is_refused(tmp_path: Path) -> None:
    network = bundled()
    file = tmp_path / "offline.npz"
    write_network(file, replace(network.shape, causal=False, delay=0), network.weights, "CC0")
    with pytest.raises(BundleError, match=r"offline\.npz: is not causal"):
        calibrate_live(tmp_path, tmp_path, tmp_path, file, file)
