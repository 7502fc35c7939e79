"""How likely interpolated melodies are under TatumFlow, beside their ends and the real ones."""

from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tatumflow.engine.arrays import Ints
from tatumflow.engine.melodies.gridding import sounding_notes
from tatumflow.engine.melodies.melody import FIRST_PITCH, Melody
from tatumflow.training.data.corpora.note_array import from_notes
from tatumflow.training.data.corpora.piece import UNKNOWN_VELOCITY
from tatumflow.training.data.packing import FORMAT_VERSION, PackedCorpus, PackedIndex, PackedPiece
from tatumflow.training.evaluate.bootstrap import mean, ratio_of_means
from tatumflow.training.evaluate.compare.overlap import whole_piece
from tatumflow.training.evaluate.comparison import Figures, value_and_interval
from tatumflow.training.evaluate.likelihood.nll import WindowLogits
from tatumflow.training.evaluate.likelihood.piece_sums import empty_sums, nats_per_note, tally
from tatumflow.training.melodies.evaluation.monotony import Ways

TEMPO: Final = 150.0
OFF_BEAT: Final = 0.6
"""Tempo and swing at which all melodies are scored: near the medians of the Weimar solos."""

_FEWEST_NOTES: Final = 2
_VELOCITY: Final = 80


def likelihood(ways: Ways, model: WindowLogits, seed: int) -> Figures:
    """Return the NLL in nats a note, each melody from an empty context, without velocities.

    Returns:
        `real`, of the melodies themselves; and for each way `ends`, of the decoded ends, `middle`, of the
        decoded middle, and `ratio`, of the mean over the places between the ends to that over the ends.
    """
    real = np.concatenate([nats_of(ways.start, model), nats_of(ways.end, model)])
    figures: Figures = {"real": value_and_interval(mean(real, seed=seed))}
    for name, decoded in ways.decoded.items():
        nats = np.stack([nats_of(decoded[:, place], model) for place in range(decoded.shape[1])], axis=1)
        ends = nats[:, [0, -1]].mean(axis=1)
        between = nats[:, 1:-1].mean(axis=1)
        figures[name] = {
            "ends": value_and_interval(mean(ends, seed=seed)),
            "middle": value_and_interval(mean(nats[:, nats.shape[1] // 2], seed=seed)),
            "ratio": value_and_interval(ratio_of_means(between, ends, seed=seed)),
        }
    return figures


def nats_of(events: Ints, model: WindowLogits) -> NDArray[np.float64]:
    """Return the nats a note of melodies (n, steps), (n,); NaN for one of fewer than two notes."""
    found = np.full(len(events), np.nan)
    for number, row in enumerate(events):
        if np.count_nonzero(row >= FIRST_PITCH) >= _FEWEST_NOTES:
            found[number] = _nats(Melody(tuple(row.tolist())), model)
    return found


def _nats(melody: Melody, model: WindowLogits) -> float:
    notes = from_notes(sounding_notes([melody], TEMPO, OFF_BEAT, _VELOCITY))
    notes["velocity"] = UNKNOWN_VELOCITY
    piece = PackedPiece(
        name="melody", corpus="melodies", player="", title="", split="val", start=0, length=len(notes)
    )
    index = PackedIndex(format_version=FORMAT_VERSION, corpora=(), styles=(), pieces=(piece,))
    window = whole_piece(PackedCorpus(Path(), index, (notes,)), piece)
    sums = empty_sums(1)
    tally(sums, window, model.logits(window))
    return float(nats_per_note(sums)[0])
