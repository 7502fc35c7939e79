"""Keeping the output of C libraries off the user's screen."""

import os
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def quiet_stderr() -> Iterator[None]:
    """Discard what C code writes to standard error.

    JACK, ALSA and FluidSynth print pages there when a device is missing; what matters of it is in our own
    messages. Not for use while other threads write there.
    """
    kept = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)
