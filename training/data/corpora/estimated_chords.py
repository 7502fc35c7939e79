"""Estimated chords for pieces whose corpus gives none."""

from dataclasses import replace

from tatumflow.engine.harmony.estimator import estimate_chords
from tatumflow.training.data.corpora.piece import Piece


def with_chords(piece: Piece) -> Piece:
    """Return the piece with a chord for each note: its corpus's where annotated, else estimated."""
    if piece.chords == "annotated":
        return piece
    notes = piece.notes.copy()
    notes["chord"] = estimate_chords(notes["onset"], notes["duration"], notes["pitch"]).at(notes["onset"])
    return replace(piece, notes=notes, chords="estimated")
