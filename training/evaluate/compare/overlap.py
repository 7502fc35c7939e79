"""Overlapping windows, to score models of different context lengths on the same notes.

A piece becomes one sequence of steps, with turns, roles, styles and notes cut at turns as in training, and
without chords or phrases, which not every family reads. A model reads it in windows of its own length that
overlap by half. Each note is scored once, in the window where at least half a window lies before it, or the
whole beginning of the piece. So models of any window are scored on the same notes, with enough context each.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

import numpy as np

from tatumflow.engine.model.tokens import ABSENT
from tatumflow.training.data.packing import PackedCorpus, PackedPiece
from tatumflow.training.data.phrases import NO_PHRASE
from tatumflow.training.data.windows import TurnSettings, Window, Windows

_TURNS: Final = TurnSettings(chords=0.0)


def whole_piece(corpus: PackedCorpus, piece: PackedPiece, seed: int = 0) -> Window:
    """Return a piece of a corpus as one window, its `piece` 0; `seed` of the turns is that of every model."""
    alone = replace(corpus, index=corpus.index.model_copy(update={"pieces": (piece,)}))
    # A turn has at least one note, so that a note takes at most two steps.
    windows = Windows(alone, piece.split, 2 * piece.length + 1, seed + piece.start, turns=_TURNS)
    window = windows.epoch(0).window(0)
    return _cut(window, 0, int(np.flatnonzero(window.scored.any(axis=1))[-1]) + 2)


def overlapping(whole: Window, seq_len: int) -> Iterator[Window]:
    """Cut a piece into windows that overlap by half, each note scored in one of them.

    A window that does not begin with the piece begins with a turn token, as training windows do: its first
    step is replaced by one with its role and style.

    Args:
        whole: The piece, as `whole_piece` gives it.
        seq_len: Most steps of a window, at least 4.
    """
    total = len(whole.role)
    turn = np.all(whole.fields == np.array(ABSENT), axis=1)
    done = 0
    while done < total - 1:
        start = max(done - seq_len // 2, 0)
        # Two turn tokens in a row would mark the beginning of another piece.
        start += int(not turn[start] and turn[start + 1])
        stop = min(start + seq_len, total)
        window = _cut(whole, start, stop)
        window.fields[0] = ABSENT
        window.scored[: done - start] = False
        # The last step predicts a note outside, which not every family reads.
        window.scored[-1] = False
        yield window
        done = stop - 1


def _cut(window: Window, start: int, stop: int) -> Window:
    """Return a copy of some steps of a window, without phrases."""
    inside = slice(start, stop)
    return Window(
        fields=window.fields[inside].copy(),
        role=window.role[inside].copy(),
        style=window.style[inside].copy(),
        target=window.target[inside].copy(),
        scored=window.scored[inside].copy(),
        piece=window.piece[inside].copy(),
        chord=window.chord[inside].copy(),
        next_chord=window.next_chord[inside].copy(),
        metre=window.metre[inside].copy(),
        next_metre=window.next_metre[inside].copy(),
        tick_seconds=window.tick_seconds[inside].copy(),
        phrase=np.full(stop - start, NO_PHRASE),
        phrase_steps=np.full((1, 1), NO_PHRASE),
        previous=np.full(1, NO_PHRASE),
        features=np.zeros_like(window.features[:1]),
        key=np.zeros(1, np.int64),
    )
