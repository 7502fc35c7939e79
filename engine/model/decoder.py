"""The decoder at play time as a protocol; an ONNX bundle implements it, and a small mock in the tests."""

from dataclasses import dataclass
from typing import NamedTuple, Protocol

from tatumflow.engine.arrays import Floats, Ints


@dataclass(frozen=True)
class DecoderShape:
    """Sizes of a decoder, from which the host allocates the key-value cache.

    Attributes:
        num_layers: Transformer blocks, L.
        num_kv_heads: Key and value heads per block, K.
        head_dim: Width of a head, D; even.
        hidden_dim: Width of a state, H.
        cache_rows: Rows of the cache, W.
        window: Steps back that a step attends to; below `cache_rows` by the depth of an exact rollback.
        num_styles: Rows of the style table, S; row 0 is no style.
        phrase_dim: Width of a phrase condition, P.
        rope_base: Base of the rotary frequencies.
        metre: Whether it reads metrical places; one that does not counts in seconds alone.
    """

    num_layers: int
    num_kv_heads: int
    head_dim: int
    hidden_dim: int
    cache_rows: int
    window: int
    num_styles: int
    phrase_dim: int
    rope_base: float
    metre: bool = False


class DecoderInput(NamedTuple):
    """One call of the trunk over T new steps of one stream.

    Attributes:
        fields: Input indices, (T, 4) int64, each below `tokens.INPUT_SIZES`.
        role: `Role` values, (T,) int64.
        style: Weights over the style table, (T, S) float32.
        chord: Chord ids at the steps' notes, 0 for none, (T,) int64.
        metre: Phase, beat of the bar and tempo at the steps' notes, (T, 3) int64, each below `METRE_SIZES`.
        phrase: Condition of the phrase of the note each step predicts, zeros for none, (T, P) float32.
        cos: Cosines of the rotary angles, (T, D / 2) float32.
        sin: Their sines, (T, D / 2) float32.
        attention_mask: Added to attention scores, (T, W + T) float32: 0 where a step attends, -1e9 where not.
        past_key: The cache's keys, (L, K, W, D) float32.
        past_value: The cache's values, (L, K, W, D) float32.
    """

    fields: Ints
    role: Ints
    style: Floats
    chord: Ints
    metre: Ints
    phrase: Floats
    cos: Floats
    sin: Floats
    attention_mask: Floats
    past_key: Floats
    past_value: Floats


class DecoderOutput(NamedTuple):
    """States after each step, (T, H), and the new cache rows, each (L, K, T, D)."""

    hidden: Floats
    key: Floats
    value: Floats


class Decoder(Protocol):
    """A trunk and four field heads."""

    @property
    def shape(self) -> DecoderShape:
        """Return the sizes of the model."""
        ...

    def decode(self, inputs: DecoderInput) -> DecoderOutput:
        """Run the trunk over new steps: one decode step, or a prefill of several."""
        ...

    def field_logits(
        self, field: int, hidden: Floats, known: Ints, chord: Ints, metre: Ints, pocket: float = 1.0
    ) -> Floats:
        """Return one field's logits, (n, size) float32.

        Args:
            field: Its index in `tokens.FIELDS`.
            hidden: States, (n, H).
            known: The fields before it, (n, field).
            chord: Chord ids at the onsets of the predicted notes, 0 for none, (n,).
            metre: Metrical places, (n, 3): for the time shift those of the notes before, for the other fields
                those of the predicted notes.
            pocket: Weight of the phase of the beat on which a time shift ends: 0 for none, 1 as trained.
        """
        ...
