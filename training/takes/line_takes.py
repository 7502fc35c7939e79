"""Takes of lines over the charts of Weimar's solos, beside what the soloist played there.

In turn the companion begins alone, after four bars of the solo, and after four bars of chords, as in a jam.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Literal

import numpy as np

from tatumflow.engine.controls import Controls
from tatumflow.engine.midi.notes import Note
from tatumflow.engine.takes.line_features import LINE_FEATURES
from tatumflow.engine.tempo.chart_clock import ChartClock
from tatumflow.training.evaluate.generations import Performer, seed_of, to_array
from tatumflow.training.evaluate.parts.bebop_tunes import TuneSolo, solos_of
from tatumflow.training.takes.recorded_takes import Floats, played_features

LINE_FEATURE_NAMES: Final = (
    *("repeated_steps", "repeated_contours", "repeated_rhythms", "commonest_cell"),
    *("pace_squared", "rhythm_entropy", "rhythm_change", "longest_interval"),
    *("short_intervals", "eighths", "quarters", "long_intervals"),
    *("top_repeats", "top_semitones", "top_tones", "top_thirds", "top_fifths", "top_leaps", "turns"),
    *("register_squared", "range", "note_length_spread", "rests"),
    *LINE_FEATURES,
)
"""The features by which takes of lines are chosen. Weimar's solos have no velocities; the key is the
chart's."""

LINE_GAINS: Final[dict[str, float]] = dict.fromkeys(("beat_lost", "beat_lost_in_context"), 4.0)
"""By how much more than their distance from soloists lines are moved toward the beat: after chords, a third
of the beginnings, they hardly have one, and elsewhere they have the soloists' already."""

SOLOISTS: Final = (
    *("charlie-parker", "sonny-stitt", "clifford-brown", "dexter-gordon", "sonny-rollins"),
    *("dizzy-gillespie", "fats-navarro", "phil-woods", "cannonball-adderley", "stan-getz"),
    *("lee-konitz", "art-pepper", "kenny-dorham", "hank-mobley", "john-coltrane", "lester-young"),
)
"""Players whose solos are learned from, Parker's as many times as all others' together."""

TEMPOS: Final = (120.0, 260.0)
"""Tempos of the solos in beats a minute."""

BARS: Final = 4
"""Bars before the companion's first note, unless it begins alone."""

TAKE_SECONDS: Final = 25.0
"""Seconds that it plays."""

CONTROLS: Final = Controls(style_strength=1.0, guidance=0.5, pocket=2.5, density=-0.1, max_polyphony=1)
"""How it plays: as in the preset bird."""

_SOLO_SECONDS: Final = 60.0
_BEATS: Final = 4
_VELOCITY: Final = 80
_CHORD_BEATS: Final = 1.8
_BASS: Final = 48
_OCTAVE: Final = 12

Beginning = Literal["alone", "line", "chords"]
BEGINNINGS: Final[tuple[Beginning, ...]] = ("alone", "line", "chords")


@dataclass(frozen=True)
class ChartedSolo:
    """A solo on the even beats of its chart.

    Attributes:
        player: Slug of the soloist.
        solo: The solo, and its tune.
        notes: Its notes in seconds from the first beat of the form.
    """

    player: str
    solo: TuneSolo
    notes: tuple[Note, ...]


def charted_solos(source: Path, held_out: frozenset[str]) -> tuple[ChartedSolo, ...]:
    """Return solos in 4/4 of `SOLOISTS` at `TEMPOS`, but for those held out, Parker's and others in turn.

    Raises:
        CorpusError: if the database cannot be read.
    """
    found = [
        ChartedSolo(player, solo, _on_the_chart(solo))
        for player in SOLOISTS
        for solo in solos_of(source, player, _SOLO_SECONDS)
        if TEMPOS[0] <= solo.tempo <= TEMPOS[1]
        and solo.chart.beats_per_bar == _BEATS
        and solo.name not in held_out
    ]
    first = [solo for solo in found if solo.player == SOLOISTS[0]]
    others = [solo for solo in found if solo.player != SOLOISTS[0]]
    if not first:
        return tuple(others)
    pairs = [(first[i % len(first)], solo) for i, solo in enumerate(others)]
    return tuple(solo for pair in pairs for solo in pair)


def play_line(performer: Performer, charted: ChartedSolo, takes: int, seed: int, index: int) -> list[Floats]:
    """Improvise over a solo's chart in the soloist's style; return the features of the solo's notes there."""
    solo, beginning = charted.solo, BEGINNINGS[index // 2 % len(BEGINNINGS)]
    controls = replace(
        CONTROLS,
        style=performer.style_of(charted.player),
        takes=takes,
        chords=solo.chart.text,
        tempo=solo.tempo,
    )
    start = 0.0 if beginning == "alone" else BARS * _BEATS * 60.0 / solo.tempo
    before = _before(charted, beginning, start)
    performer.over_chart(to_array(before), start, TAKE_SECONDS, controls, seed_of(seed, index))
    after = [note for note in charted.notes if start <= note.onset < start + TAKE_SECONDS]
    return played_features(before, after, ChartClock(solo.chart, solo.tempo, 0.0))


def _before(charted: ChartedSolo, beginning: Beginning, start: float) -> Sequence[Note]:
    if beginning == "alone":
        return ()
    if beginning == "line":
        line = [note for note in charted.notes if note.onset < start - 0.5 * 60.0 / charted.solo.tempo]
        return line or _chords(charted.solo)
    return _chords(charted.solo)


def _chords(solo: TuneSolo) -> list[Note]:
    """Return the chords of the first bars, in close position over their root."""
    beat, notes = 60.0 / solo.tempo, list[Note]()
    for bar in range(BARS):
        for change in solo.chart.bars[bar % len(solo.chart.bars)]:
            if change.chord is None:
                continue
            onset, root = (bar * _BEATS + float(change.beat)) * beat, _BASS + change.chord.root
            tones = [root + (tone - change.chord.root) % _OCTAVE for tone in change.chord.pitch_classes]
            pitches = sorted({root - _OCTAVE, *tones})
            notes += [Note(onset, _CHORD_BEATS * beat, pitch, _VELOCITY) for pitch in pitches]
    return notes


def _on_the_chart(solo: TuneSolo) -> tuple[Note, ...]:
    beats, notes = solo.harmony.beats, solo.notes
    inside = notes[(notes["onset"] >= beats[0]) & (notes["onset"] < beats[-1])]
    place = np.interp(inside["onset"].astype(np.float64), beats, np.arange(len(beats)))
    return tuple(
        Note(float(onset), float(duration), int(pitch), _VELOCITY)
        for onset, duration, pitch in zip(
            place * 60.0 / solo.tempo, inside["duration"], inside["pitch"], strict=True
        )
    )
