"""A session with a screen in a terminal that is closed under it."""

import os
import select
import signal
import struct
import subprocess
import sys
import threading

import pytest
from duo import NUMBERS, PATIENCE, wait_until

from tatumflow.engine.midi.midi_file import read_midi
from tatumflow.live.settings import load_settings

fcntl = pytest.importorskip("fcntl")
pty = pytest.importorskip("pty")
termios = pytest.importorskip("termios")

pytestmark = [pytest.mark.ports, pytest.mark.slow]

F2 = b"\x1bOQ"


class Terminal:
    """A terminal with a program in it; what that draws is read and dropped."""

    def __init__(self, command, environment):
        self._ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
        self.process = subprocess.Popen(
            command,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            env=environment,
            start_new_session=True,
            # Makes the terminal that of the session, so that its end is told to the processes in it.
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
        )
        os.close(theirs)
        self._closing = threading.Event()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def press(self, keys):
        os.write(self._ours, keys)

    def close(self):
        """Close the window."""
        self._closing.set()
        self._reader.join(PATIENCE)
        os.close(self._ours)

    def kill(self):
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def _read(self):
        while not self._closing.is_set():
            ready, _, _ = select.select([self._ours], [], [], 0.05)
            try:
                if ready and not os.read(self._ours, 65_536):
                    return
            except OSError:
                return


def test_a_closed_terminal_ends_a_session_as_quitting_does(
    jack_server, tiny_bundle, tmp_path, player_for, listener_for
):
    name, file, recording = f"Duo{next(NUMBERS)}", tmp_path / "settings.yaml", tmp_path / "screen.mid"
    file.write_text(f"ports: {{virtual_name: {name}}}\n")
    command = [sys.executable, "-m", "tatumflow.live.cli", "jam", "--no-synth", "--api", "jack"]
    command += ["--model", str(tiny_bundle), "--settings", str(file), "--record", str(recording)]
    environment = os.environ | {"XDG_STATE_HOME": str(tmp_path), "TERM": "xterm-256color"}
    terminal = Terminal(command, environment)
    try:
        listener = listener_for(connect=f"{name} out")
        player = player_for(f"{name} in")
        player.play("on 60")
        assert wait_until(lambda: (0, 60) in listener.sounding)

        def mode():
            return load_settings(file).controls.mode

        before = mode()

        def changed():
            # The screen takes no keys before it is drawn.
            terminal.press(F2)
            return wait_until(lambda: mode() != before, 3)

        assert wait_until(changed), "a change is saved while the session goes on"
        terminal.close()
        assert terminal.process.wait(2 * PATIENCE) == 0
        assert wait_until(lambda: not listener.sounding)
        assert 60 in [note.pitch for note in read_midi(recording).notes]
    finally:
        terminal.kill()
