"""The recordings of a configuration."""

from collections.abc import Sequence
from typing import Literal

from tatumflow.engine.errors import SettingError
from tatumflow.engine.separation.stems import StemSet
from tatumflow.training.separation.data.musdb import read_musdb
from tatumflow.training.separation.data.parts import Recording
from tatumflow.training.separation.data.stem_folder import read_stem_folder
from tatumflow.training.separation.fit.settings import SeparationData

Side = Literal["train", "val"]


def read_recordings(data: SeparationData, side: Side, stems: StemSet, rate: int) -> Sequence[Recording]:
    """Find the recordings of a side.

    Args:
        data: Their folder and kind.
        side: The side of the split.
        stems: The stems.
        rate: Required samples a second.

    Raises:
        CorpusError: if there are none, or they cannot be read.
        SettingError: if they are at another rate.
        TatumFlowError: if a library is missing.
    """
    recordings: Sequence[Recording]
    if data.source == "musdb":
        recordings = read_musdb(data.root, "valid" if side == "val" else "train", stems)
    else:
        recordings = read_stem_folder(data.root / side, stems)
    for recording in recordings:
        if recording.rate != rate:
            raise SettingError(
                f"{recording.name}: is at {recording.rate} Hz, and model.rate is {rate}; resample one"
            )
    return recordings
