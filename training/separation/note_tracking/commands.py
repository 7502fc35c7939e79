"""The command `tatumflow evaluate-notes`: figures of a pitch tracker on rendered stems."""

import json
import shlex
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from tatumflow.engine.errors import SettingError
from tatumflow.engine.files.regular_file import check_output
from tatumflow.engine.files.whole_file import write_whole
from tatumflow.engine.note_tracking.monophonic import MonophonicTracker
from tatumflow.engine.note_tracking.polyphonic import PolyphonicTracker
from tatumflow.engine.note_tracking.tracker import NoteTracker
from tatumflow.training.separation.note_tracking.figures import (
    BLOCK_SECONDS,
    TrackingFigures,
    tracking_figures,
)
from tatumflow.training.separation.note_tracking.recordings import read_noted_stems
from tatumflow.training.separation.quartet.index import SYNTHETIC


@dataclass(frozen=True)
class NoteEvaluation:
    """What to transcribe.

    Attributes:
        quartets: A side of synthetic mixes of `tatumflow data quartet`.
        weimar: The Weimar Jazz Database.
        stem: Name of the stem.
        stems: Folder of separated stems to transcribe instead of the clean ones; None for the clean ones.
        seconds: Seconds of each stem, greater than 0.
        limit: Most recordings; None for all.
        polyphonic: Whether to use the polyphonic tracker, not the monophonic one.
    """

    quartets: Path
    weimar: Path
    stem: str = "horn"
    stems: Path | None = None
    seconds: float = 30.0
    limit: int | None = None
    polyphonic: bool = False


def evaluate_notes(evaluation: NoteEvaluation, json_path: Path | None = None) -> TrackingFigures:
    """Measure a pitch tracker.

    Args:
        evaluation: What to transcribe.
        json_path: Where to write the figures, with the command that made them.

    Raises:
        CorpusError: if the recordings cannot be read.
        SettingError: if there is no such stem, or the file cannot be written.
    """
    if json_path is not None:
        check_output(json_path)
    recordings = read_noted_stems(evaluation.quartets, evaluation.weimar, evaluation.stem, evaluation.stems)
    tracker: NoteTracker = PolyphonicTracker() if evaluation.polyphonic else MonophonicTracker()
    figures = tracking_figures(tracker, islice(recordings, evaluation.limit), evaluation.seconds)
    if json_path is not None:
        content = {
            "command": _command(evaluation),
            "note": SYNTHETIC,
            "block_ms": 1000 * BLOCK_SECONDS,
            "stated_latency_ms": round(1000 * tracker.latency, 1),
            **figures.plain(),
        }
        try:
            write_whole(json_path, json.dumps(content, indent=1, allow_nan=False) + "\n")
        except OSError as error:
            raise SettingError(f"{json_path}: cannot be written ({error.strerror}); give another") from None
    return figures


def _command(evaluation: NoteEvaluation) -> str:
    """Return the command without folders, which differ from machine to machine."""
    words = ["tatumflow", "evaluate-notes", evaluation.quartets.name, evaluation.weimar.name]
    words += ["--stem", evaluation.stem, "--seconds", f"{evaluation.seconds:g}"]
    words += ["--voices", "many"] if evaluation.polyphonic else []
    words += ["--stems", evaluation.stems.name] if evaluation.stems is not None else []
    words += ["--limit", str(evaluation.limit)] if evaluation.limit is not None else []
    return shlex.join(words)
