"""The command palette: everything the screen can do, by name."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Final, NamedTuple, Protocol, cast

from textual.command import DiscoveryHit, Hit, Hits, Provider

from tatumflow.engine.messages import (
    BeginBars,
    EndTune,
    ForgetController,
    GoToSection,
    SetControl,
    Snapshot,
    StopBars,
    TakeTurn,
    UseModel,
    YieldTurn,
)
from tatumflow.engine.model.bundle import find_bundles
from tatumflow.live.audio.commands import ChooseStem, RecordStems, SetStem
from tatumflow.live.audio.status import AudioStatus
from tatumflow.live.processes.engine_link import EngineLink
from tatumflow.live.steering.control_choices import CHOICES, options_of
from tatumflow.live.steering.control_surface import STEERABLE
from tatumflow.live.tui.controls.control_panel import option_name
from tatumflow.live.tui.controls.control_table import ACTION_LABELS, LABELS
from tatumflow.live.tui.labels import pitch_name

_MAJOR: Final = (0, 2, 4, 5, 7, 9, 11)
_ALL_PITCH_CLASSES: Final = 0xFFF


class PaletteTarget(Protocol):
    """What the palette needs of the app: its state, where commands go, and its actions."""

    snapshot: Snapshot | None
    sound: AudioStatus | None
    link: EngineLink

    def action_panic(self) -> None:
        """Silence everything."""

    def action_tap(self) -> None:
        """Tap the tempo."""

    def action_ports(self) -> None:
        """Choose ports."""

    def action_help(self) -> None:
        """Show the help page."""

    def action_octave(self, octaves: int) -> None:
        """Move the computer keyboard's piano."""

    def action_choose(self, control: str) -> None:
        """Choose the value of a control from its list."""

    def action_tune(self) -> None:
        """Find a tune."""

    def action_edit_chart(self) -> None:
        """Edit the chart."""

    def action_new_chart(self) -> None:
        """Write a chart."""

    def action_head(self) -> None:
        """Choose the file with the melody."""

    def action_go_to_bar(self) -> None:
        """Go to a bar of the chart."""

    def action_loop(self) -> None:
        """Loop the section, or end the loop."""

    def action_switch(self, control: str) -> None:
        """Turn a control on or off."""

    def action_strip(self) -> None:
        """Go to the strip or back."""

    def action_stems(self) -> None:
        """Go to the stems or back."""

    def action_bypass(self) -> None:
        """Bypass the separation or end that."""

    def action_change_theme(self) -> None:
        """Choose the colours."""

    async def action_quit(self) -> None:
        """Leave."""

    def action_number(self, control: str) -> None:
        """Type the value of a control."""

    def learn(self, target: str) -> None:
        """Let the next controller that moves steer a control or an action; empty ends MIDI learn."""


class PaletteEntry(NamedTuple):
    """A line of the palette: its name, what it does, and the help under it."""

    name: str
    run: Callable[[], object]
    help: str
    discover: bool = True


def pitch_classes_of_major(tonic: int) -> int:
    """Return the twelve-bit mask of a major scale, bit 0 being C."""
    return sum(1 << (tonic + step) % 12 for step in _MAJOR)


def entries(app: PaletteTarget) -> Iterator[PaletteEntry]:
    """Yield the palette's lines for the app's present state."""
    yield PaletteEntry("Panic", app.action_panic, "Silence everything now")
    yield PaletteEntry("Take the turn", partial(app.link.send, TakeTurn()), "The companion plays now")
    yield PaletteEntry(
        "Give the turn back", partial(app.link.send, YieldTurn()), "The companion stops and listens"
    )
    yield PaletteEntry("Tap the tempo", app.action_tap, "On every beat; F6 does it too")
    yield from _transport(app)
    yield PaletteEntry("Ports", app.action_ports, "Choose what you play on and what it sounds on")
    yield PaletteEntry("Help", app.action_help, "Keys and signs")
    for name, steps in (("up", 1), ("down", -1)):
        yield PaletteEntry(
            f"Piano octave {name}", partial(app.action_octave, steps), "Computer keyboard as piano"
        )
    yield from _stems(app)
    yield from _choices(app)
    for path in find_bundles():
        command = UseModel(str(path))
        yield PaletteEntry(
            f"Model: {path.name}", partial(app.link.send, command), "Plays after this turn", discover=False
        )
    for control, label in LABELS.items():
        if control not in CHOICES:
            yield PaletteEntry(f"Set {label.lower()} …", partial(app.action_number, control), "Type a number")
    yield from _scales(app)
    yield from _controllers(app)
    yield PaletteEntry("Theme …", app.action_change_theme, "Colours of the screen")
    yield PaletteEntry("Quit", app.action_quit, "Save the recording and leave")


def _transport(app: PaletteTarget) -> Iterator[PaletteEntry]:
    send = app.link.send
    yield PaletteEntry("Find a tune …", app.action_tune, "Of your book, or a form; Ctrl+T does it too")
    yield PaletteEntry("Edit the chart …", app.action_edit_chart, "Ctrl+E does it too")
    yield PaletteEntry("Write a chart …", app.action_new_chart, "A new one; save it into your book")
    yield PaletteEntry("Begin the bars", partial(send, BeginBars()), "Counts in first; F5 does it too")
    yield PaletteEntry("Stop", partial(send, StopBars()), "Band, clicks and companion; the key . does it too")
    yield PaletteEntry(
        "Next section", partial(send, GoToSection(1)), "With the next bar; the key / does it too"
    )
    yield PaletteEntry(
        "Section again", partial(send, GoToSection(0)), "With the next bar; the key , does it too"
    )
    yield PaletteEntry("Section before", partial(send, GoToSection(-1)), "With the next bar")
    yield PaletteEntry("Go to bar …", app.action_go_to_bar, "Type its number, or click on it in the chart")
    yield PaletteEntry("Head …", app.action_head, "The melody from a MIDI file, first and last")
    yield PaletteEntry("End the tune", partial(send, EndTune()), "The band ends with the chorus")
    controls = None if app.snapshot is None else app.snapshot.controls
    looping, playing = bool(controls and controls.loop_bars), bool(controls and controls.band)
    name = "End the loop" if looping else "Loop the section"
    yield PaletteEntry(name, app.action_loop, "Over and over; the key L does it too")
    name = "Band off" if playing else "Band on"
    yield PaletteEntry(name, partial(app.action_switch, "band"), "Over the chart; Ctrl+B does it too")
    yield PaletteEntry("Go to the strip", app.action_strip, "Transport and band, and back; F10 does it too")


def _stems(app: PaletteTarget) -> Iterator[PaletteEntry]:
    sound = app.sound
    if sound is None:
        return
    send = app.link.send
    yield PaletteEntry("Go to the stems", app.action_stems, "And back from there; F7 does it too")
    for stem in sound.stems:
        if not stem.plays:
            command = ChooseStem(stem.name)
            yield PaletteEntry(f"Play from {stem.name}", partial(send, command), "The companion hears it")
        else:
            yield PaletteEntry(
                "Play from no stem", partial(send, ChooseStem("")), f"It hears {stem.name} now"
            )
    for stem in sound.stems:
        muted, soloed = stem.mix.muted, stem.mix.soloed
        yield PaletteEntry(
            f"{'Unmute' if muted else 'Mute'} {stem.name}",
            partial(send, SetStem(stem.name, muted=not muted)),
            "In the monitor; the companion hears it all the same",
        )
        yield PaletteEntry(
            f"{'End solo of' if soloed else 'Solo'} {stem.name}",
            partial(send, SetStem(stem.name, soloed=not soloed)),
            "In the monitor, with others that are soloed",
        )
    name = "Hear the stems again" if sound.bypass else "Bypass the separation"
    yield PaletteEntry(name, app.action_bypass, "The dry signal, as it comes in; F8 does it too")
    name = "End the recording of the stems" if sound.recording else "Record the stems"
    yield PaletteEntry(name, partial(send, RecordStems(not sound.recording)), "A sound file for each")


def _choices(app: PaletteTarget) -> Iterator[PaletteEntry]:
    snapshot = app.snapshot
    if snapshot is None:
        return
    for control in CHOICES:
        for value in options_of(control, snapshot.styles):
            command = SetControl(control, value)
            name = f"{LABELS[control]}: {option_name(control, value)}"
            yield PaletteEntry(
                name, partial(app.link.send, command), "Takes effect at once", control == "mode"
            )


def _scales(app: PaletteTarget) -> Iterator[PaletteEntry]:
    scales = [("all notes", _ALL_PITCH_CLASSES)]
    for tonic in range(12):
        major, minor = (pitch_name(pitch).rstrip("-1") for pitch in (tonic, (tonic + 9) % 12))
        scales.append((f"{major} major, {minor} minor", pitch_classes_of_major(tonic)))
    for name, mask in scales:
        command = SetControl("pitch_classes", mask)
        yield PaletteEntry(
            f"Scale: {name}", partial(app.link.send, command), "Notes the companion may play", discover=False
        )


def _controllers(app: PaletteTarget) -> Iterator[PaletteEntry]:
    labels = {**LABELS, **ACTION_LABELS}
    numbers = {} if app.snapshot is None else dict(app.snapshot.controllers)
    for target in STEERABLE:
        yield PaletteEntry(
            f"MIDI learn: {labels[target].lower()}",
            partial(app.learn, target),
            "Then move the knob, fader or pedal that is to steer it",
            discover=False,
        )
    if app.snapshot is not None and app.snapshot.learning:
        yield PaletteEntry("End MIDI learn", partial(app.learn, ""), "No controller is assigned")
    for target, number in numbers.items():
        yield PaletteEntry(
            f"Forget controller {number}: {labels[target].lower()}",
            partial(app.link.send, ForgetController(target)),
            "It is music again, and sounds",
        )


class PaletteCommands(Provider):
    """Feeds Textual's command palette."""

    async def discover(self) -> Hits:
        """Yield what an empty palette offers."""
        for entry in entries(cast(PaletteTarget, self.app)):
            if entry.discover:
                yield DiscoveryHit(entry.name, entry.run, help=entry.help)

    async def search(self, query: str) -> Hits:
        """Yield what fits the words typed."""
        matcher = self.matcher(query)
        for entry in entries(cast(PaletteTarget, self.app)):
            if (score := matcher.match(entry.name)) > 0:
                yield Hit(score, matcher.highlight(entry.name), entry.run, help=entry.help)
