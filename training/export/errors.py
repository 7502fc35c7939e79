"""What can stop an export."""

from tatumflow.engine.errors import TatumFlowError


class ExportError(TatumFlowError):
    """A checkpoint that cannot be exported, or whose graphs do not do what the model does."""
