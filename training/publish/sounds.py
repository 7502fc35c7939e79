"""Examples of what a published model plays: continuations of the bundled phrase, as MIDI and as sound."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from importlib import resources
from pathlib import Path
from typing import Final

from tatumflow.engine.controls import Controls
from tatumflow.engine.errors import DeviceError
from tatumflow.engine.midi.midi_file import MidiTrack, read_midi, write_midi
from tatumflow.engine.model.bundle import Bundle
from tatumflow.training.evaluate.generations import Performer, to_array, to_notes
from tatumflow.training.evaluate.report.examples import WriteSound

SOUNDS: Final = "audio"
"""Folder of the examples."""

SECONDS: Final = 12.0
"""Length of a continuation."""

_STYLES: Final = ("art-tatum", "charlie-parker", "bill-evans")
"""Styles of the examples where none are named; those that the model lacks are left out."""


@dataclass(frozen=True)
class SoundExample:
    """An example.

    Attributes:
        style: Slug of the style; empty for none.
        seed: Random seed.
        midi: File of the phrase and its continuation, relative to the repository.
        sound: File of their sound, likewise; empty where it could not be made.
    """

    style: str
    seed: int
    midi: str
    sound: str


def write_examples(
    bundle: Bundle, folder: Path, styles: Sequence[str], seed: int, write_sound: WriteSound | None
) -> tuple[list[SoundExample], str]:
    """Continue the bundled phrase in each style.

    Args:
        bundle: The model.
        folder: Folder of the repository.
        styles: Names of styles; by default known ones that the model has, or none.
        seed: Random seed.
        write_sound: Makes a sound file of tracks; None for MIDI alone.

    Returns:
        The examples, and why there is no sound; empty where there is.

    Raises:
        SettingError: if the model lacks a style.
        ModelFault: if the model's output is not finite.
    """
    chosen = [bundle.resolve_style(name) for name in styles]
    chosen = chosen or [slug for slug in _STYLES if slug in bundle.styles] or [""]
    with resources.as_file(resources.files("tatumflow.configs") / "live" / "phrase.mid") as path:
        phrase = read_midi(path).notes
    performer, primer = Performer(bundle), to_array(phrase)
    start = max(note.onset for note in phrase)
    (folder / SOUNDS).mkdir()
    examples, problem = [], "" if write_sound else "the command that renders sound is not installed"
    for style in chosen:
        played = to_notes(performer.continuation(primer, SECONDS, Controls(style=style), seed))
        moved = [replace(note, onset=note.onset + start) for note in played]
        tracks = [MidiTrack("Phrase", list(phrase)), MidiTrack("TatumFlow", moved, channel=1)]
        name = f"{SOUNDS}/{style or 'no-style'}"
        write_midi(folder / f"{name}.mid", tracks)
        sound = f"{name}.mp3"
        if not problem and write_sound is not None:
            try:
                write_sound(folder / sound, tracks)
            except DeviceError as error:
                problem = str(error)
        examples.append(SoundExample(style, seed, f"{name}.mid", "" if problem else sound))
    return examples, problem
