"""The command `tatumflow beats calibrate`."""

from pathlib import Path
from typing import Annotated

import typer

from tatumflow.training.libraries import needed_libraries


def register(beats: typer.Typer) -> None:
    """Add the command to the group `beats`."""
    beats.command("calibrate")(calibrate_beats)


def calibrate_beats(
    weimar: Annotated[Path, typer.Option("--weimar", help="The Weimar Jazz Database: folder or archive.")],
    pijama: Annotated[Path, typer.Option("--pijama", help="PiJAMA: its folder or archive.")],
    labels: Annotated[Path, typer.Option("--labels", help="Beat labels of PiJAMA: folder or archive.")],
    weights: Annotated[Path, typer.Option("--weights", help="From `tatumflow beats train --causal`.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="File to write, ending in .npz.")],
) -> None:
    """Fit the live beat's confidence to held-out performances, and print how it does on them.

    They are played note by note, as in a jam; that takes some minutes.

    `--clock listen` follows a beat whose confidence is at least 0.6, and lets go below 0.35.
    """
    with needed_libraries():
        from tatumflow.training.beats.commands import calibrate_live
    print("\n".join(calibrate_live(weimar, pijama, labels, weights, out)))
