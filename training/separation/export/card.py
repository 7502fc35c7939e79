"""The card of a separator: what it is, what it was made from, how good it is, and its limits."""

from tatumflow.engine.separation.bundle import SeparatorManifest

_LIMITS = """\
- It has heard rendered quartets alone, SoundFonts playing notes of real solos, and no recording of a band; on
  records it does worse than these figures, which are called synthetic.
- It knows the stems above and no others: what else sounds goes to the one it resembles.
- Stems that sound in the same place and register leak into each other."""


def separator_card(manifest: SeparatorManifest, parameters: int, steps: int, latency: int) -> str:
    """Return the card in Markdown.

    Args:
        manifest: The complete manifest.
        parameters: Weights of the model.
        steps: Optimizer steps it was trained for.
        latency: Samples that a stream waits for.
    """
    stems = ", ".join(
        stem.name if stem.sources == (stem.name,) else f"{stem.name} ({' + '.join(stem.sources)})"
        for stem in manifest.stems
    )
    corpora = "\n".join(f"| {corpus.name} | {corpus.licence} |" for corpus in manifest.corpora)
    metrics = "\n".join(f"| {m.name} | {m.value:.6g} | `{m.command}` |" for m in manifest.metrics)
    plural = "" if steps == 1 else "s"
    return f"""\
# {manifest.name}

A TatumFlow separator: it takes a mixture apart as it arrives, block by block.

| | |
|---|---|
| family | {manifest.family} |
| stems | {stems} |
| size | {parameters / 1e6:.2f} M parameters, {manifest.graph.bytes / 1e6:.1f} MB on disk |
| hears | stereo at {manifest.rate} Hz, frames of {manifest.window} every {manifest.hop} samples |
| latency | {1000 * latency / manifest.rate:.0f} ms, in blocks of {manifest.block * manifest.hop} samples |
| graph | ONNX, operator set {manifest.opset} |
| trained for | {steps} optimizer step{plural} |
| licence of the weights | {manifest.licence} |

## Training data

{f"| corpus | licence |{chr(10)}|---|---|{chr(10)}{corpora}" if corpora else "None stated."}

## Measured

{f"| what | value | command |{chr(10)}|---|---|---|{chr(10)}{metrics}" if metrics else "Nothing yet."}

## Limits

{_LIMITS}
"""
