"""Figures of a pitch tracker: F-measure, latency and cost on known notes."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from time import process_time
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tatumflow.engine.midi.events import NoteOff, NoteOn
from tatumflow.engine.midi.notes import Note
from tatumflow.engine.note_tracking.tracker import NoteTracker
from tatumflow.training.evaluate.bootstrap import COVERAGE, DRAWS, Interval
from tatumflow.training.separation.note_tracking.matching import Onsets, f1, match
from tatumflow.training.separation.note_tracking.recordings import NotedRecording

BLOCK_SECONDS: Final = 0.01
"""Seconds of sound in a call of a tracker."""


@dataclass(frozen=True)
class TrackedSolo:
    """Figures of one recording.

    Attributes:
        name: The recording's.
        instrument: Its instrument.
        notes: Number of played notes.
        onset_f1: F-measure by onset alone, 0 to 1.
        note_f1: F-measure by onset and pitch, 0 to 1.
        latencies: Seconds from the true onset of each matched note to its event, without computing time,
            (m,).
        velocity_correlation: Of played and transcribed velocities, -1 to 1; NaN of few notes.
        cpu: CPU seconds per second of sound, on one thread.
        seconds: Length.
    """

    name: str
    instrument: str
    notes: int
    onset_f1: float
    note_f1: float
    latencies: NDArray[np.float64]
    velocity_correlation: float
    cpu: float
    seconds: float


@dataclass(frozen=True)
class TrackingFigures:
    """Figures over all recordings.

    Attributes:
        solos: Figures of each recording.
        onset_f1: Median F-measure by onset alone, with its 95 % interval.
        note_f1: Median F-measure by onset and pitch.
        latency_p50: Median latency of all matched notes, in seconds.
        latency_p95: Their 95th percentile.
        cpu: CPU seconds per second of sound.
    """

    solos: tuple[TrackedSolo, ...]
    onset_f1: Interval
    note_f1: Interval
    latency_p50: float
    latency_p95: float
    cpu: float

    def plain(self) -> dict[str, Any]:
        """Return the figures as plain values."""
        return {
            "recordings": len(self.solos),
            "seconds": round(sum(solo.seconds for solo in self.solos), 1),
            "notes": sum(solo.notes for solo in self.solos),
            "onset_f1": _plain(self.onset_f1),
            "note_f1": _plain(self.note_f1),
            "latency_ms": {"p50": _milliseconds(self.latency_p50), "p95": _milliseconds(self.latency_p95)},
            "cpu_seconds_per_second": round(self.cpu, 4),
            "solos": [
                {
                    "name": solo.name,
                    "instrument": solo.instrument,
                    "notes": solo.notes,
                    "onset_f1": round(solo.onset_f1, 3),
                    "note_f1": round(solo.note_f1, 3),
                    "latency_p50_ms": _milliseconds(_percentile(solo.latencies, 50)),
                    "velocity_correlation": _known(solo.velocity_correlation),
                }
                for solo in self.solos
            ],
        }


def tracking_figures(
    tracker: NoteTracker, recordings: Iterable[NotedRecording], seconds: float
) -> TrackingFigures:
    """Transcribe the first seconds of recordings, at least one, and measure the notes.

    Raises:
        CorpusError: if a recording cannot be read.
    """
    solos = tuple(_track(tracker, recording, seconds) for recording in recordings)
    latencies = np.concatenate([solo.latencies for solo in solos])
    return TrackingFigures(
        solos=solos,
        onset_f1=median_interval([solo.onset_f1 for solo in solos]),
        note_f1=median_interval([solo.note_f1 for solo in solos]),
        latency_p50=_percentile(latencies, 50),
        latency_p95=_percentile(latencies, 95),
        cpu=sum(solo.cpu * solo.seconds for solo in solos) / max(sum(solo.seconds for solo in solos), 1e-9),
    )


def table(figures: TrackingFigures) -> Iterator[str]:
    """Write the figures as lines of text."""
    yield f"{'':<44}{'':<32}{'notes':>6}{'onset F1':>10}{'with pitch':>12}{'latency':>10}"
    for solo in figures.solos:
        latency = f"{1000 * _percentile(solo.latencies, 50):.0f} ms"
        yield (
            f"{solo.name[:43]:<44}{solo.instrument[:31]:<32}{solo.notes:>6}{solo.onset_f1:>10.3f}"
            f"{solo.note_f1:>12.3f}{latency:>10}"
        )
    for name, one in (("onset F1 at 50 ms", figures.onset_f1), ("with pitch", figures.note_f1)):
        yield f"{name}: median {one.value:.3f}, 95 % interval {one.low:.3f} to {one.high:.3f}"
    yield (
        f"latency from onset to event: median {1000 * figures.latency_p50:.0f} ms, "
        f"p95 {1000 * figures.latency_p95:.0f} ms"
    )
    yield f"CPU seconds per second of sound, one thread: {figures.cpu:.3f}"


def median_interval(values: ArrayLike, seed: int = 0) -> Interval:
    """Return the median of values (n,), n >= 1, with its percentile interval over resampled values."""
    known = np.asarray(values, dtype=np.float64)
    draws = np.random.default_rng(seed).integers(len(known), size=(DRAWS, len(known)))
    low, high = np.quantile(np.median(known[draws], axis=1), [(1 - COVERAGE) / 2, (1 + COVERAGE) / 2])
    return Interval(float(np.median(known)), float(low), float(high))


def _track(tracker: NoteTracker, recording: NotedRecording, seconds: float) -> TrackedSolo:
    samples = recording.read(tracker.rate, seconds)
    length = len(samples) / tracker.rate
    block = round(BLOCK_SECONDS * tracker.rate)
    notes: list[NoteOn] = []
    sent: list[float] = []
    begin = process_time()
    for first in range(0, len(samples), block):
        part = samples[first : first + block]
        begun = _begun(tracker.push(part, first / tracker.rate))
        notes += begun
        sent += [(first + len(part)) / tracker.rate] * len(begun)
    begun = _begun(tracker.finish(length))
    cpu = (process_time() - begin) / max(length, 1e-9)
    notes += begun
    sent += [np.nan] * len(begun)
    known = [note for note in recording.notes if note.onset < length]
    played = _onsets([note.onset for note in known], known)
    found = _onsets([note.time for note in notes], notes)
    pairs = match(played, found)
    hits = np.flatnonzero(pairs >= 0)
    latencies = np.array(sent)[pairs[hits]] - played.time[hits]
    onsets = int((match(played, found, by_pitch=False) >= 0).sum())
    return TrackedSolo(
        name=recording.name,
        instrument=recording.instrument,
        notes=len(known),
        onset_f1=f1(len(played), len(found), onsets),
        note_f1=f1(len(played), len(found), len(hits)),
        latencies=latencies[np.isfinite(latencies)],
        velocity_correlation=_correlation(
            [known[i].velocity for i in hits], [notes[pairs[i]].velocity for i in hits]
        ),
        cpu=cpu,
        seconds=length,
    )


def _begun(events: Sequence[NoteOn | NoteOff]) -> list[NoteOn]:
    return [event for event in events if isinstance(event, NoteOn)]


def _onsets(times: Sequence[float], notes: Sequence[Note] | Sequence[NoteOn]) -> Onsets:
    return Onsets(np.array(times, dtype=np.float64), np.array([note.pitch for note in notes], dtype=np.int64))


def _correlation(a: Sequence[int], b: Sequence[int]) -> float:
    if len(a) < 3 or len(set(a)) == 1 or len(set(b)) == 1:
        return float("nan")
    return float(np.corrcoef(a, b)[0, 1])


def _percentile(values: NDArray[np.float64], percent: float) -> float:
    return float(np.percentile(values, percent)) if len(values) else float("nan")


def _milliseconds(seconds: float) -> float | None:
    return None if np.isnan(seconds) else round(1000 * seconds, 1)


def _known(value: float) -> float | None:
    return None if np.isnan(value) else round(value, 3)


def _plain(interval: Interval) -> dict[str, float]:
    return {
        "median": round(interval.value, 4),
        "low": round(interval.low, 4),
        "high": round(interval.high, 4),
    }
