"""The card of a separator made of Spleeter's weights: where they come from, and what they are not good at."""

from tatumflow.engine.separation.bundle import SeparatorManifest
from tatumflow.training.separation.spleeter.graph import WindowedUnets

_ORIGIN = """\
The weights are Deezer's (R. Hennequin, A. Khlif, F. Voituret, M. Moussallam, "Spleeter: a fast and efficient
music source separation tool with pre-trained models", JOSS 2020), under the MIT licence beside this card.
Nothing was trained here."""

_LIMITS = """\
- It tells a singing voice from everything else, for songs. Music without a singer it leaves in the
  accompaniment, the horn of a jazz quartet too: for that, use a separator that knows its instruments.
- Deezer trained it on recordings of its own, the Bean dataset among them, and not on MUSDB18. They are not
  released; what they hold of jazz is not known.
- The U-nets hear up to 11 kHz. Above, the stems share what sounds as they share on average what is below, so
  that they sum to the mixture; Deezer's own program leaves it out.
- Deezer's program sees twelve seconds at once, this a window that ends with the newest frame. That costs
  most in the first seconds of a stream."""


def spleeter_card(manifest: SeparatorManifest, settings: WindowedUnets, package: str) -> str:
    """Return the card in Markdown.

    Args:
        manifest: The complete manifest.
        settings: How the U-nets take a stream.
        package: Name and version of what carried the weights.
    """
    frame = 1000 * manifest.hop / manifest.rate
    latency = 1000 * (manifest.window + (manifest.block - 1) * manifest.hop) / manifest.rate
    metrics = "\n".join(f"| {m.name} | {m.value:.6g} | `{m.command}` |" for m in manifest.metrics)
    return f"""\
# {manifest.name}

Deezer's Spleeter as a separator that takes a stream: a voice, and what accompanies it.

| | |
|---|---|
| family | {manifest.family}: a U-net for each stem, whose squared estimates share the spectrum |
| stems | {", ".join(stem.name for stem in manifest.stems)} |
| size | {manifest.graph.bytes / 1e6:.1f} MB on disk, {manifest.graph.precision} |
| hears | stereo at {manifest.rate} Hz, frames of {manifest.window} every {manifest.hop} samples |
| latency | {latency:.0f} ms, in blocks of {manifest.block} frames of {frame:.0f} ms |
| window | {settings.window} frames, run again for each block |
| graph | ONNX, operator set {manifest.opset} |
| weights from | {package} |
| licence of the weights | {manifest.licence} |

## Use

    tatumflow separate SONG.wav -o STEMS --separator {manifest.name}
    tatumflow listen --separator {manifest.name} --solo accompaniment --allowance 0.1

## Origin

{_ORIGIN}

## Measured

| what | value | command |
|---|---|---|
{metrics}

## Limits

{_LIMITS}
"""
