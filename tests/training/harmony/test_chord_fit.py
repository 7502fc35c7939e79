"""The chord estimator's fit: its input, and the same output in the engine."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from tatumflow.engine.errors import CorpusError
from tatumflow.engine.harmony import estimator
from tatumflow.engine.harmony.chords import Chord, chord_id, parse_chord
from tatumflow.engine.harmony.estimator import (
    CHORD_WINDOWS,
    CHROMA_WINDOWS,
    FRAME,
    PAST,
    WHOLE,
    chord_log_probabilities,
)
from tatumflow.training.data.corpora.annotated_solo import AnnotatedSolo, Line
from tatumflow.training.harmony.accompaniment import STYLES, Style, accompany
from tatumflow.training.harmony.fit import FitSettings, SharedRootNetwork, fit, rendered_frames


def solo(symbols: list[str], beats: int = 4, split: str = "train", beat: float = 0.5) -> AnnotatedSolo:
    """Return a solo on chords of so many beats each: an arpeggio over their roots."""
    ids = np.repeat([chord_id(parse_chord(symbol)) for symbol in symbols], beats)
    onset = np.arange(len(ids), dtype=np.float64) * beat
    lasting = np.full(len(ids), beat, dtype=np.float64)
    chords = [Chord.from_id(int(number)) for number in ids]
    tones = [sorted(c.pitch_classes)[i % 3] if c else 0 for i, c in enumerate(chords)]
    roots = [c.root if c else 0 for c in chords]
    return AnnotatedSolo(
        name="x",
        tune="x",
        split="val" if split == "val" else "train",
        melody=Line(onset, lasting, 72 + np.array(tones)),
        beat_bass=Line(onset, lasting, 36 + np.array(roots)),
        walking_bass=Line(onset[:0], lasting[:0], np.zeros(0, dtype=np.int64)),
        beats=onset,
        chords=ids,
    )


@pytest.mark.parametrize("style", STYLES)
def test_accompaniments_play_the_chords(style: Style) -> None:
    tune = solo(["Dm7", "G7", "Cmaj7", "NC"] * 30)
    line = accompany(tune, style, np.random.default_rng(0))
    assert (np.diff(line.onset) >= 0).all()
    assert (line.duration > 0).all()
    assert (line.pitch.min(), line.pitch.max()) >= (36, 0)
    assert line.pitch.max() < 80
    at = np.clip(np.rint(line.onset / 0.5).astype(int), 0, len(tune.chords) - 1)
    played = [Chord.from_id(int(number)) for number in tune.chords[at]]
    for symbol in ("Dm7", "G7", "Cmaj7"):
        chord = parse_chord(symbol)
        assert chord is not None
        over = np.array([p % 12 for p, c in zip(line.pitch.tolist(), played, strict=True) if c == chord])
        counts = np.bincount((over - chord.root) % 12, minlength=12)
        third = 4 if symbol != "Dm7" else 3
        assert counts[third] > counts[7 - third], "the third that makes the chord, not the other"


def test_a_rendering_pairs_windows_with_the_chord_of_the_frame() -> None:
    tune = solo(["Dm7", "G7"], beats=4, beat=0.5)
    windows, true = rendered_frames(tune, (None, True, True), np.random.default_rng(0))
    frames = int(3.5 / FRAME)
    assert windows.shape == (frames, CHROMA_WINDOWS, 12)
    assert len(true) == frames
    assert true.tolist() == [tune.chords[0]] * 8 + [tune.chords[-1]] * 6
    assert windows[2, 0].argmax() in {2, 5, 9, 0}
    assert windows.min() >= 0
    assert windows.sum(axis=2).max() < 1


def test_the_engine_computes_what_was_fitted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(0)
    chroma_network, chord_network = (
        SharedRootNetwork(CHROMA_WINDOWS, 1, 8, 0.0),
        SharedRootNetwork(CHORD_WINDOWS, 8, 4, 0.0),
    )
    for network in (chroma_network, chord_network):
        network.half().float()
    np.savez(tmp_path / "weights.npz", **chroma_network.arrays("chroma"), **chord_network.arrays("chords"))  # pyright: ignore[reportArgumentType]
    monkeypatch.setattr(estimator, "files", lambda _: tmp_path)
    windows = replace(WHOLE, weights="weights.npz")
    estimator.networks.cache_clear()
    try:
        chroma = np.random.default_rng(0).random((40, CHROMA_WINDOWS, 12)).astype(np.float32)
        with torch.no_grad():
            first = torch.log_softmax(chroma_network(torch.from_numpy(chroma)[..., None]), dim=1)
            seen = torch.from_numpy(estimator.chord_windows(first.exp().numpy()))
            expected = torch.log_softmax(first + chord_network(seen), dim=1).numpy()
        np.testing.assert_allclose(chord_log_probabilities(chroma, windows), expected, atol=2e-3)
    finally:
        estimator.networks.cache_clear()


def test_transposed_chromas_give_transposed_scores() -> None:
    chroma = np.random.default_rng(1).random((30, CHROMA_WINDOWS, 12)).astype(np.float32)
    here = chord_log_probabilities(chroma).reshape(30, 12, 8)
    higher = chord_log_probabilities(np.roll(chroma, 3, axis=2)).reshape(30, 12, 8)
    np.testing.assert_allclose(np.roll(here, 3, axis=1), higher, atol=1e-4)


def test_fitting_lowers_the_loss_and_writes_the_weights(tmp_path: Path) -> None:
    tunes = [solo(["Dm7", "G7", "Cmaj7", "A7"] * 8), solo(["Gm7", "C7", "Fmaj7", "D7"] * 8)]
    settings = FitSettings(chroma=8, chords=4, epochs=(6, 3), share=1.0, batch=32, rate=0.01)
    first, second = fit(tunes, tmp_path / "weights.npz", settings)
    assert first[-1] < 0.6 * first[0]
    assert second[-1] < first[-1] + 0.3
    with np.load(tmp_path / "weights.npz", allow_pickle=False) as stored:
        assert stored["chroma_hidden"].shape == (CHROMA_WINDOWS, 12, 1, 8)
        assert stored["chords_hidden"].shape == (CHORD_WINDOWS, 12, 8, 4)


def test_the_live_networks_read_the_past_alone(tmp_path: Path) -> None:
    fit(
        [solo(["Dm7", "G7"] * 4)],
        tmp_path / "weights.npz",
        FitSettings(chroma=8, chords=4, epochs=(1, 1)),
        PAST,
    )
    with np.load(tmp_path / "weights.npz", allow_pickle=False) as stored:
        assert stored["chroma_hidden"].shape == (PAST.chroma, 12, 1, 8)
        assert stored["chords_hidden"].shape == (len(PAST.chords), 12, 8, 4)
    spans = (*PAST.all_notes, *PAST.lowest, *PAST.high, *PAST.chords)
    assert max(last for _, last in spans) == 1, "up to the end of the frame itself"


def test_only_the_training_side_is_read(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="no solo of the training side"):
        fit([solo(["C7"] * 4, split="val"), solo(["NC"] * 4)], tmp_path / "weights.npz")
