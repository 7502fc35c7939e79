from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tatumflow.engine.errors import ChartError
from tatumflow.engine.harmony.chart import (
    NAMED_CHARTS,
    Bar,
    Chart,
    ChordChange,
    Section,
    find_chart,
    key_named,
    named_chart,
    parse_chart,
)
from tatumflow.engine.harmony.chords import QUALITIES, Chord
from tatumflow.live.charts import read_chart

chords = st.one_of(st.none(), st.builds(Chord, st.integers(0, 11), st.sampled_from(QUALITIES)))


@st.composite
def bars(draw: st.DrawFn, beats: int) -> Bar:
    slots = draw(st.integers(1, 8))
    held = draw(st.lists(st.booleans(), min_size=slots - 1, max_size=slots - 1))
    starts = [0, *(slot for slot, hold in enumerate(held, start=1) if not hold)]
    return tuple(ChordChange(Fraction(beats * slot, slots), draw(chords)) for slot in starts)


@st.composite
def charts(draw: st.DrawFn) -> Chart:
    beats = draw(st.integers(1, 7))
    words = st.text("AbC #'|:-1é ", max_size=12).map(lambda text: " ".join(text.split()))
    written = tuple(draw(st.lists(bars(beats), min_size=1, max_size=9)))
    starts = sorted(draw(st.sets(st.integers(0, len(written) - 1), max_size=3)))
    names = st.sampled_from(["A", "B", "Intro", "Last time: slower"])
    return Chart(
        written,
        beats,
        draw(words),
        tuple(Section(draw(names), start) for start in starts),
        draw(words),
        draw(st.sampled_from(["", "C", "Bbm", "F#", "Ebm"])),
        draw(words),
        draw(st.none() | st.integers(20, 400).map(float)),
        draw(st.none() | bars(beats)),
    )


def symbols(chart: Chart) -> list[str]:
    """Return what each bar holds, such as "F7" or "Cm7 F7"."""
    return [" ".join(str(change.chord) for change in bar) for bar in chart.bars]


@settings(deadline=None)
@given(charts())
def test_a_chart_is_read_as_it_was_written(chart: Chart) -> None:
    assert parse_chart(chart.text) == chart


@settings(deadline=None)
@given(charts(), st.integers(-12, 12), st.floats(-50, 200))
def test_transposing_moves_every_chord_and_comes_back(chart: Chart, semitones: int, beat: float) -> None:
    moved = chart.transposed(semitones)
    before = chart.chord_at(beat)
    assert moved.chord_at(beat) == (before and before.transposed(semitones))
    back = moved.transposed(-semitones)
    assert replace(back, key="") == replace(chart, key="")
    assert (back.key == "") == (chart.key == "")
    assert back.key.endswith("m") == chart.key.endswith("m")


@settings(deadline=None)
@given(charts(), st.integers(-800, 3200))
def test_the_next_change_is_where_the_chord_changes(chart: Chart, sixteenths: int) -> None:
    beat = sixteenths / 16
    change, now = chart.next_change(beat), chart.chord_at(beat)
    assert chart.chord_at(beat + 3 * chart.beats) == now
    if change is None:
        assert {c.chord for bar in chart.bars for c in bar} == {now}
    else:
        assert beat < change.beat <= beat + chart.beats
        assert chart.chord_at(float(change.beat) + 1e-6) == change.chord != now
        assert chart.chord_at(float(change.beat) - 1e-6) == now


def test_chords_share_a_bar_evenly_and_points_hold() -> None:
    chart = parse_chart("Dm7 G7 | Dm7 . . G7 | Dm7 G7 Cmaj7 | . A7")
    assert [[(change.beat, str(change.chord)) for change in bar] for bar in chart.bars] == [
        [(0, "Dm7"), (2, "G7")],
        [(0, "Dm7"), (3, "G7")],
        [(0, "Dm7"), (Fraction(4, 3), "G7"), (Fraction(8, 3), "Cmaj7")],
        [(0, "Cmaj7"), (2, "A7")],
    ]


def test_title_and_time_stand_before_the_bars() -> None:
    for text in ("{title: Waltz} {time: 3/4} Dm7 | G7", "{Title:Waltz}\n{TIME: 3/4}\nDm7\nG7"):
        chart = parse_chart(text, name="other")
        assert (chart.name, chart.beats_per_bar, symbols(chart)) == ("Waltz", 3, ["Dm7", "G7"])
    assert parse_chart("{title:} Dm7", name="other").name == "other"


def test_chords_by_beat_loop() -> None:
    chart = parse_chart("Dm7 | G7 A7", beats_per_bar=3)
    assert [str(chart.chord_at(beat)) for beat in (0, 2.9, 3, 4.49, 4.5, 6, 9, -0.1)] == [
        *("Dm7", "Dm7", "G7", "G7", "A7", "Dm7", "G7", "A7")
    ]
    assert chart.next_change(1) == ChordChange(Fraction(3), Chord(7, "7"))
    assert chart.next_change(5) == ChordChange(Fraction(6), Chord(2, "m7"))
    assert chart.next_change(16.6) == ChordChange(Fraction(18), Chord(2, "m7"))
    assert parse_chart("G7 | % | G9").next_change(2) is None, "G9 is the same chord of the vocabulary"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("|: F7 | % | Cm7 F7 :| x3", ["F7", "F7", "Cm7 F7"] * 3),
        ("|: F7 | Bb7 :| C7", ["F7", "Bb7", "F7", "Bb7", "C7"]),
        ("F7 | Bb7 :| C7 :|x3", ["F7", "Bb7", "F7", "Bb7", "C7", "C7", "C7"]),
        ("|: F7 :|: Bb7 :|", ["F7", "F7", "Bb7", "Bb7"]),
        ("|| F7 || Bb7 ||\n\n C7 # turn\n# a comment\nF#7", ["F7", "Bb7", "C7", "Gb7"]),
        ("N.C. | NC F7", ["None", "None F7"]),
        ("C6/9 | D7/F#", ["Cmaj7", "D7/Gb"]),
    ],
)
def test_notation(text: str, expected: list[str]) -> None:
    assert symbols(parse_chart(text)) == expected


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "no bar"),
        ("| | |", "no bar"),
        ("F7 | Bb7 | H7", "bar 3: chord 'H7'"),
        ("F7 | Bb7 % ", "bar 2: 'Bb7 %'"),
        ("% | F7", "bar 1: % repeats"),
        (". F7", "bar 1: '. F7'"),
        ("|: F7 | |: Bb7 :|", "bar 2: |: stands within"),
        ("|: F7 | Bb7", "bar 2: the chart ends within a repeat"),
        (":| F7", "bar 0: ':|' repeats nothing"),
        ("F7 :| x0", "bar 1: ':| x0'"),
        ("F7 :| x5000", "bar 1: ':| x5000'"),
        ("F7 | G7 :| x4000", "with its repeats the chart has over 4096 bars"),
        ("F7 : G7", "bar 1: chord ':'"),
        ("{time: 17/4} F7", "write it as 3/4"),
        ("{time: 0/4} F7", "write it as 3/4"),
        ("{time: waltz} F7", "write it as 3/4"),
        ("{pickup: N.C. . H7} F7", "pick-up: chord 'H7'"),
        ("{pickup: % } F7", "pick-up: % repeats"),
        ("{capo: 3} F7", "only {title: …}, {composer: …}"),
    ],
)
def test_what_is_no_chart_is_refused_with_its_bar(text: str, reason: str) -> None:
    with pytest.raises(ChartError) as caught:
        parse_chart(text)
    assert reason in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_chart_needs_bars_in_order() -> None:
    for bars, beats in [
        ((), 4),
        (((),), 4),
        (((ChordChange(Fraction(1), None),),), 4),
        (((ChordChange(Fraction(0), None), ChordChange(Fraction(4), None)),), 4),
        (((ChordChange(Fraction(0), None),),), 0),
    ]:
        with pytest.raises(ChartError):
            Chart(bars, beats)
        if bars:
            with pytest.raises(ChartError):
                Chart(((ChordChange(Fraction(0), None),),), beats, pickup=bars[0])


@pytest.mark.parametrize(
    ("name", "bars", "title", "first"),
    [
        ("blues in F", 12, "Blues in F", "F7"),
        ("Blues", 12, "Blues in F", "F7"),
        ("blues in bb", 12, "Blues in Bb", "Bb7"),
        ("minor blues in A", 12, "Minor blues in A", "Am6"),
        ("rhythm changes", 32, "Rhythm changes in Bb", "Bbmaj7 G7"),
        ("rhythm changes in F#", 32, "Rhythm changes in F#", "Gbmaj7 Eb7"),
        ("ii-V-I", 48, "ii-V-I in C", "Dm7"),
        ("ii V I in G", 48, "ii-V-I in G", "Am7"),
    ],
)
def test_named_charts(name: str, bars: int, title: str, first: str) -> None:
    chart = named_chart(name)
    assert (len(chart.bars), chart.name, symbols(chart)[0]) == (bars, title, first)
    assert find_chart(name) == chart


def test_the_round_of_ii_v_i_visits_every_key() -> None:
    chart = named_chart("ii-V-I")
    tonics = [chart.bars[i][0].chord for i in range(2, 48, 4)]
    assert {chord.root for chord in tonics if chord} == set(range(12))
    assert {chord.quality for chord in tonics if chord} == {"maj7"}


def test_unknown_names_are_refused_with_the_known_ones() -> None:
    with pytest.raises(ChartError, match="blues, minor blues, rhythm changes, ii-V-I"):
        named_chart("polka in C")
    assert "blues" in NAMED_CHARTS


def test_charts_from_files(tmp_path: Path) -> None:
    (tmp_path / "autumn.txt").write_text("Cm7 | F7 | Bbmaj7 | Ebmaj7\n")
    (tmp_path / "waltz.yaml").write_text("name: Waltz\nbeats_per_bar: 3\nchart: |\n  |: Cm7 | F7 :|\n")
    autumn, waltz = read_chart(tmp_path / "autumn.txt"), read_chart(tmp_path / "waltz.yaml")
    assert (autumn.name, autumn.beats_per_bar, len(autumn.bars)) == ("autumn", 4, 4)
    assert (waltz.name, waltz.beats_per_bar, len(waltz.bars), waltz.beats) == ("Waltz", 3, 4, 12)


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("a.txt", "F7 | H7", "bar 2: chord 'H7'"),
        ("a.yaml", "chart: F7\nbeats_per_bar: 0", "beats_per_bar: "),
        ("a.yaml", "{", "is not YAML"),
        ("a.yaml", "F7 | G7", "is not a list of"),
        ("a.yaml", "name: x", "chart: "),
    ],
)
def test_files_that_are_no_charts_are_refused_by_name(
    tmp_path: Path, name: str, content: str, reason: str
) -> None:
    (tmp_path / name).write_text(content)
    with pytest.raises(ChartError, match=reason) as caught:
        read_chart(tmp_path / name)
    assert str(tmp_path / name) in str(caught.value)
    with pytest.raises(ChartError, match="cannot be read"):
        read_chart(tmp_path / "missing.txt")


def test_the_header_and_the_sections_are_read() -> None:
    chart = parse_chart(
        "{title: Tune} {composer: A. Writer}\n{key: c minor}\n{style: Bossa}\n{tempo: 132.5}\n{time: 3/4}\n"
        "[A] Dm7 | G7\n[Bridge] | Cmaj7 | % |"
    )
    assert (chart.name, chart.composer, chart.key, chart.style) == ("Tune", "A. Writer", "Cm", "Bossa")
    assert (chart.tempo, chart.beats_per_bar) == (132.5, 3)
    assert chart.sections == (Section("A", 0), Section("Bridge", 2))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("|: F7 | 1. C7 :| 2. Bb7 | G7", ["F7", "C7", "F7", "Bb7", "G7"]),
        ("|: F7 | 1,2. C7 :| 3. Bb7 ||", ["F7", "C7", "F7", "C7", "F7", "Bb7"]),
        ("F7 | 1. C7 | 2. Bb7 || |: G7 :|", ["F7", "C7", "F7", "Bb7", "G7", "G7"]),
    ],
)
def test_endings(text: str, expected: list[str]) -> None:
    assert symbols(parse_chart(text)) == expected


def test_a_section_that_is_repeated_is_there_each_time() -> None:
    chart = parse_chart("[A] |: F7 | 1. C7 :| 2. Bb7 || [B] G7")
    assert chart.sections == (Section("A", 0), Section("A", 2), Section("B", 4))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("F7 [B] G7", r"bar 1: \[B\] stands within the bar"),
        ("F7 1. G7", r"bar 1: 1\. stands within the bar"),
        ("F7 | [B]", "bar 1: a section or an ending follows"),
        ("F7 | 1.", "bar 1: a section or an ending follows"),
        ("{key: H} F7", "'H' is not the name of a key"),
        ("{tempo: 500} F7", "write beats a minute, 20 to 400"),
        ("{tempo: fast} F7", "write beats a minute"),
        ("{tempo: nan} F7", "write beats a minute"),
    ],
)
def test_sections_endings_and_headers_that_are_none(text: str, reason: str) -> None:
    with pytest.raises(ChartError, match=reason):
        parse_chart(text)


def test_what_a_chord_is_written_as_is_kept_in_every_key() -> None:
    chart = parse_chart("{key: C} G7b9/B | Dbmaj9 D-7 | F#7alt | C6/9 | E | C#b5")
    assert chart.text == "{key: C}\n| G7b9/B | Dbmaj9 D-7 | Gb7alt | C6/9 |\n| E | Dbmaj7 |"
    assert chart.transposed(2).text == "{key: D}\n| A7b9/Db | Ebmaj9 E-7 | Ab7alt | D6/9 |\n| Gb | Ebmaj7 |"
    assert parse_chart("G7b9") == parse_chart("G13"), "the class decides"


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("C-", "Cm"),
        ("F# minor", "F#m"),
        ("Bb major", "Bb"),
        ("E♭", "Eb"),
        ("CM", "C"),
        ("am", "Am"),
        (" ", ""),
    ],
)
def test_names_of_keys(name: str, key: str) -> None:
    assert key_named(name) == key


@pytest.mark.parametrize("name", NAMED_CHARTS)
@pytest.mark.parametrize("key", ["F", "C#", "bb"])
def test_every_built_in_chart_is_there_in_every_key_and_comes_back(name: str, key: str) -> None:
    chart = named_chart(f"{name} in {key}")
    assert parse_chart(chart.text) == chart
    assert chart.key.removesuffix("m").lower() == key.lower()
    assert named_chart(f"{name} in C").bars != named_chart(f"{name} in D").bars


def test_rhythm_changes_and_modal_aaba_have_their_sections() -> None:
    for name in ("rhythm changes", "modal AABA"):
        assert [(section.name, section.bar) for section in named_chart(name).sections] == [
            *(("A", 0), ("A", 8), ("B", 16), ("A", 24))
        ]
