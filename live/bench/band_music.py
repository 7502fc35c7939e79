"""Figures of the band's music over charts: its lines, voicings and ranges, and what it does when it hears."""

from collections.abc import Iterable, Sequence
from itertools import pairwise
from time import thread_time_ns
from typing import Final

from tatumflow.engine.band.band import Band
from tatumflow.engine.band.band_note import RANGES, BandNote
from tatumflow.engine.band.band_style import BandStyle
from tatumflow.engine.band.form import BandBar, Form
from tatumflow.engine.band.heard import NOTHING, Heard
from tatumflow.engine.band.voicings import movement
from tatumflow.engine.harmony.chart import NAMED_CHARTS, Chart, named_chart
from tatumflow.engine.harmony.chords import ROOT_NAMES
from tatumflow.live.bench.report import Figure, Target

TEMPOS: Final = {"ballad": 64.0, "up-tempo": 260.0, "bossa": 132.0, "two-feel": 120.0, "12/8 blues": 92.0}
"""Beats per minute at which each style is played; the others at 150."""

_TEMPO: Final = 150.0
_FEWEST_BARS: Final = 16
_STEP: Final = 2
_FIFTH: Final = 7

CROWDED: Final = Heard(density=1.5, loudness=80.0, crowding=1.0, silence=0.1)
GAP: Final = Heard(density=1.0, loudness=70.0, crowding=0.0, silence=1.5)
QUIET: Final = Heard(density=0.5, loudness=48.0, crowding=0.0, silence=0.2)
WILD: Final = Heard(density=4.0, loudness=108.0, crowding=0.0, silence=0.1)

Bars = Sequence[tuple[BandBar, BandBar | None]]


def built_in_charts() -> list[Chart]:
    """Return the built-in charts in all keys."""
    return [named_chart(f"{name} in {key}") for name in NAMED_CHARTS for key in ROOT_NAMES]


def bars_of(chart: Chart) -> Bars:
    """Return the bars of whole choruses, at least sixteen bars, with their followers, and the last chord."""
    choruses = -(-_FEWEST_BARS // len(chart.bars))
    form = Form(chart, last=choruses * len(chart.bars))
    bars = [bar for number in range(choruses * len(chart.bars) + 1) if (bar := form.bar(number)) is not None]
    return list(zip(bars, [*bars[1:], None], strict=True))


def played(band: Band, bars: Bars, tempo: float, heard: Heard = NOTHING) -> list[BandNote]:
    """Return what a band plays over bars."""
    return [note for bar, after in bars for note in band.bar(bar, after, tempo, heard)]


def style_figures(style: BandStyle, charts: Iterable[Chart], seed: int = 0) -> list[Figure]:
    """Return the figures of one style over charts."""
    tempo = TEMPOS.get(style.name, _TEMPO)
    strong: list[bool] = []
    leading: list[bool] = []
    moves: list[float] = []
    outside: list[bool] = []
    costs: list[float] = []
    counts = {name: [0, 0] for name in ("alone", "crowded", "gap", "quiet", "wild")}
    for number, chart in enumerate(charts):
        bars = bars_of(chart)
        began = thread_time_ns()
        notes = played(Band(style, seed + number), bars, tempo)
        costs.append((thread_time_ns() - began) / 1e6 / len(bars))
        outside += [not RANGES[n.part][0] <= n.pitch <= RANGES[n.part][1] for n in notes]
        strong += _strong_tones(notes, bars)
        leading += _leads(notes, bars)
        moves += _moves(notes)
        for name, heard in zip(counts, (NOTHING, CROWDED, GAP, QUIET, WILD), strict=True):
            heard_notes = (
                notes if heard is NOTHING else played(Band(style, seed + number), bars, tempo, heard)
            )
            counts[name][0] += len({n.beat for n in heard_notes if n.part == "comping"})
            counts[name][1] += sum(n.velocity for n in heard_notes if n.part == "drums")
    comping, drums = ({name: max(c[i], 1) for name, c in counts.items()} for i in (0, 1))
    name = style.name.replace(" ", "_").replace("/", "_")
    return [
        Figure.of(f"{name}_bass_chord_tones_on_1_and_3", "share", strong, Target(least_mean=0.85)),
        Figure.of(f"{name}_bass_leads_between", "share", leading or [1.0], Target(least_mean=0.85)),
        Figure.of(f"{name}_voices_move", "semitones", moves, _MEAN_MOVE),
        Figure.of(f"{name}_outside_range", "share", outside, Target(max=0.0)),
        Figure.of(
            f"{name}_comping_beside_pianist",
            "ratio",
            [comping["crowded"] / comping["alone"]],
            Target(max=0.7),
        ),
        Figure.of(
            f"{name}_comping_in_gaps", "ratio", [comping["gap"] / comping["alone"]], Target(least_mean=1.1)
        ),
        Figure.of(
            f"{name}_drums_wild_to_quiet", "ratio", [drums["wild"] / drums["quiet"]], Target(least_mean=1.1)
        ),
        Figure.of(f"{name}_bar", "ms", costs, Target()),
    ]


_MEAN_MOVE: Final = Target(p50=3.0)


def _strong_tones(notes: Sequence[BandNote], bars: Bars) -> list[bool]:
    """Return of each bass note on beats 1 and 3, or 1 of other metres, whether it is a chord tone."""
    found: list[bool] = []
    starts = {bar.start: bar for bar, _ in bars}
    for note in notes:
        bar = _bar_of(note, starts)
        place = note.beat - bar.start
        if note.part == "bass" and place in ((0, 2) if bar.beats == 4 else (0,)):
            chord = bar.chord_at(place)
            tones = set() if chord is None else {*chord.pitch_classes, chord.bass}
            found.append(note.pitch % 12 in tones)
    return found


def _leads(notes: Sequence[BandNote], bars: Bars) -> list[bool]:
    """Return of each bass note between whether it is a chord tone, or a step or a fifth from the next."""
    starts = {bar.start: bar for bar, _ in bars}
    bass = [note for note in notes if note.part == "bass"]
    found: list[bool] = []
    for note, following in pairwise(bass):
        bar = _bar_of(note, starts)
        place = note.beat - bar.start
        if place == 0 or (bar.beats == 4 and place == 2):
            continue
        chord = bar.chord_at(place)
        tone = chord is not None and note.pitch % 12 in chord.pitch_classes
        move = abs(following.pitch - note.pitch)
        found.append(tone or move <= _STEP or (note.pitch - following.pitch) % 12 == _FIFTH)
    return found


def _moves(notes: Sequence[BandNote]) -> list[float]:
    """Return the mean movement of the voices from each voicing to the next, in semitones."""
    chords: dict[float, list[int]] = {}
    for note in notes:
        if note.part == "comping":
            chords.setdefault(note.beat, []).append(note.pitch)
    voicings = [sorted(chords[beat]) for beat in sorted(chords)]
    return [movement(before, after) for before, after in pairwise(voicings)]


def _bar_of(note: BandNote, starts: dict[int, BandBar]) -> BandBar:
    beat = int(note.beat // 1)
    while beat not in starts:
        beat -= 1
    return starts[beat]
