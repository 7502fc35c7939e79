"""Notes of a packed corpus in files of bounded size (shards), written and read one at a time.

A shard is a `.npy` file, an array of `NOTE_DTYPE`; a piece lies whole in one of them. Reading maps a shard
into memory, so that only the pages of the pieces in use are read from disk.
"""

from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, overload

import numpy as np
from numpy.typing import NDArray

from tatumflow.engine.errors import CorpusError
from tatumflow.training.data.corpora.piece import NOTE_DTYPE

SHARD_NOTES: Final = 1 << 22
"""Notes in a shard, 84 MB of them; a longer piece gets a longer shard for itself."""

_MOST_OPEN: Final = 128
"""Shards mapped at once, each of which holds a file open."""


class MappedShards(Sequence[NDArray[np.void]]):
    """Memory-mapped arrays of `NOTE_DTYPE`, one a file, each (n,), read-only.

    A shard is mapped when it is first read; of many, the `_MOST_OPEN` last used stay mapped. Sent to another
    process, the names alone travel.
    """

    def __init__(self, paths: Sequence[Path]) -> None:
        """Check the files.

        Raises:
            CorpusError: if one is missing or holds something else.
        """
        self._paths = tuple(paths)
        self._open: OrderedDict[int, NDArray[np.void]] = OrderedDict()
        self.lengths = tuple(len(_mapped(path)) for path in self._paths)
        """Notes in each shard."""

    def __len__(self) -> int:
        return len(self._paths)

    @overload
    def __getitem__(self, index: int) -> NDArray[np.void]: ...

    @overload
    def __getitem__(self, index: slice) -> "MappedShards": ...

    def __getitem__(self, index: int | slice) -> "NDArray[np.void] | MappedShards":
        if isinstance(index, slice):
            return MappedShards(self._paths[index])
        found = self._open.get(index)
        if found is None:
            found = self._open[index] = _mapped(self._paths[index])
            if len(self._open) > _MOST_OPEN:
                self._open.popitem(last=False)
        else:
            self._open.move_to_end(index)
        return found

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_open": OrderedDict()}


class ShardWriter:
    """Writes pieces into shards, in order; holds the notes of one shard in memory.

    Attributes:
        files: Names of the files written so far.
    """

    def __init__(self, folder: Path, most: int = SHARD_NOTES) -> None:
        """Write into `folder`, `most` notes a shard."""
        self._folder, self._most = folder, most
        self._notes: list[NDArray[np.void]] = []
        self._count = 0
        self.files: list[str] = []

    def add(self, notes: NDArray[np.void]) -> tuple[int, int]:
        """Add the notes of a piece, (n,); return its shard's number and the place of its first note there.

        Raises:
            OSError: if a shard cannot be written.
        """
        if self._count and self._count + len(notes) > self._most:
            self.finish()
        place = len(self.files), self._count
        self._notes.append(notes)
        self._count += len(notes)
        return place

    def finish(self) -> None:
        """Write what is left.

        Raises:
            OSError: if it cannot be written.
        """
        if self._notes:
            name = f"notes-{len(self.files):05d}.npy"
            np.save(self._folder / name, np.concatenate(self._notes))
            self.files.append(name)
            self._notes, self._count = [], 0


def _mapped(path: Path) -> NDArray[np.void]:
    try:
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise CorpusError(f"{path}: cannot be read; prepare the corpus again") from error
    if array.dtype != NOTE_DTYPE or array.ndim != 1:
        raise CorpusError(f"{path}: does not hold notes; prepare the corpus again")
    return array
