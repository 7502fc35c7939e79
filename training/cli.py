"""The training commands of `tatumflow`, which the command line loads through an entry point.

Each command imports its libraries when it runs, so that the command line starts without them.
"""

from pathlib import Path
from typing import Annotated

import typer

from tatumflow.engine.errors import SettingError, TatumFlowError
from tatumflow.training.adapt import cli as adapt_cli
from tatumflow.training.beats import cli as beats_cli
from tatumflow.training.data import cli as data_cli
from tatumflow.training.data.cli import Split
from tatumflow.training.evaluate import cli as evaluate_cli
from tatumflow.training.export.target import Target
from tatumflow.training.harmony import cli as harmony_cli
from tatumflow.training.libraries import needed_libraries
from tatumflow.training.musicgen import cli as musicgen_cli
from tatumflow.training.portfolio import cli as portfolio_cli
from tatumflow.training.publish import cli as publish_cli
from tatumflow.training.samples import cli as samples_cli
from tatumflow.training.separation import cli as separation_cli
from tatumflow.training.takes import cli as takes_cli

data = typer.Typer(help="Prepare corpora, and print their statistics.", no_args_is_help=True)
beats = typer.Typer(help="Train, apply and measure the beat tracker of MIDI notes.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add the training commands to the command line."""
    app.add_typer(data, name="data", rich_help_panel="Train")
    app.add_typer(beats, name="beats", rich_help_panel="Train")
    for group, command in (
        ("Train", train),
        ("Train", interpolate),
        ("Models", export),
        ("Measure", evaluate),
    ):
        app.command(rich_help_panel=group)(command)
    data_cli.register(data)
    harmony_cli.register(data)
    beats_cli.register(beats)
    separation_cli.register(app, data)
    for room in (adapt_cli, evaluate_cli, samples_cli, portfolio_cli, musicgen_cli, publish_cli, takes_cli):
        room.register(app)


def train(
    config: Annotated[
        Path, typer.Argument(metavar="CONFIG.yaml", help="The configuration; see configs/train.")
    ],
    run: Annotated[Path | None, typer.Option("--run", help="Run folder; runs/NAME by default.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Continue from its last checkpoint.")] = False,
    changes: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="FIELD=VALUE", help="Change a setting; may be repeated."),
    ] = None,
) -> None:
    """Train a model."""
    with needed_libraries():
        from lightning.pytorch.utilities import rank_zero_only

        from tatumflow.training.config import load_config
        from tatumflow.training.train import train
    result = train(load_config(config, changes or ()), run or Path("runs") / config.stem, resume)
    summary = f"{result.steps} steps, in {result.run_dir}; best {result.best or 'none'}, last {result.last}"
    if result.steps < result.planned:
        summary += f"\n{result.planned - result.steps} planned steps are left; --resume continues with them"
    rank_zero_only(print)(summary)


def interpolate(
    first: Annotated[Path, typer.Argument(metavar="FIRST.ckpt", help="From `tatumflow train`.")],
    second: Annotated[Path, typer.Argument(metavar="SECOND.ckpt", help="Another of the same model.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Checkpoint to write.")],
    share: Annotated[float, typer.Option("--share", help="Share of the second's weights, 0 to 1.")] = 0.5,
) -> None:
    """Interpolate the weights of two checkpoints, to export them or to start a run from."""
    with needed_libraries():
        from tatumflow.training.fit.interpolation import interpolate
    interpolate(first, second, share, out)
    print(out)


def evaluate(
    context: typer.Context,
    model: Annotated[
        Path, typer.Argument(metavar="MODEL", help="A checkpoint, or the folder of a run or a bundle.")
    ],
    corpus: Annotated[
        list[Path] | None,
        typer.Option("--corpus", help="A packed corpus, by default data/packed; or archives, folders."),
    ] = None,
    split: Annotated[Split, typer.Option("--split", help="Side of its split.")] = Split.VAL,
    json: Annotated[Path | None, typer.Option("--json", help="Write the figures to this file.")] = None,
    report: Annotated[Path | None, typer.Option("--report", help="Folder for a page with examples.")] = None,
    primers: Annotated[int, typer.Option("--primers", help="Beginnings to continue.", min=1)] = 100,
    only: Annotated[
        str,
        typer.Option(
            "--only",
            help="Parts, by commas: nll, latent, endless, music, listener, style, answer, control, edits, "
            "improvise, bebop, trading, memorization; of melodies reconstruction, interpolation, arithmetic, "
            "likelihood; of rolls nll, fill, control, time.",
        ),
    ] = "",
    solos: Annotated[
        Path | None, typer.Option("--solos", help="The Weimar Jazz Database, to compare improvisations with.")
    ] = None,
    limit: Annotated[int | None, typer.Option("--limit", help="Most windows to predict.", min=1)] = None,
    seed: Annotated[int, typer.Option("--seed", help="Random seed.", min=0)] = 0,
    unconditional: Annotated[
        bool, typer.Option("--unconditional", help="Generate without phrase conditions.")
    ] = False,
    preset: Annotated[
        str | None, typer.Option("--preset", help="Controls of a preset, such as bird; --control wins.")
    ] = None,
    control: Annotated[
        list[str] | None,
        typer.Option("--control", help="A live control for continuations, NAME=VALUE; may be repeated."),
    ] = None,
) -> None:
    """Measure a model on held-out pieces: how well it predicts, and what it plays."""
    with needed_libraries():
        from tatumflow.training.evaluate.commands import evaluate, table
        from tatumflow.training.evaluate.family_figures import evaluate_family, family_table
        from tatumflow.training.evaluate.settings import NO_PRESET, EvaluationSettings, PresetControls
        from tatumflow.training.recipes import recipe_of_model
    parts = tuple(part.strip() for part in only.split(",") if part.strip())
    chosen = NO_PRESET
    if preset:
        read = context.obj.preset_controls
        chosen = PresetControls(preset, read(preset, "generate"), read(preset, "jam"))
    settings = EvaluationSettings(
        split.value, primers, parts, limit, seed, solos, not unconditional, _controls(control or []), chosen
    )
    recipe = recipe_of_model(model)
    if recipe.evaluate is not None:
        figures = evaluate_family(recipe.evaluate, model, corpus or [], settings, json)
        print("\n".join(family_table(figures)))
        return
    result = evaluate(
        model,
        corpus or [Path("data/packed")],
        settings,
        json_path=json,
        report=report,
        write_sound=context.obj.write_sound if context.obj else None,
    )
    print("\n".join(table(result.figures)))


def export(
    checkpoint: Annotated[
        Path,
        typer.Argument(
            metavar="CHECKPOINT",
            help="From `tatumflow train`; with --target tensorrt, or the folder of a bundle.",
        ),
    ],
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder of the bundle.")],
    name: Annotated[
        str, typer.Option("--name", help="Name; by default tatumflow-live, quartet-live or melodies.")
    ] = "",
    corpus: Annotated[
        Path | None,
        typer.Option(
            "--corpus", help="Packed corpus to check int8 on, and of melodies; for a separator, its quartets."
        ),
    ] = None,
    target: Annotated[
        Target, typer.Option("--target", help="Hardware to run on besides the CPU.")
    ] = Target.CPU,
    torchscript: Annotated[
        Path | None, typer.Option("--torchscript", help="Also write a separator's step to this file.")
    ] = None,
) -> None:
    """Export a checkpoint as a bundle or a separator, and check that its outputs are the same."""
    with needed_libraries():
        from tatumflow.training.export.commands import export_checkpoint
        from tatumflow.training.export.gpu_trunk import add_gpu_trunk, is_bundle
        from tatumflow.training.recipes import NOTES, SEPARATION, recipe_of_model
        from tatumflow.training.separation.checkpoint import open_separator
        from tatumflow.training.separation.export.export import write_torchscript
    if target is Target.TENSORRT and is_bundle(checkpoint):
        manifest = add_gpu_trunk(checkpoint, out, name)
        print(f"{manifest.name}: {len(manifest.graphs)} graphs, in {out}")
        return
    recipe = recipe_of_model(checkpoint)
    if torchscript is not None and recipe is not SEPARATION:
        raise TatumFlowError(f"--torchscript: {checkpoint} is no separator; omit the option")
    if target is Target.TENSORRT:
        if recipe is not NOTES:
            raise TatumFlowError(f"--target: {checkpoint} predicts no notes, and runs on the CPU only")
        manifest = export_checkpoint(checkpoint, out, name or "tatumflow-live", corpus, target)
        print(f"{manifest.name}: {len(manifest.graphs)} graphs, in {out}")
        return
    print(recipe.export(checkpoint, out, name, corpus))
    if torchscript is not None:
        write_torchscript(open_separator(checkpoint).model, torchscript)
        print(f"its step as TorchScript, in {torchscript}")


def _controls(pairs: list[str]) -> tuple[tuple[str, str], ...]:
    """Return names and values of live controls given as NAME=VALUE."""
    controls: list[tuple[str, str]] = []
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals:
            raise SettingError(f"--control: {pair!r} is not NAME=VALUE; write for example temperature=0.8")
        controls.append((name.strip(), value.strip()))
    return tuple(controls)
