"""Losses of a roll model, level by level.

Each level predicts whether a note sounds in each of its hidden tokens; where one does, the next level
predicts the token's patch. The last level predicts each cell's state, and velocities follow at onsets.

Shapes: B rolls or patches, N tokens, s cells to a token's side.
"""

from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812

from tatumflow.engine.model.tokens import velocity_index
from tatumflow.engine.rolls.patches import KEY, KNOWN, LEVELS, SIDES, neighbours, split
from tatumflow.engine.rolls.roll import HELD, ONSET, PITCHES
from tatumflow.training.models.fractal_midi.config import FractalMidiConfig
from tatumflow.training.models.fractal_midi.model import FractalMidi
from tatumflow.training.rolls.data.batches import RollBatch

LOSSES: Final = ("level0", "level1", "level2", "velocity")
"""Names of the losses."""

_VELOCITY_INDEX: Final = torch.from_numpy(velocity_index(range(128)))


@dataclass(frozen=True)
class RollLosses:
    """Losses of a batch.

    Attributes:
        nats: Sum of each loss, by the order of `LOSSES`, (4,).
        decisions: Number of decisions of each, (4,).
        steps: Steps that are predicted: cells of the first level's hidden tokens, by 128.
    """

    nats: Tensor
    decisions: Tensor
    steps: Tensor

    @property
    def total(self) -> Tensor:
        """Sum of all losses for each predicted step."""
        return self.nats.sum() / self.steps.clamp(min=1)

    @property
    def means(self) -> Tensor:
        """Mean of each loss for each decision, (4,)."""
        return self.nats / self.decisions.clamp(min=1)


def roll_losses(model: FractalMidi, batch: RollBatch, *, drop: bool = True) -> RollLosses:
    """Return the losses of a batch; drawn are the hidden tokens and, if `drop`, the conditions left out."""
    conditions, key = batch.conditions, batch.key
    if drop:
        conditions, key = dropped(conditions, key, model.config.condition_dropout)
    truth = cell_planes(batch.state, batch.velocity, key)
    nats, decisions, hidden = _level_losses(model, 0, conditions, truth, batch.known)
    return RollLosses(torch.stack(nats), torch.stack(decisions), hidden * (SIDES[0] ** 2 / PITCHES))


def cell_planes(state: Tensor, velocity: Tensor, key: Tensor) -> Tensor:
    """Return the inputs of known cells, (B, H, W, PLANES); see `tatumflow.engine.rolls.patches`.

    Args:
        state: States of the cells, (B, H, W).
        velocity: Their velocities, (B, H, W).
        key: How usual each pitch class is, (B, 12).
    """
    ones = torch.ones(state.shape, device=state.device)
    rows = key[:, torch.arange(state.shape[1], device=key.device) % key.shape[1]]
    usual = rows[:, :, None].expand(state.shape)
    return torch.stack(
        [(state == ONSET).float(), (state == HELD).float(), velocity / 127.0, ones, usual], dim=-1
    )


def dropped(conditions: Tensor, key: Tensor, share: float) -> tuple[Tensor, Tensor]:
    """Return conditions (B, CONDITIONS) and keys (B, 12), without those of a share, and single ones."""
    kept = torch.rand(len(conditions), 1, device=conditions.device) >= share
    single = torch.rand(len(conditions), conditions.shape[1] + 1, device=conditions.device) >= share
    stays = kept & single
    return conditions * stays[:, :-1], key * stays[:, -1:]


def hidden_tokens(unknown: Tensor, config: FractalMidiConfig) -> Tensor:
    """Return which of the unknown tokens, (B, N), a masked level has to predict: a random share of each row.

    The share is normally distributed, truncated to 0 to 1; at least one token is hidden.
    """
    edges = (torch.tensor([0.0, 1.0], device=unknown.device) - config.mask_mean) / config.mask_deviation
    low, high = torch.special.ndtr(edges)
    drawn = low + (high - low) * torch.rand(len(unknown), 1, device=unknown.device)
    share = config.mask_mean + config.mask_deviation * torch.special.ndtri(drawn.clamp(1e-6, 1 - 1e-6))
    count = (share.clamp(0, 1) * unknown.sum(dim=1, keepdim=True)).ceil().clamp(min=1)
    noise = torch.rand(unknown.shape, device=unknown.device).masked_fill(~unknown, 2.0)
    return unknown & (noise.argsort(dim=1).argsort(dim=1) < count)


def _level_losses(
    model: FractalMidi, level: int, conditions: Tensor, truth: Tensor, known: Tensor
) -> tuple[list[Tensor], list[Tensor], Tensor]:
    """Return nats and decisions of the losses from a level on, and the number of its hidden tokens.

    Args:
        model: The model.
        level: The level.
        conditions: Ids, or states of the level above.
        truth: Planes of the cells of rolls or patches, (B, H, W, PLANES).
        known: Cells that are not predicted, (B, H, W).
    """
    side = SIDES[level]
    rows, columns = truth.shape[1] // side, truth.shape[2] // side
    tokens, given = split(truth, side), split(known, side)
    hidden = ~given.flatten(2).all(dim=2)
    kind = model.config.kinds[level]
    shown = given
    if kind == "mar":
        unknown, hidden = hidden, hidden_tokens(hidden, model.config)
        shown = given | (unknown & ~hidden)[..., None, None]
    visible = torch.cat([tokens[..., :KEY] * shown[..., None], tokens[..., KEY:]], dim=-1)
    grid = (len(truth), rows, columns, -1)
    done = tokens.reshape(grid) if kind == "ar" else None
    states, logits = model.run(level, conditions, visible.reshape(grid), done)
    if level == LEVELS - 1:
        nats, decisions = _cell_losses(model, states[hidden], logits[hidden], tokens[hidden][:, 0, 0])
        return nats, decisions, hidden.sum()
    sounding = tokens[..., :KNOWN].flatten(2).any(dim=2)
    certain = visible[..., :KNOWN].flatten(2).any(dim=2)
    decided = hidden & ~certain
    own = F.binary_cross_entropy_with_logits(
        logits[..., 0][decided].float(), sounding[decided].float(), reduction="sum"
    )
    at, token = torch.nonzero(hidden & sounding, as_tuple=True)
    if len(at):
        order = model.config.order if kind == "ar" else None
        near = torch.from_numpy(neighbours(rows, columns, order)).to(token.device)
        below = F.pad(states, (0, 0, 0, 1))[at[:, None], near[token]]
        nats, decisions, _ = _level_losses(model, level + 1, below, tokens[at, token], given[at, token])
    else:
        nats, decisions = [own * 0] * (LEVELS - level), [decided.sum() * 0] * (LEVELS - level)
    return [own, *nats], [decided.sum(), *decisions], hidden.sum()


def _cell_losses(
    model: FractalMidi, states: Tensor, logits: Tensor, cells: Tensor
) -> tuple[list[Tensor], list[Tensor]]:
    """Return the losses of n cells: of their states, and of the known velocities of onsets.

    Args:
        model: The model.
        states: States of the cells, (n, D).
        logits: Logits of their states, (n, STATES).
        cells: Their planes, (n, PLANES).
    """
    target = (cells[:, 0] * ONSET + cells[:, 1] * HELD).long()
    state = F.cross_entropy(logits.float(), target, reduction="sum")
    voiced = (target == ONSET) & (cells[:, 2] > 0)
    index = _VELOCITY_INDEX.to(cells.device)[(cells[voiced, 2] * 127).round().long()]
    velocity = F.cross_entropy(model.velocities(states[voiced]).float(), index, reduction="sum")
    return [state, velocity], [target.new_tensor(len(target)), voiced.sum()]
