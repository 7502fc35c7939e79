"""The families of models that the trainer can train, by name.

A family that predicts notes in windows gives its configuration class and a function that builds its model;
the trainer, the evaluation and the continuation know nothing else about it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol, cast

from pydantic import BaseModel
from torch import Tensor, nn

from tatumflow.engine.errors import SettingError
from tatumflow.training.families.tatumflow.config import TatumFlowConfig
from tatumflow.training.families.tatumflow.model import TatumFlowDecoder


class NoteModel(Protocol):
    """A model that reads windows of notes and predicts each next note field by field.

    Shapes: B batch, T steps, H the model's own width.
    """

    def __call__(self, fields: Tensor, role: Tensor, style: Tensor) -> Tensor:
        """Return states (B, T, H) from fields (B, T, 4), roles (B, T) and styles (B, T), all int64."""
        ...

    def field_logits(self, hidden: Tensor, target: Tensor) -> list[Tensor]:
        """Return each field's logits (..., size) from states (..., H) and true next notes (..., 4) int64."""
        ...


@dataclass(frozen=True)
class Family:
    """One kind of model.

    Attributes:
        name: What a training configuration calls it.
        config: The class of its hyperparameters; it has `max_seq_len` and `num_styles`.
        build: Makes an untrained model from a valid configuration.
    """

    name: str
    config: type[BaseModel]
    build: Callable[[BaseModel], nn.Module]


def _build_tatumflow(config: BaseModel) -> nn.Module:
    return TatumFlowDecoder(cast(TatumFlowConfig, config))


FAMILIES: Final[Mapping[str, Family]] = {
    family.name: family for family in (Family("tatumflow", TatumFlowConfig, _build_tatumflow),)
}


def family_named(name: str) -> Family:
    """Return a family.

    Raises:
        SettingError: if there is none of that name.
    """
    if name not in FAMILIES:
        raise SettingError(f"family: {name!r} is unknown; choose from {', '.join(FAMILIES)}")
    return FAMILIES[name]


def build_model(name: str, settings: Mapping[str, Any]) -> nn.Module:
    """Build an untrained model of a family from its hyperparameters.

    Raises:
        SettingError: if there is no such family.
        pydantic.ValidationError: if a hyperparameter is unknown or out of range.
    """
    family = family_named(name)
    return family.build(family.config.model_validate(dict(settings)))
