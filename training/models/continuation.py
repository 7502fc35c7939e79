"""Continuations of a phrase, sampled from a model."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from tatumflow.engine.midi.midi_file import MidiTrack, write_midi
from tatumflow.engine.midi.notes import Note, Role
from tatumflow.engine.model.sampling import Sampling
from tatumflow.training.models import NoteStream


def continue_notes(
    stream: NoteStream,
    prime: Sequence[Note],
    count: int,
    *,
    style: int = 0,
    sampling: Sampling | None = None,
    seed: int = 0,
) -> list[Note]:
    """Sample a continuation of a phrase, as the companion.

    Args:
        stream: An empty stream through a model of any family.
        prime: The human's notes, ascending.
        count: Notes to sample.
        style: Style id of the companion, 0 for none.
        sampling: Sampling settings; the defaults when None.
        seed: Seed of the sampling.

    Returns:
        The sampled notes; their onsets follow the last of the prime's.
    """
    chosen = sampling or Sampling()
    rng = np.random.default_rng(seed)
    stream.turn(Role.HUMAN, 0)
    for note in prime:
        stream.add(note)
    stream.turn(Role.COMPANION, style)
    return [stream.next_note(chosen, rng) for _ in range(count)]


def write_continuation(path: Path, prime: Sequence[Note], played: Sequence[Note]) -> None:
    """Write a phrase and its continuation as a MIDI file of two tracks.

    Raises:
        MidiFileError: if the file cannot be written.
    """
    write_midi(path, [MidiTrack("phrase", prime), MidiTrack("continuation", played)])
