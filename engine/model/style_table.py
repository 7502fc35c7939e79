"""The styles of a model, as the controls name them."""

from typing import Protocol

from tatumflow.engine.arrays import Floats
from tatumflow.engine.controls import Controls
from tatumflow.engine.model.take_weights import TakeWeights


class StyleTable(Protocol):
    """What a companion asks of a model's styles; a `Bundle` is one."""

    def style_weights(self, controls: Controls) -> Floats:
        """Return the weights over the style table, (S,) float32, for style, blend and strength.

        Raises:
            SettingError: if the model does not have a style.
        """
        ...

    def take_weights(self, controls: Controls) -> TakeWeights | None:
        """Return the weights by which takes in these styles are chosen; None for one take alone.

        Raises:
            SettingError: if the model does not have a style.
        """
        ...

    def plays_lines(self, controls: Controls) -> bool:
        """Return whether every style of the controls is that of a player of single lines, such as a horn.

        Raises:
            SettingError: if the model does not have a style.
        """
        ...
