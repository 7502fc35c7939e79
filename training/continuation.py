"""Continuations from a torch checkpoint: what the model plays after a phrase."""

from collections.abc import Sequence
from pathlib import Path
from typing import cast

import numpy as np
import torch
from torch import nn

from tatumflow.engine.midi_file import MidiTrack, write_midi
from tatumflow.engine.notes import Note, Role
from tatumflow.engine.sampling import Sampling, sample
from tatumflow.engine.tokens import FIELDS, TURN, NoteTokens, StreamingEncoder, decode_note
from tatumflow.training.batches import plain_batch
from tatumflow.training.families import NoteModel


def continue_notes(
    model: nn.Module,
    prime: Sequence[Note],
    count: int,
    *,
    window: int,
    style: int = 0,
    sampling: Sampling | None = None,
    seed: int = 0,
) -> list[Note]:
    """Play on from a phrase, as the companion.

    Every note runs the whole window again: right for any family, and fast enough for experiments.

    Args:
        model: A `NoteModel` in evaluation mode, on the CPU.
        prime: The human's notes, ascending.
        count: How many notes to play.
        window: Steps the model may look back on.
        style: Style id of the companion, 0 for none.
        sampling: How to choose each field; the default when None.
        seed: Seed of the choices.

    Returns:
        The new notes; their onsets go on from the last of the prime's.
    """
    chosen = sampling or Sampling()
    rng = np.random.default_rng(seed)
    encoder = StreamingEncoder()
    steps = [_step(TURN, Role.HUMAN, 0)]
    steps += [_step(encoder.encode(note), Role.HUMAN, 0) for note in prime]
    steps.append(_step(TURN, Role.COMPANION, style))
    onset = prime[-1].onset if prime else 0.0
    played: list[Note] = []
    with torch.inference_mode():
        for _ in range(count):
            tokens = _next_note(cast(NoteModel, model), steps[-window:], chosen, rng)
            note = decode_note(tokens, onset)
            onset = note.onset
            played.append(note)
            steps.append(_step(tokens, Role.COMPANION, style))
    return played


def write_continuation(path: Path, prime: Sequence[Note], played: Sequence[Note]) -> None:
    """Write a phrase and its continuation as a MIDI file of two tracks.

    Raises:
        MidiFileError: if the file cannot be written.
    """
    write_midi(path, [MidiTrack("phrase", prime), MidiTrack("continuation", played)])


def _step(tokens: NoteTokens, role: Role, style: int) -> list[int]:
    return [tokens.time_shift, tokens.pitch, tokens.velocity, tokens.duration, int(role), style]


def _next_note(
    model: NoteModel, steps: list[list[int]], sampling: Sampling, rng: np.random.Generator
) -> NoteTokens:
    """Draw the note after the last step, field by field."""
    inputs = torch.tensor([steps])
    batch = plain_batch(inputs[..., : len(FIELDS)], inputs[..., -2], inputs[..., -1])
    states = model(batch)
    for field in range(len(FIELDS)):
        logits = model.field_logits(states, batch)[field]
        batch.target[0, -1, field] = sample(logits[0, -1].float().numpy(), sampling, rng)
    return NoteTokens(*batch.target[0, -1].tolist())
