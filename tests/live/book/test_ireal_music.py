"""Music of iReal Pro: cells and marks become bars in the order in which they are played."""

import pytest

from tatumflow.engine.errors import ChartError
from tatumflow.live.book.ireal_links import LinkedTune
from tatumflow.live.book.ireal_music import read_linked_tune
from tatumflow.live.book.tunes import ReadTune


def tune(music: str, title: str = "T", composer: str = "", style: str = "", key: str = "C") -> ReadTune:
    return read_linked_tune(LinkedTune(title, composer, style, key, music))


def bars(music: str) -> list[str]:
    """Return each bar as it is written: the chord and, after its first beat, the beat."""
    return [
        " ".join(change.symbol + (f"@{change.beat}" if change.beat else "") for change in bar)
        for bar in tune(music).chart.bars
    ]


@pytest.mark.parametrize(
    ("music", "expected"),
    [
        ("[T44C   |D-7 G7 |C,D-,E-,F|C^7, |F7,G7|C G,A|C p p G|Z", None),
        ("[T44C^7   |F-7 Bb7 Z", ["Cmaj7", "Fm7 Bb7@2"]),
        ("[T44C,D-,E-,F,|C7  sG7,lZ", ["C Dm@1 Em@2 F@3", "C7 G7@3"]),
        ("[T44C,F,|C,F,G,Z", ["C F@2", "C F@2 G@3"]),
        ("[T44CppGZ", ["C G@3"]),
        ("[T34C   |F  |G,C,D,Z", ["C", "F", "G C@1 D@2"]),
        ("[T54E-7 B-7 Z", ["Em7 Bm7@3"]),
        ("[T64C   F  Z", None),
        ("[T44C D E F G A B CZ", ["C D@1/2 E@1 F@3/2 G@2 A@5/2 B@3 C@7/2"]),
    ],
)
def test_cells_become_beats(music: str, expected: list[str] | None) -> None:
    found = bars(music)
    assert expected is None or found == expected


@pytest.mark.parametrize(
    ("music", "expected"),
    [
        ("[T44C7   | x  |F7   |Kcl ]".replace("Kcl", " x"), ["C7", "C7", "F7", "F7"]),
        ("[T44C7   |F7   | r|    |G7   Z", ["C7", "F7", "C7", "F7", "G7"]),
        ("[T44C7   |F7   | r|G7   Z", ["C7", "F7", "C7", "F7", "G7"]),
        ("[T44C7   |n   |W/E   |G7/F   Z", ["C7", "N.C.", "N.C.", "G7/F"]),
        ("[T44C7   |W/E   |F7,W/A, |G7   Z", ["C7", "C7/E", "F7 F7/A@2", "G7"]),
        ("[T44C7,p,/E,p,|p/G   |G7.   Z", ["C7 C7/E@2", "C7/G", "G7"]),
        ("[T44C7   |cl  |F7   Z", ["C7", "C7", "F7"]),
        ("[T44C7(Gb7)   | (D7)  |F7   Z", ["C7", "C7", "F7"]),
        ("{T44C7   |N1F7   }            Y|N2G7   Z", ["C7", "F7", "C7", "G7"]),
        ("{T44C7   <3x> |F7   }|G7   Z", ["C7", "F7"] * 3 + ["G7"]),
        ("[T44C7   |    |F7   Z", ["C7", "C7", "F7"]),
        ("[T44C7   ]            [F7   |  Z", ["C7", "F7"]),
        ("T44C7   |F7   Z", ["C7", "F7"]),
    ],
)
def test_signs_for_bars(music: str, expected: list[str]) -> None:
    assert bars(music) == expected


@pytest.mark.parametrize(
    ("music", "expected"),
    [
        ("[T44C7   <Fine>|F7   |G7   <D.C. al Fine>Z", ["C7", "F7", "G7", "C7"]),
        ("[T44C7   |SF7   Q|G7   <D.S. al Coda>]Y[QA7   Z", ["C7", "F7", "G7", "F7", "A7"]),
        ("[T44C7   |QF7   |G7   <*60D.C. al Coda>]Y[QA7   Z", ["C7", "F7", "G7", "C7", "A7"]),
        ("[T44C7   |F7   <D.C. al Coda>]Y[QA7   Z", ["C7", "F7", "C7", "F7", "A7"]),
        ("{T44C7   |N1D7   }|N2E7   ][F7   <D.C. al 2nd End.>Z", ["C7", "D7", "C7", "E7", "F7", "C7", "E7"]),
        (
            "{T44C7   |N1D7   }|N2E7   ][F7   <D.C. al 3rd ending>]|N3G7   Z",
            ["C7", "D7", "C7", "E7", "F7", "C7", "G7"],
        ),
        ("[T44C7   Q|<D.C. al Coda>F7   | x  ]Y[QA7   Z", ["C7", "F7", "F7", "C7", "A7"]),
        ("[T44C7   |<Fine>F7   | x  ][G7   <D.C. al Fine>Z", ["C7", "F7", "F7", "G7", "C7", "F7", "F7"]),
        ("[T44C7   |F7 G7<D.C.> Z", ["C7", "F7 G7@2"]),
        ("[T44C7   Q|F7   ][QG7   Z", ["C7", "F7"]),
    ],
)
def test_jumps(music: str, expected: list[str]) -> None:
    assert bars(music) == expected


def test_sections_composer_title_key_and_tempo() -> None:
    music = "*i[T44C   ]*A{D-7   |G7   }*B[C   ]*A[C   ]<[Tag]>[F   Z"
    read = tune(music, title="Gentle Rain, The", composer="Monk Thelonious", key="A-", style="Slow Bossa")
    chart = read.chart
    assert [(section.name, section.bar) for section in chart.sections] == [
        *(("Intro", 0), ("A", 1), ("A", 3), ("B", 5), ("A", 6), ("Tag", 7))
    ]
    assert (chart.name, chart.composer) == ("The Gentle Rain", "Thelonious Monk")
    assert (chart.key, chart.style, chart.tempo) == ("Am", "Slow Bossa", None)
    assert read.notices == ()


@pytest.mark.parametrize(
    ("quality", "symbol"),
    [
        ("^", "Cmaj7"),
        ("^9#11", "Cmaj7"),
        ("-^7", "Cm6"),
        ("h7", "Cm7b5"),
        ("o7", "Cdim7"),
        ("7b13sus", "C7sus4"),
        ("7susadd3", "C7sus4"),
        ("69", "Cmaj7"),
        ("-b6", "Cm6"),
        ("+", "Caug"),
        ("13#9", "C7"),
        ("7*alt*", "C7"),
        ("maj7", "Cmaj7"),
        ("min7", "Cm7"),
        ("-maj7", "Cm6"),
        ("dim7", "Cdim7"),
    ],
)
def test_qualities(quality: str, symbol: str) -> None:
    read = tune(f"[T44C{quality}   Z")
    assert str(read.chart.bars[0][0].chord) == symbol
    assert not [notice for notice in read.notices if notice.kind == "unreadable"]


@pytest.mark.parametrize(
    ("music", "kind", "bar"),
    [
        ("[T44C7   |F7(B7)   Z", "alternate", 2),
        ("[T44C7   |<Drum solo>F7   Z", "remark", 2),
        ("[T44C7   |F*xyz*   Z", "nearest", 2),
        ("[T44C7   |F7 ?  Z", "unreadable", 2),
        ("[T12C7   |F7   Z", "metre", 1),
        ("[T44C7   |F7   |T24G7 |T44C7   Z", "metre", 3),
        ("[T44C7   Q|F7   ][QG7   Z", "form", 3),
        ("[T44C7   |F7   Z", "", 0),
    ],
)
def test_what_is_read_otherwise_is_noticed(music: str, kind: str, bar: int) -> None:
    found = [(notice.kind, notice.bar) for notice in tune(music).notices]
    assert found == ([(kind, bar)] if kind else [])


@pytest.mark.parametrize(
    ("music", "expected"),
    [
        ("[T44C7   |F7   |T24G7 |T44C7   Z", ["C7", "F7", "G7", "C7"]),
        ("[T44C7   |F7   |T24G7 |A7 |T44C7   Z", ["C7", "F7", "G7 A7@2", "C7"]),
        ("[T34C7   |F7   |T64G7  A7  |T34C7   Z", ["C7", "F7", "G7", "A7", "C7"]),
        ("[T44C7   |F7   |T54G7,D7,E7,p,A7,|T44C7   Z", ["C7", "F7", "G7 E7@1 A7@3", "C7"]),
        ("[T44C7   |F7   |T34G7,D7,A7,|T44C7   Z", ["C7", "F7", "G7 D7@1 A7@2", "C7"]),
    ],
)
def test_bars_of_another_metre_fit_in(music: str, expected: list[str]) -> None:
    assert bars(music) == expected


@pytest.mark.parametrize("music", ["", "[T44    Z", "{}", "]]]", "<D.C. al Coda>Q"])
def test_music_without_chords_is_refused(music: str) -> None:
    with pytest.raises(ChartError, match="has no chords"):
        tune(music)
