"""The port picker: what you play on, what it sounds on, and a note to try it."""

from collections.abc import Sequence
from typing import ClassVar, Final

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.message import Message
from textual.widgets import Button, OptionList, Static

from tatumflow.engine.messages import Command, ConnectPorts, PlayKey, PortStatus, Snapshot
from tatumflow.live.tui.dialogs.dialog import Dialog
from tatumflow.live.tui.ports import active

_TEST_NOTE: Final = PlayKey(pitch=60, velocity=90, duration=0.5)
_SIDES: Final = {"input": "Computer keyboard only", "output": "No MIDI port"}


class PortPicker(Dialog[None]):
    """Opens by itself on the first run. A choice takes effect at once, so that it can be heard."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("t", "test_note", "Test note", show=False)]

    class Chosen(Message):
        """The user chose a port or the test note."""

        def __init__(self, command: Command) -> None:
            """Carry the command."""
            super().__init__()
            self.command = command

    def __init__(self, snapshot: Snapshot | None) -> None:
        """Start with the ports of a snapshot; None before they are known."""
        super().__init__("Ports", "Enter connects · T test note · Esc done")
        self._snapshot = snapshot
        self._ready = False
        self._lists = {side: OptionList(id=side, compact=True) for side in _SIDES}
        self._names: dict[str, tuple[str, ...]] = {}
        self._prompts: dict[str, tuple[Content, ...]] = {}

    def body(self) -> ComposeResult:
        """Yield both lists and the buttons under them."""
        yield Static("Choose, then press a key: the light of the port that hears it shines.", id="hint")
        with Horizontal(id="lists"):
            for side, title in (("input", "You play on"), ("output", "It sounds on")):
                with Vertical():
                    yield Static(title, classes="group")
                    yield self._lists[side]
        with Horizontal(id="buttons"):
            yield Button("Test note", id="test-note", compact=True)
            yield Button("Done", id="done", variant="primary", compact=True)

    def on_mount(self) -> None:
        """Fill the lists; take snapshots from here on."""
        self._ready = True
        if self._snapshot is not None:
            self.show(self._snapshot)

    def show(self, snapshot: Snapshot) -> None:
        """Show the ports there are, which are connected and which carry notes."""
        if not self._ready:
            return
        self._fill("input", snapshot.inputs, snapshot.time)
        self._fill("output", snapshot.outputs, snapshot.time)

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Connect the port chosen, or disconnect the side."""
        side = event.option_list.id or ""
        name = self._names[side][event.option_index]
        command = ConnectPorts(input=name) if side == "input" else ConnectPorts(output=name)
        self.post_message(self.Chosen(command))

    async def on_button_pressed(self, event: Button.Pressed) -> None:
        """Play the test note or close."""
        if event.button.id == "test-note":
            self.action_test_note()
        else:
            await self.action_leave()

    def action_test_note(self) -> None:
        """Play middle C where the companion will sound."""
        self.post_message(self.Chosen(_TEST_NOTE))

    def _fill(self, side: str, ports: Sequence[PortStatus], now: float) -> None:
        names = (*(port.name for port in ports), "")
        nothing = not any(port.connected for port in ports)
        prompts = (*(_prompt(port, now) for port in ports), _line("✓" if nothing else " ", " ", _SIDES[side]))
        options = self._lists[side]
        if names != self._names.get(side):
            options.set_options(list(prompts))
            options.highlighted = next((i for i, port in enumerate(ports) if port.connected), len(ports))
        else:
            for index, prompt in enumerate(prompts):
                if prompt != self._prompts[side][index]:
                    options.replace_option_prompt_at_index(index, prompt)
        self._names[side], self._prompts[side] = names, prompts


def _prompt(port: PortStatus, now: float) -> Content:
    return _line("✓" if port.connected else " ", "●" if active(port, now) else " ", port.name)


def _line(mark: str, light: str, name: str) -> Content:
    return Content.from_markup("$mark $light $name", mark=mark, light=light, name=name)
