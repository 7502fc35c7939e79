"""Features of a line over a chart: its beat, its chord tones, and its bebop vocabulary."""

from typing import Final

import numpy as np

from tatumflow.engine.harmony.chords import CHORD_TONES
from tatumflow.engine.harmony.scales import SCALES
from tatumflow.engine.takes.passage import Floats, Ints, Passage

LINE_FEATURES: Final = (
    "half_beats",
    "beat_lost",
    "beat_lost_in_context",
    "off_beats",
    "notes_a_beat",
    "half_beat_intervals",
    "chord_tones",
    "chord_tones_on_beats",
    "passing_tones",
    "enclosures",
)
"""The features in order; all are 0 without a chart.

Concentration of the take's onsets on half beats, 0 to 1; by how much it, and that of the last onsets, falls
short of a line in time, so that one that has lost the beat tells, and one that swings is not made straight;
where in the beat the second of two eighths falls; onsets a beat, in logs; share of intervals of about half a
beat; shares of chord tones, and of them on beats; of chromatic passing tones and of enclosed chord tones."""

_IN_TIME: Final = 0.35
_OFF_BEATS: Final = (0.4, 0.8)
_STRAIGHT: Final = 0.55

_NEAR_BEAT: Final = 0.2
_EIGHTH: Final = (0.3, 0.7)
_HALF_BEATS: Final = 4j * np.pi
_CONTEXT_ONSETS: Final = 32
_CONNECTED: Final = 1.0
_OCTAVE: Final = 12
_WHOLE_TONE: Final = 2


def line_features(passage: Passage) -> list[float]:
    """Return the features as `LINE_FEATURES`."""
    chart, onsets = passage.context.chart, passage.own
    if chart is None:
        return [0.0] * len(LINE_FEATURES)
    near = onsets + _CONTEXT_ONSETS
    times, pitch = passage.seconds[-near:].tolist(), passage.top[-near:]
    beat = np.array([chart.beats.beat(time) for time in times])
    chord = np.array([chart.chord_id_at(time) for time in times[-onsets - 2 :]], np.int64)
    turning = np.exp(_HALF_BEATS * beat)
    own = beat[-onsets:]
    gaps = np.diff(beat[-onsets - 1 :])
    tones = CHORD_TONES[chord[-onsets:], pitch[-onsets:] % _OCTAVE]
    struck = np.abs(own - np.round(own)) <= _NEAR_BEAT
    phase = own % 1.0
    off = phase[(phase >= _OFF_BEATS[0]) & (phase < _OFF_BEATS[1])]
    gathered = float(abs(turning[-onsets:].mean()))
    return [
        gathered,
        max(_IN_TIME - gathered, 0.0),
        max(_IN_TIME - float(abs(turning[-_CONTEXT_ONSETS:].mean())), 0.0),
        float(off.mean()) if len(off) else _STRAIGHT,
        float(np.log(max(len(gaps), 1) / max(float(gaps.sum()), 0.1))),
        float(((gaps > _EIGHTH[0]) & (gaps < _EIGHTH[1])).mean()) if len(gaps) else 0.0,
        float(tones.mean()),
        float(tones[struck].mean()) if struck.any() else 0.5,
        *_vocabulary(beat[-onsets - 2 :], pitch[-onsets - 2 :], chord),
    ]


def _vocabulary(beat: Floats, pitch: Ints, chord: Ints) -> tuple[float, float]:
    """Return the shares of notes that are chromatic passing tones and enclosed chord tones."""
    if len(pitch) < 3:
        return 0.0, 0.0
    gaps, step, classes = np.diff(beat), np.diff(pitch), pitch % _OCTAVE
    connected = (gaps[:-1] <= _CONNECTED) & (gaps[1:] <= _CONNECTED)
    through = connected & (np.abs(step[:-1]) == 1) & (step[:-1] == step[1:])
    middle, over = classes[1:-1], chord[1:-1]
    scale = SCALES[over, (middle - 1) % _OCTAVE] & SCALES[over, (middle + 1) % _OCTAVE]
    passing = through & ~SCALES[over, middle] & scale
    low = np.minimum(pitch[:-2], pitch[1:-1]) - pitch[2:]
    high = np.maximum(pitch[:-2], pitch[1:-1]) - pitch[2:]
    around = connected & (low == -1) & (high >= 1) & (high <= _WHOLE_TONE)
    enclosed = around & CHORD_TONES[chord[2:], classes[2:]]
    return float(passing.sum()) / len(pitch), float(enclosed.sum()) / len(pitch)
