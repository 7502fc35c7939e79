"""MIDI files: reading a performance as notes in seconds, and writing tracks of notes."""

import io
import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import mido
import numpy as np
from numpy.typing import NDArray
from symusic.core import ScoreTick, TrackTick

from tatumflow.engine.errors import MidiFileError
from tatumflow.engine.files.regular_file import read_regular
from tatumflow.engine.files.whole_file import whole_file
from tatumflow.engine.midi.notes import PITCH_HIGHEST, PITCH_LOWEST, Note
from tatumflow.engine.midi.tempo_map import TICKS_PER_BEAT, TempoMap

_DEFAULT_MICROSECONDS_PER_BEAT: Final = 500_000
_SUSTAIN_PEDAL: Final = 64
_PEDAL_DOWN: Final = 64
_CHANNELS: Final = 16
DRUM_CHANNEL: Final = 9
"""The channel of the drums in General MIDI, counted from 0."""

LONGEST_SECONDS: Final = 7200.0
"""Longest file in seconds that is played or rendered."""

LARGEST_FILE: Final = 64 << 20
"""Largest MIDI file in bytes: some ten million notes."""

_Ticks = NDArray[np.int64]


@dataclass(frozen=True)
class MidiPerformance:
    """The performance of a MIDI file.

    Attributes:
        notes: Sorted by onset, then pitch; onsets in seconds from the start of the file; the sustain pedal is
            folded into the durations and no two notes of one pitch overlap.
        tempo: Beats per minute of the file's first tempo event; None when it has none.
        dropped: How many notes were left out because their pitch is not on the piano (21 to 108).
    """

    notes: tuple[Note, ...]
    tempo: float | None
    dropped: int = 0


@dataclass(frozen=True)
class MidiTrack:
    """One track of a file.

    Attributes:
        name: Shown by the program that opens the file.
        notes: In any order; onsets in seconds, at least 0.
        program: General MIDI program, 0 to 127.
        channel: MIDI channel, 0 to 15; `DRUM_CHANNEL` is the drums'.
    """

    name: str
    notes: Sequence[Note]
    program: int = 0
    channel: int = 0


def read_midi(path: Path) -> MidiPerformance:
    """Read a MIDI file as one performance.

    The tempo map is obeyed, drum tracks are left out and the others are merged. A note held by the sustain
    pedal (controller 64 at 64 or more, in the note's own track) lasts until the pedal comes up or its pitch
    sounds again. Where two notes of one pitch overlap, the earlier ends as the later begins; where they begin
    together, one stays, the longest and loudest.

    Raises:
        MidiFileError: if the file is missing, damaged, cut short, or has no piano notes.
    """
    path = Path(path)
    score = parse_score(path)
    tracks = [track_notes(track) for track in score.tracks if not track.is_drum]
    columns = np.concatenate([np.zeros((4, 0), dtype=np.int64), *tracks], axis=1)
    on_keyboard = (columns[2] >= PITCH_LOWEST) & (columns[2] <= PITCH_HIGHEST)
    if not on_keyboard.any():
        found = "no notes between A0 and C8" if columns.shape[1] else "no notes outside drum tracks"
        raise MidiFileError(f"{path.name}: has {found}; choose a file with a melodic or piano track")
    tempos = _tempos(score)
    return MidiPerformance(
        notes=_notes(columns[:, on_keyboard], tempos, score.ticks_per_quarter),
        tempo=60e6 / tempos[0][1] if tempos else None,
        dropped=int(np.count_nonzero(~on_keyboard)),
    )


def read_tracks(path: Path) -> tuple[MidiTrack, ...]:
    """Read a MIDI file track by track, drums and pitches beyond the piano's included.

    The tempo map, the pedal and overlaps within a track are treated as in `read_midi`. A track that plays on
    several channels or programs is returned as one track for each. Drums get the
    channel of drums, the others the other channels in rotation.

    Raises:
        MidiFileError: if the file is missing, damaged, cut short, or has no notes.
    """
    path = Path(path)
    score = parse_score(path)
    tempos, per_beat = _tempos(score), score.ticks_per_quarter
    channels = itertools.cycle(channel for channel in range(_CHANNELS) if channel != DRUM_CHANNEL)
    tracks = tuple(
        MidiTrack(
            name=track.name,
            notes=_notes(track_notes(track), tempos, per_beat),
            program=track.program,
            channel=DRUM_CHANNEL if track.is_drum else next(channels),
        )
        for track in score.tracks
        if track.notes
    )
    if not tracks:
        raise MidiFileError(f"{path.name}: has no notes; choose a file with some")
    return tracks


def read_tempos(path: Path) -> list[tuple[int, int]]:
    """Return the tempos of a MIDI file: tick and microseconds of a quarter of each change.

    Raises:
        MidiFileError: if the file is missing, damaged or cut short.
    """
    return _tempos(parse_score(path))


def check_length(path: Path, notes: Sequence[Note]) -> None:
    """Refuse a file longer than two hours: a damaged one, or one of absurd tempo, may last years.

    Raises:
        MidiFileError: if it is longer.
    """
    end = max((note.offset for note in notes), default=0.0)
    if end > LONGEST_SECONDS:
        raise MidiFileError(
            f"{path.name}: lasts {end / 3600:.1f} hours; cut it to two at most, or mend its tempo"
        )


def write_midi(path: Path, tracks: Sequence[MidiTrack], tempo: float | TempoMap = 120.0) -> None:
    """Write tracks as a MIDI file (format 1, 480 ticks per beat), whole or not at all.

    Args:
        path: The file; its folder must exist. A file already there is replaced.
        tracks: Overlapping notes of one pitch are cut as `read_midi` cuts them; velocities are clamped to
            between 1 and 127.
        tempo: Beats per minute that the file states, `SLOWEST_TEMPO` to `FASTEST_TEMPO`, or the whole map of
            its beats. Times in seconds do not depend on it.

    Raises:
        MidiFileError: if the file cannot be written.
        ValueError: if the tempo is outside its range or a note begins before 0.
    """
    path = Path(path)
    beats = tempo if isinstance(tempo, TempoMap) else TempoMap.of_tempo(tempo)
    file = mido.MidiFile(type=1, ticks_per_beat=TICKS_PER_BEAT, charset="utf-8")
    file.tracks.append(_conductor(beats))
    file.tracks.extend(_messages(track, beats) for track in tracks)
    buffer = io.BytesIO()
    file.save(file=buffer)
    try:
        with whole_file(path) as partial:
            partial.write_bytes(buffer.getvalue())
    except OSError as error:
        raise MidiFileError(
            f"{path.name}: cannot be written ({error.strerror}); check that {path.parent} exists, "
            "is writable and has space"
        ) from error


def _read_bytes(path: Path, most: int) -> bytes:
    try:
        return read_regular(path, most)
    except FileNotFoundError:
        raise MidiFileError(f"{path.name}: no such file in {path.parent}; check the path") from None
    except OSError as error:
        raise MidiFileError(
            f"{path.name}: cannot be read ({error.strerror}); check that it is a file you may read"
        ) from error


def parse_score(path: Path, most: int = LARGEST_FILE) -> ScoreTick:
    """Return the score of a MIDI file of `most` bytes, in ticks.

    Raises:
        MidiFileError: if the file is missing, larger, damaged or cut short.
    """
    data = _read_bytes(path, most)
    problem = _structure_problem(data)
    if problem is None:
        try:
            return ScoreTick.from_midi(data)
        except Exception as error:  # a native parser raises errors of many kinds
            problem = f"is damaged ({str(error).splitlines()[0].removesuffix(': iostream error')})"
    raise MidiFileError(f"{path.name}: {problem}; export it again as a standard MIDI file")


def _structure_problem(data: bytes) -> str | None:
    """Return the fault in the chunks of a MIDI file, which parsers may ignore; None if there is none."""
    if not data:
        return "is empty"
    if data[:4] != b"MThd":
        return "is not a MIDI file"
    if len(data) < 14:
        return "is cut short in its header"
    if data[12] & 0x80:
        return "counts time in SMPTE frames instead of beats"
    if data[12:14] == b"\0\0":
        return "is damaged (no ticks per beat)"
    count = int.from_bytes(data[10:12], "big")
    position = 8 + int.from_bytes(data[4:8], "big")
    found = 0
    while found < count:
        end = position + 8 + int.from_bytes(data[position + 4 : position + 8], "big")
        if position + 8 > len(data) or end > len(data):
            return f"is cut short in track {found + 1} of {count}"
        found += data[position : position + 4] == b"MTrk"
        position = end
    return None


def _tempos(score: ScoreTick) -> list[tuple[int, int]]:
    return [(int(tempo.time), int(tempo.mspq)) for tempo in score.tempos if tempo.mspq > 0]


def _notes(columns: _Ticks, tempos: list[tuple[int, int]], ticks_per_beat: int) -> tuple[Note, ...]:
    """Return notes in seconds from columns as `track_notes` returns them, overlaps cut."""
    start, end, pitch, velocity = without_overlaps(columns)
    onset = _seconds(start, tempos, ticks_per_beat)
    duration = _seconds(end, tempos, ticks_per_beat) - onset
    rows = zip(onset.tolist(), duration.tolist(), pitch.tolist(), velocity.tolist(), strict=True)
    return tuple(Note(*row) for row in rows)


def track_notes(track: TrackTick) -> _Ticks:
    """Return start tick, end tick, pitch and velocity, shape (4, n), of a track with its pedal folded in."""
    notes = track.notes.numpy()
    start = notes["time"].astype(np.int64)
    end = start + np.maximum(notes["duration"].astype(np.int64), 1)
    controls = track.controls.numpy()
    pedal = controls["number"] == _SUSTAIN_PEDAL
    if len(start) and pedal.any():
        end = _held_by_pedal(end, controls["time"][pedal].astype(np.int64), controls["value"][pedal])
    return np.stack([start, end, notes["pitch"].astype(np.int64), notes["velocity"].astype(np.int64)])


def _held_by_pedal(end: _Ticks, time: _Ticks, value: NDArray[np.int8]) -> _Ticks:
    """Move the ends that fall while the pedal is down to where it comes up, or to the last event."""
    order = np.argsort(time, kind="stable")
    time, down = time[order], value[order] >= _PEDAL_DOWN
    last = max(int(end.max()), int(time[-1]))
    # The pedal's state just before an end is that of the last event before it.
    before = np.searchsorted(time, end, side="left") - 1
    held = (before >= 0) & down[before]
    ups = np.append(time[~down], last)
    return np.where(held, ups[np.searchsorted(time[~down], end, side="left")], end)


def without_overlaps(columns: _Ticks) -> _Ticks:
    """Cut overlapping notes of one pitch and merge those that begin together; sort by start, then pitch."""
    start, end, pitch, velocity = columns[:, np.lexsort((columns[0], columns[2]))]
    if not len(start):
        return columns
    first = np.flatnonzero(np.diff(start, prepend=-1) | np.diff(pitch, prepend=-1))
    end, velocity = np.maximum.reduceat(end, first), np.maximum.reduceat(velocity, first)
    start, pitch = start[first], pitch[first]
    following = np.where(pitch[1:] == pitch[:-1], start[1:], np.iinfo(np.int64).max)
    end[:-1] = np.minimum(end[:-1], following)
    order = np.lexsort((pitch, start))
    return np.stack([start, end, pitch, velocity])[:, order]


def _seconds(ticks: _Ticks, tempos: list[tuple[int, int]], ticks_per_beat: int) -> NDArray[np.float64]:
    """Convert ticks to seconds along a tempo map of (tick, microseconds per beat)."""
    changes = sorted([(0, _DEFAULT_MICROSECONDS_PER_BEAT), *tempos], key=lambda change: change[0])
    times = np.array([time for time, _ in changes])
    per_tick = np.array([value for _, value in changes]) / (ticks_per_beat * 1e6)
    reached = np.concatenate([[0.0], np.cumsum(np.diff(times) * per_tick[:-1])])
    segment = np.searchsorted(times, ticks, side="right") - 1
    return reached[segment] + (ticks - times[segment]) * per_tick[segment]


_MIDI_KEYS: Final = {"Dbm": "C#m", "Gbm": "F#m", "Cbm": "Bm", "A#": "Bb", "D#": "Eb", "G#": "Ab"} | {
    **{"E#": "F", "B#": "C", "Fb": "E", "E#m": "Fm", "B#m": "Cm", "Fbm": "Em"}
}
"""Keys that a MIDI file cannot name, and the same ones as it can."""


def _conductor(beats: TempoMap) -> mido.MidiTrack:
    """Return the first track: title, tempos, metres, keys and texts."""
    rows: list[tuple[int, int, mido.MetaMessage]] = []
    if beats.title:
        rows.append((0, 0, mido.MetaMessage("track_name", name=beats.title)))
    rows += [(tick, 1, mido.MetaMessage("set_tempo", tempo=length)) for tick, length in beats.tempos]
    for beat, per_bar in beats.metres:
        message = mido.MetaMessage("time_signature", numerator=per_bar, denominator=4)
        rows.append((round(beat * TICKS_PER_BEAT), 2, message))
    for beat, key in beats.keys:
        message = mido.MetaMessage("key_signature", key=_MIDI_KEYS.get(key, key))
        rows.append((round(beat * TICKS_PER_BEAT), 3, message))
    for text in beats.texts:
        message = mido.MetaMessage(text.kind, text=text.text)
        rows.append((round(text.beat * TICKS_PER_BEAT), 4, message))
    track, now = mido.MidiTrack(), 0
    for tick, _, message in sorted(rows, key=lambda row: row[:2]):
        track.append(message.copy(time=tick - now))
        now = tick
    return track


def _messages(track: MidiTrack, beats: TempoMap) -> mido.MidiTrack:
    """Return a track's messages; at one tick, note-offs come before note-ons."""
    if any(note.onset < 0 for note in track.notes):
        raise ValueError(f"track {track.name!r} has a note before time 0")
    starts = beats.ticks([note.onset for note in track.notes]).tolist()
    ends = beats.ticks([note.offset for note in track.notes]).tolist()
    rows = [
        (start, max(end, start + 1), note.pitch, min(max(note.velocity, 1), 127))
        for start, end, note in zip(starts, ends, track.notes, strict=True)
    ]
    columns = without_overlaps(np.array(rows, dtype=np.int64).reshape(-1, 4).T)
    events = [
        event
        for start, end, pitch, velocity in columns.T.tolist()
        for event in ((start, 1, pitch, velocity), (end, 0, pitch, 0))
    ]
    messages = mido.MidiTrack(
        [
            mido.MetaMessage("track_name", name=track.name, time=0),
            mido.Message("program_change", channel=track.channel, program=track.program, time=0),
        ]
    )
    now = 0
    for tick, is_on, pitch, velocity in sorted(events):
        kind = "note_on" if is_on else "note_off"
        messages.append(
            mido.Message(kind, channel=track.channel, note=pitch, velocity=velocity, time=tick - now)
        )
        now = tick
    return messages
