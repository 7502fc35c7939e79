"""Redraws of a plan are spaced, and changes in between are gathered into one."""

from tatumflow.engine.turns.live_controls import ControlsSet
from tatumflow.engine.turns.redraws import REDRAW_SPACING, Redraws


def test_changes_between_two_redraws_are_gathered():
    redraws = Redraws(10.0)
    assert redraws.next_due(10.0) is None
    redraws.add(ControlsSet(frozenset({"temperature"})))
    assert redraws.take(10.0) == ControlsSet(frozenset({"temperature"}))
    redraws.done(10.02)
    redraws.add(ControlsSet(frozenset({"surprise"})))
    redraws.add(ControlsSet(frozenset({"mode"}), new_mode=True))
    due = 10.02 + REDRAW_SPACING
    assert redraws.next_due(10.03) == due
    assert redraws.take(10.05) is None
    assert redraws.take(due) == ControlsSet(frozenset({"surprise", "mode"}), new_mode=True)
    assert redraws.take(due) is None


def test_cleared_changes_are_not_drawn():
    redraws = Redraws(0.0)
    redraws.add(ControlsSet(frozenset({"density"})))
    redraws.clear()
    assert redraws.next_due(1.0) is None
    assert redraws.take(1.0) is None
