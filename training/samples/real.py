"""A player's real stretch beside a sample: what was played next, or other music of the requested player."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Final

import numpy as np

from tatumflow.engine.midi.notes import Note
from tatumflow.engine.model.style_names import player_name
from tatumflow.training.data.corpora.piece import Split
from tatumflow.training.data.packing import PackedCorpus, PackedPiece, style_slug
from tatumflow.training.evaluate.generations import to_notes
from tatumflow.training.evaluate.parts.answer_relevance import Call
from tatumflow.training.evaluate.primers import Notes, segments
from tatumflow.training.samples.requests import Request
from tatumflow.training.samples.texture import Texture, texture_of

STRETCH_SECONDS: Final = 20.0
"""Length of a stretch that does not follow a call."""

CREDITS: Final = {
    "pijama": "PiJAMA (Edwards, Dixon and Benetos, 2023), recordings of solo piano, transcribed by a program",
    "wjazzd": "Weimar Jazz Database (Pfleiderer et al., Jazzomat), recorded solos, transcribed by hand",
}
"""Whose transcriptions a corpus holds."""


@dataclass(frozen=True)
class Stretch:
    """A player's real stretch.

    Attributes:
        title: Player and piece, and its relation to the sample.
        corpus: Name of its corpus.
        given: Notes of the call that it followed, from 0 s on; empty for a stretch of its own.
        played: Its notes, on the same clock.
        texture: Counts of its notes.
    """

    title: str
    corpus: str
    given: tuple[Note, ...]
    played: tuple[Note, ...]
    texture: Texture


def real_stretch(
    request: Request, call: Call | None, corpus: PackedCorpus | None, seed: int = 0
) -> Stretch | None:
    """Return the player's stretch that a sample is heard beside; None where there is none.

    For answers and continuations that is the player's own next phrase, for the other modes a stretch of the
    requested players, of any player where none is requested: a held-out one where there is one.

    Args:
        request: The request.
        call: The call, if any.
        corpus: The packed corpus, if any.
        seed: Seed of the stretch.
    """
    if call is not None and request.mode in ("answer", "continue"):
        return _next_phrase(call) if len(call.following) else None
    if corpus is None:
        return None
    held_out = player_stretches(request.styles, corpus, seed, ("val",))
    found = next(chain(held_out, player_stretches(request.styles, corpus, seed, ("train",))), None)
    if found is None:
        return None
    piece, notes = found
    side = "held-out" if piece.split == "val" else "training"
    title = f"{piece.player or 'unknown player'}, {piece.title or piece.name} ({side} side)"
    return Stretch(title, piece.corpus, (), shifted(notes, 0.0), texture_of(notes, STRETCH_SECONDS))


def player_stretches(
    styles: Collection[str], corpus: PackedCorpus, seed: int, sides: Sequence[Split] = ("val", "train")
) -> Iterator[tuple[PackedPiece, Notes]]:
    """Yield the first stretch of each of the players' pieces, in random order.

    Args:
        styles: Slugs of the players; all when empty.
        corpus: The packed corpus.
        seed: Seed of the order.
        sides: Sides of its split.
    """
    found = [
        piece
        for side in sides
        for piece in corpus.played(side)
        if not styles or style_slug(piece.player) in styles
    ]
    for i in np.random.default_rng(seed).permutation(len(found)).tolist():
        stretch = next(segments(corpus.notes(found[i]), STRETCH_SECONDS), None)
        if stretch is not None:
            yield found[i], stretch


def credits_of(corpus: PackedCorpus) -> list[str]:
    """Return whose transcriptions each corpus holds, and their licence, in words."""
    return [f"{CREDITS.get(info.name, info.name)}; licence: {info.licence}" for info in corpus.index.corpora]


def shifted(notes: Notes, seconds: float) -> tuple[Note, ...]:
    """Return notes some seconds later; none begins before 0."""
    return tuple(replace(note, onset=max(note.onset + seconds, 0.0)) for note in to_notes(notes))


def _next_phrase(call: Call) -> Stretch:
    start, following = float(call.notes["onset"][0]), call.following
    first = float(following["onset"][0])
    seconds = float((following["onset"] + following["duration"]).max()) - first
    own = following.copy()
    own["onset"] -= first
    who = player_name(call.player) or "The player"
    return Stretch(
        f"{who}: what was played next",
        call.corpus,
        shifted(call.notes, -start),
        shifted(following, -start),
        texture_of(own, seconds),
    )
