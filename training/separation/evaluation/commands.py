"""The command `tatumflow evaluate-stems`: figures of a separation model on held-out recordings."""

import shlex
import sys
from dataclasses import dataclass
from pathlib import Path

from tatumflow.engine.errors import SettingError
from tatumflow.engine.files.regular_file import check_output
from tatumflow.training.separation.checkpoint import open_separator
from tatumflow.training.separation.data.musdb import read_musdb
from tatumflow.training.separation.data.parts import Recording
from tatumflow.training.separation.data.stem_folder import read_stem_folder
from tatumflow.training.separation.evaluation.figures import StemFigures, stem_figures, write_figures
from tatumflow.training.separation.quartet.index import INDEX_FILE


@dataclass(frozen=True)
class StemEvaluation:
    """Recordings to measure on.

    Attributes:
        recordings: A folder of recordings in stems, such as the `val` side of synthetic mixes; or MUSDB18's.
        musdb: Whether it is MUSDB18's, of which the test side is used.
        limit: Most recordings, spread over all of them; None for all.

    Raises:
        SettingError: if the limit is not positive.
    """

    recordings: Path
    musdb: bool = False
    limit: int | None = None

    def __post_init__(self) -> None:
        if self.limit is not None and self.limit < 1:
            raise SettingError(f"{self.limit} recordings are not at least 1")


def evaluate_stems(checkpoint: Path, settings: StemEvaluation, json_path: Path | None = None) -> StemFigures:
    """Measure a separation model.

    Args:
        checkpoint: A checkpoint of `tatumflow train`.
        settings: The recordings.
        json_path: Where to write the figures, with the command that made them, and whether the recordings are
            synthetic.

    Raises:
        CheckpointError: if the checkpoint cannot be read or is of another family.
        CorpusError: if the recordings cannot be read.
        SettingError: if they do not fit the model, or the file cannot be written.
        TatumFlowError: if a library is missing.
    """
    if json_path is not None:
        check_output(json_path)
    trained = open_separator(checkpoint)
    config = trained.model.config
    recordings: list[Recording]
    if settings.musdb:
        recordings = list(read_musdb(settings.recordings, "test", config.stem_set))
    else:
        recordings = list(read_stem_folder(settings.recordings, config.stem_set))
    if settings.limit is not None and settings.limit < len(recordings):
        count = settings.limit
        recordings = [recordings[i * len(recordings) // count] for i in range(count)]
    for recording in recordings:
        if recording.rate != config.rate:
            raise SettingError(
                f"{recording.name}: is at {recording.rate} Hz, the model at {config.rate}; resample it"
            )
    figures = stem_figures(trained.model, recordings, lambda line: print(line, file=sys.stderr, flush=True))
    if json_path is not None:
        header = {
            "command": _command(checkpoint, settings),
            "synthetic": (settings.recordings / INDEX_FILE).is_file(),
            "steps": trained.steps,
            "causal": config.causal,
            "latency_ms": round(1000 * config.latency / config.rate, 1) if config.causal else None,
        }
        write_figures(json_path, figures, header)
    return figures


def _command(checkpoint: Path, settings: StemEvaluation) -> str:
    """Return the command without folders, which differ from machine to machine."""
    words = ["tatumflow", "evaluate-stems", checkpoint.name, "--recordings", settings.recordings.name]
    words += ["--musdb"] * settings.musdb
    words += ["--limit", str(settings.limit)] if settings.limit is not None else []
    return shlex.join(words)
