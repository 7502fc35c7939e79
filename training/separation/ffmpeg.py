"""What is said where ffmpeg is missing: stempeg, which musdb and museval import, does not load without it."""

from tatumflow.engine.errors import TatumFlowError


def without_ffmpeg(what: str) -> TatumFlowError:
    """Return the error that something needs ffmpeg; `what` begins its sentence, as "reading MUSDB18" does."""
    return TatumFlowError(
        f"{what} needs ffmpeg; install it with `sudo apt install ffmpeg` or `brew install ffmpeg`"
    )
