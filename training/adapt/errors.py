"""Errors of an adaptation."""

from tatumflow.engine.errors import TatumFlowError


class AdaptError(TatumFlowError):
    """Too little music or time to adapt, or an adapter that does not lower the held-out NLL."""
