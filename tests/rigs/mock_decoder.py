"""A decoder small enough to run anywhere and real enough for parity: causal attention with random weights.

It reads all of `DecoderInput` (fields, role, style, chord, phrase condition, rotary angles, attention mask,
cache rows, and a sink of zero value), so that a wrong mask, slot, angle or time shift changes its states. It
computes in float64 and returns float32; masked cache rows weigh exactly nothing.
"""

import numpy as np
from numpy.typing import NDArray

from tatumflow.engine.arrays import Floats, Ints
from tatumflow.engine.harmony.chords import NO_CHORD, NUM_CHORDS
from tatumflow.engine.model.decoder import DecoderInput, DecoderOutput, DecoderShape
from tatumflow.engine.model.metre import METRE_SIZES
from tatumflow.engine.model.tokens import (
    DURATION,
    DURATION_TICKS,
    FIELD_SIZES,
    INPUT_SIZES,
    PITCH,
    TICK_SECONDS,
    TIME_SHIFT,
    TIME_SHIFT_TICKS,
    VELOCITIES,
    VELOCITY,
)

_GROUP = 2
"""Query heads that share one key-value head."""

_SINK_SCORE = 0.0
_KEEP = 0.7

Doubles = NDArray[np.float64]


def mock_shape(*, cache_rows: int = 64, window: int = 48, num_styles: int = 3) -> DecoderShape:
    """Return the sizes of a mock decoder."""
    return DecoderShape(
        num_layers=2,
        num_kv_heads=2,
        head_dim=4,
        hidden_dim=16,
        cache_rows=cache_rows,
        window=window,
        num_styles=num_styles,
        phrase_dim=6,
        rope_base=100.0,
        metre=True,
    )


def _rotate(x: Doubles, cos: Floats, sin: Floats) -> Doubles:
    first, second = np.split(x, 2, axis=-1)
    return np.concatenate([first * cos - second * sin, second * cos + first * sin], axis=-1)


def _norm(x: Doubles) -> Doubles:
    return x / np.sqrt((x * x).mean(axis=-1, keepdims=True) + 1e-5)


def _preference(seconds: NDArray[np.floating], centre: float) -> Doubles:
    """Log weights of a lognormal around `centre` seconds, so that mock music has a musical pace."""
    return -0.5 * (np.log((seconds + 0.005) / centre) / 0.8) ** 2


class MockDecoder:
    """Implements `tatumflow.engine.model.decoder.Decoder`.

    Attributes:
        decoded: Number of new steps in each call of `decode` so far.
        broken: While true, field logits are NaN.
        broken_states: While true, states and cache rows are NaN.
    """

    def __init__(self, shape: DecoderShape | None = None, seed: int = 0, sharpness: float = 1.0) -> None:
        """Draw weights from `seed`; larger `sharpness` makes the field distributions narrower."""
        self._shape = shape or mock_shape()
        self.decoded: list[int] = []
        self.broken = False
        self.broken_states = False
        s, rng = self._shape, np.random.default_rng(seed)
        self._heads = s.num_kv_heads * _GROUP

        def weights(*size: int) -> Doubles:
            return rng.normal(0.0, size[-2] ** -0.5 if len(size) > 1 else 1.0, size)

        self._embeddings = [rng.normal(0.0, 1.0, (rows, s.hidden_dim)) for rows in INPUT_SIZES]
        self._roles = rng.normal(0.0, 1.0, (2, s.hidden_dim))
        self._styles = rng.normal(0.0, 1.0, (s.num_styles, s.hidden_dim))
        self._chords = rng.normal(0.0, 1.0, (NUM_CHORDS, s.hidden_dim))
        self._chords[NO_CHORD] = 0.0
        self._phrases = rng.normal(0.0, 1.0, (s.phrase_dim, s.hidden_dim))
        self._query = 2.0 * weights(s.num_layers, s.hidden_dim, self._heads * s.head_dim)
        self._key = weights(s.num_layers, s.hidden_dim, s.num_kv_heads * s.head_dim)
        self._value = weights(s.num_layers, s.hidden_dim, s.num_kv_heads * s.head_dim)
        self._out = 2.0 * weights(s.num_layers, self._heads * s.head_dim, s.hidden_dim)
        self._mlp = weights(s.num_layers, s.hidden_dim, s.hidden_dim)
        self._known = [rng.normal(0.0, 1.0, (size, s.hidden_dim)) for size in FIELD_SIZES]
        self._logits = [sharpness * weights(s.hidden_dim, size) for size in FIELD_SIZES]
        self._prior = [np.zeros(size) for size in FIELD_SIZES]
        self._prior[TIME_SHIFT] = _preference(TIME_SHIFT_TICKS * TICK_SECONDS, 0.15)
        self._prior[DURATION] = _preference(DURATION_TICKS * TICK_SECONDS, 0.2)
        self._prior[VELOCITY] = -0.5 * ((VELOCITIES - 70) / 20.0) ** 2
        self._metre = [rng.normal(0.0, 1.0, (size, s.hidden_dim)) for size in METRE_SIZES]
        for table in self._metre:
            table[-1] = 0.0

    @property
    def shape(self) -> DecoderShape:
        return self._shape

    def decode(self, inputs: DecoderInput) -> DecoderOutput:
        s, steps = self._shape, len(inputs.fields)
        self._check(inputs, steps)
        self.decoded.append(steps)
        x = self._roles[inputs.role] + inputs.style @ self._styles
        x = x + self._chords[inputs.chord] + inputs.phrase @ self._phrases
        for field, table in enumerate(self._embeddings):
            x = x + table[inputs.fields[:, field]]
        for column, table in enumerate(self._metre):
            x = x + table[inputs.metre[:, column]]
        keys = np.empty((s.num_layers, s.num_kv_heads, steps, s.head_dim), np.float32)
        values = np.empty_like(keys)
        for layer in range(s.num_layers):
            normed = _norm(x)
            q = self._split(normed @ self._query[layer], self._heads)
            k = self._split(normed @ self._key[layer], s.num_kv_heads)
            q, k = _rotate(q, inputs.cos, inputs.sin), _rotate(k, inputs.cos, inputs.sin)
            v = self._split(normed @ self._value[layer], s.num_kv_heads)
            keys[layer], values[layer] = k, v
            # The step itself is read back as the cache stores it, so that step by step equals in one batch.
            k_all = np.concatenate([inputs.past_key[layer], keys[layer]], axis=1).astype(np.float64)
            v_all = np.concatenate([inputs.past_value[layer], values[layer]], axis=1).astype(np.float64)
            k_all, v_all = np.repeat(k_all, _GROUP, axis=0), np.repeat(v_all, _GROUP, axis=0)
            scores = q @ k_all.transpose(0, 2, 1) / np.sqrt(s.head_dim) + inputs.attention_mask
            highest = np.maximum(scores.max(axis=-1, keepdims=True), _SINK_SCORE)
            weight = np.exp(scores - highest)
            weight /= weight.sum(axis=-1, keepdims=True) + np.exp(_SINK_SCORE - highest)
            attended = (weight @ v_all).transpose(1, 0, 2).reshape(steps, -1)
            x = _KEEP * x + attended @ self._out[layer]
            x = x + np.tanh(_norm(x) @ self._mlp[layer])
        hidden = _norm(x).astype(np.float32)
        if self.broken_states:
            hidden[:], keys[:], values[:] = np.nan, np.nan, np.nan
        return DecoderOutput(hidden, keys, values)

    def field_logits(
        self, field: int, hidden: Floats, known: Ints, chord: Ints, metre: Ints, pocket: float = 1.0
    ) -> Floats:
        assert chord.shape == (len(hidden),)
        assert metre.shape == (len(hidden), len(METRE_SIZES))
        assert hidden.shape[1:] == (self._shape.hidden_dim,)
        assert known.shape == (len(hidden), field)
        x = hidden.astype(np.float64)
        for earlier in range(field):
            x = x + self._known[earlier][known[:, earlier]]
        if field == PITCH:
            x = x + self._chords[chord]
        for column, table in enumerate(self._metre if field else ()):
            x = x + table[metre[:, column]]
        logits = (_norm(x) @ self._logits[field] + self._prior[field]).astype(np.float32)
        return np.full_like(logits, np.nan) if self.broken else logits

    def _split(self, x: Doubles, heads: int) -> Doubles:
        return x.reshape(len(x), heads, self._shape.head_dim).transpose(1, 0, 2)

    def _check(self, inputs: DecoderInput, steps: int) -> None:
        s = self._shape
        rows = (s.num_layers, s.num_kv_heads, s.cache_rows, s.head_dim)
        angles = ((steps, s.head_dim // 2), np.float32)
        expected = [
            ((steps, 4), np.int64),
            ((steps,), np.int64),
            ((steps, s.num_styles), np.float32),
            ((steps,), np.int64),
            ((steps, len(METRE_SIZES)), np.int64),
            ((steps, s.phrase_dim), np.float32),
            angles,
            angles,
            ((steps, s.cache_rows + steps), np.float32),
            (rows, np.float32),
            (rows, np.float32),
        ]
        for name, array, (shape, dtype) in zip(DecoderInput._fields, inputs, expected, strict=True):
            assert array.shape == shape, f"{name}: shape {array.shape}, not {shape}"
            assert array.dtype == dtype, f"{name}: {array.dtype}, not {dtype}"
            assert array.flags.c_contiguous, f"{name} is not contiguous"
        assert (inputs.fields >= 0).all()
        assert (inputs.fields < np.array(INPUT_SIZES)).all()
