"""The model card of a model of melodies."""

from typing import Final

from tatumflow.engine.melodies.bundle import MelodyManifest
from tatumflow.training.export.card import commands, corpus_table, counted, metric_table, model_card

_SUMMARY: Final = (
    "A TatumFlow model of melodies: MusicVAE, which turns {bars} into a point of a space and back."
)

_LIMITS: Final = """\
- One voice, 4/4, on a grid of sixteenths: swing is taken out before and put back after, triplets are bent,
  and of chords only the top is read.
- A reconstruction is not exact; the figures say how near it is on tunes that the model was not trained on.
- Attributes are differences of means: register and instrument of a player are part of them."""


def melody_card(manifest: MelodyManifest, parameters: int, steps: int) -> str:
    """Return the card in Markdown.

    Args:
        manifest: The complete manifest.
        parameters: Weights of the model.
        steps: Optimizer steps it was trained for.
    """
    bars = counted("bar", manifest.bars)
    size = sum(file.bytes for file in (manifest.encoder, manifest.conductor, manifest.decoder))
    decoder = "hierarchical" if manifest.segments > 1 else "flat"
    model = f"--model {manifest.name}"
    return model_card(
        manifest.name,
        _SUMMARY.format(bars=bars),
        {
            "family": f"{manifest.family}, {decoder} decoder",
            "size": f"{parameters / 1e6:.2f} M parameters, {size / 1e6:.1f} MB on disk",
            "melodies": f"{bars}, 16 steps each",
            "latent": f"{manifest.latent_dim} dimensions",
            "attributes": ", ".join(sorted(manifest.attributes)) or "none",
            "graphs": f"ONNX, operator set {manifest.opset}, weights {manifest.decoder.precision}",
            "trained for": counted("optimizer step", steps),
            "licence of the weights": manifest.licence,
        },
        {
            "Use": commands(
                f"tatumflow morph A.mid B.mid -o FOLDER {model}",
                f"tatumflow morph A.mid -o FOLDER --from PLAYER --to PLAYER {model}",
            ),
            "Training data": corpus_table(manifest.corpora),
            "Measured": metric_table(manifest.metrics),
            "Limits": _LIMITS,
        },
    )
