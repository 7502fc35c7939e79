"""The engine's band over the beats of a recording."""

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Final

import numpy as np

from tatumflow.engine.band.band import Band
from tatumflow.engine.band.band_note import BandNote
from tatumflow.engine.band.band_style import BandStyle
from tatumflow.engine.band.form import CHORUS, NOTHING, SECTION, BandBar
from tatumflow.engine.band.styles import STYLES, style_for
from tatumflow.engine.harmony.chart import ChordChange
from tatumflow.training.data.corpora.wjazzd_beats import Beat
from tatumflow.training.separation.quartet.beat_notes import bars_of, beat_lengths

_SECTION_BARS: Final = 8
_TWO_FEEL_SHARE: Final = 0.15


def accompaniment(beats: Sequence[Beat], rng: np.random.Generator) -> list[BandNote]:
    """Return what a band plays over beats, a note's beat being the number of a beat and its fraction.

    Beats without a chord have neither bass nor comping.

    Args:
        beats: At least two.
        rng: Random generator of the band's habits and choices.
    """
    bars = band_bars(beats)
    lengths = beat_lengths(beats)
    tempos = [60 / float(np.mean(lengths[bar.start : bar.start + bar.beats])) for bar in bars]
    usual = max(bar.beats for bar in bars)
    band = Band(draw_style(usual, float(np.median(tempos)), rng), int(rng.integers(2**31)))
    notes: list[BandNote] = []
    for bar, after, tempo in zip(bars, [*bars[1:], None], tempos, strict=True):
        notes += band.bar(bar, after, tempo)
    return notes


def draw_style(beats_per_bar: int, tempo: float, rng: np.random.Generator) -> BandStyle:
    """Draw a band: a style that fits metre and tempo, and the habits of its players."""
    style = style_for("", beats_per_bar, tempo)
    if style.name == "swing" and rng.random() < _TWO_FEEL_SHARE:
        style = STYLES["two-feel"]
    return replace(
        style,
        skips=style.skips * float(rng.uniform(0.0, 2.0)),
        activity=style.activity * float(rng.uniform(0.7, 1.5)),
        shells=float(rng.uniform(0.0, 0.7)),
        chatter=style.chatter * float(rng.uniform(0.3, 1.8)),
        fills=float(rng.uniform(0.2, 1.0)),
        loudness=int(rng.integers(54, 72)),
    )


def band_bars(beats: Sequence[Beat]) -> list[BandBar]:
    """Return the bars of beats; a chorus begins where its number changes, a section every eight bars."""
    spans = list(bars_of(beats))
    choruses = [beats[span.start].chorus for span in spans]
    opens: list[int] = []
    since = 0
    for number, chorus in enumerate(choruses):
        begins = number > 0 and chorus != choruses[number - 1]
        since = 0 if begins or number == 0 else since + 1
        opens.append(CHORUS if begins else SECTION if since and since % _SECTION_BARS == 0 else NOTHING)
    return [
        BandBar(
            start=span.start,
            beats=len(span),
            chords=_changes(beats, span),
            opens=opens[number],
            closes=opens[number + 1] if number + 1 < len(spans) else CHORUS,
            number=number,
        )
        for number, span in enumerate(spans)
    ]


def _changes(beats: Sequence[Beat], span: range) -> tuple[ChordChange, ...]:
    """Return the chords of a bar."""
    return tuple(
        ChordChange(Fraction(number - span.start), beats[number].chord)
        for number in span
        if number == span.start or beats[number].chord != beats[number - 1].chord
    )
