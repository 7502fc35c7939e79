"""FractalMIDI: three levels over patches of a piano roll, and the velocities of its onsets.

After Li et al. 2025, "Fractal Generative Models": a level's state of each token, with those of its
neighbours, conditions the next level's generator of the token's patch (sections 3 and 4).
"""

from itertools import pairwise
from typing import Final

import torch
from torch import Tensor, nn

from tatumflow.engine.model.tokens import VELOCITIES
from tatumflow.engine.rolls.conditions import DENSITIES, GRID_KINDS
from tatumflow.engine.rolls.patches import LEVELS, NEIGHBOURS, SIDES, TOKEN_PLANES
from tatumflow.engine.rolls.roll import PITCHES, STATES
from tatumflow.training.models.fractal_midi.config import FractalMidiConfig
from tatumflow.training.models.fractal_midi.level import Level

_FANOUT: Final = tuple(above // side for above, side in pairwise(SIDES))


class ConditionTokens(nn.Module):
    """The conditions of rolls as tokens."""

    def __init__(self, styles: int, dim: int) -> None:
        super().__init__()
        self.tables = nn.ModuleList(nn.Embedding(size, dim) for size in (styles, DENSITIES, len(GRID_KINDS)))

    def forward(self, ids: Tensor) -> Tensor:
        """Return tokens (B, CONDITIONS, D) of ids (B, CONDITIONS)."""
        return torch.stack([table(ids[:, i]) for i, table in enumerate(self.tables)], dim=1)


class NeighbourToken(nn.Module):
    """The states of a patch's token and its neighbours in the level above, as one token."""

    def __init__(self, above: int, dim: int) -> None:
        super().__init__()
        self.linear = nn.Linear(NEIGHBOURS * above, dim)

    def forward(self, states: Tensor) -> Tensor:
        """Return tokens (B, 1, D) of states (B, NEIGHBOURS, D above), zero for missing neighbours."""
        return self.linear(states.flatten(1))[:, None]


class VelocityHead(nn.Module):
    """Velocities of onsets, after their states: the last of a cell's values."""

    def __init__(self, above: int, dim: int, layers: int) -> None:
        super().__init__()
        parts: list[nn.Module] = []
        for layer in range(layers):
            parts += [nn.Linear(above if layer == 0 else dim, dim), nn.GELU()]
        self.layers = nn.Sequential(*parts, nn.Linear(dim, len(VELOCITIES)))

    def forward(self, states: Tensor) -> Tensor:
        """Return logits (n, 32) from the states (n, D) of cells that are onsets."""
        return self.layers(states)


class FractalMidi(nn.Module):
    """The model; how it is trained is in `training/rolls/fit`."""

    def __init__(self, config: FractalMidiConfig) -> None:
        super().__init__()
        self.config = config
        self.conditions = ConditionTokens(config.num_styles, config.dims[0])
        self.prefixes = nn.ModuleList(
            NeighbourToken(above, dim) for above, dim in zip(config.dims[:-2], config.dims[1:-1], strict=True)
        )
        self.levels = nn.ModuleList(
            Level(
                config.kinds[level],
                config.order,
                config.dims[level],
                config.blocks[level],
                config.heads[level],
                config.mlp_ratio,
                TOKEN_PLANES[level],
                _FANOUT[level - 1] if level else PITCHES // SIDES[0],
                _FANOUT[level - 1] if level else 0,
                STATES if level == LEVELS - 1 else 1,
                config.checkpointing,
            )
            for level in range(LEVELS)
        )
        self.velocities = VelocityHead(config.dims[-2], config.dims[-1], config.blocks[-1])

    def run(
        self, level: int, conditions: Tensor, visible: Tensor, done: Tensor | None
    ) -> tuple[Tensor, Tensor]:
        """Run a level on rolls or patches; see `RollLevels`, whose shapes these are.

        Args:
            level: The level.
            conditions: Of level 0 ids, else states of the level above.
            visible: Planes of the known cells of its tokens.
            done: Planes of all cells; only read by autoregressive levels.
        """
        prefix = self.conditions(conditions) if level == 0 else self.prefixes[level - 1](conditions)
        return self.levels[level](prefix, visible, done)
