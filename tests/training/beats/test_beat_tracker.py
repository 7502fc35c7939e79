"""The offline beat tracker: network, decoder, confidence, labels, training."""

from dataclasses import replace
from pathlib import Path

import mido
import numpy as np
import pytest
import torch

from tatumflow.engine.beats.features import FEATURES, FRAME_RATE, onset_features
from tatumflow.engine.beats.network import BeatNetworkShape, read_with_extra, write_network
from tatumflow.engine.errors import BundleError, CorpusError
from tatumflow.training.beats.chunks import collate, random_chunk, targets_of, top_line
from tatumflow.training.beats.confidence import SIGNS, Calibration, fit, signs
from tatumflow.training.beats.decoding import bar_positions, decode
from tatumflow.training.beats.examples import BeatExample, NoteList
from tatumflow.training.beats.labelling import LabelSettings, label
from tatumflow.training.beats.learning import BeatTraining, train_network
from tatumflow.training.beats.measures import (
    constant_f_measure,
    f_measure,
    octave_f_measure,
    right_beats,
)
from tatumflow.training.beats.module import BeatModule
from tatumflow.training.data.corpora.beat_tables import (
    Beats,
    LabelEntry,
    read_beats,
    read_labels,
    write_beats,
    write_index,
)

SHAPE = BeatNetworkShape(channels=6, dilations=(1, 2, 4), causal=False, delay=0)
CALIBRATION = Calibration((0.0,) * SIGNS, (1.0,) * SIGNS, (1.0,) + (0.0,) * (SIGNS - 1), 0.0)


def activations(beats: np.ndarray, downbeats: np.ndarray, seconds: float) -> np.ndarray:
    found = np.full((int(seconds * FRAME_RATE), 2), 0.03, dtype=np.float32)
    frame = np.arange(len(found))
    for column, times in ((0, beats), (1, downbeats)):
        for time in times:
            place = time * FRAME_RATE
            found[:, column] = np.maximum(found[:, column], 0.8 * (1 - np.abs(frame - place) / 2))
    return found


def notes_at(onset: np.ndarray, pitch: int = 60) -> NoteList:
    return NoteList(onset, np.full(len(onset), pitch), np.full(len(onset), 80))


def example(tempo: float = 120.0, seconds: float = 60.0, kind: str = "piano") -> BeatExample:
    beats = np.arange(0.5, seconds, 60 / tempo)
    return BeatExample(
        name="x",
        kind="solo" if kind == "solo" else "piano",
        split="train",
        notes=notes_at(np.sort(np.concatenate([beats, beats[:-1] + 30 / tempo]))),
        bass=notes_at(beats[:0]),
        beats=beats,
        position=np.arange(len(beats)) % 4 + 1,
        certainty=np.ones(len(beats)),
    )


@pytest.mark.parametrize("tempo", [60.0, 97.0, 222.0, 300.0])
@pytest.mark.parametrize("meter", [3, 4])
def test_decoder_finds_the_beats_and_the_bars(tempo: float, meter: int) -> None:
    beats = np.arange(0.5, 30, 60 / tempo)
    found = decode([activations(beats, beats[1::meter], 31)])[0]
    assert f_measure(beats, found.onset, tolerance=0.02) > 0.96
    downs = found.onset[found.position == 1]
    assert f_measure(beats[1::meter], downs, tolerance=0.02) > 0.9


def test_decoder_follows_a_tempo_that_changes_gradually() -> None:
    lengths = np.linspace(0.5, 0.75, 60)
    beats = 0.5 + np.cumsum(lengths)
    found = decode([activations(beats, beats[::4], beats[-1] + 1)])[0]
    assert f_measure(beats, found.onset) > 0.95


def test_performances_decoded_together_have_the_beats_they_have_alone() -> None:
    one, other = np.arange(0.5, 20, 0.4), np.arange(0.3, 12, 0.7)
    first, second = activations(one, one[::4], 21), activations(other, other[::3], 13)
    together = decode([first, second])
    for alone, beside in zip([decode([first])[0], decode([second])[0]], together, strict=True):
        np.testing.assert_array_equal(alone.onset, beside.onset)
        np.testing.assert_array_equal(alone.position, beside.position)


def test_no_beats_give_no_positions() -> None:
    assert len(bar_positions(np.empty(0))) == 0


def test_f_measure_counts_each_beat_once() -> None:
    truth = np.array([1.0, 2.0, 3.0, 4.0])
    assert f_measure(truth, truth + 0.05) == 1.0
    assert f_measure(truth, truth + 0.08) == 0.0
    assert f_measure(truth, np.repeat(truth, 2)) == pytest.approx(2 / 3)
    assert f_measure(truth, truth[:0]) == 0.0
    assert octave_f_measure(truth, truth[::2]) == 1.0
    assert octave_f_measure(truth, truth[:-1] + 0.5) == 1.0
    assert constant_f_measure(np.arange(0, 20, 0.5)) > 0.97
    assert list(right_beats(truth, truth + 0.01)) == [True] * 4
    assert not right_beats(truth, np.array([1.0, 1.5, 2.0, 2.5, 3.0])).any()


def test_numpy_network_equals_the_trained_module(tmp_path: Path) -> None:
    torch.manual_seed(0)
    for shape in (SHAPE, replace(SHAPE, causal=True, delay=2)):
        module = BeatModule(shape).eval()
        features = np.random.default_rng(0).random((120, FEATURES), dtype=np.float32)
        with torch.inference_mode():
            expected = module(torch.from_numpy(features.T[None].copy())).sigmoid()[0].T.numpy()
        np.testing.assert_allclose(module.network().activations(features), expected, atol=1e-6)
        file = tmp_path / "weights.npz"
        write_network(file, shape, module.weights(), "CC BY-NC 4.0", {"calibration": 1})
        network, about = read_with_extra(file)
        np.testing.assert_allclose(network.activations(features), expected, atol=2e-3)
        assert network.shape == shape
        assert (about["licence"], about["calibration"]) == ("CC BY-NC 4.0", 1)
        again = BeatModule(shape)
        again.load(network)
        for name, array in again.weights().items():
            np.testing.assert_array_equal(array, network.weights[name])


def test_damaged_weights_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "weights.npz"
    with pytest.raises(BundleError, match="no beat network"):
        read_with_extra(file)
    file.write_bytes(b"nothing")
    with pytest.raises(BundleError, match="no beat network"):
        read_with_extra(file)


def test_features_share_an_onset_between_two_frames() -> None:
    features = onset_features([0.03], [21], [127], 4)
    np.testing.assert_allclose(features[:, 0] ** 2, [0, 0.5, 0.5, 0], atol=1e-6)
    shifted = onset_features([0.03], [21], [127], 2, first=1)
    np.testing.assert_array_equal(shifted, features[1:3])


def test_targets_lie_on_the_beats_and_count_only_where_they_are_known() -> None:
    beats = example()
    targets, weights = targets_of(replace(beats, certainty=np.full(len(beats.beats), 0.5)), 500)
    assert targets[25, 0] == targets[25, 1] == 1
    assert targets[50, 0] == 1
    assert targets[50, 1] == 0
    assert weights[10].max() == 0
    assert weights[30, 0] == pytest.approx(0.5)


@pytest.mark.parametrize("kind", ["solo", "piano"])
def test_chunks_keep_notes_on_their_beats_whatever_is_changed(kind: str) -> None:
    random = np.random.default_rng(0)
    for _ in range(12):
        chunk = random_chunk(example(kind=kind), 1000, random)
        assert chunk.features.shape == (1000, FEATURES)
        on = chunk.targets[:, 0] >= 0.5
        assert chunk.features[on, -1].mean() > 2 * chunk.features[~on, -1].mean()


def test_top_line_keeps_the_highest_note_of_a_chord() -> None:
    notes = NoteList(np.array([0.0, 0.01, 0.5, 1.0]), np.array([60, 72, 64, 40]), np.full(4, 64))
    assert top_line(notes).pitch.tolist() == [72, 64]


def test_confidence_is_lower_in_rubato_than_in_time() -> None:
    random = np.random.default_rng(0)
    beats = np.arange(0.5, 60, 0.5)
    onsets = np.sort(np.concatenate([beats, beats + 0.25]))
    clear = activations(beats, beats[::4], 62)
    steady = signs(clear, onsets, beats)
    loose = signs(np.full_like(clear, 0.1), np.sort(random.uniform(0, 60, 240)), beats)
    calibration = fit(np.concatenate([steady, loose]), np.arange(2 * len(beats)) < len(beats))
    assert calibration.confidence(steady).min() > 0.7
    assert calibration.confidence(loose).max() < 0.3


def test_labels_come_back_as_they_were_written(tmp_path: Path) -> None:
    beats = Beats(np.array([0.5, 1.25]), np.array([4, 1]), np.array([0.25, 0.5]), np.array([0.125, 0.75]))
    entry = LabelEntry("7", "Somebody", 'A "tune", with commas', "val", "midi/a b.midi")
    write_beats(tmp_path / "7.csv", beats)
    write_index(tmp_path, [(entry, beats)])
    [(read_entry, read)] = read_labels(tmp_path)
    assert read_entry == entry
    for field in ("onset", "position", "activation", "confidence"):
        np.testing.assert_array_equal(getattr(read, field), getattr(beats, field))
    assert (tmp_path / "index.csv").read_text().splitlines()[1].endswith(",2,80.0,0.375,0.438")


def test_labels_without_confidence_are_read_too(tmp_path: Path) -> None:
    (tmp_path / "1.csv").write_text("onset,position,activation\n1.240,2,0.027\n")
    assert read_beats(tmp_path / "1.csv").confidence is None
    (tmp_path / "2.csv").write_text("onset,position\n1.240,2\n")
    with pytest.raises(CorpusError, match="not a table of beats"):
        read_beats(tmp_path / "2.csv")


def test_labels_keep_the_clock_of_the_midi_file(tmp_path: Path) -> None:
    corpus = tmp_path / "pijama"
    corpus.mkdir()
    track = mido.MidiTrack([mido.MetaMessage("set_tempo", tempo=500_000, time=0)])
    for beat in range(40):
        track.append(mido.Message("note_on", note=60, velocity=64, time=480 if beat else 4800))
        track.append(mido.Message("note_off", note=60, velocity=0, time=0))
    mido.MidiFile(tracks=[track], ticks_per_beat=480).save(corpus / "a.midi")
    (corpus / "pijama.csv").write_text(
        "id,artist,title,midi_filepath,split,performance_start_sec,performance_end_sec\n"
        "3,A,B,a.midi,train,6,100\n4,A,C,a.midi,test,0,100\n5,A,D,missing.midi,val,0,100\n"
    )
    torch.manual_seed(0)
    lines: list[str] = []
    counts = label(
        corpus,
        tmp_path / "out",
        BeatModule(SHAPE).eval().network(),
        CALIBRATION,
        LabelSettings(),
        lines.append,
    )
    [(entry, beats)] = read_labels(tmp_path / "out")
    assert entry.id == "3"
    assert any("missing.midi" in line for line in lines)
    # The file's first note lies at 5 s and its last at 24.5 s; notes before 6 s are not of the performance.
    assert beats.onset.min() > 5.85
    assert beats.onset.max() < 24.65
    assert counts[0].beats == len(beats.onset) - 1
    assert counts[0].notes <= 38


def test_a_few_steps_of_training_lower_the_loss() -> None:
    settings = BeatTraining(steps=8, batch=2, seconds=8.0, channels=8, rate=1e-2)
    examples = [example(), example(tempo=90.0, kind="solo")]
    module = train_network(examples, settings, lambda _: None)
    features, targets, _ = (
        torch.from_numpy(a) for a in collate([random_chunk(examples[0], 400, np.random.default_rng(1))])
    )
    with torch.inference_mode():
        loss = torch.nn.functional.binary_cross_entropy_with_logits(module(features), targets)
        torch.manual_seed(settings.seed)
        untrained = BeatModule(module.shape).eval()
        before = torch.nn.functional.binary_cross_entropy_with_logits(untrained(features), targets)
    assert loss < before
