"""The error for a missing ffmpeg, without which stempeg, a dependency of musdb and museval, does not load."""

from tatumflow.engine.errors import TatumFlowError


def without_ffmpeg(what: str) -> TatumFlowError:
    """Return the error; `what` is the subject of its sentence, such as "reading MUSDB18"."""
    return TatumFlowError(
        f"{what} needs ffmpeg; install it with `sudo apt install ffmpeg` or `brew install ffmpeg`"
    )
