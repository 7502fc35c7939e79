"""A separator in ONNX Runtime."""

import numpy as np
from numpy.typing import NDArray

from tatumflow.engine.errors import BundleError
from tatumflow.engine.model.providers import CPU, open_session
from tatumflow.engine.separation.bundle import SeparatorBundle
from tatumflow.engine.separation.stems import StemSet
from tatumflow.engine.separation.stft import StftSettings
from tatumflow.engine.separation.streaming import Planes

PLANES_INPUT = "planes"
"""Name of the graph's input; its first output is `STEMS_OUTPUT`, and states are numbered."""

STEMS_OUTPUT = "stems"


def state_names(count: int) -> tuple[list[str], list[str]]:
    """Return the names of a graph's states as inputs, and as outputs."""
    return [f"past_{i}" for i in range(count)], [f"kept_{i}" for i in range(count)]


class OnnxBlockModel:
    """A separator on the CPU; implements `streaming.BlockModel`."""

    most = 1

    def __init__(self, bundle: SeparatorBundle, *, threads: int = 1) -> None:
        """Open the graph and run it once.

        Raises:
            BundleError: if the graph cannot be run.
        """
        manifest = bundle.manifest
        self._manifest = manifest
        self._stems = manifest.stem_set
        self._transform = manifest.transform
        self._inputs, _ = state_names(len(manifest.states))
        self._session = open_session(bundle.graph_path, (CPU,), threads)
        self.reset()
        try:
            found = self.separate(np.zeros((4, self._transform.bins, manifest.block), np.float32))
            shape = (4 * len(self._stems), self._transform.bins, manifest.block)
            if found.shape != shape:
                raise ValueError(f"stems of shape {found.shape}, not {shape}")
        except Exception as error:  # ONNX Runtime's exceptions share no base class of their own
            reason = str(error).splitlines()[0][:200]
            raise BundleError(f"{bundle.path}: the graph does not fit ({reason}); export it again") from None
        self.reset()

    @property
    def stems(self) -> StemSet:
        """The stems that it separates a mixture into."""
        return self._stems

    @property
    def rate(self) -> int:
        """Sample rate in hertz."""
        return self._manifest.rate

    @property
    def transform(self) -> StftSettings:
        """Window and hop."""
        return self._transform

    @property
    def block(self) -> int:
        """Frames of a call."""
        return self._manifest.block

    def reset(self) -> None:
        """Forget the stream."""
        self._past: list[NDArray[np.float32]] = [
            np.zeros(shape, np.float32) for shape in self._manifest.states
        ]

    def separate(self, planes: Planes) -> Planes:
        """Return the next planes of the stems; see `streaming.BlockModel`."""
        feed = {PLANES_INPUT: planes, **dict(zip(self._inputs, self._past, strict=True))}
        stems, *kept = self._session.run(None, feed)
        self._past = kept  # pyright: ignore[reportAttributeAccessIssue]
        return stems  # pyright: ignore[reportReturnType]
