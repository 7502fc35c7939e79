"""The command `tatumflow data fit-chords`."""

from dataclasses import replace
from pathlib import Path

from rich.console import Console

from tatumflow.training.data.corpora.annotated_solo import AnnotatedSolo, read_annotated_solos
from tatumflow.training.harmony.fit import FitSettings, fit


def fit_chords(source: Path, out: Path, seed: int = 0, console: Console | None = None) -> None:
    """Fit the chord estimator to the training side of the Weimar Jazz Database and print its losses.

    Args:
        source: The folder of the database, or the archive of it.
        out: The file of weights to write; the engine reads `engine/harmony/estimator.npz`.
        seed: Seed of the training. The tunes of the validation side are always those of seed 0.
        console: Where to print; by default the terminal.

    Raises:
        CorpusError: if the source cannot be read or holds no chords, or the file cannot be written.
    """
    console = console or Console()
    solos = [item for item in read_annotated_solos(source) if isinstance(item, AnnotatedSolo)]
    fitted = fit(solos, out, replace(FitSettings(), seed=seed))
    for name, losses in zip(("chroma", "chords"), fitted, strict=True):
        console.print(f"{name}: {', '.join(f'{loss:.3f}' for loss in losses)} nats a frame, by epoch")
    console.print(f"written to {out}", markup=False)
