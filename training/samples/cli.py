"""The command `samples`."""

from pathlib import Path
from typing import Annotated

import typer

from tatumflow.engine.errors import SettingError
from tatumflow.training.libraries import needed_libraries


def register(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command(rich_help_panel="Measure")(samples)


def samples(
    context: typer.Context,
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder of the page and its files.")],
    model: Annotated[
        str, typer.Argument(metavar="[BUNDLE]", help="A name or a folder; the bundled model by default.")
    ] = "",
    corpus: Annotated[
        Path | None, typer.Option("--corpus", help="Packed corpus of calls and real playing.")
    ] = None,
    primer: Annotated[
        list[Path] | None, typer.Option("--primer", help="A MIDI file of calls; may be repeated.")
    ] = None,
    count: Annotated[int, typer.Option("--count", help="Number of samples.", min=1)] = 20,
    candidates: Annotated[int, typer.Option("--candidates", help="Candidates for each sample.", min=1)] = 6,
    seed: Annotated[int, typer.Option("--seed", help="Random seed.", min=0)] = 0,
    blind: Annotated[
        list[str] | None,
        typer.Option("--blind", metavar="BUNDLE", help="A blind test against this model; may be repeated."),
    ] = None,
) -> None:
    """Make a page of samples in every mode and several styles, each the best of several candidates.

    With --corpus, a player's real stretch is beside each sample, and a blind test beside the page: the same
    primers continued by the player and by the model, in random order, with the answers behind a click. With
    --blind too, nothing but the test is made, 24 clips of the player and of each model.
    """
    if blind:
        if corpus is None:
            raise SettingError("--blind: needs primers of real players; give a packed corpus with --corpus")
        with needed_libraries():
            from tatumflow.training.samples.blind import PAGE as BLIND_PAGE
            from tatumflow.training.samples.blind import make_blind_test
        rows = make_blind_test(
            [model, *blind],
            out,
            corpus,
            seed=seed,
            write_sound=context.obj.write_sound if context.obj else None,
        )
        print(f"{sum(len(row.clips) for row in rows)} clips in {out / BLIND_PAGE}")
        return
    with needed_libraries():
        from tatumflow.training.samples.commands import PAGE, SampleSettings, make_samples
    made = make_samples(
        model,
        out,
        SampleSettings(count, candidates, seed),
        corpus=corpus,
        primers=primer or (),
        write_sound=context.obj.write_sound if context.obj else None,
    )
    faultless = sum(not sample.judgment.faults for sample in made)
    print(f"{len(made)} samples, {faultless} without a fault, in {out / PAGE}")
