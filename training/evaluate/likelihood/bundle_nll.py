"""NLL of real notes under a bundle: its graphs run through the key-value cache, as in the engine."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tatumflow.engine.arrays import Floats, Ints
from tatumflow.engine.model.decoder import Decoder, DecoderInput
from tatumflow.engine.model.kv_cache import MAX_STEPS, KVCache
from tatumflow.engine.model.rope import RotaryAngles
from tatumflow.engine.model.tokens import FIELD_SIZES, FIELDS, TIME_SHIFT
from tatumflow.training.data.windows import Window


@dataclass(frozen=True)
class BundleNll:
    """Negative log-likelihoods in nats, summed over the scored notes.

    Attributes:
        sums: One per field, (4,) float64.
        counts: Number of scored notes, one per field, (4,) int64.
    """

    sums: NDArray[np.float64]
    counts: NDArray[np.int64]

    @property
    def fields(self) -> dict[str, float]:
        """Mean of each field by name."""
        means = self.sums / np.maximum(self.counts, 1)
        return dict(zip(FIELDS, means.tolist(), strict=True))

    @property
    def per_note(self) -> float:
        """Mean per note: the sum of its fields' means."""
        return sum(self.fields.values())


class Steps(NamedTuple):
    """n steps as a decoder reads them; see `DecoderInput` for each."""

    fields: Ints
    role: Ints
    style: Floats
    chord: Ints
    metre: Ints
    phrase: Floats

    def part(self, part: slice) -> "Steps":
        """Return some of the steps."""
        return Steps(
            self.fields[part],
            self.role[part],
            self.style[part],
            self.chord[part],
            self.metre[part],
            self.phrase[part],
        )


def window_steps(decoder: Decoder, window: Window) -> Steps:
    """Return a window's steps, without phrase conditions."""
    table = np.eye(decoder.shape.num_styles, dtype=np.float32)
    phrase = np.zeros((len(window.role), decoder.shape.phrase_dim), np.float32)
    return Steps(window.fields, window.role, table[window.style], window.chord, window.metre, phrase)


def head_metre(window: Window, field: int) -> Ints:
    """Return the metrical places (T, 3) that the head of a field reads: see `Decoder.field_logits`."""
    return window.metre if field == TIME_SHIFT else window.next_metre


def window_logits(decoder: Decoder, window: Window, states: Floats) -> list[Floats]:
    """Return each field's logits (T, size) from a window's states (T, H), given the true earlier fields."""
    return [
        decoder.field_logits(
            field,
            states,
            np.ascontiguousarray(window.target[:, :field]),
            window.next_chord,
            head_metre(window, field),
        )
        for field in range(len(FIELDS))
    ]


def stream_states(
    decoder: Decoder, steps: Steps, batch: int = MAX_STEPS, cache: KVCache | None = None
) -> Floats:
    """Return the state after each of n steps, (n, H), `batch` steps a call.

    Args:
        decoder: The decoder.
        steps: The steps.
        batch: Steps in a call, 1 to `kv_cache.MAX_STEPS`.
        cache: The context, to which the steps are added; an empty one when None.
    """
    shape = decoder.shape
    cache = KVCache(shape) if cache is None else cache
    begin = cache.length
    angles = RotaryAngles(shape.head_dim, shape.rope_base, batch)
    total = len(steps.role)
    states = np.empty((total, shape.hidden_dim), np.float32)
    for start in range(0, total, batch):
        part = slice(start, min(start + batch, total))
        count = part.stop - start
        cos, sin = angles.rows(begin + start, count)
        output = decoder.decode(
            DecoderInput(
                fields=steps.fields[part],
                role=steps.role[part],
                style=steps.style[part],
                chord=steps.chord[part],
                metre=steps.metre[part],
                phrase=steps.phrase[part],
                cos=cos,
                sin=sin,
                attention_mask=cache.attention_mask(begin + start, count),
                past_key=cache.keys,
                past_value=cache.values,
            )
        )
        cache.append(output.key, output.value)
        states[part] = output.hidden
    return states


def log_probabilities(
    decoder: Decoder, field: int, states: Floats, target: Ints, chord: Ints, metre: Ints
) -> Floats:
    """Return log probabilities (n, size) of one field's values, given true earlier fields of (n, 4) notes."""
    logits = decoder.field_logits(field, states, np.ascontiguousarray(target[:, :field]), chord, metre)
    logits = logits - logits.max(axis=-1, keepdims=True)
    return logits - np.log(np.exp(logits).sum(axis=-1, keepdims=True))


def bundle_nll(decoder: Decoder, windows: Iterable[Window]) -> BundleNll:
    """Score windows with a decoder, each from an empty context."""
    sums, counts = np.zeros(len(FIELDS)), np.zeros(len(FIELDS), np.int64)
    for window in windows:
        states = stream_states(decoder, window_steps(decoder, window))
        target = np.minimum(window.target, np.array(FIELD_SIZES) - 1)
        for field in range(len(FIELDS)):
            scored = window.scored[:, field]
            if not scored.any():
                continue
            notes = target[scored]
            chord, metre = window.next_chord[scored], head_metre(window, field)[scored]
            logs = log_probabilities(decoder, field, states[scored], notes, chord, metre)
            sums[field] -= logs[np.arange(len(notes)), notes[:, field]].sum(dtype=np.float64)
            counts[field] += len(notes)
    return BundleNll(sums, counts)
