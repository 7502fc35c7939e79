"""The split of a collected corpus, by piece: all takes and duplicates of one are on one side."""

import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from tatumflow.engine.errors import CorpusError
from tatumflow.training.data.corpora.collected import CollectedFile
from tatumflow.training.data.corpora.piece import Split

_SIDES: Final[tuple[Split, ...]] = ("train", "val", "test")


@dataclass(frozen=True)
class Shares:
    """Shares of the notes that are held out, each 0 to 0.5; the rest is trained on."""

    val: float = 0.1
    test: float = 0.1

    def __post_init__(self) -> None:
        if not (0 <= self.val <= 0.5 and 0 <= self.test <= 0.5):
            raise CorpusError(f"shares of {self.val:g} and {self.test:g}: give two numbers of 0 to 0.5")


def with_split(
    files: Sequence[CollectedFile], shares: Shares, seed: int, kept: Mapping[str, Split] | None = None
) -> tuple[CollectedFile, ...]:
    """Put files on sides by their pieces.

    Pieces are taken in an order that the seed and their keys decide, each for the side that lacks the most
    notes. Where there are three pieces or more, no side with a share stays empty.

    Args:
        files: The files.
        shares: The shares of the sides.
        seed: Seed of the order.
        kept: Sides of pieces that stay where they are, so that nothing that was held out is trained on later.
    """
    notes: defaultdict[str, int] = defaultdict(int)
    for file in files:
        notes[file.piece] += file.notes
    sides: dict[str, Split] = {piece: side for piece, side in (kept or {}).items() if piece in notes}
    aims: dict[Split, float] = {
        "train": 1 - shares.val - shares.test,
        "val": shares.val,
        "test": shares.test,
    }
    lacking: dict[Split, float] = {side: share * sum(notes.values()) for side, share in aims.items()}
    for piece, side in sides.items():
        lacking[side] -= notes[piece]
    shared: list[Split] = [side for side in _SIDES if aims[side]]
    for piece in sorted(notes.keys() - sides.keys(), key=lambda piece: _place(piece, seed)):
        side = max(shared, key=lacking.__getitem__)
        sides[piece] = side
        lacking[side] -= notes[piece]
    _fill_empty_sides(sides, notes, [side for side in ("val", "test") if aims[side]])
    return tuple(file.model_copy(update={"split": sides[file.piece]}) for file in files)


def _fill_empty_sides(sides: dict[str, Split], notes: Mapping[str, int], held_out: Sequence[Split]) -> None:
    for side in held_out:
        trained = sorted(
            (piece for piece in sides if sides[piece] == "train"), key=lambda piece: (notes[piece], piece)
        )
        if side not in sides.values() and len(trained) > 1 and len(sides) > 2:
            sides[trained[0]] = side


def _place(piece: str, seed: int) -> bytes:
    return hashlib.sha256(f"{seed}:{piece}".encode()).digest()
