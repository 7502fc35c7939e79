"""Use and content of the phrase latent and the theory parts.

NLL of the companion's notes under five conditions: nothing, the theory of their phrase alone, its latent
alone, both (the posterior), and a sample of the flow from the phrase before. A decoder that ignored its
latent would show no difference. Latent values count as active when the variance of their posterior mean over
phrases exceeds `ACTIVE` (Burda et al. 2016, "Importance Weighted Autoencoders", section 5.2). Linear probes
(Alain and Bengio 2016) measure how well each part of theory can be read from the latent and from each
embedding.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import Ridge

from tatumflow.engine.midi.notes import Role
from tatumflow.engine.model.decoder import Decoder
from tatumflow.engine.model.phrase_model import PhraseModel
from tatumflow.engine.model.tokens import PITCH
from tatumflow.engine.phrases.latent import PhraseCode, condition_of, in_c, next_code
from tatumflow.engine.theory.features import PARTS, relative_to_key
from tatumflow.training.data.phrases import NO_PHRASE
from tatumflow.training.data.windows import Epoch, Window
from tatumflow.training.evaluate.bootstrap import Interval, bootstrap
from tatumflow.training.evaluate.comparison import Figures, value_and_interval
from tatumflow.training.evaluate.likelihood.bundle_nll import (
    Steps,
    stream_states,
    window_logits,
    window_steps,
)
from tatumflow.training.evaluate.likelihood.piece_sums import (
    COUNTS,
    WIDTH,
    empty_sums,
    nats_per_note,
    tally,
)

Floats = NDArray[np.float64]

ACTIVE: Final = 0.01
"""Variance over phrases above which a value of the latent is active."""

CONDITIONS: Final = ("nothing", "theory", "latent", "both", "flow")
"""Conditions of the decoder on a phrase, in the order of the table."""

PROBE_WINDOWS: Final = 200
"""Most windows whose phrases are probed."""

_TRAINED_SHARE: Final = 0.7
_RIDGE: Final = 1.0
_TINY: Final = 1e-9


@dataclass(frozen=True)
class ProbedPhrases:
    """Encodings and features of phrases.

    Attributes:
        latent: Posterior means, (n, Z).
        theory: Embeddings, (n, parts, D).
        features: Theory features, (n, NUM_FEATURES).
        piece: The piece of each phrase, (n,) int64.
    """

    latent: Floats
    theory: Floats
    features: Floats
    piece: NDArray[np.int64]


def latent_figures(
    decoder: Decoder,
    model: PhraseModel,
    epoch: Epoch,
    windows: int,
    *,
    seed: int = 0,
    progress: Callable[[str], None] | None = None,
) -> Figures:
    """Return `latent_nll`, `latent_active` and `latent_probes`.

    Args:
        decoder: The decoder.
        model: Encoders and flow of the same bundle.
        epoch: Windows of the held-out side.
        windows: Number of windows for the NLL, from the first; at most as many as there are.
        seed: Seed of the flow's samples, the probes' split and the resampling.
        progress: Called with the number of the window.
    """
    report = progress or (lambda _: None)
    sums = {condition: empty_sums(len(epoch.pieces)) for condition in CONDITIONS}
    count = min(windows, len(epoch))
    for i in range(count):
        report(f"window {i + 1} of {count}")
        window = epoch.window(i)
        codes = phrase_codes(model, window)
        rng = np.random.default_rng((seed, i))
        for condition, table in phrase_conditions(model, window, codes, rng).items():
            _score(sums[condition], decoder, window, table)
    report("probing phrases")
    probed = gather_phrases(model, epoch, PROBE_WINDOWS)
    return {
        "latent_nll": _nll_figures(sums, seed),
        "latent_active": {
            "values": int((probed.latent.var(axis=0) > ACTIVE).sum()),
            "of": probed.latent.shape[1],
            "phrases": len(probed.latent),
        },
        "latent_probes": probes(probed, seed),
    }


def phrase_codes(model: PhraseModel, window: Window) -> list[PhraseCode | None]:
    """Return the encodings of a window's phrases; None where the table has no phrase."""
    codes: list[PhraseCode | None] = []
    rows = zip(window.phrase_steps, window.features, window.key.tolist(), strict=True)
    for steps, relative, key in rows:
        there = steps[steps != NO_PHRASE][-model.shape.phrase_len :]
        if not len(there):
            codes.append(None)
            continue
        fields = window.fields[there]
        if model.shape.relative:
            fields[:, PITCH] = in_c(fields[:, PITCH], key)
        # A window's features are relative to the key of the moment.
        features = relative if model.shape.relative else relative_to_key(relative, -key)
        codes.append(PhraseCode(model.encode(fields), features, model.embed_theory(features)))
    return codes


def phrase_conditions(
    model: PhraseModel, window: Window, codes: Sequence[PhraseCode | None], rng: np.random.Generator
) -> dict[str, NDArray[np.float32]]:
    """Return the vectors for each phrase of a window, (Q, P), by condition; see `CONDITIONS`."""
    shape = model.shape
    both = np.zeros((len(codes), shape.condition_dim), np.float32)
    flow = np.zeros_like(both)
    styles = np.eye(shape.num_styles, dtype=np.float32)
    for i, code in enumerate(codes):
        if code is None:
            continue
        key = int(window.key[i])
        both[i] = condition_of(model, code.code, key)
        style = styles[window.style[window.phrase_steps[i, 0]]]
        previous = window.previous[i]
        before = codes[previous] if previous != NO_PHRASE else None
        flow[i] = condition_of(model, next_code(model, style, rng, before=before), key)
    is_latent = np.arange(shape.condition_dim) < shape.latent_dim
    return {
        "nothing": np.zeros_like(both),
        "theory": both * ~is_latent,
        "latent": both * is_latent,
        "both": both,
        "flow": flow,
    }


def gather_phrases(model: PhraseModel, epoch: Epoch, windows: int) -> ProbedPhrases:
    """Encode the phrases of the first `windows` windows."""
    rows: list[tuple[PhraseCode, int]] = []
    for i in range(min(windows, len(epoch))):
        window = epoch.window(i)
        for steps, code in zip(window.phrase_steps, phrase_codes(model, window), strict=True):
            if code is not None:
                # A step's `piece` is that of the note it predicts: the phrase's own piece, except at its end.
                rows.append((code, int(window.piece[max(steps[0] - 1, 0)])))
    return ProbedPhrases(
        np.array([code.latent for code, _ in rows], dtype=np.float64),
        np.array([code.theory for code, _ in rows], dtype=np.float64),
        np.array([code.features for code, _ in rows], dtype=np.float64),
        np.array([piece for _, piece in rows], dtype=np.int64),
    )


def probes(phrases: ProbedPhrases, seed: int = 0) -> Figures:
    """Return the share of variance that ridge regressions explain on held-out pieces.

    Args:
        phrases: The phrases.
        seed: Seed of the split by piece.

    Returns:
        By input (`latent` and each part), by the part that is predicted: 1 is all, 0 none.
    """
    pieces = np.unique(phrases.piece)
    order = np.random.default_rng(seed).permutation(pieces)
    fitted = np.isin(phrases.piece, order[: max(int(_TRAINED_SHARE * len(order)), 1)])
    sources = {"latent": phrases.latent}
    sources |= {part.name: phrases.theory[:, i] for i, part in enumerate(PARTS)}
    if fitted.all():
        return {}
    return {
        name: {part.name: _explained(source, phrases.features[:, part.slice], fitted) for part in PARTS}
        for name, source in sources.items()
    }


def _explained(source: Floats, target: Floats, fitted: NDArray[np.bool_]) -> float:
    probe = Ridge(alpha=_RIDGE).fit(source[fitted], target[fitted])
    error = np.square(probe.predict(source[~fitted]) - target[~fitted]).sum()
    spread = np.square(target[~fitted] - target[fitted].mean(axis=0)).sum()
    return float(1 - error / max(float(spread), _TINY))


def _score(sums: Floats, decoder: Decoder, window: Window, conditions: NDArray[np.float32]) -> None:
    """Score the companion's notes of phrases, conditioned on the vectors (Q, P) of their phrases."""
    chosen = (window.phrase != NO_PHRASE) & (window.role == Role.COMPANION)
    steps: Steps = window_steps(decoder, window)
    phrase = conditions[np.maximum(window.phrase, 0)] * chosen[:, None]
    states = stream_states(decoder, steps._replace(phrase=phrase.astype(np.float32)))
    logits = window_logits(decoder, window, states)
    tally(sums, replace(window, scored=window.scored & chosen[:, None]), logits)


def _nll_figures(sums: dict[str, Floats], seed: int) -> Figures:
    base = sums[CONDITIONS[0]]
    seen = base[:, COUNTS].any(axis=1)

    def gain(condition: str) -> Interval:
        return bootstrap(
            np.concatenate([base[seen], sums[condition][seen]], axis=1),
            lambda drawn: nats_per_note(drawn[:, :WIDTH]) - nats_per_note(drawn[:, WIDTH:]),
            seed=seed,
        )

    return {
        "notes": int(base[:, COUNTS].sum(axis=0).max()),
        **{
            condition: {
                **value_and_interval(bootstrap(sums[condition][seen], nats_per_note, seed=seed)),
                "gain": value_and_interval(gain(condition)),
            }
            for condition in CONDITIONS
        },
    }
