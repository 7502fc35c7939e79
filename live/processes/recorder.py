"""The session as a MIDI file, a track a player, with its beats and chords, saved as it goes."""

import tempfile
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Final, Literal

from tatumflow.engine.band.band_note import PARTS, Part
from tatumflow.engine.clock import Clock
from tatumflow.engine.errors import MidiFileError
from tatumflow.engine.midi.events import (
    SUSTAIN,
    ControlChange,
    HumanEvent,
    InputLost,
    NoteEvent,
    NoteOff,
    NoteOn,
)
from tatumflow.engine.midi.midi_file import MidiTrack, write_midi
from tatumflow.engine.midi.notes import Note
from tatumflow.engine.midi.tempo_map import TempoMap
from tatumflow.engine.tempo.time_in_force import TimeInForce
from tatumflow.live.notices import Notify
from tatumflow.live.processes.session_time import SessionTime, session_map

SAVE_SECONDS: Final = 30.0
"""Seconds from one save to the next, at the most; of a short session they are fewer."""

_SPARE_PREFIX: Final = "tatumflow-"
_SOONEST: Final = 2.0
_REST: Final = 100.0
_PEDAL_DOWN: Final = 64
_SHORTEST_SECONDS: Final = 0.001


def notes_of(events: Iterable[HumanEvent | NoteEvent], end: float) -> list[Note]:
    """Return the notes of a stream of events in order of time, the pedal folded into their durations.

    Notes still sounding are taken to end at `end` seconds.
    """
    notes: list[Note] = []
    keys: dict[tuple[int, int], NoteOn] = {}
    ringing: dict[tuple[int, int], NoteOn] = {}
    pedals: set[int] = set()

    def finish(note: NoteOn | None, time: float) -> None:
        if note is not None:
            notes.append(Note(note.time, max(time - note.time, _SHORTEST_SECONDS), note.pitch, note.velocity))

    for event in events:
        match event:
            case NoteOn():
                key = (event.channel, event.pitch)
                finish(keys.pop(key, None), event.time)
                finish(ringing.pop(key, None), event.time)
                keys[key] = event
            case NoteOff():
                key = (event.channel, event.pitch)
                if key not in keys:
                    continue
                if event.channel in pedals:
                    ringing[key] = keys.pop(key)
                else:
                    finish(keys.pop(key), event.time)
            case ControlChange(number=number) if number == SUSTAIN:
                if event.value >= _PEDAL_DOWN:
                    pedals.add(event.channel)
                    continue
                pedals.discard(event.channel)
                for key in [key for key in ringing if key[0] == event.channel]:
                    finish(ringing.pop(key), event.time)
            case InputLost():
                for note in (*keys.values(), *ringing.values()):
                    finish(note, event.time)
                keys.clear()
                ringing.clear()
                pedals.clear()
    for note in (*keys.values(), *ringing.values()):
        finish(note, end)
    return sorted(notes, key=lambda note: (note.onset, note.pitch))


def recording_path(folder: Path, moment: datetime) -> Path:
    """Return a file name not taken yet, made of the date and time."""
    return free_path(folder / f"{moment:%Y-%m-%d %H.%M.%S}.mid")


def free_path(path: Path) -> Path:
    """Return this path, or the first of "name 2", "name 3" and so on that does not exist."""
    candidate, number = path, 1
    while candidate.exists():
        number += 1
        candidate = path.with_stem(f"{path.stem} {number}")
    return candidate


class Recorder:
    """Keeps the notes of user, companion and band and writes them every few seconds and at the end.

    The whole file is written each time, so the longer that takes, the longer it waits: the time between saves
    is a hundred times what one costs, from 2 s up to `SAVE_SECONDS`.

    The beats, bars and chords of the file are those that held while it was played.

    `human`, `companion` and `band` only append to a queue, so that any thread may call them on the note path.

    Where its folder cannot be written to, the file goes to a folder of its own in the user's temporary one,
    until the first can be written again.

    Attributes:
        path: Where the file is at present.
    """

    def __init__(
        self,
        path: Path,
        clock: Clock,
        notify: Notify,
        band_tracks: Callable[[Mapping[Part, Sequence[Note]]], Sequence[MidiTrack]] = lambda notes: (),
    ) -> None:
        """Begin a recording; nothing is written until the first note.

        Args:
            path: The file, replaced at every save.
            clock: Time 0 of the file is now.
            notify: Takes one notice when the file cannot be written, with the place it goes to instead.
            band_tracks: Makes tracks of the notes of each part of the band that has any.
        """
        self.path = path
        self._belongs = path
        self._spare: Path | None = None
        self._clock = clock
        self._start = clock.now()
        self._notify = notify
        self._troubled: Literal["", "moved", "unsaved"] = ""
        self._human: deque[HumanEvent] = deque()
        self._companion: deque[NoteEvent] = deque()
        self._band: dict[Part, deque[NoteEvent]] = {part: deque() for part in PARTS}
        self._band_tracks = band_tracks
        self._time = SessionTime()
        self._saved_events = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._save_now_and_then, name="recorder", daemon=True)
        self._thread.start()

    def human(self, event: HumanEvent) -> None:
        """Take what the user plays."""
        self._human.append(event)

    def companion(self, event: NoteEvent) -> None:
        """Take what the companion sends."""
        self._companion.append(event)

    def band(self, part: Part, event: NoteEvent) -> None:
        """Take what a part of the band sends."""
        self._band[part].append(event)

    def time(self, now: float, time: TimeInForce) -> None:
        """Take the beat and the chart that hold at `now` seconds; from one thread, off the note path."""
        self._time.add(now, time)

    def save(self) -> bool:
        """Write the file if anything is new; return whether it holds everything played so far."""
        human, companion = list(self._human), list(self._companion)
        band: dict[Part, list[NoteEvent]] = {part: list(e) for part, e in self._band.items() if e}
        events = len(human) + len(companion) + sum(map(len, band.values()))
        if events == self._saved_events:
            return True
        now = self._clock.now()
        band_notes: dict[Part, list[Note]] = {
            part: self._shifted(notes_of(played, now)) for part, played in band.items()
        }
        tracks = [
            MidiTrack("You", self._shifted(notes_of(human, now)), channel=0),
            MidiTrack("TatumFlow", self._shifted(notes_of(companion, now)), channel=1),
            *self._band_tracks(band_notes),
        ]
        if any(track.notes for track in tracks) and not self._written(tracks, self._beats(tracks)):
            return False
        self._saved_events = events
        return True

    def close(self) -> str:
        """Save and stop.

        Returns:
            One line with what was lost, empty if nothing was.
        """
        self._stop.set()
        self._thread.join()
        if self.save():
            return ""
        kept = f"an earlier state is in {self.path}" if self.path.exists() else "nothing of it is kept"
        return f"the recording could not be saved, {kept}; free the disk, or set recording.folder"

    def _beats(self, tracks: list[MidiTrack]) -> TempoMap:
        """Return the beats up to the end of the last note; those of 120 a minute where there were none."""
        end = max(note.offset for track in tracks for note in track.notes)
        found = session_map(self._time.spans, self._start, self._start + end)
        return TempoMap() if found is None else found

    def _written(self, tracks: list[MidiTrack], beats: TempoMap) -> bool:
        """Write the file where it belongs, else to the temporary folder; return whether either could be."""
        try:
            self._write(self._belongs, tracks, beats)
        except (OSError, MidiFileError) as error:
            problem = str(error)
        else:
            self.path = self._belongs
            self._drop_spare()
            self._troubled = ""
            return True
        try:
            if self._spare is None:
                self._spare = Path(tempfile.mkdtemp(prefix=_SPARE_PREFIX)) / self._belongs.name
            self._write(self._spare, tracks, beats)
        except (OSError, MidiFileError):
            self._notify_once("unsaved", f"recording not saved: {problem}")
            return False
        self.path = self._spare
        self._notify_once("moved", f"recording not saved: {problem}; it is kept in {self._spare} instead")
        return True

    def _write(self, path: Path, tracks: list[MidiTrack], beats: TempoMap) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_midi(path, tracks, beats)

    def _drop_spare(self) -> None:
        if self._spare is not None:
            with suppress(OSError):
                self._spare.unlink(missing_ok=True)
                self._spare.parent.rmdir()
            self._spare = None

    def _notify_once(self, trouble: Literal["moved", "unsaved"], text: str) -> None:
        if trouble != self._troubled:
            self._troubled = trouble
            self._notify(text, "warning")

    def _shifted(self, notes: list[Note]) -> list[Note]:
        # A note stamped just before the recording began belongs to its first moment.
        return [Note(max(n.onset - self._start, 0.0), n.duration, n.pitch, n.velocity) for n in notes]

    def _save_now_and_then(self) -> None:
        wait = min(_SOONEST, SAVE_SECONDS)
        while not self._stop.wait(wait):
            began = time.thread_time()
            self.save()
            wait = min(max(_SOONEST, _REST * (time.thread_time() - began)), SAVE_SECONDS)
