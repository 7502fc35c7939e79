"""Sampling of a roll's unknown cells, level by level.

Fractal generative models (Li et al. 2025, "Fractal Generative Models", section 3): the generator of each
level calls the next level's generator for each of its tokens. Here every level above the cells decides first
whether a note sounds in a token at all, and goes down only where one does: most of a roll is silent.

Shapes: G copies for guidance, B rolls or patches, N tokens, s cells to a token's side, D width of a level.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tatumflow.engine.arrays import Ints
from tatumflow.engine.errors import ModelFault, SettingError
from tatumflow.engine.model.tokens import VELOCITIES
from tatumflow.engine.rolls.decisions import Decider, Decision
from tatumflow.engine.rolls.levels import RollLevels
from tatumflow.engine.rolls.patches import (
    KEY,
    KNOWN,
    LEVELS,
    PLANES,
    SIDES,
    Floats,
    join,
    neighbours,
    scan,
    split,
)
from tatumflow.engine.rolls.roll import HELD, ONSET

_LAST: Final = LEVELS - 1


@dataclass(frozen=True)
class RollSampling:
    """How a roll is sampled.

    Attributes:
        temperature: Randomness of every decision, 0 to 2; 0 takes the likeliest.
        guidance: Classifier-free guidance scale, 0 to 10: 1 samples under the conditions as they are, more
            overstates what they change, 0 ignores them.
        steps: Steps in which a masked level predicts its tokens, by level; fewer are faster and coarser.
    """

    temperature: float = 1.0
    guidance: float = 1.0
    steps: tuple[int, int, int] = (12, 6, 6)

    def __post_init__(self) -> None:
        for name, value, most in (("temperature", self.temperature, 2), ("guidance", self.guidance, 10)):
            if not 0 <= value <= most:
                raise SettingError(f"{name}: {value} is not within 0 to {most}")
        if min(self.steps) < 1 or max(self.steps) > 256:
            raise SettingError(f"steps: {self.steps} are not within 1 to 256")


class RollSampler:
    """Fills the unknown cells of rolls."""

    def __init__(
        self, levels: RollLevels, sampling: RollSampling, decider: Decider, rng: np.random.Generator
    ) -> None:
        """Prepare.

        Args:
            levels: The model.
            sampling: Guidance and steps.
            decider: Draws from the predicted distributions.
            rng: Random generator of the order of a masked level's tokens.
        """
        self._levels = levels
        self._sampling = sampling
        self._decider = decider
        self._rng = rng

    def fill(self, planes: Floats, ids: Ints) -> Floats:
        """Return rolls with all cells known.

        Args:
            planes: Inputs of the cells (see `patches.PLANES`), (B, 128, W, PLANES), W a multiple of 16;
                unknown ones are filled.
            ids: Conditions, (B, CONDITIONS).

        Raises:
            ModelFault: if the model's output is not finite.
        """
        copies = [ids] if self._sampling.guidance == 1 else [ids, np.zeros_like(ids)]
        return self._fill(0, np.stack(copies), planes, np.arange(len(planes)))

    def _fill(self, level: int, conditions: NDArray, planes: Floats, places: Ints) -> Floats:
        """Fill rolls or patches (B, H, W, PLANES) under conditions (G, B, ...)."""
        side = SIDES[level]
        rows, columns = planes.shape[1] // side, planes.shape[2] // side
        order = self._levels.order if self._levels.kinds[level] == "ar" else None
        near = neighbours(rows, columns, order)
        given = split(planes, side)
        now = given.copy()
        unknown = (given[..., KNOWN] == 0).any(axis=(2, 3))
        for chosen in self._schedule(level, unknown, rows, columns):
            part = np.flatnonzero(chosen.any(axis=1))
            states, logits = self._run(
                level,
                conditions[:, part],
                (now if order is None else given)[part].reshape(len(part), rows, columns, -1),
                now[part].reshape(len(part), rows, columns, -1),
            )
            at, token = np.nonzero(chosen[part])
            patches = part[at]
            if level == _LAST:
                cells = self._cells(states[:, at, token], logits[at, token], places[patches], token)
                now[patches, token, 0, 0, :KEY] = cells
                continue
            sounding = now[patches, token][..., :KNOWN].any(axis=(1, 2, 3))
            drawn = ~sounding
            if drawn.any():
                odds = logits[at, token][drawn, 0]
                both = np.stack([np.zeros_like(odds), odds], axis=-1)
                decision = Decision("sounds", level, places[patches[drawn]], token[drawn])
                sounding[drawn] = self._decider.decide(both, decision) == 1
            now[patches[~sounding], token[~sounding], ..., KNOWN] = 1
            if sounding.any():
                at, token, patches = at[sounding], token[sounding], patches[sounding]
                padded = np.pad(states, ((0, 0), (0, 0), (0, 1), (0, 0)))
                below = padded[:, at[:, None], near[token]]
                inside = self._decider.enter(level, places[patches], token)
                now[patches, token] = self._fill(level + 1, below, given[patches, token], inside)
        return join(now, columns)

    def _run(self, level: int, conditions: NDArray, visible: Floats, done: Floats) -> tuple[Floats, Floats]:
        """Return states (G, B, N, D) and guided logits (B, N, K)."""
        copies, count = conditions.shape[:2]
        flat = conditions.reshape(copies * count, *conditions.shape[2:])
        visible, done = (np.concatenate([x, *[_without_key(x)] * (copies - 1)]) for x in (visible, done))
        if level == 0:
            states, logits = self._levels.top(flat, visible, done)
        else:
            states, logits = self._levels.inner(level, flat, visible, done)
        states = states.reshape(copies, count, *states.shape[1:])
        return states, self._guided(logits.reshape(copies, count, *logits.shape[1:]))

    def _guided(self, logits: Floats) -> Floats:
        """Return the logits of (G, ...) under guidance: beyond, or short of, those without conditions."""
        if not np.isfinite(logits).all():
            raise ModelFault("the roll model's output is not finite; export the model again")
        if len(logits) == 1:
            return logits[0]
        return logits[1] + self._sampling.guidance * (logits[0] - logits[1])

    def _cells(self, states: Floats, logits: Floats, places: Ints, token: Ints) -> Floats:
        """Return the planes of n decided cells, (n, KEY), from states (G, n, D) and logits (n, STATES)."""
        state = self._decider.decide(logits, Decision("state", _LAST, places, token))
        cells = np.zeros((len(state), KEY), np.float32)
        cells[:, 0], cells[:, 1], cells[:, KNOWN] = state == ONSET, state == HELD, 1
        onset = np.flatnonzero(state == ONSET)
        if len(onset):
            copies = len(states)
            flat = self._levels.velocity(states[:, onset].reshape(copies * len(onset), -1))
            guided = self._guided(flat.reshape(copies, len(onset), -1))
            index = self._decider.decide(guided, Decision("velocity", _LAST, places[onset], token[onset]))
            cells[onset, 2] = VELOCITIES[index] / 127.0
        return cells

    def _schedule(
        self, level: int, unknown: NDArray[np.bool_], rows: int, columns: int
    ) -> Iterator[NDArray[np.bool_]]:
        """Yield the tokens to predict at each step, (B, N), until all unknown ones are."""
        if self._levels.kinds[level] == "ar":
            for token in scan(rows, columns, self._levels.order):
                chosen = np.zeros_like(unknown)
                chosen[:, token] = unknown[:, token]
                if chosen.any():
                    yield chosen
            return
        steps = self._sampling.steps[level]
        # The share that is known after each step follows a cosine: few at first, from little context.
        shares = 1 - np.cos(np.pi / 2 * np.arange(1, steps + 1) / steps)
        rank = np.where(unknown, self._rng.random(unknown.shape), np.inf).argsort(axis=1).argsort(axis=1)
        share = (rank + 0.5) / np.maximum(unknown.sum(axis=1, keepdims=True), 1)
        step = np.searchsorted(shares[:-1], share)
        for number in range(steps):
            chosen = unknown & (step == number)
            if chosen.any():
                yield chosen


def _without_key(tokens: Floats) -> Floats:
    """Return tokens (B, R, C, P) as those of a roll without conditions are."""
    bare = tokens.reshape(*tokens.shape[:-1], -1, PLANES).copy()
    bare[..., KEY] = 0
    return bare.reshape(tokens.shape)
