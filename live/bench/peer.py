"""The cost of a note with Notochord, measured alternately with ours, on one thread each.

Notochord (Shepardson, Armitage and Magnusson 2022) stays in an environment of its own, whose Python is given.
"""

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from tatumflow.engine.errors import DeviceError
from tatumflow.engine.model.bundle import Bundle
from tatumflow.engine.model.decoder import Decoder
from tatumflow.live.bench.note_cost import note_seconds
from tatumflow.live.bench.report import Figure, Target

RATIO_TARGET: Final = Target(p50=0.25)
"""Our cost of a note over the peer's."""

SCRIPT: Final = Path(__file__).with_name("notochord_script.py")
"""Program that times Notochord, run by the peer's Python."""

_ROUNDS: Final = 10
_WARM_UP: Final = 10


@dataclass
class Peer:
    """Notochord in a process of its own."""

    process: "subprocess.Popen[str]"
    parameters: int

    @classmethod
    def start(cls, python: Path) -> Self:
        """Start it with a Python that has it.

        Raises:
            DeviceError: if it does not start.
        """
        try:
            process = subprocess.Popen(
                [str(python), "-W", "ignore", str(SCRIPT)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
        except OSError as error:
            raise DeviceError(f"--peer: {python} cannot be run ({error.strerror}); {_ADVICE}") from None
        peer = cls(process, 0)
        answer = json.loads(peer._line())
        peer.parameters = int(answer["parameters"])
        return peer

    def seconds(self, notes: list[tuple[int, float, int]]) -> NDArray[np.float64]:
        """Return the seconds that notes took, (n,), each pitch, seconds since the one before, velocity.

        Raises:
            DeviceError: if the process has ended.
        """
        assert self.process.stdin is not None
        try:
            self.process.stdin.write(json.dumps(notes) + "\n")
            self.process.stdin.flush()
        except OSError:
            pass
        return np.array(json.loads(self._line()), dtype=np.float64)

    def close(self) -> None:
        """End the process."""
        self.process.kill()
        self.process.communicate()

    def _line(self) -> str:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            _, error = self.process.communicate()
            reason = (error.strip().splitlines() or ["without a message"])[-1]
            raise DeviceError(f"--peer: Notochord does not run ({reason}); {_ADVICE}")
        return line


_ADVICE: Final = (
    "make an environment for it with `python -m venv peer` and `peer/bin/pip install notochord`, "
    "and give peer/bin/python"
)


def beside_peer(bundle: Bundle, decoder: Decoder, notes: int, python: Path) -> tuple[Figure, ...]:
    """Measure notes of ours and of the peer's alternately, and the ratio of each round's medians.

    Returns:
        `peer_note_cost` and `peer_ratio`, ours over theirs.

    Raises:
        DeviceError: if the peer does not run.
    """
    peer = Peer.start(python)
    try:
        rng = np.random.default_rng(0)
        each = max(notes // _ROUNDS, 1)
        peer.seconds(_notes(rng, _WARM_UP))
        theirs, ratios = [], []
        for _ in range(_ROUNDS):
            own = note_seconds(bundle, decoder, each)
            other = peer.seconds(_notes(rng, each))
            theirs.append(other)
            ratios.append(float(np.median(own) / np.median(other)))
    finally:
        peer.close()
    return (
        Figure.of("peer_note_cost", "ms", np.concatenate(theirs) * 1e3, Target()),
        Figure.of("peer", "ratio", ratios, RATIO_TARGET),
    )


def _notes(rng: np.random.Generator, count: int) -> list[tuple[int, float, int]]:
    """Draw notes as `note_cost.full_session` does."""
    return [(int(rng.integers(40, 90)), 0.12, int(rng.integers(40, 100))) for _ in range(count)]
