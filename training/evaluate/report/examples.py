"""Excerpts to listen to: what was heard and what came of it, as MIDI and as sound."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from tatumflow.engine.errors import DeviceError
from tatumflow.engine.midi.midi_file import MidiTrack, write_midi
from tatumflow.engine.midi.notes import Note
from tatumflow.engine.model.style_names import player_name
from tatumflow.training.evaluate.evaluation import EvaluationResult
from tatumflow.training.evaluate.generations import to_notes
from tatumflow.training.evaluate.parts.continuation_figures import Continuations
from tatumflow.training.evaluate.primers import Notes, Primer

WriteSound = Callable[[Path, Sequence[MidiTrack]], None]
"""Writes tracks as a sound file, the format by the file's ending; raises `DeviceError` where it cannot."""

CONTINUED: Final = 6
"""Primers whose continuations are given."""

ANSWERED: Final = 4
"""Calls whose answers are given."""


@dataclass(frozen=True)
class Example:
    """An excerpt.

    Attributes:
        name: Name of its files, without ending.
        title: What it is an example of.
        kind: "real", or how it was generated.
        heard: What was heard.
        played: What came after, on the same clock.
        sound: Whether there is a sound file.
    """

    name: str
    title: str
    kind: str
    heard: tuple[Note, ...]
    played: tuple[Note, ...]
    sound: bool = False


def examples_of(result: EvaluationResult) -> Iterator[Example]:
    """Choose excerpts: the first that were drawn, which is to say any, and not the best."""
    played = result.continuations
    if played is not None:
        for i, primer in enumerate(played.primers[:CONTINUED]):
            yield _continued(f"continuation-{i + 1}-real", primer, "real", primer.real)
            yield _continued(f"continuation-{i + 1}", primer, "generated", played.generated[i])
    if result.styles is not None:
        for style, trial in result.styles.styled.items():
            yield from _first(f"style-{style or 'none'}", trial, _style_title(style))
        for share, trial in result.styles.blends.items():
            yield from _first(f"blend-{share:g}", trial, f"blend {share:g}")
    for i, call in enumerate(result.calls[:ANSWERED]):
        heard = (f"answer-{i + 1}", f"{player_name(call.player) or call.piece}, call {i + 1}", call.notes)
        yield _after(*heard, "real", call.following)
        for setting, replies in result.replies.items():
            yield _after(*heard, setting, replies[i])


def write_examples(
    examples: Iterator[Example], folder: Path, write_sound: WriteSound | None, suffix: str = ".mp3"
) -> tuple[list[Example], str]:
    """Write excerpts to a folder that exists.

    Args:
        examples: The excerpts.
        folder: Where to.
        write_sound: Makes the sound; None for MIDI only.
        suffix: Ending of the sound files.

    Returns:
        The excerpts as written, and why there is no sound; empty where there is.

    Raises:
        MidiFileError: if a file cannot be written.
    """
    written: list[Example] = []
    why = "" if write_sound is not None else "no synthesizer was given"
    for example in examples:
        tracks = [MidiTrack("heard", example.heard), MidiTrack("played", example.played)]
        tracks = [track for track in tracks if track.notes]
        write_midi(folder / f"{example.name}.mid", tracks)
        if write_sound is not None and not why:
            try:
                write_sound(folder / f"{example.name}{suffix}", tracks)
            except DeviceError as error:
                why = str(error)
        written.append(replace(example, sound=not why))
    return written, why


def _style_title(style: str) -> str:
    return f"in the style of {player_name(style)}" if style else "unconditional"


def _first(name: str, trial: Continuations, kind: str) -> Iterator[Example]:
    for primer, generated in list(zip(trial.primers, trial.generated, strict=True))[:1]:
        yield _continued(name, primer, kind, generated)


def _continued(name: str, primer: Primer, kind: str, played: Notes) -> Example:
    heard = to_notes(primer.notes)
    title = f"{player_name(primer.player) or 'unknown player'}, {primer.title or primer.piece}"
    return Example(name, title, kind, tuple(heard), _moved(to_notes(played), heard[-1].onset))


def _after(name: str, title: str, call: Notes, kind: str, reply: Notes) -> Example:
    """Return a call and what followed it, a breath after its last note's end."""
    heard = _moved(to_notes(call), -float(call["onset"][0]))
    notes = to_notes(reply)
    end = max(note.offset for note in heard)
    begin = notes[0].onset if notes else 0.0
    return Example(f"{name}-{kind}", title, kind, heard, _moved(notes, end + 0.3 - begin))


def _moved(notes: Sequence[Note], seconds: float) -> tuple[Note, ...]:
    return tuple(replace(note, onset=max(note.onset + seconds, 0.0)) for note in notes)
