"""The model card of a fine-tuned MusicGen model."""

from typing import Final

from tatumflow.training.export.card import commands, counted, metric_table, model_card
from tatumflow.training.models.musicgen.manifest import MusicgenManifest

_SUMMARY: Final = (
    "A MusicGen model, fine-tuned: it plays music from a text, new or in continuation of a recording."
)

_LISTED: Final = 200
"""Most recordings that are named."""

_METHODS: Final = {"lora": "LoRA adapters, merged", "full": "the whole decoder"}

_LIMITS: Final = """\
- Weights under this licence, and those fine-tuned from them, are not for commercial use.
- It plays what its recordings and MusicGen's own training data resemble, and follows a text only roughly.
- Music that a model plays may resemble recordings it was trained on."""


def musicgen_card(manifest: MusicgenManifest, parameters: int) -> str:
    """Return the card in Markdown.

    Args:
        manifest: The complete manifest.
        parameters: Weights of the model.
    """
    recordings = manifest.recordings
    size = sum(file.bytes for file in manifest.weights)
    sound = "mono" if manifest.channels == 1 else "stereo"
    prompt = f'tatumflow prompt "be-bop jazz solo in F" -o solo.wav --model {manifest.name}'
    return model_card(
        manifest.name,
        _SUMMARY,
        {
            "family": manifest.family,
            "fine-tuned from": manifest.base,
            "trained": _METHODS[manifest.method],
            "trained for": counted("optimizer step", manifest.steps),
            "size": f"{parameters / 1e6:.1f} M parameters, {size / 1e6:.1f} MB on disk",
            "sound": f"{sound} at {manifest.rate} Hz, {counted('codebook', manifest.codebooks)}",
            "licence of the weights": manifest.licence,
        },
        {
            "Use": commands(prompt),
            "Recordings": f"{counted('recording', len(recordings.names))}, {recordings.seconds / 60:.1f} "
            f"minutes together; licence: {recordings.licence}.\n\n{_list(recordings.names)}",
            "Measured": metric_table(manifest.metrics),
            "Limits": _LIMITS,
        },
    )


def _list(names: tuple[str, ...]) -> str:
    listed = "\n".join(f"- {name}" for name in names[:_LISTED])
    rest = len(names) - _LISTED
    return listed if rest <= 0 else f"{listed}\n- and {rest} more, listed in the manifest"
