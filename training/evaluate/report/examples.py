"""Excerpts to listen to: primer or call, then what was played, as MIDI and as sound."""

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
"""Number of continued primers among the examples."""

ANSWERED: Final = 4
"""Number of answered calls among the examples."""


@dataclass(frozen=True)
class Example:
    """An excerpt.

    Attributes:
        name: Name of its files, without ending.
        title: Player and piece.
        kind: "real", or how it was generated.
        given: Primer or call.
        played: The notes after it, on the same clock.
        sound: Whether there is a sound file.
    """

    name: str
    title: str
    kind: str
    given: tuple[Note, ...]
    played: tuple[Note, ...]
    sound: bool = False


def examples_of(result: EvaluationResult) -> Iterator[Example]:
    """Return excerpts: the first that were sampled, not the best."""
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
        given = (f"answer-{i + 1}", f"{player_name(call.player) or call.piece}, call {i + 1}", call.notes)
        yield _after(*given, "real", call.following)
        for setting, replies in result.replies.items():
            yield _after(*given, setting, replies[i])


def write_examples(
    examples: Iterator[Example], folder: Path, write_sound: WriteSound | None, suffix: str = ".mp3"
) -> tuple[list[Example], str]:
    """Write excerpts to a folder that exists.

    Args:
        examples: The excerpts.
        folder: The folder.
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
        tracks = [MidiTrack("given", example.given), MidiTrack("played", example.played)]
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
    given = to_notes(primer.notes)
    title = f"{player_name(primer.player) or 'unknown player'}, {primer.title or primer.piece}"
    return Example(name, title, kind, tuple(given), moved(to_notes(played), given[-1].onset))


def _after(name: str, title: str, call: Notes, kind: str, reply: Notes) -> Example:
    """Return a call and the phrase after it, 0.3 s after its last note's end."""
    given = moved(to_notes(call), -float(call["onset"][0]))
    notes = to_notes(reply)
    end = max(note.offset for note in given)
    begin = notes[0].onset if notes else 0.0
    return Example(f"{name}-{kind}", title, kind, given, moved(notes, end + 0.3 - begin))


def moved(notes: Sequence[Note], seconds: float) -> tuple[Note, ...]:
    """Return notes with later onsets, by some seconds; none begins before 0."""
    return tuple(replace(note, onset=max(note.onset + seconds, 0.0)) for note in notes)
