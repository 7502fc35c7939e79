"""A user's own MIDI files as a packed corpus, some of them held out."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np

from tatumflow.training.adapt.errors import AdaptError
from tatumflow.training.data.corpora.estimated_chords import with_chords
from tatumflow.training.data.corpora.midi_folder import read_midi_folder
from tatumflow.training.data.corpora.piece import BrokenFile, Piece
from tatumflow.training.data.packing import PackedCorpus, pack

FEWEST_NOTES: Final = 1500
"""Fewest notes for an adapter, as many as a player of a corpus needs to get a style."""

OWN_LICENCE: Final = "its player's own files"
"""Licence of the music in the bundle's credits."""

END: Final = ", end"
"""Suffix of the name of a piece's held-out end."""

_HELD_OUT: Final = 0.1
_MOST_HELD_OUT: Final = 0.25
_END_SHARE: Final = 0.2


def pack_own_music(
    source: Path, out: Path, name: str, seed: int = 0, go_on: Callable[[], bool] = lambda: True
) -> PackedCorpus:
    """Read a folder of MIDI files, estimate their chords, hold some music out, and pack it.

    Args:
        source: The folder, or an archive of it.
        out: The folder of the packed corpus.
        name: Slug of the player; the corpus and its one style are called so.
        seed: Seed of the choice of held-out pieces; see `hold_out`.
        go_on: Whether there is still time to read; called after each file.

    Raises:
        AdaptError: if there are no MIDI files, none can be read, they hold too few notes, or there is no time
            to read them all.
        CorpusError: if the source cannot be opened or the packed corpus not written.
    """
    found: list[Piece | BrokenFile] = []
    for item in read_midi_folder(source, player=name, seed=seed, corpus=name):
        if not go_on():
            raise AdaptError(
                f"{source}: {len(found)} files are read and the time for reading is up; give fewer files, or "
                "more --minutes"
            )
        found.append(with_chords(item) if isinstance(item, Piece) and len(item.notes) else item)
    if not found:
        raise AdaptError(
            f"{source}: holds no MIDI files; give a folder of .mid or .midi files of your playing"
        )
    pieces = [item for item in found if isinstance(item, Piece) and len(item.notes)]
    broken = [item for item in found if not isinstance(item, Piece)]
    if not pieces and broken:
        raise AdaptError(f"{source}: none of its {len(found)} MIDI files can be read; {broken[0].reason}")
    notes = sum(len(piece.notes) for piece in pieces)
    if notes < FEWEST_NOTES:
        raise AdaptError(
            f"{source}: holds {notes:,} notes; an adapter needs at least {FEWEST_NOTES:,}, some five minutes "
            "of playing: add files"
        )
    pack([*hold_out(pieces, seed), *broken], out, {name: OWN_LICENCE}, min_style_notes=1)
    return PackedCorpus.open(out)


def hold_out(pieces: Sequence[Piece], seed: int = 0) -> list[Piece]:
    """Put some of a player's pieces on the validation side, whole ones if possible.

    Pieces are held out in random order until they have a tenth of the notes; a piece that would bring them to
    more than a quarter is not. Where they have less than a tenth then, as with one piece or two of a length,
    the last fifth of the longest remaining piece is held out too, as a piece of its own.

    Args:
        pieces: Pieces with notes, at least one; the side of the split they are on does not matter.
        seed: Seed of the order.
    """
    lengths = [len(piece.notes) for piece in pieces]
    total, held = sum(lengths), 0
    chosen: set[int] = set()
    for i in np.random.default_rng(seed).permutation(len(pieces)).tolist():
        if held >= _HELD_OUT * total:
            break
        if held + lengths[i] <= _MOST_HELD_OUT * total:
            chosen.add(i)
            held += lengths[i]
    sides = [replace(piece, split="val" if i in chosen else "train") for i, piece in enumerate(pieces)]
    if held >= _HELD_OUT * total:
        return sides
    longest = max((i for i in range(len(pieces)) if i not in chosen), key=lambda i: lengths[i])
    cut = round((1 - _END_SHARE) * lengths[longest])
    piece = sides[longest]
    end = piece.notes[cut:].copy()
    end["onset"] -= end["onset"].min()
    sides[longest] = replace(piece, notes=piece.notes[:cut])
    return [*sides, replace(piece, name=piece.name + END, split="val", notes=end)]
