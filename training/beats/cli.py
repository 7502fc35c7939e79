"""Commands of `tatumflow beats`: train, apply, measure and calibrate the beat tracker of MIDI notes."""

from pathlib import Path
from typing import Annotated

import typer

from tatumflow.training.libraries import needed_libraries

_Weimar = Annotated[Path, typer.Option("--weimar", help="The Weimar Jazz Database: its folder or archive.")]
_Pijama = Annotated[Path, typer.Option("--pijama", help="PiJAMA: its folder or archive.")]
_Labels = Annotated[Path, typer.Option("--labels", help="Beat labels of PiJAMA: their folder or archive.")]


def register(beats: typer.Typer) -> None:
    """Add the commands to the group `beats`."""
    beats.command("train")(train_beats)
    beats.command("label")(label_beats)
    beats.command("evaluate")(evaluate_beats)
    beats.command("calibrate")(calibrate_beats)


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


def calibrate_beats(
    weimar: _Weimar,
    pijama: _Pijama,
    labels: _Labels,
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
