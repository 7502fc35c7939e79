"""What can stop an adaptation."""

from tatumflow.engine.errors import TatumFlowError


class AdaptError(TatumFlowError):
    """Music that cannot be learnt from, or an adapter that is not worth having."""
