"""The command `tatumflow data fit-chords`."""

from dataclasses import replace
from pathlib import Path
from typing import Final

from rich.console import Console

from tatumflow.engine.harmony.estimator import PAST, WHOLE
from tatumflow.training.data.corpora.annotated_solo import AnnotatedSolo, read_annotated_solos
from tatumflow.training.harmony.fit import FitSettings, fit

_LIVE_EPOCHS: Final = (8, 4)


def fit_chords(
    source: Path, out: Path | None = None, seed: int = 0, live: bool = False, console: Console | None = None
) -> None:
    """Fit the chord estimator to the training side of the Weimar Jazz Database and print its losses.

    Args:
        source: The folder of the database, or the archive of it.
        out: The file of weights to write; None for the one that the engine reads.
        seed: Seed of the training. The tunes of the validation side are always those of seed 0.
        live: Whether to fit the estimator of music while it is played.
        console: Where to print; by default the terminal.

    Raises:
        CorpusError: if the source cannot be read or holds no chords, or the file cannot be written.
    """
    console = console or Console()
    solos = [item for item in read_annotated_solos(source) if isinstance(item, AnnotatedSolo)]
    windows = PAST if live else WHOLE
    out = Path("engine/harmony") / windows.weights if out is None else out
    settings = replace(FitSettings(), seed=seed)
    if live:
        settings = replace(settings, epochs=_LIVE_EPOCHS)
    fitted = fit(solos, out, settings, windows)
    for name, losses in zip(("chroma", "chords"), fitted, strict=True):
        console.print(f"{name}: {', '.join(f'{loss:.3f}' for loss in losses)} nats a frame, by epoch")
    console.print(f"written to {out}", markup=False)
