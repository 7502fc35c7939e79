"""Left-hand accompaniments from a lead sheet, as training data.

The Weimar Jazz Database has horn lines, but the estimator reads solo piano. So it is also trained on the
database's melodies over random jazz-piano accompaniments: stride, shells, rootless and full voicings (Levine,
"The Jazz Piano Book", 1989).
"""

from typing import Final, Literal

import numpy as np

from tatumflow.engine.harmony.chords import Chord, Quality
from tatumflow.training.data.corpora.annotated_solo import AnnotatedSolo, Line

Style = Literal["stride", "shells", "rootless", "full"]
STYLES: Final[tuple[Style, ...]] = ("stride", "shells", "rootless", "full")

_TONES: Final[dict[Quality, tuple[tuple[int, ...], tuple[int, ...]]]] = {
    "maj7": ((0, 4, 7, 11), (9, 2, 6)),
    "7": ((0, 4, 7, 10), (9, 2, 1, 3, 8, 6)),
    "m7": ((0, 3, 7, 10), (2, 5, 9)),
    "m7b5": ((0, 3, 6, 10), (2, 5, 8)),
    "dim7": ((0, 3, 6, 9), (11, 2)),
    "m6": ((0, 3, 7, 9), (11, 2)),
    "7sus4": ((0, 5, 7, 10), (2, 9)),
    "aug": ((0, 4, 8), (2, 10)),
}
"""Intervals above the root: chord tones, then tensions."""

_SIXTHS: Final = 0.4
"""Probability that a major chord has its sixth instead of its seventh."""

_TRIADS: Final = 0.1
_OFFBEATS: Final = (0.0, 0.0, 0.0, 0.6, -0.35)
"""Onsets of a chord in beats after its own beat: three in five on it."""

_LENGTHS: Final = (0.3, 0.6, 1.0, 2.0, 3.0)


def accompany(solo: AnnotatedSolo, style: Style, rng: np.random.Generator) -> Line:
    """Play the chords of a solo in a style, drawn from `rng`; beats without a chord are left out."""
    center = int(rng.integers(52, 60))
    lengths = np.diff(solo.beats, append=solo.beats[-1:] + 0.4)
    changes = np.diff(solo.chords, prepend=-1) != 0
    rows: list[tuple[float, float, int]] = []
    since = 0
    for beat, length, number, changed in zip(
        solo.beats.tolist(), lengths.tolist(), solo.chords.tolist(), changes.tolist(), strict=True
    ):
        since = 0 if changed else since + 1
        chord = Chord.from_id(number)
        if chord is None:
            continue
        tones, colors = _TONES[chord.quality]
        if style == "stride" and since % 2 == 0:
            rows += _low(beat, length, chord.root, tones[2], since, rng)
        elif style == "stride" or (since == 0 and rng.random() < 0.9) or rng.random() < 0.25:
            rows += _struck(
                beat, length, chord.root, _voicing(style, chord.quality, tones, colors, rng), center, rng
            )
    columns = np.array(sorted(rows), dtype=np.float64).reshape(-1, 3)
    return Line(columns[:, 0], columns[:, 1], columns[:, 2].astype(np.int64))


def _low(
    beat: float, length: float, root: int, fifth: int, since: int, rng: np.random.Generator
) -> list[tuple[float, float, int]]:
    """Play the bass of a stride: the root, or on every second bass note also the fifth; sometimes a tenth."""
    tone = root if since % 4 == 0 or rng.random() < 0.5 else root + fifth
    pitch = 36 + (tone - 36) % 12
    rows = [(beat, length * rng.uniform(0.4, 1.6), pitch)]
    if rng.random() < 0.3:
        rows.append((beat, length * 0.8, pitch + int(rng.choice([10, 12]))))
    return rows


def _voicing(
    style: Style,
    quality: Quality,
    tones: tuple[int, ...],
    colors: tuple[int, ...],
    rng: np.random.Generator,
) -> set[int]:
    """Draw the intervals above the root to strike."""
    if style == "shells":
        voicing = {tones[1], tones[-1], *([0] if rng.random() < 0.5 else [])}
    elif style == "rootless":
        picked = rng.choice(colors, size=min(2, len(colors)), replace=False).tolist()
        voicing = {tones[1], tones[-1], *picked} if rng.random() < 0.8 else set(tones[1:])
        voicing |= {tones[2]} if rng.random() < 0.5 else set()
    else:
        voicing = {*tones, *(colors[:1] if rng.random() < 0.3 else ())}
    if quality == "maj7" and rng.random() < _SIXTHS:
        voicing = {9 if tone == 11 else tone for tone in voicing}
    return set(tones[:3]) if rng.random() < _TRIADS else voicing


def _struck(
    beat: float, length: float, root: int, voicing: set[int], center: int, rng: np.random.Generator
) -> list[tuple[float, float, int]]:
    onset = beat + length * float(rng.choice(_OFFBEATS))
    lasting = length * float(rng.choice(_LENGTHS))
    low = center - 6
    return [
        (
            onset + rng.normal(0, 0.01),
            lasting,
            low + (root + tone - low) % 12 + (12 if rng.random() < 0.1 else 0),
        )
        for tone in sorted(voicing)
        if rng.random() < 0.9
    ]
