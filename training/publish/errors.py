"""Errors of a publication."""

from tatumflow.engine.errors import TatumFlowError


class PublishError(TatumFlowError):
    """A model that cannot be published, or a Hub that does not accept it."""
