"""Agreement of exported graphs with their model, in float32 and with int8 weights."""

import numpy as np
import torch

from tatumflow.engine.melodies.bundle import MelodyBundle
from tatumflow.engine.melodies.melody import NUM_EVENTS, STEPS_PER_BAR, Melody
from tatumflow.engine.melodies.onnx_melody_model import (
    CONDUCTOR_NAMES,
    DECODER_NAMES,
    ENCODER_NAMES,
    OnnxMelodyModel,
)
from tatumflow.engine.model.providers import CPU, open_session
from tatumflow.training.export.errors import ExportError
from tatumflow.training.export.parity import TOLERANCE
from tatumflow.training.melodies.data.windows import MelodyWindows
from tatumflow.training.models.music_vae.decoder import events_before
from tatumflow.training.models.music_vae.model import MusicVae

_CHECKED = 5
_MEASURED = 256


@torch.inference_mode()
def check_melodies(model: MusicVae, bundle: MelodyBundle, seed: int = 0) -> dict[str, float]:
    """Return the errors of float32 graphs against their model, on random melodies.

    Returns:
        Greatest errors, relative for values above 1: "encoder_error", of mean and deviation, and
        "decoder_error", of the logits step by step against the model's on all steps at once.

    Raises:
        ExportError: if one exceeds `TOLERANCE`.
    """
    config = model.config
    events = torch.randint(
        0, NUM_EVENTS, (_CHECKED, config.steps), generator=torch.Generator().manual_seed(seed)
    )
    expected = [part.numpy() for part in model.encoder(events)]
    encoder, conductor, decoder = (
        open_session(bundle.path / file.file, (CPU,), 1)
        for file in (bundle.manifest.encoder, bundle.manifest.conductor, bundle.manifest.decoder)
    )
    found = encoder.run(None, {ENCODER_NAMES[0][0]: events.numpy()})
    latent = expected[0]
    embeddings, states = map(np.asarray, conductor.run(None, {CONDUCTOR_NAMES[0][0]: latent}))
    before = events_before(events).numpy()
    logits, state = [], states[:, 0]
    for step in range(config.steps):
        segment, place = divmod(step, config.segment_steps)
        if place == 0:
            state = states[:, segment]
        values = (before[:, step], np.array([place % STEPS_PER_BAR]), embeddings[:, segment], state)
        result, state = decoder.run(None, dict(zip(DECODER_NAMES[0], values, strict=True)))
        logits.append(np.asarray(result))
    whole = model.logits(torch.from_numpy(latent), events).numpy()
    errors = {
        "encoder_error": max(
            _error(np.asarray(one), other) for one, other in zip(found, expected, strict=True)
        ),
        "decoder_error": _error(np.stack(logits, axis=1), whole),
    }
    for name, error in errors.items():
        if not error <= TOLERANCE:
            raise ExportError(f"{name}: the graphs differ from the model by {error:.2g}, above {TOLERANCE:g}")
    return errors


@torch.inference_mode()
def int8_figures(
    model: MusicVae, exported: OnnxMelodyModel, held_out: MelodyWindows | None
) -> dict[str, float]:
    """Return figures of reconstruction by the exported graphs beside the model's, on held-out melodies.

    Returns:
        "val_free_accuracy" of the exported model, "val_free_accuracy_fp32" of the model, and
        "int8_agreement", the share of events that both decode; nothing without melodies.
    """
    if held_out is None:
        return {}
    events = held_out.melodies(held_out.spread(_MEASURED))
    melodies = [Melody(tuple(row)) for row in events.tolist()]
    decoded = np.stack([m.array for m in exported.decode(exported.encode(melodies).mean)])
    exact = model.decode(model.encoder(torch.from_numpy(events))[0]).numpy()
    return {
        "val_free_accuracy": float((decoded == events).mean()),
        "val_free_accuracy_fp32": float((exact == events).mean()),
        "int8_agreement": float((decoded == exact).mean()),
    }


def _error(found: np.ndarray, expected: np.ndarray) -> float:
    return float((np.abs(found - expected) / np.maximum(np.abs(expected), 1)).max())
