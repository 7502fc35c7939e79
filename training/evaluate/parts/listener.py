"""Figures that a listener notices first: key, motif, rhythm, phrasing and dynamics, companion beside player.

Each figure is that of the companion's continuation, of the player's real one, and, as a control, of the
player's stretch after that. Figures that a flatter distribution improves, such as a divergence of pitch
classes, are given beside figures that it worsens. Last, the AUC of classifiers of companion and player.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tatumflow.training.data.corpora.piece import UNKNOWN_VELOCITY
from tatumflow.training.evaluate.bootstrap import Floats, mean, paired_difference, ratio_of_means
from tatumflow.training.evaluate.classifiers.discriminator import (
    Discrimination,
    discriminate_features,
    discriminate_notes,
    snapped,
)
from tatumflow.training.evaluate.classifiers.style_features import style_feature_parts
from tatumflow.training.evaluate.comparison import Figures, value_and_interval
from tatumflow.training.evaluate.metrics import key, motif, phrasing, pitch, rhythm, texture
from tatumflow.training.evaluate.parts.continuation_figures import Continuations

Notes = NDArray[np.void]
ListenerMetric = Callable[[Notes, float, Notes], float]
"""A figure of notes, (n,) with onsets in seconds from the beginning of a stretch, the stretch's seconds, and
the notes before it."""

LISTENER_METRICS: Final[Mapping[str, ListenerMetric]] = MappingProxyType(
    {
        "diatonicity": lambda notes, _, __: key.diatonicity(notes),
        "windowed_diatonicity": lambda notes, seconds, _: key.windowed_diatonicity(notes, seconds),
        "key_fit_to_primer": lambda notes, _, before: key.key_fit_to(notes, before),
        "same_key_as_primer": lambda notes, _, before: key.same_key(notes, before),
        "fifths_agreement": lambda notes, _, before: key.fifths_agreement(notes, before),
        "pitch_class_cosine": lambda notes, _, before: key.pitch_class_cosine(notes, before),
        "modulations_per_minute": lambda notes, seconds, _: key.modulations_per_minute(notes, seconds),
        "pitch_class_entropy": lambda notes, _, __: pitch.pitch_class_entropy(notes),
        "repeated_steps": lambda notes, _, __: motif.repeated_share(motif.steps(notes)),
        "repeated_contours": lambda notes, _, __: motif.repeated_share(motif.contour(notes)),
        "repeated_rhythms": lambda notes, _, __: motif.repeated_rhythms(notes),
        "self_similarity": lambda notes, _, __: motif.self_similarity(notes),
        "commonest_cell": lambda notes, _, __: motif.commonest_cell(notes),
        "steps_from_primer": lambda notes, _, before: motif.returned_share(
            motif.steps(notes), motif.steps(phrasing.last_phrase(before))
        ),
        "contours_from_primer": lambda notes, _, before: motif.returned_share(
            motif.contour(notes), motif.contour(phrasing.last_phrase(before))
        ),
        "rhythms_from_primer": lambda notes, _, before: motif.returned_share(
            motif.ratio_classes(notes), motif.ratio_classes(phrasing.last_phrase(before)), motif.CELL + 1
        ),
        "likeness_to_primer": lambda notes, _, before: motif.likeness_to(notes, before),
        "rhythm_entropy": lambda notes, _, __: rhythm.rhythm_diversity(notes),
        "velocity_spread": lambda notes, _, __: phrasing.velocity_spread(notes),
        "velocity_step": lambda notes, _, __: phrasing.velocity_step(notes),
        "mean_velocity": lambda notes, _, __: phrasing.mean_velocity(notes),
        "note_density": lambda notes, seconds, _: texture.note_density(notes, seconds),
        "polyphony": lambda notes, _, __: texture.polyphony(notes),
        "phrase_notes": lambda notes, _, __: phrasing.phrase_notes(notes),
        "phrase_seconds": lambda notes, _, __: phrasing.phrase_seconds(notes),
        "rests_per_minute": lambda notes, seconds, _: phrasing.rests_per_minute(notes, seconds),
        "line_phrase_onsets": lambda notes, _, __: phrasing.line_phrase_onsets(notes),
        "line_rests_per_minute": lambda notes, seconds, _: phrasing.line_rests_per_minute(notes, seconds),
        "longest_rest": lambda notes, _, __: phrasing.longest_rest(notes),
    }
)
"""Every figure that is one number of one stretch; see `metrics/` for each."""

OF_PRIMER: Final = frozenset(
    {
        *("key_fit_to_primer", "same_key_as_primer", "fifths_agreement", "pitch_class_cosine"),
        *("steps_from_primer", "contours_from_primer", "rhythms_from_primer", "likeness_to_primer"),
    }
)
"""Figures of a stretch against its primer."""

UNAVAILABLE: Final[Mapping[str, str]] = MappingProxyType(
    {
        "frechet_music_distance": "needs the CLaMP 2 embedding model; the package frechet-music-distance "
        "downloads its weights, so they are missing offline"
    }
)
"""Figures that are not measured, and why."""

_FEWEST_NOTES: Final = 4
_FEWEST_PIECES: Final = 4
_VELOCITY_BINS: Final = 16
_RANKED: Final = 15


@dataclass(frozen=True)
class Listened:
    """Stretches of the companion and of the player, side by side.

    Attributes:
        before: The primers, (n,).
        companion: The companion's continuations.
        player: The player's continuations.
        later: The player's stretches after these; None where the piece ends before.
        pieces: The piece of each.
        seconds: Length of each.
    """

    before: tuple[Notes, ...]
    companion: tuple[Notes, ...]
    player: tuple[Notes, ...]
    later: tuple[Notes | None, ...]
    pieces: tuple[str, ...]
    seconds: float


def listened(played: Continuations) -> Listened:
    """Return continuations beside the real ones.

    Where the player's velocities are not known, the companion's are removed too.
    """
    primers = played.primers
    companion = tuple(
        notes if (primer.real["velocity"] != UNKNOWN_VELOCITY).any() else without_velocities(notes)
        for notes, primer in zip(played.generated, primers, strict=True)
    )
    return Listened(
        tuple(primer.notes for primer in primers),
        companion,
        tuple(primer.real for primer in primers),
        tuple(primer.later for primer in primers),
        tuple(played.pieces),
        played.seconds,
    )


def without_velocities(notes: Notes) -> Notes:
    """Return a copy of notes with unknown velocities."""
    copy = notes.copy()
    copy["velocity"] = UNKNOWN_VELOCITY
    return copy


def metrics_of(notes: Notes, seconds: float, before: Notes) -> dict[str, float]:
    """Return every figure of a stretch by name; NaN where it has too few notes for one."""
    if len(notes) < _FEWEST_NOTES:
        return dict.fromkeys(LISTENER_METRICS, float("nan"))
    return {name: metric(notes, seconds, before) for name, metric in LISTENER_METRICS.items()}


def listener_figures(
    played: Continuations, seed: int = 0, progress: Callable[[str], None] = lambda _: None
) -> Figures:
    """Compare continuations with real ones by the figures of a listener.

    Args:
        played: The continuations.
        seed: Seed of the resampling and of the classifiers.
        progress: Called with the current step.

    Returns:
        `figures`: by name `companion`, `player` and `control` (the player later in the piece) as means over
        stretches with an `interval` over pieces each, `ratio`, companion over player, and `control_ratio`,
        each with its interval, and `difference`, the mean of companion less player. `pitch_class_kl`: the
        same of the divergence from the player's pitch classes, which flatter music lowers. `discriminator`:
        see `discriminator_figures`. `unavailable`: figures that are not measured, and why.
    """
    sides = listened(played)
    progress("figures")
    return {
        "primers": len(sides.companion),
        "pieces": len(set(sides.pieces)),
        "seconds": sides.seconds,
        "figures": compared(sides, seed),
        "pitch_class_kl": _divergence(sides, seed),
        "discriminator": discriminator_figures(sides, seed, progress),
        "unavailable": dict(UNAVAILABLE),
    }


def compared(sides: Listened, seed: int = 0) -> Figures:
    """Return the `figures` of `listener_figures`."""
    rows = {
        name: [
            metrics_of(notes, sides.seconds, before) if notes is not None else None
            for notes, before in zip(stretches, sides.before, strict=True)
        ]
        for name, stretches in (
            ("companion", sides.companion),
            ("player", sides.player),
            ("control", sides.later),
        )
    }
    found: Figures = {}
    for name in LISTENER_METRICS:
        values = {
            side: np.array([np.nan if row is None else row[name] for row in of]) for side, of in rows.items()
        }
        found[name] = _beside(values, sides.pieces, seed)
    return found


def _beside(values: Mapping[str, Floats], pieces: Sequence[str], seed: int) -> Figures:
    row: Figures = {
        side: value_and_interval(mean(of, groups=pieces, seed=seed)) for side, of in values.items()
    }
    companion, player, control = (values[side] for side in ("companion", "player", "control"))
    for name, of in (("ratio", companion), ("control_ratio", control)):
        row[name] = value_and_interval(ratio_of_means(of, player, groups=pieces, seed=seed))
    row["difference"] = value_and_interval(paired_difference(companion, player, groups=pieces, seed=seed))
    return row


def _divergence(sides: Listened, seed: int) -> Figures:
    """Return the divergence of the companion's and of the later pitch classes from the player's."""
    figures: Figures = {}
    for name, stretches in (("companion", sides.companion), ("control", sides.later)):
        values = [
            np.nan
            if notes is None
            else pitch.kl_divergence(pitch.pitch_class_counts(real), pitch.pitch_class_counts(notes))
            for notes, real in zip(stretches, sides.player, strict=True)
        ]
        figures[name] = value_and_interval(mean(values, groups=sides.pieces, seed=seed))
    return figures


def discriminator_figures(
    sides: Listened, seed: int = 0, progress: Callable[[str], None] = lambda _: None
) -> Figures:
    """Classify companion and player, and, as a control, the player and the player later in the piece.

    Returns:
        `features`, `features_and_primer` and `notes`, by classifier, each with `companion` and `control`: the
        AUC as `value` with its `interval`. Only the second also reads figures of a stretch against its
        primer; its control is above 0.5 because a player, too, moves away from the primer. `importance`: the
        most important groups of features for companion and player, with `drop`, the fall of the AUC without
        it, and `alone`, the AUC of a single figure, above 0.5 where the companion has more. Empty where there
        are fewer than four pieces.
    """
    if len(set(sides.pieces)) < _FEWEST_PIECES:
        return {}
    figures: Figures = {"features": {}, "features_and_primer": {}, "notes": {}}
    for name, stretches in (("companion", sides.companion), ("control", sides.later)):
        one = [
            (notes, before, piece)
            for notes, before, piece in zip(stretches, sides.before, sides.pieces, strict=True)
            if notes is not None and len(notes) >= _FEWEST_NOTES
        ]
        if len({piece for _, _, piece in one}) < _FEWEST_PIECES:
            continue
        # Of the same pieces: short solos, which have no `later`, would reveal the side otherwise.
        compared_pieces = {piece for _, _, piece in one}
        other = [
            row
            for row in zip(sides.player, sides.before, sides.pieces, strict=True)
            if row[2] in compared_pieces
        ]
        rows = [(snapped(notes), before, piece) for notes, before, piece in [*one, *other]]
        label = np.array([1] * len(one) + [0] * len(other))
        pieces = [piece for _, _, piece in rows]
        groups = feature_groups([(notes, before) for notes, before, _ in rows], sides.seconds)
        alone = {group: values for group, values in groups.items() if group not in OF_PRIMER}
        for kind, features in (("features", alone), ("features_and_primer", groups)):
            progress(f"classifier on {kind.replace('_', ' ')}, {name}")
            ranked = kind == "features_and_primer" and name == "companion"
            result = discriminate_features(
                features, label, pieces, seed=seed, permutations=None if ranked else 0
            )
            figures[kind][name] = value_and_interval(result.auc)
            if ranked:
                figures["importance"] = _importance(result)
        progress(f"classifier on notes, {name}")
        result = discriminate_notes([notes for notes, _, _ in rows], label, pieces, seed=seed)
        figures["notes"][name] = value_and_interval(result.auc)
    return figures


def feature_groups(stretches: Sequence[tuple[Notes, Notes]], seconds: float) -> dict[str, Floats]:
    """Return features of pairs of stretch and primer, by group: (n,) or (n, k)."""
    figures = [metrics_of(notes, seconds, before) for notes, before in stretches]
    groups: dict[str, Floats] = {name: np.array([row[name] for row in figures]) for name in LISTENER_METRICS}
    groups["velocity histogram"] = np.array([_velocities(notes) for notes, _ in stretches])
    plain = [style_feature_parts(notes, seconds) for notes, _ in stretches]
    for name in plain[0] if plain else ():
        groups[name] = np.array([row[name] for row in plain])
    return groups


def _velocities(notes: Notes) -> Floats:
    known = notes["velocity"][notes["velocity"] != UNKNOWN_VELOCITY].astype(np.int64)
    counts = np.bincount(known * _VELOCITY_BINS // 128, minlength=_VELOCITY_BINS).astype(np.float64)
    return counts / len(known) if len(known) else np.full(_VELOCITY_BINS, np.nan)


def _importance(result: Discrimination) -> list[Figures]:
    return [{"name": row.name, "drop": row.drop, "alone": row.alone} for row in result.importance[:_RANKED]]
