"""Lines for the player under a flood of them."""

from tatumflow.engine.clock import VirtualClock
from tatumflow.engine.messages import Notice
from tatumflow.live.notices import MOST_A_SECOND, Notices


def test_lines_that_differ_in_numbers_only_are_shown_once_a_second() -> None:
    clock = VirtualClock()
    notices, shown = Notices(clock), list[Notice]()
    for step in range(300):
        clock.advance_to(step * 0.01)
        notices.put(f"temperature: {step / 7} is outside the allowed range 0.0 to 2.0", "warning")
        shown += notices.take()
    assert len(shown) == 3


def test_many_different_lines_are_held_to_a_number_a_second_but_errors_are_not() -> None:
    clock = VirtualClock()
    notices = Notices(clock)
    for letter in "abcdefghijklmnopqrstuvwxyz":
        notices.put(f"no address {letter}", "warning")
    notices.put("the output has gone", "error")
    shown = notices.take([Notice(0.0, "of the companion", "information")])
    assert len(shown) == MOST_A_SECOND + 1
    assert shown[0].text == "of the companion"
    assert shown[-1].severity == "error"
    clock.advance_to(1.5)
    notices.put("no address a", "warning")
    assert len(notices.take()) == 1
