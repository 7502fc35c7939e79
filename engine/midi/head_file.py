"""The melody of a tune from a MIDI file, in bars of the form."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from symusic.core import ScoreTick

from tatumflow.engine.errors import MidiFileError
from tatumflow.engine.midi.midi_file import parse_score, track_notes, without_overlaps
from tatumflow.engine.midi.notes import fold_pitch

_NAMES: Final = ("melody", "lead", "head", "theme", "solo", "vocal", "voice")
"""Words in the name of the track that has the melody."""

_LARGEST_FILE: Final = 1 << 20
_MOST_NOTES: Final = 10_000
"""Bounds on what is read while a session plays on."""

_COMMON_TIME: Final = (4, 4)
_ROUNDING: Final = 1e-6


@dataclass(frozen=True, slots=True)
class HeadNote:
    """A note of a melody.

    Attributes:
        start: Bars from the first bar line of the form; negative in a pickup.
        length: Bars.
        pitch: MIDI pitch, 21 to 108.
        velocity: 1 to 127.
    """

    start: float
    length: float
    pitch: int
    velocity: int


@dataclass(frozen=True)
class Head:
    """The melody of a tune, played before the solos and after them.

    Attributes:
        notes: By start.
    """

    notes: tuple[HeadNote, ...]

    @property
    def pickup(self) -> float:
        """Bars before the form that a pickup begins; 0 without one."""
        return max(-self.notes[0].start, 0.0)


def read_head(path: Path) -> Head:
    """Read a melody from a MIDI file.

    It is that of the track whose name says so ("Melody", "Lead", ...), else of the first that is no drum
    track. The first bar line of the file is that of the form, except where the file begins with a shorter
    bar of its own metre: that is a pickup, and the form begins with the bar after it. The tempo of the file
    is not used.

    Raises:
        MidiFileError: if the file is missing, damaged, or has no melody.
    """
    try:
        path = Path(path).expanduser()
        score = parse_score(path, _LARGEST_FILE)
    except (RuntimeError, ValueError) as error:
        # A home that does not exist, or a character that no name has.
        raise MidiFileError(f"{str(path)!r}: is no file ({error}); give the name of a .mid file") from None
    tracks = [track for track in score.tracks if track.notes and not track.is_drum]
    if not tracks:
        raise MidiFileError(f"{path.name}: has no notes outside drum tracks; choose a file with the melody")
    named = (track for track in tracks if any(word in track.name.lower() for word in _NAMES))
    start, end, pitch, velocity = without_overlaps(track_notes(next(named, tracks[0])))
    if len(start) > _MOST_NOTES:
        raise MidiFileError(f"{path.name}: has {len(start)} notes; a melody has {_MOST_NOTES} at most")
    starts, ends = _bars(score, start), _bars(score, end)
    rows = zip(starts.tolist(), (ends - starts).tolist(), pitch.tolist(), velocity.tolist(), strict=True)
    return Head(tuple(HeadNote(at, length, fold_pitch(key), loud) for at, length, key, loud in rows))


def _bars(score: ScoreTick, ticks: np.ndarray) -> np.ndarray:
    """Return ticks as bars from the first bar line of the form, (n,)."""
    metres = sorted(
        (int(m.time), 4 * score.ticks_per_quarter * m.numerator / m.denominator)
        for m in score.time_signatures
        if m.numerator > 0 and m.denominator > 0
    )
    if not metres or metres[0][0] > 0:
        over, under = _COMMON_TIME
        metres = [(0, 4 * score.ticks_per_quarter * over / under), *metres]
    # A change of metre begins a bar, wherever it is.
    times = np.array([time for time, _ in metres], np.float64)
    lengths = np.array([length for _, length in metres])
    spans = np.ceil(np.diff(times) / lengths[:-1] - _ROUNDING)
    reached = np.concatenate([[0.0], np.cumsum(spans)])
    has_pickup = len(metres) > 1 and spans[0] == 1 and lengths[0] < lengths[1] - _ROUNDING
    at = np.maximum(np.searchsorted(times, ticks, side="right") - 1, 0)
    bars = reached[at] + (ticks - times[at]) / lengths[at]
    if has_pickup:
        # Its bar lacks the beginning.
        within = ticks < times[1]
        bars = np.where(within, -(times[1] - ticks) / lengths[1], bars - 1)
    return bars
