"""The decoder of a bundle in ONNX Runtime."""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
import onnxruntime

from tatumflow.engine.arrays import Floats, Ints
from tatumflow.engine.errors import BundleError
from tatumflow.engine.model.bundle import DECODER_GRAPH, HEAD_GRAPHS, Bundle
from tatumflow.engine.model.decoder import DecoderInput, DecoderOutput, DecoderShape
from tatumflow.engine.model.kv_cache import MAX_STEPS
from tatumflow.engine.model.metre import NO_METRE, with_landings
from tatumflow.engine.model.providers import CPU, TENSORRT, graph_providers, open_session, usable_providers
from tatumflow.engine.model.tensorrt import tensorrt_options, with_engine_folder
from tatumflow.engine.model.tokens import ABSENT, FIELD_SIZES, FIELDS, PITCH

# The graph's names of the first inputs of `DecoderInput`, in its order; the attention mask is "bias" there.
_STEP_INPUTS: Final = ("fields", "role", "style", "chord", "metre", "phrase", "cos", "sin", "bias")
_WARM_UP_STEPS: Final = (1, 1, 2, 4, 8, 16, MAX_STEPS)

_log = logging.getLogger(__name__)


class OnnxDecoder:
    """A trunk and four field heads in ONNX Runtime; implements `decoder.Decoder`.

    The cache is not copied: each layer's keys and values are a graph input of their own, a view of the host's
    arrays. Calls from several threads at once are safe.
    """

    def __init__(self, bundle: Bundle, *, threads: int = 1, providers: Sequence[str] | None = None) -> None:
        """Open the graphs and run each once, so that the first note costs no more than later ones.

        The trunk goes to the first provider that supports its weights, starts and runs it; a line in the log
        names each provider that was left out. If none is left, the CPU runs the graph exported for it.

        Args:
            bundle: The checked bundle.
            threads: Threads of one call on the CPU.
            providers: ONNX Runtime providers, preferred first; by default those that work here.

        Raises:
            BundleError: if a graph cannot be run or has other inputs than its manifest states.
        """
        self._shape = bundle.shape
        layers = range(self._shape.num_layers)
        self._key_inputs = tuple(f"past_key_{i}" for i in layers)
        self._value_inputs = tuple(f"past_value_{i}" for i in layers)
        # A head costs less than a trip to the GPU.
        self._heads = [open_session(bundle.graph_path(name), (CPU,), threads) for name in HEAD_GRAPHS]
        requested = usable_providers() if providers is None else tuple(providers)
        self._trunk = self._first_that_runs(bundle, requested, threads)

    @property
    def shape(self) -> DecoderShape:
        """Return the sizes of the model."""
        return self._shape

    @property
    def provider(self) -> str:
        """Return the name of the ONNX Runtime provider that runs the trunk."""
        return self._trunk.get_providers()[0]

    def decode(self, inputs: DecoderInput) -> DecoderOutput:
        """Run the trunk over new steps."""
        feed: dict[str, Floats | Ints] = dict(zip(_STEP_INPUTS, inputs[: len(_STEP_INPUTS)], strict=True))
        if not self._shape.metre:
            del feed["metre"]
        feed.update(zip(self._key_inputs, inputs.past_key, strict=True))
        feed.update(zip(self._value_inputs, inputs.past_value, strict=True))
        hidden, key, value = self._trunk.run(None, feed)
        return DecoderOutput(hidden, key, value)  # pyright: ignore[reportArgumentType]

    def field_logits(
        self, field: int, hidden: Floats, known: Ints, chord: Ints, metre: Ints, pocket: float = 1.0
    ) -> Floats:
        """Return one field's logits (n, size); see `decoder.Decoder`."""
        feed: dict[str, Floats | Ints] = {"hidden": hidden}
        if field:
            feed["known"] = known
        if field == PITCH:
            feed["chord"] = chord
        if field and self._shape.metre:
            feed["metre"] = metre
        outputs: list[Floats] = self._heads[field].run(None, feed)  # pyright: ignore[reportAssignmentType]
        return with_landings(outputs[0], outputs[1], metre, pocket) if len(outputs) > 1 else outputs[0]

    def _first_that_runs(
        self, bundle: Bundle, requested: tuple[str, ...], threads: int
    ) -> onnxruntime.InferenceSession:
        """Return the trunk on the first provider that runs it."""
        graph = bundle.graph_file(DECODER_GRAPH, gpu=True)
        taken = graph_providers(graph.precision, requested)
        if taken != requested:
            _log.warning(
                "%s: on the CPU, its weights are %s; `tatumflow export --target tensorrt` adds some for GPUs",
                bundle.name,
                graph.precision,
            )
        accelerated = [name for name in taken if name != CPU]
        for place, name in enumerate(accelerated):
            try:
                file = bundle.graph_path(DECODER_GRAPH, gpu=True)
                return self._running(bundle, file, (*accelerated[place:], CPU), threads)
            except BundleError as error:
                _log.warning("%s left out: %s", name, error)
        return self._running(bundle, bundle.graph_path(DECODER_GRAPH), (CPU,), threads)

    def _running(
        self, bundle: Bundle, file: Path, providers: Sequence[str], threads: int
    ) -> onnxruntime.InferenceSession:
        """Return the trunk of a file, opened and warm."""
        options = {TENSORRT: with_engine_folder(tensorrt_options(bundle))} if TENSORRT in providers else None
        self._trunk = open_session(file, providers, threads, options)
        inputs = {node.name for node in self._trunk.get_inputs()}
        read = {name for name in _STEP_INPUTS if name != "metre" or self._shape.metre}
        if inputs != {*read, *self._key_inputs, *self._value_inputs}:
            raise BundleError(f"{file}: its inputs are not those of its manifest; export the model again")
        try:
            self._warm_up()
        except Exception as error:  # ONNX Runtime's exceptions share no base class of their own
            reason = str(error).partition("\n")[0][:200]
            raise BundleError(f"{bundle.path}: the graphs do not fit ({reason}); export it again") from None
        return self._trunk

    def _warm_up(self) -> None:
        shape = self._shape
        rows = np.zeros((shape.num_layers, shape.num_kv_heads, shape.cache_rows, shape.head_dim), np.float32)
        hidden = np.zeros((1, shape.hidden_dim), np.float32)
        for steps in (min(steps, shape.cache_rows) for steps in _WARM_UP_STEPS):
            hidden = self.decode(
                DecoderInput(
                    fields=np.tile(np.array(ABSENT, np.int64), (steps, 1)),
                    role=np.zeros(steps, np.int64),
                    style=np.eye(1, shape.num_styles, dtype=np.float32).repeat(steps, axis=0),
                    chord=np.zeros(steps, np.int64),
                    metre=np.tile(np.array(NO_METRE, np.int64), (steps, 1)),
                    phrase=np.zeros((steps, shape.phrase_dim), np.float32),
                    cos=np.ones((steps, shape.head_dim // 2), np.float32),
                    sin=np.zeros((steps, shape.head_dim // 2), np.float32),
                    attention_mask=np.zeros((steps, shape.cache_rows + steps), np.float32),
                    past_key=rows,
                    past_value=rows,
                )
            ).hidden
        for field, size in enumerate(FIELD_SIZES):
            logits = self.field_logits(
                field,
                hidden[:1],
                np.zeros((1, field), np.int64),
                np.zeros(1, np.int64),
                np.array([NO_METRE], np.int64),
            )
            if logits.shape != (1, size):
                raise ValueError(f"head {FIELDS[field]} returns {logits.shape}")
