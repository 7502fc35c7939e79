"""The command `tatumflow publish`, which imports its libraries when it runs."""

from pathlib import Path
from typing import Annotated

import typer

from tatumflow.training.libraries import needed_libraries

_EPILOG = """\b
Examples:
  tatumflow publish tatumflow-live --repo me/tatumflow-live
  tatumflow publish exports/mine --repo me/mine --checkpoint best.ckpt --push"""


def register(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command(rich_help_panel="Models", epilog=_EPILOG)(publish)


def publish(
    context: typer.Context,
    bundle: Annotated[str, typer.Argument(metavar="BUNDLE", help="A model or a separator: name or folder.")],
    repo: Annotated[str, typer.Option("--repo", metavar="USER/NAME", help="Repository on the Hub.")],
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Folder to write; by default publish/NAME.")
    ] = None,
    push: Annotated[
        bool, typer.Option("--push", help="Upload the folder; without it nothing leaves this machine.")
    ] = False,
    private: Annotated[bool, typer.Option("--private", help="Make a new repository private.")] = False,
    checkpoint: Annotated[
        Path | None,
        typer.Option("--checkpoint", help="Checkpoint that it was exported from, for exact weights."),
    ] = None,
    style: Annotated[
        list[str] | None, typer.Option("--style", help="Style of an example; may be repeated.")
    ] = None,
    seed: Annotated[int, typer.Option("--seed", help="Seed of the examples.", min=0)] = 0,
) -> None:
    """Write a model's repository for the Hugging Face Hub, and upload it with --push."""
    with needed_libraries("training,publish"):
        from tatumflow.training.publish.commands import PublishOptions, prepare
        from tatumflow.training.publish.push import push as upload
    folder = out or Path("publish") / repo.rpartition("/")[2]
    options = PublishOptions(repo, checkpoint, tuple(style or ()), seed)
    prepared = prepare(bundle, folder, options, context.obj.write_sound if context.obj else None)
    for remark in prepared.remarks:
        print(remark)
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    print(f"{prepared.model.name}: {size / 1e6:.1f} MB, {prepared.model.licence}, in {folder}")
    if not push:
        print("nothing uploaded; --push does that")
        return
    commit = upload(folder, repo, private=private)
    print(f"uploaded to {repo} at {commit}; its entry for a catalogue of `tatumflow models get`:")
    print(prepared.entry(repo, commit))
