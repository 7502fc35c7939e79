"""Weights by which takes are chosen, as a bundle's manifest has them."""

import numpy as np
from pydantic import BaseModel, ConfigDict, model_validator


class TakeWeights(BaseModel):
    """Weights of the features of takes, in the order of `features`.

    Attributes:
        features: Their names.
        mean: Mean of each among the model's own takes.
        deviation: Standard deviation of each among them.
        weight: Weight of each, by its deviation.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    features: tuple[str, ...]
    mean: tuple[float, ...]
    deviation: tuple[float, ...]
    weight: tuple[float, ...]

    @model_validator(mode="after")
    def _agrees_with_itself(self) -> "TakeWeights":
        if not len(self.features) == len(self.mean) == len(self.deviation) == len(self.weight):
            raise ValueError("mean, deviation and weight: must have one value for each feature")
        if not all(np.isfinite([*self.mean, *self.deviation, *self.weight])) or min(self.deviation) <= 0:
            raise ValueError("mean, deviation and weight: must be finite, and deviations above 0")
        return self
