"""A moment of a jam as the engine plays it: the bundled phrase, answered on a virtual clock."""

from dataclasses import replace
from importlib import resources
from typing import Final

from tatumflow.engine.clock import VirtualClock
from tatumflow.engine.messages import PortStatus, Snapshot
from tatumflow.engine.midi.events import NoteOff, NoteOn
from tatumflow.engine.midi.midi_file import read_midi
from tatumflow.engine.midi.scheduler import Scheduler
from tatumflow.engine.offline import VirtualLoop
from tatumflow.live.processes.session import offline_companion, open_bundle
from tatumflow.live.settings import Settings

INTO_ANSWER: Final = 2.8
"""Seconds of the answer that have sounded by default."""


def played_moment(settings: Settings, into_answer: float = INTO_ANSWER) -> Snapshot:
    """Return the screen's state some seconds into the answer to the bundled phrase.

    Notes, styles, note cost and first note are what the model did on this machine. Nothing is sent to a
    port on a virtual clock, so the ports stand for the computer keyboard and the built-in synthesizer, and
    lateness is 0.

    Raises:
        BundleError: if there is no model.
    """
    with resources.as_file(resources.files("tatumflow.configs") / "live" / "phrase.mid") as path:
        phrase = read_midi(path).notes
    bundle = open_bundle(settings.model)
    clock = VirtualClock()
    scheduler = Scheduler(lambda event: None, clock)
    companion = offline_companion(bundle, settings.controls)(scheduler, clock)
    loop = VirtualLoop(clock, scheduler, companion)
    ons = [(note.onset, 1, note) for note in phrase]
    offs = [(note.offset, 0, note) for note in phrase]
    for time, is_on, note in sorted(ons + offs, key=lambda event: event[:2]):
        loop.run_to(time)
        companion.handle(NoteOn(time, note.pitch, note.velocity) if is_on else NoteOff(time, note.pitch))
    loop.run_to(clock.now() + 10.0, until=lambda: companion.turn == "playing")
    loop.run_to(clock.now() + into_answer)
    now = clock.now()
    return replace(
        companion.snapshot(),
        inputs=(PortStatus("computer keyboard", True, phrase[-1].onset),),
        outputs=(PortStatus("built-in synth", True, now),),
        model=bundle.manifest.name,
        styles=bundle.styles,
    )
