"""A dialog for the file with the tune's melody."""

from collections.abc import Callable
from pathlib import Path

from textual.app import ComposeResult
from textual.widgets import Input, Static

from tatumflow.engine.errors import SettingError
from tatumflow.live.tui.dialogs.dialog import EntryDialog


class HeadDialog(EntryDialog[str]):
    """Returns the absolute path of a MIDI file with a melody; the empty string for none."""

    def __init__(self, head: str, check: Callable[[str], object]) -> None:
        """Show the file in use; `check` raises a `SettingError` for one without a melody."""
        super().__init__("Head", "Enter plays it first and last · Esc closes")
        self._head = head
        self._check = check

    def body(self) -> ComposeResult:
        """Yield what is asked for and the field."""
        yield Static("A .mid file with the melody; empty for none", id="range")
        yield from self.entry(self._head, placeholder="melody.mid")

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Return the path, or show why the file has no melody."""
        typed = event.value.strip()
        if not typed:
            self.dismiss("")
            return
        try:
            path = str(Path(typed).expanduser().absolute())
            self._check(path)
        except (SettingError, RuntimeError) as error:
            self.refuse(str(error))
        else:
            self.dismiss(path)
