"""A model of melodies in ONNX Runtime: encoding at once, decoding step by step."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tatumflow.engine.arrays import Floats, Ints
from tatumflow.engine.errors import BundleError
from tatumflow.engine.melodies.bundle import MelodyBundle
from tatumflow.engine.melodies.melody import NUM_EVENTS, STEPS_PER_BAR, Melody
from tatumflow.engine.melodies.melody_model import Posterior
from tatumflow.engine.model.providers import CPU, open_session

NO_EVENT = NUM_EVENTS
"""The event before the first one."""

ENCODER_NAMES = (["events"], ["mean", "deviation"])
CONDUCTOR_NAMES = (["latent"], ["embeddings", "states"])
DECODER_NAMES = (["before", "place", "embedding", "state"], ["logits", "next_state"])
"""Inputs and outputs of the graphs."""


class OnnxMelodyModel:
    """An exported model of melodies on the CPU."""

    def __init__(self, bundle: MelodyBundle, *, threads: int = 1) -> None:
        """Open the graphs and run them once.

        Raises:
            BundleError: if a graph cannot be run or does not fit the manifest.
        """
        self.manifest = manifest = bundle.manifest
        files = (manifest.encoder, manifest.conductor, manifest.decoder)
        self._encoder, self._conductor, self._decoder = (
            open_session(bundle.path / file.file, (CPU,), threads, widen_once=True) for file in files
        )
        try:
            silence = Melody((1,) * (manifest.bars * STEPS_PER_BAR))
            self.decode(self.encode([silence]).mean)
        except Exception as error:  # ONNX Runtime's exceptions share no base class of their own
            reason = (str(error).splitlines() or [type(error).__name__])[0][:200]
            raise BundleError(f"{bundle.path}: its graphs do not fit ({reason}); export it again") from None

    @property
    def bars(self) -> int:
        """Bars of a melody."""
        return self.manifest.bars

    def encode(self, melodies: Sequence[Melody]) -> Posterior:
        """Return the posterior of melodies of the model's length."""
        events = np.stack([melody.array for melody in melodies])
        mean, deviation = self._encoder.run(None, {"events": events})
        return Posterior(np.asarray(mean), np.asarray(deviation))

    def decode(
        self, latents: Floats, temperature: float = 0.0, rng: np.random.Generator | None = None
    ) -> list[Melody]:
        """Decode latents (n, latent_dim), each event given the decoded ones before.

        Args:
            latents: The latents.
            temperature: Divides the logits; 0 takes the likeliest event.
            rng: Random generator of the sampling; seeded with 0 when None.
        """
        rng = rng or np.random.default_rng(0)
        embeddings, states = self._conductor.run(None, {"latent": np.asarray(latents, np.float32)})
        embeddings, states = np.asarray(embeddings), np.asarray(states)
        steps = self.manifest.bars * STEPS_PER_BAR
        length = steps // self.manifest.segments
        events = np.empty((len(latents), steps), np.int64)
        before, state = np.full(len(latents), NO_EVENT), states[:, 0]
        for step in range(steps):
            segment, place = divmod(step, length)
            if place == 0:
                state = states[:, segment]
            values = (before, np.array([place % STEPS_PER_BAR]), embeddings[:, segment], state)
            logits, state = self._decoder.run(None, dict(zip(DECODER_NAMES[0], values, strict=True)))
            before = _chosen(np.asarray(logits), temperature, rng)
            events[:, step] = before
        return [Melody(tuple(row)) for row in events.tolist()]


def _chosen(logits: NDArray[np.float32], temperature: float, rng: np.random.Generator) -> Ints:
    """Return an event for each row of logits (n, NUM_EVENTS): the maximum, with Gumbel noise if sampled."""
    if temperature <= 0:
        return logits.argmax(axis=-1)
    return (logits / temperature + rng.gumbel(size=logits.shape)).argmax(axis=-1)
