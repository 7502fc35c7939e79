"""The command `adapt`."""

import time
from pathlib import Path
from typing import Annotated

import typer

from tatumflow.training.libraries import needed_libraries


def register(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command(rich_help_panel="Train")(adapt)


def adapt(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="MIDI files of your own playing.")],
    name: Annotated[str, typer.Option("--name", help="Name of your style, such as me.")],
    model: Annotated[str, typer.Option("--model", help="Model to adapt: a name or a folder.")] = "",
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", help="Folder of the new model; by default NAME among your own models."),
    ] = None,
    minutes: Annotated[float, typer.Option("--minutes", help="Most minutes of the command.", min=0.1)] = 5.0,
    json: Annotated[Path | None, typer.Option("--json", help="Write the figures to this file.")] = None,
    seed: Annotated[int, typer.Option("--seed", help="Seed of the choice of held-out music.", min=0)] = 0,
) -> None:
    """Fine-tune a model on your own playing: it gets one more style."""
    begun = time.monotonic()
    with needed_libraries():
        from tatumflow.training.adapt.budget import Budget
        from tatumflow.training.adapt.commands import adapt
        from tatumflow.training.adapt.learning import LearningSettings
        from tatumflow.training.adapt.report import show
    settings = LearningSettings(minutes=minutes, seed=seed)
    budget = Budget(60 * minutes, begun=begun)
    show(adapt(folder, name, model=model, out=out, settings=settings, json_path=json, budget=budget))
