"""Charts through text and links, and links that are broken."""

import random
from fractions import Fraction

from hypothesis import given, settings
from hypothesis import strategies as st

from tatumflow.engine.errors import ChartError
from tatumflow.engine.harmony.chart import NAMED_CHARTS, Bar, Chart, ChordChange, Section, named_chart
from tatumflow.engine.harmony.chords import QUALITIES, Chord
from tatumflow.live.book.check import broken, survives_link, survives_text, try_broken_links
from tatumflow.live.book.files import read_ireal
from tatumflow.live.book.ireal_chords import QUALITIES as IREAL_QUALITIES
from tatumflow.live.book.ireal_chords import ireal_quality
from tatumflow.live.book.ireal_writer import ireal_link
from tatumflow.live.book.symbols import read_symbol

basses = st.none() | st.integers(0, 11)
chords = st.none() | st.builds(
    lambda root, quality, bass: Chord(root, quality, None if bass == root else bass),
    st.integers(0, 11),
    st.sampled_from(QUALITIES),
    basses,
)


@st.composite
def bars(draw: st.DrawFn, beats: int) -> Bar:
    parts = draw(st.sampled_from([1, 1, 1, 2, 3]))
    places = draw(st.sets(st.integers(1, beats * parts - 1), max_size=4)) if beats * parts > 1 else set[int]()
    return tuple(ChordChange(Fraction(place, parts), draw(chords)) for place in sorted({0} | places))


@st.composite
def charts(draw: st.DrawFn) -> Chart:
    beats = draw(st.integers(1, 12))
    written = tuple(draw(st.lists(bars(beats), min_size=1, max_size=8)))
    starts = sorted(draw(st.sets(st.integers(0, len(written) - 1), max_size=3)))
    names = st.sampled_from(["A", "D", "Intro", "Verse", "E", "Bridge", "Solo (2x)"])
    words = st.text("Abc 'é-.&%", max_size=16).map(lambda text: " ".join(text.split()))
    return Chart(
        written,
        beats,
        draw(words) or "Tune",
        tuple(Section(draw(names), start) for start in starts),
        draw(words),
        draw(st.sampled_from(["C", "Bb", "F#m", "Ebm"])),
        draw(words),
        draw(st.none() | st.integers(20, 400).map(float)),
        draw(st.none() | bars(beats)),
    )


@settings(max_examples=60)
@given(charts())
def test_charts_come_back_as_text_and_as_a_link(chart: Chart) -> None:
    assert survives_text(chart)
    assert survives_link(chart)


def test_built_in_charts_come_back() -> None:
    for name in NAMED_CHARTS:
        assert survives_link(named_chart(name)), name


def test_a_playlist_comes_back() -> None:
    written = [named_chart(name) for name in NAMED_CHARTS]
    assert [tune.chart for tune in read_ireal(ireal_link(written, "Forms")).tunes] == written


def test_every_quality_of_the_program_comes_back() -> None:
    same = {"^": "^7", "h": "h7", "-7b5": "h7", "7susadd3": "7sus", "7add3sus": "7sus"}
    for quality, tail in IREAL_QUALITIES.items():
        read = read_symbol(f"C{tail}")
        assert read is not None
        assert read.exact
        assert read.chord is not None
        assert ireal_quality(read.tail, read.chord.quality) == same.get(quality, quality)


@settings(max_examples=120)
@given(st.integers(0, 2**32))
def test_broken_links_end_in_a_chart_or_a_chart_error(seed: int) -> None:
    rng = random.Random(seed)
    link = ireal_link([named_chart(rng.choice(NAMED_CHARTS))])
    try:
        tunes = read_ireal(broken(link, rng)).tunes
    except ChartError:
        return
    for tune in tunes:
        assert survives_text(tune.chart)


def test_broken_links_are_counted_and_repeatable() -> None:
    first, again = (try_broken_links([], 20, seed=3) for _ in range(2))
    assert first.read + first.refused == 20
    assert (first.read, first.refused) == (again.read, again.refused)
