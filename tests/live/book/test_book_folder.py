"""The folder of the user's charts: names, what is found, what is not overwritten."""

from dataclasses import replace
from pathlib import Path

import pytest

from tatumflow.engine.errors import ChartError, SettingError
from tatumflow.engine.harmony.chart import Chart, parse_chart
from tatumflow.live.book.folder import Book, folded
from tatumflow.live.charts import read_chords
from tatumflow.live.commands.tune import over_tune
from tatumflow.live.settings import Settings

ONE = parse_chart("{title: Blue Line} {composer: A. Writer} {key: F} F7 | Bb7 | F7 | C7")
OTHER = parse_chart("{title: Blue Line} {composer: B. Other} {key: C} C7 | F7")


@pytest.fixture
def book(own_book: Path) -> Book:
    return Book(own_book)


@pytest.mark.parametrize("name", ["Blue Line", "blue-line", "BLUE LINE!", "blue l", "Blüe Line"])
def test_a_tune_is_found_by_its_name_or_the_beginning(book: Book, name: str) -> None:
    book.save(ONE)
    assert book.find(name) == ONE


def test_the_whole_name_wins_over_a_longer_one(book: Book) -> None:
    book.save(ONE)
    book.save(replace(ONE, name="Blue Lines"))
    assert book.find("blue line") == ONE
    with pytest.raises(ChartError, match="'blue': Blue Line, Blue Lines; write more"):
        book.find("blue")


def test_a_tune_is_moved_to_a_key(book: Book) -> None:
    book.save(ONE)
    moved = book.find("blue line in Bb")
    assert moved is not None
    assert (moved.name, moved.key, str(moved.bars[0][0].chord)) == ("Blue Line in Bb", "Bb", "Bb7")
    book.save(replace(ONE, name="Keyless", key=""))
    with pytest.raises(ChartError, match=r"has no \{key"):
        book.find("keyless in G")


def test_what_is_not_there_is_none_with_names_near_it(book: Book) -> None:
    assert book.find("Blue Line") is None
    book.save(ONE)
    assert book.find("Red Line") is None
    assert book.find("?!") is None
    assert book.near("blue lime") == ["Blue Line"]
    assert book.near("line") == ["Blue Line"]


def test_a_different_chart_is_not_overwritten(book: Book) -> None:
    assert book.save(ONE) == ("Blue Line", "added")
    assert book.save(ONE) == ("Blue Line", "same")
    changed = replace(ONE, bars=ONE.bars[:2])
    assert book.save(changed) == ("Blue Line", "kept")
    assert book.find("Blue Line") == ONE
    assert book.save(changed, replacing=True) == ("Blue Line", "replaced")
    assert book.find("Blue Line") == changed


def test_a_chart_is_kept_as_it_is_written(book: Book) -> None:
    written = "{title: Mine}\n# twice\n|: F7 | C7 :|"
    chart = parse_chart(written)
    assert book.save(chart, text=written) == ("Mine", "added")
    assert book.written("mine") == written + "\n"
    assert book.find("mine") == chart
    assert book.save(chart, text=written) == ("Mine", "same")
    assert book.save(chart) == ("Mine", "same")
    other = written.replace("twice", "both times")
    assert book.save(chart, text=other) == ("Mine", "kept")
    assert book.save(chart, text=other, replacing=True) == ("Mine", "replaced")
    assert book.written("nothing") is None


def test_each_tune_comes_with_its_chart_or_why_it_cannot_be_read(book: Book) -> None:
    book.save(ONE)
    (book.folder / "Broken.txt").write_text("F7 | H9")
    read = dict(book.each())
    assert list(read) == book.names()
    assert "bar 2" in str(read.pop("Broken"))
    assert all(isinstance(chart, Chart) for chart in read.values())


def test_another_composers_tune_of_the_same_name_gets_a_name_of_its_own(book: Book) -> None:
    book.save(ONE)
    assert book.save(OTHER) == ("Blue Line (B. Other)", "added")
    assert book.save(OTHER) == ("Blue Line (B. Other)", "same")
    assert book.find("blue line") == ONE
    assert book.find("Blue Line (B. Other)") == OTHER


@pytest.mark.parametrize("title", ["../../up", "a/b\\c:d", "CON", "x" * 400, "...", "What? *Now*", "Ça va"])
def test_any_title_is_a_file_in_the_folder(book: Book, title: str) -> None:
    name, saved = book.save(replace(ONE, name=title))
    assert saved == "added"
    (file,) = book.folder.iterdir()
    assert (file.stem, file.parent) == (name, book.folder)
    assert book.save(replace(ONE, name=title))[1] == "same"


def test_a_file_that_is_no_chart_says_so(book: Book) -> None:
    book.folder.mkdir()
    (book.folder / "Bad.txt").write_text("{title: Bad} H7")
    with pytest.raises(ChartError, match=r"Bad\.txt: bar 1: chord 'H7'"):
        book.find("bad")


def test_wherever_a_chart_is_named_a_tune_of_the_book_is_found(book: Book) -> None:
    book.save(replace(ONE, tempo=96.0))
    text = read_chords("blue line")
    assert parse_chart(text) == replace(ONE, tempo=96.0)
    assert Settings().with_controls(chords="BLUE LINE").controls.chords == text
    assert over_tune("blue line", {}) == {"chords": text, "tempo": "96"}
    assert over_tune("blue line", {"tempo": "120"}) == {"chords": text, "tempo": "120"}
    with pytest.raises(SettingError, match="in the book there are Blue Line"):
        Settings().with_controls(chords="the blue line")


def test_built_in_names_and_chords_come_before_names_of_the_book(book: Book) -> None:
    book.save(replace(ONE, name="Blues in F"))
    book.save(replace(ONE, name="Bbmaj7 is how it begins"))
    assert read_chords("blues in F") == "blues in F"
    assert read_chords("Bbmaj7") == "Bbmaj7"
    with pytest.raises(ChartError, match="nor is a tune of the book so named"):
        read_chords("xyz")


def test_names_are_compared_by_letters_and_digits() -> None:
    assert folded("'Round Midnight (4/4)") == "roundmidnight44"
    assert folded("Água de Março") == "aguademarco"
