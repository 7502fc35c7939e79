"""Charts as they are written, and the list in which tunes are found."""

import pytest

from tatumflow.engine.errors import ChartError
from tatumflow.engine.harmony.chart import parse_chart
from tatumflow.live.tui.dialogs.chart_draft import ChartDraft
from tatumflow.live.tui.dialogs.tune_list import ListedTune, built_in, matching, of_book

TUNES = (
    ListedTune("Blue Monday", True, "A. Writer", "Bb", "Medium Swing", 132),
    ListedTune("Étude", True, "B. Other", "Dm", "Jazz Waltz"),
    ListedTune("Old Blue", True, "A. Writer", "F"),
    *built_in(),
)


def names(typed: str) -> list[str]:
    return [tune.name for tune in matching(TUNES, typed)]


def test_a_title_moves_between_the_text_and_the_name() -> None:
    text = "{title: A Tune} {key: F}\n# mine\n[A] |: F7 | C7 :|"
    draft = ChartDraft.of(text)
    assert draft == ChartDraft("A Tune", "{key: F}\n# mine\n[A] |: F7 | C7 :|")
    assert draft.chart == parse_chart(text)
    assert ChartDraft.of(draft.source) == draft


def test_a_name_is_given_where_the_text_has_none() -> None:
    assert ChartDraft.of("F7 | C7", "By File").chart.name == "By File"
    assert ChartDraft("Mine {2}", "F7").chart.name == "Mine (2)"
    assert ChartDraft("", "F7").chart.name == ""
    assert ChartDraft("Mine", "{title: Other}\nF7").chart.name == "Other"


def test_a_draft_need_not_be_a_chart_yet() -> None:
    draft = ChartDraft("Mine", "F7 | H9")
    with pytest.raises(ChartError, match="bar 2"):
        _ = draft.chart


def test_words_are_found_in_name_composer_key_and_style() -> None:
    assert names("writer swing") == ["Blue Monday"]
    assert names("etude") == ["Étude"]
    assert names("dm waltz") == ["Étude"]
    assert names("xyz") == []
    assert names("Bb |") == []


def test_names_that_begin_so_come_first() -> None:
    assert names("blue")[:2] == ["Blue Monday", "blues in F"]
    assert names("blue").index("Old Blue") > names("blue").index("Blue Monday")


def test_a_tune_in_another_key_leads_the_list() -> None:
    assert names("blues in G")[0] == "blues in G"
    assert names("blue monday in F")[0] == "blue monday in F"
    assert "blue tuesday in F" not in names("blue tuesday in F")


def test_a_chart_that_cannot_be_read_says_why() -> None:
    read = list(of_book([("Broken", ChartError("bar 2: no")), ("Fine", parse_chart("{key: F} F7"))]))
    assert [(tune.name, tune.reason, tune.key) for tune in read] == [
        ("Broken", "bar 2: no", ""),
        ("Fine", "", "F"),
    ]
