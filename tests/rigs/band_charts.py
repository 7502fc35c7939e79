"""Charts for the tests of the band: the built-in ones in all keys, and random ones of any metre."""

from fractions import Fraction
from random import Random

from tatumflow.engine.harmony.chart import NAMED_CHARTS, Chart, ChordChange, Section, named_chart
from tatumflow.engine.harmony.chords import QUALITIES, ROOT_NAMES, Chord


def all_named() -> list[Chart]:
    return [named_chart(f"{name} in {key}") for name in NAMED_CHARTS for key in ROOT_NAMES]


def random_chart(seed: int, beats: int | None = None) -> Chart:
    """Return a chart of 4 to 24 bars with chords on any whole beat, slash chords and bars without a chord."""
    random = Random(seed)
    beats = beats or random.choice([4, 4, 4, 3, 3, 2, 5, 6, 7])
    count = random.choice([4, 8, 12, 16, 24])

    def chord() -> Chord | None:
        if random.random() < 0.03:
            return None
        bass = random.randrange(12) if random.random() < 0.06 else None
        root = random.randrange(12)
        return Chord(root, random.choice(QUALITIES), None if bass == root else bass)

    def bar() -> tuple[ChordChange, ...]:
        starts = [0, *sorted(random.sample(range(1, beats), random.choice([0, 0, 1, 1, min(3, beats - 1)])))]
        return tuple(ChordChange(Fraction(start), chord()) for start in starts)

    bars = tuple(bar() for _ in range(count))
    sections = tuple(Section("AB"[i % 2], i * 8) for i in range(count // 8)) if random.random() < 0.5 else ()
    return Chart(bars, beats, f"chart {seed}", sections)
