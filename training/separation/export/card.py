"""The model card of a separator that was trained here."""

from typing import Final

from tatumflow.engine.separation.bundle import SeparatorManifest
from tatumflow.training.export.card import corpus_table, counted, metric_table, model_card

_SUMMARY: Final = "A TatumFlow separator: it separates a mixture into stems as it arrives, block by block."

_LIMITS: Final = """\
- It is trained on synthetic mixes alone, SoundFonts playing notes of real solos, and on no recording of a
  band; on records it does worse than these figures.
- It separates the stems above and no others: any other sound goes to the stem that it resembles.
- Stems of the same stereo position and register bleed into each other."""


def separator_card(manifest: SeparatorManifest, parameters: int, steps: int, latency: int) -> str:
    """Return the card in Markdown.

    Args:
        manifest: The complete manifest.
        parameters: Weights of the model.
        steps: Optimizer steps it was trained for.
        latency: Samples by which a stream is late.
    """
    stems = ", ".join(
        stem.name if stem.sources == (stem.name,) else f"{stem.name} ({' + '.join(stem.sources)})"
        for stem in manifest.stems
    )
    milliseconds, frames = 1000 * latency / manifest.rate, f"frames of {manifest.window} every {manifest.hop}"
    return model_card(
        manifest.name,
        _SUMMARY,
        {
            "family": manifest.family,
            "stems": stems,
            "size": f"{parameters / 1e6:.2f} M parameters, {manifest.graph.bytes / 1e6:.1f} MB on disk",
            "input": f"stereo at {manifest.rate} Hz, {frames} samples",
            "latency": f"{milliseconds:.0f} ms, in blocks of {manifest.block * manifest.hop} samples",
            "graph": f"ONNX, operator set {manifest.opset}",
            "trained for": counted("optimizer step", steps),
            "licence of the weights": manifest.licence,
        },
        {
            "Training data": corpus_table(manifest.corpora),
            "Measured": metric_table(manifest.metrics),
            "Limits": _LIMITS,
        },
    )
