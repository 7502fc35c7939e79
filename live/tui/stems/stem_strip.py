"""The stem strip: a row for each stem into which the audio input is separated."""

from textual.app import ComposeResult
from textual.containers import Container, Vertical, VerticalScroll
from textual.message import Message

from tatumflow.live.audio.commands import AudioCommand, ChooseStem
from tatumflow.live.audio.levels import Level
from tatumflow.live.audio.status import AudioStatus
from tatumflow.live.audio.stem_mixer import StemMix, factors
from tatumflow.live.tui.controls.patience import PatientValue
from tatumflow.live.tui.stems.input_meter import InputMeter
from tatumflow.live.tui.stems.sound_line import DeviceLine, SoundLine
from tatumflow.live.tui.stems.stem_layout import name_cells
from tatumflow.live.tui.stems.stem_row import StemRow


class StemRows(VerticalScroll, can_focus=False, inherit_bindings=False):
    """The rows; the focus moves them where there are many."""


class StemStrip(Vertical):
    """Rows of the stems, the input and the figures of the sound; not there in a session without ears."""

    class Requested(Message):
        """The user changed the mix or chose a stem."""

        def __init__(self, command: AudioCommand) -> None:
            """Carry the command."""
            super().__init__()
            self.command = command

    def __init__(self) -> None:
        """Start without ears."""
        super().__init__()
        self._list = StemRows()
        self._input = InputMeter()
        self._device = DeviceLine()
        self._line = SoundLine()
        self._rows: tuple[StemRow, ...] = ()
        self._sound: AudioStatus | None = None
        self._chosen = PatientValue("")
        self._mixes: tuple[StemMix, ...] = ()
        self._audible: tuple[bool, ...] = ()

    def compose(self) -> ComposeResult:
        """Lay the strip out."""
        yield self._list
        with Container(id="input"):
            yield self._input
            yield self._device
            yield self._line

    @property
    def rows(self) -> tuple[StemRow, ...]:
        """A row for each stem, in the model's order."""
        return self._rows

    def on_mount(self) -> None:
        """Show the status that came before the strip was laid out."""
        self.show(self._sound)

    def show(self, sound: AudioStatus | None) -> None:
        """Show the sound; each part draws only what changed."""
        self._sound = sound
        self.set_class(sound is not None, "-there")
        if sound is None or not self._list.is_attached:
            return
        # Ears that are started again have no stems yet, and will have the same.
        if sound.stems or sound.state != "lost":
            self._take(sound)
        # Levels from before the device went are out of date.
        running = sound.state == "open"
        levels = {stem.name: stem.level for stem in sound.stems if running}
        for row, audible in zip(self._rows, self._heard(), strict=True):
            row.show(
                levels.get(row.stem, Level()),
                heard=audible and not sound.bypass,
                plays=row.stem == self._chosen.value,
            )
        self._input.show(sound.input_level if running else Level(), recording=bool(sound.recording))
        self._device.show(sound)
        self._line.show(sound)

    def focus_stems(self) -> None:
        """Go to the stem that plays, or the first."""
        plays = [row for row in self._rows if row.plays]
        for row in (plays or self._rows)[:1]:
            row.focus()

    def on_stem_row_mixed(self, message: StemRow.Mixed) -> None:
        """Request a change of the mix."""
        self.post_message(self.Requested(message.command))

    def on_stem_row_chosen(self, message: StemRow.Chosen) -> None:
        """Request a stem for the companion, or none if it had that one."""
        stem = "" if message.stem == self._chosen.value else message.stem
        self._chosen.set(stem)
        self.post_message(self.Requested(ChooseStem(stem)))

    def _take(self, sound: AudioStatus) -> None:
        names = tuple(stem.name for stem in sound.stems)
        if names != tuple(row.stem for row in self._rows):
            self._lay_out(names)
        self._chosen.report(next((stem.name for stem in sound.stems if stem.plays), ""))
        for row, stem in zip(self._rows, sound.stems, strict=True):
            row.report(stem.mix)

    def _heard(self) -> tuple[bool, ...]:
        mixes = tuple(row.mix for row in self._rows)
        if mixes != self._mixes:
            self._mixes = mixes
            self._audible = tuple(bool(factor > 0) for factor in factors(mixes))
        return self._audible

    def _lay_out(self, names: tuple[str, ...]) -> None:
        cells = name_cells(names)
        self._rows = tuple(StemRow(name, cells) for name in names)
        self._list.remove_children()
        self._list.mount(*self._rows)
        self._input.lay_out(cells)
