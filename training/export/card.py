"""The card of a bundle: what the model is, what it was made from, how good it is, and its limits."""

from tatumflow.engine.model.bundle import Manifest

CARD_FILE = "card.md"

_LIMITS = """\
- Solo jazz piano and monophonic solos are what it has heard; other music it takes for those.
- Styles with little music behind them sound like the corpus as a whole.
- Transcribed performances carry the transcriber's errors: missed soft notes, rough offsets and velocities.
- It knows chords where it is told them, but no bars or tempo; in-tempo playing is arranged around it.
- It may repeat short figures of its training music. It imitates habits of players, not persons."""


def _count(name: str, count: int) -> str:
    return f"{count} {name}{'' if count == 1 else 's'}"


def write_card(manifest: Manifest, parameters: int, steps: int, base: str = "") -> str:
    """Return the card in Markdown.

    Args:
        manifest: The complete manifest.
        parameters: Weights of the model.
        steps: Optimizer steps it was trained for; 0 for untrained weights.
        base: What these steps began with, such as the name of a bundle; empty for chance.
    """
    dims = manifest.dims
    size = sum(graph.bytes for graph in manifest.graphs.values()) / 1e6
    named = [slug for slug in manifest.styles if slug]
    corpora = "\n".join(f"| {corpus.name} | {corpus.licence} |" for corpus in manifest.corpora)
    metrics = "\n".join(f"| {m.name} | {m.value:.6g} | `{m.command}` |" for m in manifest.metrics)
    return f"""\
# {manifest.name}

A TatumFlow decoder: it reads two players' notes one step a note and predicts the next note field by field
(time shift, pitch, velocity, duration), in the style of a named player or of none.

| | |
|---|---|
| family | {manifest.family} |
| size | {parameters / 1e6:.1f} M parameters, {size:.1f} MB on disk, {graph_precision(manifest)} weights |
| trunk | {_count("layer", dims.num_layers)} of width {dims.hidden_dim} |
| attention | {_count("key-value head", dims.num_kv_heads)} of width {dims.head_dim} |
| context | {manifest.window} steps of a cache of {dims.cache_rows} |
| graphs | ONNX, operator set {manifest.opset} |
| {f"adapted from {base} in" if base else "trained for"} | {_count("optimizer step", steps)} |
| licence of the weights | {manifest.licence} |

## Use

    tatumflow jam --model {manifest.name}

## Training data

{f"| corpus | licence |{chr(10)}|---|---|{chr(10)}{corpora}" if corpora else "None stated."}

Windows of pieces are split at random into turns of two players, and notes that sound across a turn are read
as held, cut or whole, as they are when one plays with the companion. Whole pieces are held out for
validation, never parts of one.

## Measured

{f"| what | value | command |{chr(10)}|---|---|---|{chr(10)}{metrics}" if metrics else "Nothing yet."}

## Styles

{", ".join(named) if named else "None."}

## Limits

{_LIMITS}
"""


def graph_precision(manifest: Manifest) -> str:
    """Return the precisions of the graphs, joined."""
    return " and ".join(sorted({graph.precision for graph in manifest.graphs.values()}))
