"""The commands `tatumflow beats train`, `calibrate`, `label` and `evaluate`."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Final

import torch

from tatumflow.engine.beats.network import BeatNetwork, read_with_extra, write_network
from tatumflow.engine.errors import BundleError
from tatumflow.training.beats.confidence import Calibration
from tatumflow.training.beats.evaluation import Figures, calibrate, evaluate
from tatumflow.training.beats.examples import BeatExample, of_side, read_piano, read_solos
from tatumflow.training.beats.labelling import LabelCount, LabelSettings, label
from tatumflow.training.beats.learning import BeatTraining, train_network
from tatumflow.training.beats.live_confidence import LiveFigures, fit_live_confidence
from tatumflow.training.beats.module import BeatModule
from tatumflow.training.data.corpora import pijama as pijama_corpus
from tatumflow.training.data.corpora import wjazzd

LICENCE: Final = (
    f"{pijama_corpus.LICENCE}, as PiJAMA, whose performances and madmom's labels of them it was trained on; "
    f"and on the Weimar Jazz Database, {wjazzd.LICENCE}"
)


def train(
    weimar: Path, pijama: Path, labels: Path, out: Path, settings: BeatTraining, start: Path | None = None
) -> list[str]:
    """Train a network, calibrate its confidence on the val side, and write both.

    The confidence of a causal network is that of the live tracker, as `calibrate_live` fits it.

    Args:
        weimar: The Weimar Jazz Database.
        pijama: PiJAMA.
        labels: Folder or archive of beat labels of some of its performances.
        out: File of weights to write.
        settings: Training settings.
        start: Weights to start from.

    Returns:
        Lines of a table of its accuracy on the val side.

    Raises:
        CorpusError: if a corpus cannot be read.
        BundleError: if the weights to start from cannot be read.
    """
    torch.set_num_threads(1)
    examples = [*read_solos(weimar), *read_piano(pijama, labels)]
    initial = None
    if start is not None:
        network = read_with_extra(start)[0]
        initial = BeatModule(network.shape)
        initial.load(network)
    module = train_network(of_side(examples, "train"), settings, start=initial)
    network, held_out = module.network(), of_side(examples, "val")
    lines = table(evaluate(network, held_out))
    if settings.causal:
        confidence, figures = fit_live_confidence(network, held_out)
        extra = {"confidence": asdict(confidence)}
        lines += ["", *live_table(figures)]
    else:
        extra = {"calibration": asdict(calibrate(network, held_out))}
    write_network(out, module.shape, module.weights(), LICENCE, extra)
    return lines


def calibrate_live(weimar: Path, pijama: Path, labels: Path, weights: Path, out: Path) -> list[str]:
    """Fit the confidence of the live tracker to the val side, and write it with a causal network's weights.

    The weights stay as they are, to the last bit.

    Args:
        weimar: The Weimar Jazz Database.
        pijama: PiJAMA.
        labels: Folder or archive of beat labels of some of its performances.
        weights: File of a causal network.
        out: File to write; may be the same.

    Returns:
        Lines of a table of the confidence's accuracy on the val side.

    Raises:
        CorpusError: if a corpus cannot be read.
        BundleError: if the weights cannot be read, are not of a causal network, or cannot be written.
    """
    network, about = read_with_extra(weights)
    if not network.shape.causal:
        raise BundleError(
            f"{weights.name}: is not causal, so no live beat comes of it; train one with "
            "`tatumflow beats train --causal`"
        )
    confidence, figures = fit_live_confidence(
        network, of_side([*read_solos(weimar), *read_piano(pijama, labels)], "val")
    )
    try:
        write_network(
            out, network.shape, network.weights, about["licence"], {"confidence": asdict(confidence)}
        )
    except OSError as error:
        raise BundleError(f"{out}: cannot be written ({error.strerror}); choose another place") from error
    return live_table(figures)


def make_labels(pijama: Path, out: Path, weights: Path, settings: LabelSettings) -> list[str]:
    """Label PiJAMA; return the lines of a table of the amount of labels by confidence.

    Raises:
        BundleError: if the weights cannot be read, or are of a causal network.
        CorpusError: if the corpus cannot be read or the labels cannot be written.
    """
    network, calibration = open_tracker(weights)
    if network.shape.causal:
        raise BundleError(
            f"{weights.name}: is causal, for live playing; label with one trained without --causal"
        )
    return amounts_table(label(pijama, out, network, calibration, settings))


def measure(weimar: Path, pijama: Path, labels: Path, weights: Path) -> list[Figures]:
    """Return the accuracy of a network on the val side.

    Raises:
        BundleError: if the weights cannot be read.
        CorpusError: if a corpus cannot be read.
    """
    examples: list[BeatExample] = [*read_solos(weimar), *read_piano(pijama, labels)]
    return evaluate(read_with_extra(weights)[0], of_side(examples, "val"))


def open_tracker(weights: Path) -> tuple[BeatNetwork, Calibration]:
    """Read a network and the calibration of its confidence.

    Raises:
        BundleError: if the file cannot be read or has no calibration.
    """
    network, about = read_with_extra(weights)
    try:
        saved = about["calibration"]
        calibration = Calibration(
            tuple(saved["mean"]), tuple(saved["scale"]), tuple(saved["weight"]), saved["bias"]
        )
    except (KeyError, TypeError) as error:
        raise BundleError(f"{weights.name}: has no calibration ({error}); train it again") from error
    return network, calibration


def table(figures: Sequence[Figures]) -> list[str]:
    """Return the lines of a table of accuracy."""
    lines = [f"{'':16}{'pieces':>8}{'beats':>8}{'octave':>8}{'downbeats':>11}{'constant tempo':>16}"]
    for row in figures:
        numbers = f"{row.f_measure:8.3f}{row.octave:8.3f}{row.downbeat:11.3f}{row.constant:16.3f}"
        lines.append(f"{row.name:16}{row.performances:8}{numbers}")
    return lines


def live_table(figures: Sequence[LiveFigures]) -> list[str]:
    """Return the lines of a table of the live tracker's confidence."""
    lines = [
        f"{'live':16}{'pieces':>8}{'right':>8}{'confidence':>12}{'sure':>8}{'sure, right':>13}{'Brier':>8}"
    ]
    for row in figures:
        numbers = (
            f"{row.right:8.3f}{row.confidence:12.3f}{row.sure:8.3f}{row.sure_right:13.3f}{row.brier:8.3f}"
        )
        lines.append(f"{row.name:16}{row.performances:8}{numbers}")
    return lines


def amounts_table(counts: Sequence[LabelCount]) -> list[str]:
    """Return the lines of a table of the amount of labels by confidence."""
    lines = [f"{'confidence':>10}{'hours':>8}{'notes':>12}{'beats':>10}"]
    lines += [f"{row.confidence:10.1f}{row.hours:8.1f}{row.notes:12,}{row.beats:10,}" for row in counts]
    return lines
