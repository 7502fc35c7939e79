"""Excerpts of recordings: random for training, sequential for validation, whole for evaluation."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from tatumflow.engine.errors import CorpusError, SettingError
from tatumflow.training.separation.data.augmentations import Augmentation, DrawnAugmentation
from tatumflow.training.separation.data.parts import Parts, Recording


class RandomSegments(Dataset[Tensor]):
    """Random excerpts, new ones every epoch; the same seed, epoch and number give the same excerpt.

    Set `epoch` before a loader is iterated; persistent workers do not see the change.
    """

    def __init__(
        self,
        recordings: Sequence[Recording],
        length: int,
        count: int,
        seed: int = 0,
        augmentation: Augmentation | None = None,
    ) -> None:
        """Draw from recordings in proportion to how long they are.

        Args:
            recordings: At least one, all at one sample rate.
            length: Samples of an excerpt.
            count: Excerpts of an epoch.
            seed: Seed of the draws.
            augmentation: Their changes; None for none.

        Raises:
            CorpusError: if there are no recordings, or they differ in sample rate.
            SettingError: if length or count is not positive.
        """
        _check(recordings, length)
        if count < 1:
            raise SettingError(f"{count} excerpts an epoch are not at least 1")
        self.recordings = recordings
        self.length = length
        self.count = count
        self.seed = seed
        self.epoch = 0
        self.augmentation = augmentation or Augmentation.none()
        lengths = np.array([recording.length for recording in recordings], dtype=np.float64)
        self._shares = lengths / lengths.sum()

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> Tensor:
        """Return parts, (s + 1, 2, length)."""
        if not 0 <= index < self.count:
            raise IndexError(index)
        drawn = self._draw(index)
        change, place = drawn[0]
        parts = self._changed(change, place)
        for added_change, added_place in drawn[1:]:
            parts = change.mix(parts, self._changed(added_change, added_place))
        return torch.from_numpy(np.ascontiguousarray(parts))

    def names(self, numbers: Iterable[int]) -> list[str]:
        """Return the names of the recordings of excerpts, each once."""
        recordings = [place.recording for number in numbers for _, place in self._draw(number)]
        return [self.recordings[recording].name for recording in dict.fromkeys(recordings)]

    def _draw(self, index: int) -> "list[tuple[DrawnAugmentation, Place]]":
        """Draw an excerpt, and a second one for mixup."""
        rng = np.random.default_rng([self.seed, self.epoch, index])
        drawn = [self._draw_one(rng)]
        if drawn[0][0].mixup is not None:
            drawn.append(self._draw_one(rng))
        return drawn

    def _draw_one(self, rng: np.random.Generator) -> "tuple[DrawnAugmentation, Place]":
        change = self.augmentation.draw(rng, self.recordings[0].rate)
        number = int(rng.choice(len(self.recordings), p=self._shares))
        room = self.recordings[number].length - change.source_length(self.length)
        return change, Place(number, int(rng.integers(max(room, 0) + 1)))

    def _changed(self, change: DrawnAugmentation, place: "Place") -> Parts:
        length = change.source_length(self.length)
        return change.change(self.recordings[place.recording].read(place.start, length), self.length)


class Place(NamedTuple):
    """Place of an excerpt; a loader's batches have tensors of both.

    Attributes:
        recording: Number of the recording.
        start: First sample in it.
    """

    recording: int
    start: int


class SequentialSegments(Dataset[tuple[Tensor, Place]]):
    """Excerpts that cover every recording, each beginning before the one before it ends."""

    def __init__(self, recordings: Sequence[Recording], length: int, overlap: int = 0) -> None:
        """Lay out the excerpts.

        Args:
            recordings: At least one, all at one sample rate.
            length: Samples of an excerpt.
            overlap: Samples that an excerpt shares with the next, less than its length.

        Raises:
            CorpusError: if there are no recordings, or they differ in sample rate.
            SettingError: if length or overlap is out of range.
        """
        _check(recordings, length)
        if not 0 <= overlap < length:
            raise SettingError(f"overlap of {overlap} samples is not from 0 to less than {length}")
        self.recordings = recordings
        self.length = length
        self.places = tuple(
            Place(number, start)
            for number, recording in enumerate(recordings)
            for start in range(0, max(recording.length - overlap, 1), length - overlap)
        )

    def __len__(self) -> int:
        return len(self.places)

    def __getitem__(self, index: int) -> tuple[Tensor, Place]:
        """Return parts, (s + 1, 2, length), zeros beyond the recording's end, and their place."""
        place = self.places[index]
        return torch.from_numpy(self.recordings[place.recording].read(place.start, self.length)), place


def _check(recordings: Sequence[Recording], length: int) -> None:
    if not recordings:
        raise CorpusError("no recordings for excerpts; give a folder that holds some")
    if length < 1:
        raise SettingError(f"excerpts of {length} samples are not at least 1 long")
    first = recordings[0]
    for recording in recordings:
        if recording.rate != first.rate:
            raise CorpusError(
                f"{recording.name}: is at {recording.rate} Hz, {first.name} at {first.rate} Hz; resample one"
            )
