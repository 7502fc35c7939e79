"""Written calls, for use without a corpus or MIDI files."""

from dataclasses import dataclass
from typing import Final

from tatumflow.training.data.corpora.note_array import note_array
from tatumflow.training.evaluate.parts.answer_relevance import Call

_SWUNG: Final = 0.12
"""Lateness of an eighth between beats, as a share of the beat."""

_Event = tuple[float, float, int, tuple[int, ...]]
"""Beat, length in beats, MIDI velocity, MIDI pitches."""


@dataclass(frozen=True)
class _Phrase:
    """A written phrase.

    Attributes:
        title: Its title.
        tempo: Beats per minute.
        events: Notes and chords; those half-way between beats are swung.
    """

    title: str
    tempo: float
    events: tuple[_Event, ...]


def _line(start: float, pitches: tuple[int, ...], velocities: tuple[int, ...]) -> tuple[_Event, ...]:
    """Return eighths from a beat on, with the velocities repeated in order."""
    return tuple(
        (start + i / 2, 0.5, velocities[i % len(velocities)], (pitch,)) for i, pitch in enumerate(pitches)
    )


_BEBOP: Final = _Phrase(
    "A line over ii-V-I in C",
    184,
    (
        *_line(0.5, (74, 77, 81, 84, 83, 81, 79, 77, 80, 77, 74, 71, 68, 67, 71, 74, 77), (62, 78)),
        (9.0, 0.5, 84, (76,)),
        (9.5, 0.5, 66, (72,)),
        (10.0, 1.0, 80, (67,)),
    ),
)

_BLUES: Final = _Phrase(
    "A riff on a blues in F",
    138,
    (
        (0.0, 0.9, 58, (41, 51, 57)),
        *_line(0.5, (72, 75, 77), (70, 84)),
        (2.0, 0.5, 88, (80,)),
        (2.5, 0.5, 72, (77,)),
        (2.5, 0.8, 56, (51, 57)),
        (3.0, 0.5, 80, (75,)),
        (3.5, 0.5, 68, (72,)),
        (4.0, 0.9, 58, (41, 51, 57)),
        *_line(4.5, (72, 75, 77), (70, 84)),
        (6.0, 1.4, 90, (81, 84)),
        (6.5, 0.8, 56, (51, 57)),
    ),
)

_STRIDE: Final = _Phrase(
    "Two bars of stride in E flat",
    168,
    (
        (0.0, 0.8, 66, (39,)),
        (1.0, 0.4, 54, (55, 58, 63)),
        (2.0, 0.8, 66, (34,)),
        (3.0, 0.4, 54, (56, 58, 62)),
        (4.0, 0.8, 66, (36,)),
        (5.0, 0.4, 54, (55, 58, 63)),
        (6.0, 0.8, 66, (34,)),
        (7.0, 0.4, 54, (56, 58, 62)),
        (0.0, 0.9, 82, (75, 79)),
        *_line(1.0, (82, 80, 79, 75), (76, 62)),
        (3.0, 0.9, 80, (77, 80)),
        *_line(4.0, (79, 82, 87, 82, 80, 77), (80, 64)),
        (7.0, 0.9, 78, (74, 80)),
    ),
)

_BALLAD: Final = _Phrase(
    "Slow chords in D flat",
    72,
    (
        (0.0, 1.9, 50, (37, 56, 60, 65)),
        (0.0, 1.4, 66, (72,)),
        (1.5, 0.5, 58, (75,)),
        (2.0, 1.9, 48, (42, 54, 58, 64)),
        (2.0, 1.0, 68, (73,)),
        (3.0, 0.5, 60, (70,)),
        (3.5, 0.5, 54, (68,)),
        (4.0, 2.0, 52, (37, 53, 60, 63)),
        (4.0, 2.0, 64, (68,)),
    ),
)

_MODAL: Final = _Phrase(
    "Fourths in D minor",
    126,
    (
        (0.0, 0.4, 76, (50, 55, 60, 65)),
        (1.0, 0.9, 70, (52, 57, 62, 67)),
        *_line(2.0, (69, 72, 74, 79, 77, 74), (74, 60)),
        (5.0, 0.4, 76, (50, 55, 60, 65)),
        (6.0, 0.4, 72, (48, 53, 58, 63)),
        (6.5, 1.2, 80, (50, 55, 60, 65)),
    ),
)

PHRASES: Final = (_BEBOP, _STRIDE, _BLUES, _BALLAD, _MODAL)


def written_calls() -> tuple[Call, ...]:
    """Return the phrases as calls, without player, context or following phrase."""
    return tuple(_call(phrase) for phrase in PHRASES)


def _call(phrase: _Phrase) -> Call:
    seconds = 60 / phrase.tempo
    rows = [
        (_swung(beat) * seconds, 0.92 * length * seconds, pitch, velocity)
        for beat, length, velocity, pitches in phrase.events
        for pitch in pitches
    ]
    onset, duration, pitch, velocity = zip(*rows, strict=True)
    notes = note_array(onset, duration, pitch, velocity)
    return Call(phrase.title, "", "", notes[:0], notes, notes[:0])


def _swung(beat: float) -> float:
    return beat + _SWUNG * (beat % 1 == 0.5)
