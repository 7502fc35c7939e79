"""The separator of the audio input, if any."""

from typing import Final

from tatumflow.engine.errors import BundleError
from tatumflow.engine.separation.bundle import find_separators, load_separator, separator_path
from tatumflow.engine.separation.onnx_separator import OnnxBlockModel
from tatumflow.engine.separation.pass_through import PassThrough
from tatumflow.engine.separation.streaming import BlockModel

NO_SEPARATOR: Final = "none"
"""Stands in place of a separator's name where the input is not separated."""


def open_separator(name: str) -> BlockModel:
    """Open a separator by name or folder; the empty string takes the first at hand, "none" none.

    Raises:
        BundleError: if there is no such separator, or it is damaged.
    """
    if name == NO_SEPARATOR:
        return PassThrough()
    if not name and not find_separators():
        raise BundleError(
            "no separator at hand; export one with `tatumflow export`, or give "
            f"`--separator {NO_SEPARATOR}` to use the whole input"
        )
    return OnnxBlockModel(load_separator(separator_path(name)))
