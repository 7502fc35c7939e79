"""The model card of a separator made of Spleeter's weights."""

from typing import Final

from tatumflow.engine.separation.bundle import SeparatorManifest
from tatumflow.training.export.card import commands, metric_table, model_card
from tatumflow.training.separation.spleeter.graph import WindowedUnets

_SUMMARY: Final = "Deezer's Spleeter as a separator of streams: a voice, and what accompanies it."

_ORIGIN: Final = """\
The weights are Deezer's (R. Hennequin, A. Khlif, F. Voituret, M. Moussallam, "Spleeter: a fast and efficient
music source separation tool with pre-trained models", JOSS 2020), under the MIT licence beside this card.
Nothing was trained here."""

_LIMITS: Final = """\
- It separates a singing voice from everything else, in songs. Music without a singer stays in the
  accompaniment, the horn of a jazz quartet too: for that, use a separator that has its instruments as stems.
- Deezer trained it on recordings of its own, the Bean dataset among them, and not on MUSDB18. They are not
  released; how much jazz they hold is not known.
- The U-nets read frequencies up to 11 kHz. Above, the stems share the spectrum as they do on average below,
  so that they sum to the mixture; Deezer's own program leaves it out.
- Deezer's program reads twelve seconds at once, this a window that ends with the newest frame. That costs
  most in the first seconds of a stream."""


def spleeter_card(manifest: SeparatorManifest, settings: WindowedUnets, package: str) -> str:
    """Return the card in Markdown; `package` is name and version of the package that carries the weights."""
    frame, frames = 1000 * manifest.hop / manifest.rate, f"frames of {manifest.window} every {manifest.hop}"
    latency = 1000 * (manifest.window + (manifest.block - 1) * manifest.hop) / manifest.rate
    return model_card(
        manifest.name,
        _SUMMARY,
        {
            "family": f"{manifest.family}: a U-net for each stem, whose squared estimates share the spectrum",
            "stems": ", ".join(stem.name for stem in manifest.stems),
            "size": f"{manifest.graph.bytes / 1e6:.1f} MB on disk, {manifest.graph.precision}",
            "input": f"stereo at {manifest.rate} Hz, {frames} samples",
            "latency": f"{latency:.0f} ms, in blocks of {manifest.block} frames of {frame:.0f} ms",
            "window": f"{settings.window} frames, run again for each block",
            "graph": f"ONNX, operator set {manifest.opset}",
            "weights from": package,
            "licence of the weights": manifest.licence,
        },
        {
            "Use": commands(
                f"tatumflow separate SONG.wav -o STEMS --separator {manifest.name}",
                f"tatumflow listen --separator {manifest.name} --solo accompaniment --allowance 0.1",
            ),
            "Origin": _ORIGIN,
            "Measured": metric_table(manifest.metrics),
            "Limits": _LIMITS,
        },
    )
