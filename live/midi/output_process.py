"""The screen's side of the process that holds the MIDI outputs, which serves one engine after another."""

import os
import socket
import subprocess
import sys
from contextlib import suppress
from multiprocessing import get_context
from typing import Final

from tatumflow.live.midi.output_pipe import OutputChannel

_END_SECONDS: Final = 5.0


def can_hold_outputs() -> bool:
    """Return whether this system can send pipes from one process to another as it is done here."""
    return hasattr(socket, "send_fds")


class OutputProcess:
    """Holds the MIDI outputs of a session in a process that outlives the engine's.

    Where it cannot be started, `channel` gives None, and the engine opens the outputs itself.
    """

    def __init__(self) -> None:
        """Start nothing yet."""
        self._process: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None

    @property
    def alive(self) -> bool:
        """Return whether it is running."""
        return self._process is not None and self._process.poll() is None

    def channel(self) -> OutputChannel | None:
        """Return the pipes for the next engine; start the process first if it does not run.

        The last engine must have ended: what it left is silenced before anything of the next one is done.
        """
        if not can_hold_outputs():
            return None
        try:
            if not self.alive:
                self._start()
            return self._sent_channel()
        except OSError:
            return None

    def close(self) -> None:
        """End the process, once its engine has ended; all is silent and closed afterwards."""
        if self._control is not None:
            self._control.close()
        if self._process is None:
            return
        try:
            self._process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _start(self) -> None:
        if self._control is not None:
            self._control.close()
        ours, theirs = socket.socketpair()
        with theirs:
            # -P, since a file of the user's working folder may not take the place of a library.
            command = [sys.executable, "-P", "-m", "tatumflow.live.midi.output_service", str(theirs.fileno())]
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                # JACK and ALSA print pages there.
                stderr=subprocess.DEVNULL,
                pass_fds=(theirs.fileno(),),
            )
        self._control = ours

    def _sent_channel(self) -> OutputChannel:
        assert self._control is not None
        context = get_context("spawn")
        their_frames, frames = context.Pipe(duplex=False)
        answers, their_answers = context.Pipe(duplex=False)
        channel = OutputChannel(frames, answers)
        try:
            # No note waits for a process that stands still.
            os.set_blocking(frames.fileno(), False)
            socket.send_fds(self._control, [b"e"], [their_frames.fileno(), their_answers.fileno()])
        except OSError:
            channel.close()
            raise
        finally:
            with suppress(OSError):
                their_frames.close()
                their_answers.close()
        return channel
