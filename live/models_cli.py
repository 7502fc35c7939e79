"""The commands `tatumflow models ...`. Each imports its libraries when it runs."""

from pathlib import Path
from typing import Annotated

import typer

_EPILOG = """\b
Examples:
  tatumflow models --styles
  tatumflow models get USER/NAME
  tatumflow models path tatumflow-live"""

_Styles = Annotated[bool, typer.Option("--styles", help="List the styles of each model too.")]
_Catalogue = Annotated[
    Path | None,
    typer.Option("--catalogue", help="A catalogue of models (YAML) instead of TatumFlow's own."),
]

models = typer.Typer(
    help="List the installed models, and fetch others from the Hugging Face Hub.",
    epilog=_EPILOG,
    invoke_without_command=True,
    rich_markup_mode=None,
)


def register(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    app.add_typer(models, name="models", rich_help_panel="Models")


@models.callback()
def by_default(context: typer.Context, styles: _Styles = False) -> None:
    """List the installed models, and fetch others from the Hugging Face Hub."""
    if context.invoked_subcommand is None:
        list_models(styles=styles)


@models.command("list")
def list_models(styles: _Styles = False, catalogue: _Catalogue = None) -> None:
    """List the installed models, and what can be fetched."""
    from tatumflow.live.commands.models import print_models

    print_models(styles=styles, catalogue=catalogue)


@models.command(
    epilog="""\b
Examples:
  tatumflow models get NAME                 by its name in the catalogue
  tatumflow models get USER/NAME@v1.0       a repository of the Hub

\b
HF_ENDPOINT names a mirror of the Hub, HF_TOKEN a token for private repositories.""",
)
def get(
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="A name of the catalogue, or USER/NAME[@REVISION].")
    ],
    catalogue: _Catalogue = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="Replace another model of the same name among your own.")
    ] = False,
) -> None:
    """Fetch a model from the Hub, and check its hashes."""
    from tatumflow.live.commands.models import get_model

    get_model(name, catalogue=catalogue, replace=replace)


@models.command()
def path(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A model or a separator.")],
) -> None:
    """Print the folder of a model."""
    from tatumflow.live.commands.models import model_path

    print(model_path(name))
