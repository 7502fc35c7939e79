"""The phrase model of a bundle in ONNX Runtime."""

import numpy as np

from tatumflow.engine.arrays import Floats, Ints
from tatumflow.engine.errors import BundleError
from tatumflow.engine.model.bundle import ENCODER_GRAPH, FLOW_GRAPH, THEORY_GRAPH, Bundle
from tatumflow.engine.model.phrase_model import PhraseShape
from tatumflow.engine.model.providers import CPU, open_session
from tatumflow.engine.model.tokens import ABSENT
from tatumflow.engine.theory.features import NUM_FEATURES, PARTS


class OnnxPhraseModel:
    """Encoders and flow in ONNX Runtime, on the CPU; implements `phrase_model.PhraseModel`."""

    def __init__(self, bundle: Bundle, *, threads: int = 1) -> None:
        """Open the graphs and run each once.

        Raises:
            BundleError: if a graph cannot be run.
        """
        self._shape = bundle.phrase_shape
        self._encoder, self._theory, self._flow = (
            open_session(bundle.graph_path(name), (CPU,), threads)
            for name in (ENCODER_GRAPH, THEORY_GRAPH, FLOW_GRAPH)
        )
        shape = self._shape
        try:
            self.encode(np.array([ABSENT], np.int64))
            self.embed_theory(np.zeros(NUM_FEATURES, np.float32))
            self.velocity(
                np.zeros(shape.code_dim, np.float32),
                0.0,
                np.zeros(shape.num_styles, np.float32),
                np.zeros(shape.code_dim + 1, np.float32),
                np.zeros(len(PARTS) * (shape.theory_dim + 1), np.float32),
            )
        except Exception as error:  # ONNX Runtime's exceptions share no base class of their own
            reason = str(error).splitlines()[0][:200]
            raise BundleError(f"{bundle.path}: the graphs do not fit ({reason}); export it again") from None

    @property
    def shape(self) -> PhraseShape:
        """Return the sizes of the model."""
        return self._shape

    def encode(self, fields: Ints) -> Floats:
        """Return the mean latent (Z,) of a phrase of notes with input indices (n, 4)."""
        return self._encoder.run(["latent"], {"fields": fields})[0]  # pyright: ignore[reportReturnType]

    def embed_theory(self, features: Floats) -> Floats:
        """Return the embeddings (parts, D) of a phrase's features (NUM_FEATURES,)."""
        return self._theory.run(None, {"features": features})[0]  # pyright: ignore[reportReturnType]

    def velocity(self, x: Floats, time: float, style: Floats, before: Floats, requested: Floats) -> Floats:
        """Return the flow's velocity (P,); see `phrase_model.PhraseModel`."""
        feed = {
            "x": x,
            "time": np.array([time], np.float32),
            "style": style,
            "before": before,
            # The name that exported graphs give it.
            "asked": requested,
        }
        return self._flow.run(None, feed)[0]  # pyright: ignore[reportReturnType]
