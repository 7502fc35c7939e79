"""The `export` command: write a checkpoint as a bundle, checked and measured."""

import tempfile
from pathlib import Path

from tatumflow.engine.model.bundle import DECODER_GRAPH, GPU_SUFFIX, Bundle, Manifest
from tatumflow.engine.model.model_folder import CorpusCredit, Metric
from tatumflow.engine.model.onnx_decoder import OnnxDecoder
from tatumflow.engine.model.onnx_phrase_model import OnnxPhraseModel
from tatumflow.engine.model.providers import CPU
from tatumflow.training.data.line_styles import line_styles
from tatumflow.training.data.packing import PackedCorpus
from tatumflow.training.data.windows import Window, Windows
from tatumflow.training.evaluate.likelihood.bundle_nll import bundle_nll
from tatumflow.training.export.bundle_card import bundle_card
from tatumflow.training.export.card import CARD_FILE
from tatumflow.training.export.checkpoint import TrainedModel, load_checkpoint
from tatumflow.training.export.errors import ExportError
from tatumflow.training.export.files import whole_folder, write_graphs
from tatumflow.training.export.onnx_files import BLOCK, float_models, int8_model
from tatumflow.training.export.parity import check_parity, divergence
from tatumflow.training.export.target import Target
from tatumflow.training.export.tensorrt_rules import check_tensorrt
from tatumflow.training.export.write import describe, write_manifest

LICENCE = "CC-BY-NC-4.0"
"""Licence of weights trained on PiJAMA, whose licence excludes commercial use."""

GREATEST_NLL_LOSS = 0.05
"""Largest rise of the NLL by int8 weights, in nats a note."""

SCORED_WINDOWS = 64
"""Validation windows, drawn at random, for the NLL of the bundle by default."""


def _windows(corpus: PackedCorpus, trained: TrainedModel, most: int) -> list[Window]:
    epoch = Windows(corpus, "val", seq_len=trained.model.config.max_seq_len, corpora=trained.corpora).epoch(0)
    return [epoch.window(i) for i in range(min(most, len(epoch)))]


def _credits(corpus: PackedCorpus, trained: TrainedModel) -> tuple[CorpusCredit, ...]:
    return tuple(
        CorpusCredit(name=info.name, licence=info.licence)
        for info in corpus.index.corpora
        if not trained.corpora or info.name in trained.corpora
    )


def export_model(
    trained: TrainedModel,
    out: Path,
    name: str,
    *,
    command: str,
    corpus: PackedCorpus | None = None,
    licence: str = LICENCE,
    base: Manifest | None = None,
    block: int = BLOCK,
    target: Target = Target.CPU,
    scored_windows: int = SCORED_WINDOWS,
) -> Manifest:
    """Write the bundle of a model to the folder `out`, in place of a bundle there.

    Args:
        trained: The model.
        out: Folder of the bundle.
        name: Name of the bundle.
        command: The command that the metrics name.
        corpus: Packed corpus for credits, and for the NLL with int8 weights on its validation windows.
        licence: Licence of the weights, unless there is a base.
        base: Manifest of the bundle that the model was adapted from. Licence and credits are that one's, with
            the packed corpus; line styles and the weights of takes stay as they are.
        block: Weights that share an int8 scale.
        target: What the bundle runs on; for TensorRT, it holds the trunk in float32 too.
        scored_windows: Most validation windows for the NLL, drawn at random.

    Raises:
        ExportError: if a graph differs from the model, int8 weights raise the NLL too much, TensorRT would
            refuse the trunk, or `out` cannot be written.
    """
    config = trained.model.config
    if len(trained.styles) != config.num_styles:
        raise ExportError(
            f"{name}: {len(trained.styles)} styles for {config.num_styles} rows; train it again"
        )
    exact_models = float_models(trained.model, config.max_seq_len)
    with whole_folder(out) as folder, tempfile.TemporaryDirectory() as scratch:
        credits = (base.corpora if base else ()) + (_credits(corpus, trained) if corpus else ())
        licence = base.licence if base else licence
        exact_graphs = write_graphs(Path(scratch), exact_models, "fp32")
        exact_manifest = describe(name, config, trained.styles, exact_graphs, licence)
        exact = Bundle(exact_manifest, Path(scratch))
        graphs = write_graphs(folder, {k: int8_model(v, block) for k, v in exact_models.items()}, "int8")
        if target is Target.TENSORRT:
            graphs |= write_graphs(folder, {DECODER_GRAPH + GPU_SUFFIX: exact_models[DECODER_GRAPH]}, "fp32")
        lines = (base.line_styles if base else ()) + (line_styles(corpus) if corpus else ())
        manifest = describe(name, config, trained.styles, graphs, licence, credits, lines)
        if base:
            manifest = manifest.model_copy(update={"takes": base.takes})
        quantized = Bundle(manifest, folder)
        if target is Target.TENSORRT:
            check_tensorrt(quantized)
        figures = _measure(
            trained, exact, quantized, _windows(corpus, trained, scored_windows) if corpus else []
        )
        metrics = tuple(Metric(name=key, value=value, command=command) for key, value in figures.items())
        manifest = manifest.model_copy(update={"metrics": metrics})
        parameters = sum(weight.numel() for weight in trained.model.parameters())
        write_manifest(folder, manifest)
        (folder / CARD_FILE).write_text(
            bundle_card(manifest, parameters, trained.steps, trained.base), encoding="utf-8"
        )
    return manifest


def _measure(
    trained: TrainedModel, exact_bundle: Bundle, quantized_bundle: Bundle, windows: list[Window]
) -> dict[str, float]:
    """Check the graphs and return the figures by name."""
    exact, quantized = (OnnxDecoder(one, providers=(CPU,)) for one in (exact_bundle, quantized_bundle))
    errors = check_parity(trained.model, exact, OnnxPhraseModel(exact_bundle))
    # Opened to check that the int8 graphs run at all.
    OnnxPhraseModel(quantized_bundle)
    figures = {
        "fp32_states_error": errors.states,
        "fp32_logits_error": errors.logits,
        "cached_uncached_error": errors.uncached,
        "prefill_step_error": errors.prefill,
        "encoder_error": errors.encoder,
        "theory_error": errors.theory,
        "flow_error": errors.flow,
        "int8_divergence_random_notes": divergence(exact, quantized),
    }
    if windows:
        fp32, int8 = bundle_nll(exact, windows), bundle_nll(quantized, windows)
        cost = int8.per_note - fp32.per_note
        if not cost <= GREATEST_NLL_LOSS:
            raise ExportError(
                f"int8 weights raise the NLL by {cost:.3f} nats a note, above {GREATEST_NLL_LOSS}; "
                "use smaller blocks"
            )
        figures |= {
            "val_nll_per_note_fp32": fp32.per_note,
            "val_nll_per_note_int8": int8.per_note,
            "val_nll_per_token_int8": int8.per_note / len(int8.fields),
            **{f"val_nll_{name}_int8": value for name, value in int8.fields.items()},
            "int8_nll_difference": cost,
            "val_notes_scored": float(int8.counts[0]),
        }
    return figures


def export_checkpoint(
    checkpoint: Path, out: Path, name: str, corpus: Path | None, target: Target = Target.CPU
) -> Manifest:
    """Export a training checkpoint, as `tatumflow export`.

    Args:
        checkpoint: A checkpoint that `tatumflow train` wrote.
        out: Folder of the bundle.
        name: Name of the bundle.
        corpus: Folder of a packed corpus, or None.
        target: What the bundle runs on.

    Raises:
        ExportError: if the checkpoint cannot be exported; see `export_model`.
        CorpusError: if the packed corpus cannot be opened.
    """
    command = f"tatumflow export {checkpoint.name} --name {name}" + (" --corpus PACKED" if corpus else "")
    command += f" --target {target}" if target is not Target.CPU else ""
    packed = PackedCorpus.open(corpus) if corpus else None
    return export_model(load_checkpoint(checkpoint), out, name, command=command, corpus=packed, target=target)
