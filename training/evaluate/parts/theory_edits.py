"""Response to an edit of one part of a phrase's theory: movement of that part, and of all other parts.

Each call is replied to with an edit and without, under the same seeds. The movement of the edited part is the
fall of its distance to the target features. The movement of any other part is compared with its distance
between two seeds without an edit.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from types import MappingProxyType
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from tatumflow.engine.controls import Controls, ModeName
from tatumflow.engine.harmony.chords import Chord
from tatumflow.engine.midi.notes import Note
from tatumflow.engine.theory.edits import with_chords, with_dynamics, with_pace
from tatumflow.engine.theory.features import PARTS, notes_features
from tatumflow.training.evaluate.bootstrap import Floats, Interval, mean, paired_difference, ratio_of_means
from tatumflow.training.evaluate.comparison import Figures, bounds, value_and_interval
from tatumflow.training.evaluate.generations import Performer, seed_of, to_notes
from tatumflow.training.evaluate.metrics.phrase_features import PART_NAMES, part_distance, phrase_parts
from tatumflow.training.evaluate.metrics.rhythm import inter_onset_statistics
from tatumflow.training.evaluate.parts.answer_relevance import Call
from tatumflow.training.evaluate.primers import Notes

TOLERANCE: Final = 1.25
"""Largest movement of another part by an edit, as a multiple of its distance between two seeds.

From the first changed note on, the samples differ, so that 1 is another take of the same reply, and no edit
can do less. The quarter allows for what parts share in any music: notes at another pace have other durations,
a reply over other chords other intervals.
"""

TAKES: Final = 3
"""Seeds under which each call is replied to."""

Quantity = Callable[[Notes], float]
"""Quantity of a reply that an edit should move; NaN where undefined."""

Progress = Callable[[str], None]
Takes = tuple[tuple[Notes, ...], ...]
"""Replies by take and call."""


@dataclass(frozen=True)
class TheoryEdit:
    """An edit of one part of the call's theory.

    Attributes:
        name: What is requested.
        part: The part that it edits.
        mode: The mode of the reply.
        changes: The controls that request it.
        target: Returns the target features (NUM_FEATURES,) of the call's notes.
        quantity: Name of the quantity that it should move.
        measure: That quantity.
    """

    name: str
    part: str
    mode: ModeName
    changes: Mapping[str, Any]
    target: Callable[[Sequence[Note]], NDArray[np.float32]]
    quantity: str
    measure: Quantity


@dataclass(frozen=True)
class EditTrial:
    """Replies with edits and without.

    Attributes:
        calls: The calls.
        plain: Replies without an edit, by mode.
        edited: Replies under each edit, by its name, under the same seeds.
    """

    calls: tuple[Call, ...]
    plain: Mapping[ModeName, Takes]
    edited: Mapping[str, Takes]


def _over(chord: Chord, mode: ModeName) -> TheoryEdit:
    tones = np.array(sorted(chord.pitch_classes))

    def share_of_tones(notes: Notes) -> float:
        return float(np.isin(notes["pitch"] % 12, tones).mean()) if len(notes) else float("nan")

    return TheoryEdit(
        f"{mode} over {chord.symbol}",
        "harmony",
        mode,
        MappingProxyType({"chords": chord.symbol}),
        lambda notes: with_chords(notes_features(notes), [chord]),
        "share of chord tones",
        share_of_tones,
    )


def _paced(octaves: float) -> TheoryEdit:
    factor = 2.0**octaves
    return TheoryEdit(
        f"restyle, pace x {factor:g}",
        "rhythm",
        "restyle",
        MappingProxyType({"pace": octaves}),
        lambda notes: with_pace(notes_features(notes), notes, factor),
        "seconds between onsets",
        lambda notes: inter_onset_statistics(notes).mean,
    )


def _louder(steps: int) -> TheoryEdit:
    return TheoryEdit(
        f"restyle, velocity {steps:+d}",
        "dynamics",
        "restyle",
        MappingProxyType({"dynamics": steps}),
        lambda notes: with_dynamics(notes_features(notes), notes, steps),
        "mean velocity",
        lambda notes: float(notes["velocity"].mean()) if len(notes) else float("nan"),
    )


EDITS: Final = (
    *(_over(Chord(root, "maj7"), mode) for mode in ("reharmonize", "answer") for root in (0, 6)),
    *(_paced(octaves) for octaves in (-1.0, 1.0)),
    *(_louder(steps) for steps in (-16, 16)),
)
"""Two chords without a common tone, so that at least one differs from the call's own, requested by the theory
or by the chart alone; half and twice the pace; a step of the velocity histogram softer and louder."""


def play_edits(
    performer: Performer,
    calls: Sequence[Call],
    controls: Controls,
    *,
    edits: Sequence[TheoryEdit] = EDITS,
    takes: int = TAKES,
    seed: int = 0,
    progress: Progress = lambda _: None,
) -> EditTrial:
    """Return the companion's replies with each edit and without, in the style of the call's player.

    Args:
        performer: The model.
        calls: The calls.
        controls: How to sample, apart from mode, style and edit.
        edits: The edits.
        takes: Seeds of each reply, at least 2.
        seed: Seed of the samples; each call and take gets another, all edits the same.
        progress: Called with edit and take.
    """

    def play(name: str, mode: ModeName, changes: Mapping[str, Any]) -> Takes:
        played: list[tuple[Notes, ...]] = []
        for take in range(takes):
            progress(f"{name}, take {take + 1} of {takes}")
            played.append(
                tuple(
                    performer.answer(
                        call.context,
                        call.notes,
                        replace(
                            controls,
                            mode=mode,
                            style=performer.style_of(call.player),
                            style_b="",
                            **changes,
                        ),
                        seed_of(seed, takes * i + take),
                    )
                    for i, call in enumerate(calls)
                )
            )
        return tuple(played)

    plain: dict[ModeName, Takes] = {}
    for edit in edits:
        if edit.mode not in plain:
            plain[edit.mode] = play(f"{edit.mode}, no edit", edit.mode, {})
    return EditTrial(
        tuple(calls), plain, {edit.name: play(edit.name, edit.mode, edit.changes) for edit in edits}
    )


def edit_figures(trial: EditTrial, *, edits: Sequence[TheoryEdit] = EDITS, seed: int = 0) -> Figures:
    """Measure how far each edit moves its part, and all other parts.

    Args:
        trial: The replies.
        edits: The edits.
        seed: Seed of the resampling by piece.

    Returns:
        `calls`, `takes`, `tolerance`, and `edits` by name, each with its `part` and `mode`; `before` and
        `after`, the mean distance of that part from its target without and with the edit, `moved`, the
        fall, with its `interval`; `quantity` with its means `plain` and `edited` and their `change`; `parts`,
        for each part the mean distance `edit` between replies with and without it, `seeds`, that between two
        seeds without it, and their `ratio` with its `interval`; `held`, whether the ratio of every other part
        is at most the tolerance.
    """
    pieces = [call.piece for call in trial.calls]
    called = [to_notes(call.notes) for call in trial.calls]
    plain = {mode: _described(takes) for mode, takes in trial.plain.items()}
    seeds = {mode: _between_takes(parts) for mode, parts in plain.items()}
    rows: Figures = {}
    for edit in edits:
        without, edited = plain[edit.mode], _described(trial.edited[edit.name])
        part = next(part for part in PARTS if part.name == edit.part)
        targets = [edit.target(notes)[part.slice] for notes in called]
        before, after = (_to_target(takes, edit.part, targets) for takes in (without, edited))
        measured, measured_edited = (
            _over_takes([[edit.measure(notes) for notes in take] for take in takes])
            for takes in (trial.plain[edit.mode], trial.edited[edit.name])
        )
        moved = paired_difference(before, after, groups=pieces, seed=seed)
        moves = {
            name: _move(_between(edited, without, name), seeds[edit.mode][name], pieces, seed)
            for name in PART_NAMES
        }
        rows[edit.name] = {
            "part": edit.part,
            "mode": edit.mode,
            "before": mean(before, groups=pieces, seed=seed).value,
            "after": mean(after, groups=pieces, seed=seed).value,
            "moved": moved.value,
            "interval": bounds(moved),
            "quantity": edit.quantity,
            "plain": mean(measured, groups=pieces, seed=seed).value,
            "edited": mean(measured_edited, groups=pieces, seed=seed).value,
            "change": value_and_interval(
                paired_difference(measured_edited, measured, groups=pieces, seed=seed)
            ),
            "parts": moves,
            "held": all(move["ratio"] <= TOLERANCE for name, move in moves.items() if name != edit.part),
        }
    takes = max((len(played) for played in trial.plain.values()), default=0)
    return {"calls": len(trial.calls), "takes": takes, "tolerance": TOLERANCE, "edits": rows}


_Described = list[list[dict[str, NDArray[np.float32] | None]]]
"""Parts of replies by take and call; those of an empty reply are None."""


def _described(takes: Takes) -> _Described:
    nothing: dict[str, NDArray[np.float32] | None] = dict.fromkeys(PART_NAMES)
    return [[phrase_parts(notes) if len(notes) else nothing for notes in take] for take in takes]


def _to_target(takes: _Described, part: str, targets: Sequence[NDArray[np.float32]]) -> Floats:
    """Return the distance of a part from its target, its mean over takes, (calls,)."""
    return _over_takes(
        [
            [part_distance(parts[part], target) for parts, target in zip(take, targets, strict=True)]
            for take in takes
        ]
    )


def _between(one: _Described, other: _Described, part: str) -> Floats:
    """Return the distance between replies of the same take and call, its mean over takes, (calls,)."""
    return _over_takes(
        [
            [part_distance(a[part], b[part]) for a, b in zip(*pair, strict=True)]
            for pair in zip(one, other, strict=True)
        ]
    )


def _between_takes(takes: _Described) -> dict[str, Floats]:
    """Return by part the distance between the replies of two takes, its mean over pairs, (calls,)."""
    pairs = list(combinations(takes, 2))
    one, other = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    return {part: _between(one, other, part) for part in PART_NAMES}


def _over_takes(values: Sequence[Sequence[float]]) -> Floats:
    """Return the mean over takes of the finite values, (calls,), NaN where there are none."""
    table = np.array(values, dtype=np.float64)
    known = np.isfinite(table)
    count = known.sum(axis=0)
    total = np.where(known, table, 0.0).sum(axis=0)
    return np.divide(total, count, out=np.full(count.shape, np.nan), where=count > 0)


def _move(edit: Floats, seeds: Floats, pieces: Sequence[str], seed: int) -> Figures:
    ratio: Interval = ratio_of_means(edit, seeds, groups=pieces, seed=seed)
    return {
        "edit": mean(edit, groups=pieces, seed=seed).value,
        "seeds": mean(seeds, groups=pieces, seed=seed).value,
        "ratio": ratio.value,
        "interval": bounds(ratio),
    }
