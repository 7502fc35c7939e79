"""The libraries of MusicGen, which are imported only when a command needs them."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from tatumflow.engine.errors import TatumFlowError

_LIBRARIES: Final = (
    "transformers",
    "tokenizers",
    "huggingface_hub",
    "peft",
    "safetensors",
    "torch",
    "lightning",
)


@contextmanager
def musicgen_libraries() -> Iterator[None]:
    """Turn the import error of a library that is not installed into one line.

    Raises:
        TatumFlowError: if one is missing.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        name = (error.name or "").partition(".")[0]
        if name not in _LIBRARIES:
            raise
        raise TatumFlowError(
            f"MusicGen needs {name}; in TatumFlow's folder, run: pip install -e '.[training,musicgen]'"
        ) from None
