"""The order in which written bars are played."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tatumflow.engine.errors import ChartError
from tatumflow.engine.harmony.form import MOST_BARS, Jump, Marks, unroll


def form(*bars: str) -> list[Marks]:
    """Return marks by short words: `{` and `}` repeat, `}3` three times, `1` an ending, `]` a double bar."""
    written: list[Marks] = []
    for bar in bars:
        words = bar.split()
        times = [int(word[1:] or 2) for word in words if word.startswith("}")]
        endings = frozenset(int(word) for word in words if word.isdecimal())
        jumps = {
            "DC": Jump(),
            "DC-fine": Jump(until="fine"),
            "DC-coda": Jump(until="coda"),
            "DS-coda": Jump(to_segno=True, until="coda"),
            "DC-2": Jump(until="ending", ending=2),
            "DC-3": Jump(until="ending", ending=3),
        }
        written.append(
            Marks(
                repeat_from="{" in words,
                repeat_to=times[0] if times else 0,
                endings=endings,
                closes="]" in words,
                segno="S" in words,
                coda="coda" in words,
                to_coda="to-coda" in words,
                fine="fine" in words,
                jump=next((jumps[word] for word in words if word in jumps), None),
            )
        )
    return written


@pytest.mark.parametrize(
    ("bars", "order"),
    [
        (["", "", ""], [0, 1, 2]),
        (["{", "}", ""], [0, 1, 0, 1, 2]),
        (["", "}3", ""], [0, 1, 0, 1, 0, 1, 2]),
        (["{", "1 }", "2 ]", ""], [0, 1, 0, 2, 3]),
        (["{", "1 }", "2 }", "3", ""], [0, 1, 0, 2, 0, 3, 4]),
        (["{", "1 2 }", "3", ""], [0, 1, 0, 1, 0, 2, 3]),
        (["{", "1 }3", "2 ]", ""], [0, 1, 0, 1, 0, 2, 3]),
        (["{", "1 }", ""], [0, 1, 0, 2]),
        (["{", "1", "2 ]", "{", "}"], [0, 1, 0, 2, 3, 4, 3, 4]),
        (["", "", "{", "1 }", "2"], [0, 1, 2, 3, 2, 4]),
        (["fine", "", "DC-fine"], [0, 1, 2, 0]),
        (["", "S", "to-coda", "DS-coda", "coda"], [0, 1, 2, 3, 1, 2, 4]),
        (["", "to-coda", "}", "DC-coda", "coda }"], [0, 1, 2, 0, 1, 2, 3, 0, 1, 4, 4]),
        (["{", "1 }", "2 fine ]", "DC-fine"], [0, 1, 0, 2, 3, 0, 2]),
        (["{", "1 }", "2 ]", "DC-2"], [0, 1, 0, 2, 3, 0, 2]),
        (["{", "1 }", "2 ]", "DC-3", "3", ""], [0, 1, 0, 2, 3, 0, 4, 5]),
        (["{", "1 }", "2 ]", "", "3", ""], [0, 1, 0, 2, 3, 0, 4, 5]),
        (["", "to-coda", "", "coda"], [0, 1, 2]),
        (["", "coda"], [0, 1]),
        (["", "DC"], [0, 1]),
        (["", "DC", ""], [0, 1, 0, 1, 2]),
        (["", "DC-fine", ""], [0, 1, 0, 1]),
    ],
)
def test_the_order_of_the_bars(bars: list[str], order: list[int]) -> None:
    assert unroll(form(*bars)) == order


def test_a_form_without_end_is_refused() -> None:
    with pytest.raises(ChartError, match="over 4096 bars"):
        unroll([Marks(repeat_to=4000), Marks(repeat_to=4000)])


marks = st.builds(
    Marks,
    repeat_from=st.booleans(),
    repeat_to=st.sampled_from([0, 0, 0, 1, 2, 3]),
    endings=st.sampled_from([frozenset(), frozenset(), frozenset({1}), frozenset({2}), frozenset({1, 3})]),
    closes=st.booleans(),
    segno=st.booleans(),
    coda=st.booleans(),
    to_coda=st.booleans(),
    fine=st.booleans(),
    jump=st.sampled_from(
        [None, None, Jump(), Jump(True, "coda"), Jump(until="fine"), Jump(False, "ending", 2)]
    ),
)


@given(st.lists(marks, min_size=1, max_size=24))
def test_any_marks_give_an_order_that_begins_with_a_bar_and_ends(bars: list[Marks]) -> None:
    try:
        order = unroll(bars)
    except ChartError:
        return
    assert len(order) <= MOST_BARS
    assert all(0 <= i < len(bars) for i in order)
    assert order or all(bar.endings or bar.coda for bar in bars[:1])
