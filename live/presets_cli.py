"""The command `presets`: lists the presets and what they set."""

import typer


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(
        rich_help_panel="Play",
        epilog="""\b
Example:
  tatumflow presets""",
    )(presets)


def presets() -> None:
    """List the presets for `--preset`, with what each sets."""
    from tatumflow.live.commands.presets import print_presets

    print_presets()
