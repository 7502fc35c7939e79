"""The ports in use, each with a light that is on while it carries notes."""

from collections.abc import Sequence
from typing import Final

from textual.content import Content
from textual.widgets import Static

from tatumflow.engine.messages import PortStatus, Snapshot

_LIGHT_SECONDS: Final = 0.15


def active(port: PortStatus, now: float) -> bool:
    """Return whether a port has just carried a message."""
    return port.last_activity is not None and now - port.last_activity < _LIGHT_SECONDS


class PortsLine(Static):
    """One row: inputs, outputs, model, recording."""

    def __init__(self) -> None:
        """Start empty."""
        super().__init__()
        self._shown: Content | None = None

    def show(self, snapshot: Snapshot) -> None:
        """Show the connected ports and whether notes pass."""
        parts = [
            _side("in", snapshot.inputs, snapshot.time, "computer keyboard", "$you"),
            _side("out", snapshot.outputs, snapshot.time, "nothing: F4 chooses", "$companion"),
        ]
        if snapshot.model:
            parts.append(Content.from_markup("[$muted]model[/] $model", model=snapshot.model))
        if snapshot.recording:
            parts.append(Content.from_markup("[b $error]REC[/] $file", file=snapshot.recording))
        line = Content("   ").join(parts)
        if line != self._shown:
            self._shown = line
            self.update(line)


def _side(name: str, ports: Sequence[PortStatus], now: float, none: str, colour: str) -> Content:
    connected = [port for port in ports if port.connected]
    if not connected:
        return Content.from_markup("[$muted]$name ○ $none[/]", name=name, none=none)
    return Content(" ").join(
        [
            Content.from_markup("[$muted]$name[/]", name=name),
            *(
                Content.from_markup(
                    f"[{colour}]●[/] $port" if active(port, now) else "[$muted]○[/] $port", port=port.name
                )
                for port in connected
            ),
        ]
    )
