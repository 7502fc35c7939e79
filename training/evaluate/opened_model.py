"""Models to evaluate: a checkpoint of any family, the folder of a run, or a bundle."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tatumflow.engine.errors import CorpusError
from tatumflow.engine.model.bundle import load_bundle
from tatumflow.engine.model.onnx_decoder import OnnxDecoder
from tatumflow.engine.model.providers import CPU
from tatumflow.training.data.packing import PackedCorpus
from tatumflow.training.evaluate.likelihood.nll import DecoderLogits, TorchLogits, WindowLogits
from tatumflow.training.fit.checkpoint import checkpoint_file, open_checkpoint
from tatumflow.training.models import NoteStream
from tatumflow.training.models.tatumflow.stream import TatumFlowStream


@dataclass(frozen=True)
class OpenedModel:
    """A model to evaluate.

    Attributes:
        name: Name of its bundle, or of its run and checkpoint.
        runtime: "torch" or "onnx".
        logits: Computes the logits of a window.
        window: Steps of its context.
        styles: Slug of each row of its style table; row 0 is the empty string.
        stream: Opens a stream of notes with an empty context.
    """

    name: str
    runtime: str
    logits: WindowLogits
    window: int
    styles: tuple[str, ...]
    stream: Callable[[], NoteStream]


def open_model(path: Path) -> OpenedModel:
    """Open a checkpoint that `tatumflow train` wrote, a run's best one, or a bundle.

    Raises:
        CheckpointError: if a checkpoint cannot be read.
        BundleError: if a bundle cannot be read.
    """
    path = Path(path)
    file = checkpoint_file(path)
    if path.is_dir() and not file.is_file():
        bundle = load_bundle(path)
        decoder = OnnxDecoder(bundle, providers=(CPU,))
        return OpenedModel(
            path.name,
            "onnx",
            DecoderLogits(decoder),
            decoder.shape.window,
            bundle.styles,
            lambda: TatumFlowStream(decoder),
        )
    trained = open_checkpoint(file)
    return OpenedModel(
        f"{file.absolute().parent.name}/{file.name}",
        "torch",
        TorchLogits(trained.model),
        trained.max_seq_len,
        trained.styles,
        lambda: trained.family.stream(trained.model),
    )


def check_styles(model: OpenedModel, corpus: PackedCorpus) -> None:
    """Check that a model and a corpus have the same style ids.

    Raises:
        CorpusError: if they differ.
    """
    known = corpus.index.styles
    if tuple(style for style in model.styles if style) != known:
        raise CorpusError(
            f"{corpus.path}: its {len(known)} styles are not those of {model.name}; evaluate on the corpus "
            "the model was trained on"
        )
