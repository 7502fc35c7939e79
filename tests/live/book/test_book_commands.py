"""The commands `tatumflow book ...`, as a user runs them."""

from pathlib import Path

import pytest
from command_line import Run

from tatumflow.engine.harmony.chart import named_chart, parse_chart
from tatumflow.live.book.files import read_content
from tatumflow.live.book.ireal_writer import ireal_link
from tatumflow.live.commands import jam


@pytest.fixture
def page(tmp_path: Path) -> Path:
    """Return a page with a playlist of three tunes."""
    tunes = [
        parse_chart("{title: Alpha} {composer: Monk} {key: Bb} {style: Medium Swing} Bb7 | Eb7"),
        parse_chart("{title: Alpha Two} {composer: Parker} {key: F} {style: Blues} F7 | Bb7"),
        parse_chart("{title: Beta} {composer: Parker} {key: Cm} {style: Bossa} {tempo: 150} Cm7 | F7"),
    ]
    path = tmp_path / "set.html"
    path.write_text(f'<html><a href="{ireal_link(tunes, "Set")}">Set</a></html>')
    return path


def test_a_playlist_is_imported_listed_and_shown(run: Run, page: Path) -> None:
    status, out, _ = run("book", "import", page)
    assert (status, out.splitlines()[0]) == (0, "3 added")
    assert "The book has 3 tunes" in out
    assert run("book", "import", page)[1].splitlines()[0] == "3 already there"
    _, out, _ = run("book", "list", "parker")
    assert [line.split("  ")[0] for line in out.splitlines()] == ["Alpha Two", "Beta"]
    assert "Cm, 2 bars, Bossa, Parker" in out
    assert run("book", "list", "--key", "c minor")[1].startswith("Beta ")
    assert run("book", "list", "--composer", "monk")[1].startswith("Alpha ")
    assert run("book", "list", "parker", "blues")[1].startswith("Alpha Two ")
    assert run("book", "show", "BETA")[1].endswith("{style: Bossa}\n{tempo: 150}\n| Cm7 | F7 |\n")


def test_a_chart_that_differs_is_kept(run: Run, page: Path, own_book: Path) -> None:
    run("book", "import", page)
    (own_book / "Beta.txt").write_text("{title: Beta} {composer: Parker} Cm7 | G7")
    _, out, _ = run("book", "import", page)
    assert "kept Beta: the book has another chart of that name; --replace replaces it" in out
    assert "2 already there, 1 kept" in out
    assert "G7" in (own_book / "Beta.txt").read_text()
    assert "1 replaced" in run("book", "import", page, "--replace")[1]
    assert "G7" not in (own_book / "Beta.txt").read_text()


def test_notices_and_what_is_not_read_are_printed(run: Run, tmp_path: Path) -> None:
    (tmp_path / "a.ls").write_text("(title Odd)\nCphryg | F7 |")
    (tmp_path / "b.mid").write_bytes(b"MThd")
    status, out, _ = run("book", "import", tmp_path / "a.ls", tmp_path / "b.mid", "--notices")
    assert status == 0
    assert "Odd: bar 1: Cphryg became Cmaj7" in out
    assert f"not read: {tmp_path / 'b.mid'}: " in out
    assert "notices: 1 nearest" in out
    status, _, error = run("book", "import", tmp_path / "missing.html")
    assert (status, "no chart was imported" in error) == (1, True)


def test_a_link_is_imported_from_the_command_line(run: Run) -> None:
    assert "1 added" in run("book", "import", ireal_link([named_chart("blues in F")]))[1]


def test_charts_are_exported(run: Run, page: Path, tmp_path: Path) -> None:
    run("book", "import", page)
    _, out, _ = run("book", "export", "beta", "--ireal")
    (tune,) = read_content(out.encode()).tunes
    assert (tune.chart.name, tune.chart.key, tune.chart.tempo) == ("Beta", "Cm", 150)
    run("book", "export", "beta", "--ireal", "-o", tmp_path / "beta.html")
    assert read_content((tmp_path / "beta.html").read_bytes()).tunes == (tune,)
    run("book", "export", "rhythm changes in F", "--text", "-o", tmp_path / "rhythm.txt")
    assert parse_chart((tmp_path / "rhythm.txt").read_text()) == named_chart("rhythm changes in F")
    status, _, error = run("book", "export", "beta", "-o", tmp_path / "no" / "folder.txt")
    assert (status, "does not exist" in error) == (1, True)


def test_a_link_is_exported_without_a_pick_up_and_says_so(run: Run, own_book: Path) -> None:
    own_book.mkdir(parents=True, exist_ok=True)
    (own_book / "Led.txt").write_text("{title: Led} {pickup: N.C. . . G7} C | F")
    status, out, error = run("book", "export", "led", "--ireal")
    (tune,) = read_content(out.encode()).tunes
    assert (status, tune.chart.pickup, "pick-up is left out" in error) == (0, None, True)
    _, out, error = run("book", "export", "led")
    assert ("{pickup: N.C. . . G7}" in out, error) == (True, "")
    assert run("book", "check", own_book)[0] == 0


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("list",), "the book is empty"),
        (("show", "nothing"), "no tune of the book is named 'nothing'"),
        (("list", "--key", "H"), "'H' is not the name of a key"),
    ],
)
def test_errors_are_one_line(run: Run, words: tuple[str, ...], reason: str) -> None:
    status, _, error = run("book", *words)
    assert status == 1
    assert reason in error
    assert error.count("\n") == 1


def test_names_that_begin_alike_are_listed(run: Run, page: Path) -> None:
    run("book", "import", page)
    assert "Alpha, Alpha Two; write more" in run("book", "show", "al")[2]


def test_check_prints_a_table(run: Run, page: Path) -> None:
    status, out, _ = run("book", "check", page, "--broken-links", 5)
    assert (status, out.splitlines()[0]) == (0, "3 charts in 1 files; 0 not read")
    assert "come back as a link of iReal Pro: 3" in out
    assert "5 broken links: " in out
    (page.parent / "bad.txt").write_text("no chart")
    status, out, _ = run("book", "check", page.parent)
    assert (status, "1 not read" in out) == (1, True)


def test_jam_takes_a_tune_of_the_book_with_its_tempo(
    run: Run, page: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run("book", "import", page)
    calls: list[jam.JamOptions] = []
    monkeypatch.setattr(jam, "jam", calls.append)
    assert run("jam", "--tune", "beta")[0] == 0
    assert run("jam", "--tune", "beta", "--tempo", "90")[0] == 0
    controls = [options.settings().controls for options in calls]
    assert [control.tempo for control in controls] == [150, 90]
    assert parse_chart(controls[0].chords).name == "Beta"
