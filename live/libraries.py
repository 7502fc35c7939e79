"""Libraries of extras that commands of a session need, imported only when one does."""

from collections.abc import Iterator
from contextlib import contextmanager

from tatumflow.engine.errors import TatumFlowError


@contextmanager
def needed_library(name: str, extra: str) -> Iterator[None]:
    """Turn the import error of a library that is not installed into one line, with the extra to install.

    Raises:
        TatumFlowError: if it is missing.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != name:
            raise
        raise TatumFlowError(
            f"this command needs {name}; run: pip install 'tatumflow[{extra}]' beside an installed "
            f"TatumFlow, or pip install -e '.[{extra}]' in a clone"
        ) from None
