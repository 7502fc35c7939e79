"""Errors of an export."""

from tatumflow.engine.errors import TatumFlowError


class ExportError(TatumFlowError):
    """A checkpoint that cannot be exported, or graphs that differ from the model."""
