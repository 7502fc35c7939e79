"""The model card of a bundle."""

from typing import Final

from tatumflow.engine.model.bundle import METRE_VERSION, Manifest
from tatumflow.training.export.card import commands, corpus_table, counted, metric_table, model_card

_SUMMARY: Final = """\
A TatumFlow decoder: it reads the notes of two players, one step a note, and predicts the next note field by
field (time shift, pitch, velocity, duration), in the style of a named player or of none."""

_TRAINING: Final = """\
Windows of pieces are split at random into turns of two players, and notes that sound across a turn are read
as held, cut or whole, as they are when a user plays with the companion. Whole pieces are held out for
validation, never parts of one."""

_LIMITS: Final = """\
- It is trained on solo jazz piano and monophonic solos; it continues other music as if it were one of these.
- Styles with little training music sound like the corpus as a whole.
- Transcribed performances carry the transcriber's errors: missed soft notes, rough offsets and velocities.
- It is conditioned on chords where they are given{metre}.
- It may repeat short figures of its training music. It imitates habits of players, not persons."""

_METRE: Final = ", and on tempo, beat of the bar and phase within the beat where they are known"
_NO_METRE: Final = ", but on no bars or tempo; playing in tempo is arranged around it"


def bundle_card(manifest: Manifest, parameters: int, steps: int, base: str = "") -> str:
    """Return the card in Markdown.

    Args:
        manifest: The complete manifest.
        parameters: Weights of the model.
        steps: Optimizer steps it was trained for; 0 for untrained weights.
        base: What training began with, such as the name of a bundle; empty for random weights.
    """
    dims, reads_metre = manifest.dims, manifest.format_version >= METRE_VERSION
    size = sum(graph.bytes for graph in manifest.graphs.values()) / 1e6
    precisions = " and ".join(sorted({graph.precision for graph in manifest.graphs.values()}))
    return model_card(
        manifest.name,
        _SUMMARY,
        {
            "family": manifest.family,
            "size": f"{parameters / 1e6:.1f} M parameters, {size:.1f} MB on disk, {precisions} weights",
            "trunk": f"{counted('layer', dims.num_layers)} of width {dims.hidden_dim}",
            "attention": f"{counted('key-value head', dims.num_kv_heads)} of width {dims.head_dim}",
            "context": f"{manifest.window} steps of a cache of {dims.cache_rows}",
            "graphs": f"ONNX, operator set {manifest.opset}",
            f"adapted from {base} in" if base else "trained for": counted("optimizer step", steps),
            "licence of the weights": manifest.licence,
        },
        {
            "Use": commands(f"tatumflow jam --model {manifest.name}"),
            "Training data": f"{corpus_table(manifest.corpora)}\n\n{_TRAINING}",
            "Measured": metric_table(manifest.metrics),
            "Styles": ", ".join(slug for slug in manifest.styles if slug) or "None.",
            "Limits": _LIMITS.format(metre=_METRE if reads_metre else _NO_METRE),
        },
    )
