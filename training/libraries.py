"""Libraries of the extras, which are imported only when a command needs them."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from tatumflow.engine.errors import TatumFlowError

_LIBRARIES: Final = (
    *("torch", "lightning", "matplotlib", "onnx", "onnxscript"),
    *("peft", "safetensors", "scipy", "sklearn", "tensorboard"),
    *("transformers", "tokenizers", "huggingface_hub", "jinja2", "ray"),
)


@contextmanager
def needed_libraries(extras: str = "training") -> Iterator[None]:
    """Turn the import error of a library that is not installed into one line, with the extras to install.

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
            f"this command needs {name}; run: pip install 'tatumflow[{extras}]' beside an installed "
            f"TatumFlow, or pip install -e '.[{extras}]' in a clone"
        ) from None
