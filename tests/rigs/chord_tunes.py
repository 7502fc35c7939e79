"""Chords in turn as notes, for the tests of the chord estimators."""

from collections.abc import Sequence

from tatumflow.engine.harmony.chords import chord_id, parse_chord

Rows = list[tuple[float, float, int]]
"""Onset and duration in seconds, pitch."""


def played(symbols: Sequence[str], seconds: float = 2.0) -> Rows:
    """Return each chord in turn: its root in the bass, struck twice, its tones in close position above."""
    rows: Rows = []
    for i, symbol in enumerate(symbols):
        chord = parse_chord(symbol)
        assert chord is not None
        for half in range(2):
            start = seconds * (i + half / 2)
            rows.append((start, seconds / 2, 36 + chord.root))
            rows += [(start, seconds / 2, 54 + (p - 54) % 12) for p in sorted(chord.pitch_classes)]
    return rows


def ids(symbols: Sequence[str]) -> list[int]:
    return [chord_id(parse_chord(symbol)) for symbol in symbols]
