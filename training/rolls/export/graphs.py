"""The exported graphs of a roll model: its levels, and the velocities of onsets."""

from typing import Final

import torch
from onnx import ModelProto
from torch import Tensor, nn

from tatumflow.engine.rolls.bundle import GRAPHS
from tatumflow.engine.rolls.conditions import CONDITIONS
from tatumflow.engine.rolls.onnx_levels import (
    CONDITION_INPUT,
    DONE_INPUT,
    LOGITS_OUTPUT,
    STATES_OUTPUT,
    VISIBLE_INPUT,
)
from tatumflow.engine.rolls.patches import LEVELS, NEIGHBOURS, SIDES, TOKEN_PLANES
from tatumflow.engine.rolls.roll import PITCHES
from tatumflow.training.export.onnx_files import traced
from tatumflow.training.models.fractal_midi.model import FractalMidi

_EXAMPLES: Final = 3
_EXAMPLE_COLUMNS: Final = 5
_MOST: Final = 1 << 20


class LevelGraph(nn.Module):
    """A level with its prefix; a masked one has no `done`."""

    def __init__(self, model: FractalMidi, level: int) -> None:
        super().__init__()
        self.model = model
        self.level = level

    def forward(
        self, conditions: Tensor, visible: Tensor, done: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Return states and logits; see `FractalMidi.run`."""
        return self.model.run(self.level, conditions, visible, done)


def roll_graphs(model: FractalMidi) -> dict[str, ModelProto]:
    """Return the graphs of a model by their names; how many rolls and patches they read stays free."""
    graphs = {GRAPHS[level]: _level_graph(model, level) for level in range(LEVELS)}
    rows = {0: torch.export.Dim("onsets", min=1, max=_MOST)}
    example = torch.zeros(_EXAMPLES, model.config.dims[LEVELS - 1])
    graphs[GRAPHS[-1]] = traced(model.velocities, (example,), [STATES_OUTPUT], [LOGITS_OUTPUT], (rows,))
    return graphs


def _level_graph(model: FractalMidi, level: int) -> ModelProto:
    rolls = {0: torch.export.Dim("count", min=1, max=_MOST)}
    cells = rolls
    if level == 0:
        rows, columns = PITCHES // SIDES[0], _EXAMPLE_COLUMNS
        cells = {**rolls, 2: torch.export.Dim("columns", min=1, max=4096)}
        conditions = torch.zeros(_EXAMPLES, CONDITIONS, dtype=torch.int64)
    else:
        rows = columns = SIDES[level - 1] // SIDES[level]
        conditions = torch.zeros(_EXAMPLES, NEIGHBOURS, model.config.dims[level - 1])
    # An input of its own for each: the tracer merges inputs that are one tensor.
    count = 2 if model.config.kinds[level] == "ar" else 1
    planes = [torch.zeros(_EXAMPLES, rows, columns, TOKEN_PLANES[level]) for _ in range(count)]
    return traced(
        LevelGraph(model, level),
        (conditions, *planes),
        [CONDITION_INPUT, VISIBLE_INPUT, DONE_INPUT][: 1 + count],
        [STATES_OUTPUT, LOGITS_OUTPUT],
        (rolls, *[cells] * count),
    )
