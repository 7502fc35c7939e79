"""The figures of heard chords."""

from tatumflow.engine.harmony.chart import parse_chart
from tatumflow.live.bench.heard_music import heard_figures


def test_chords_with_their_root_are_heard_right() -> None:
    charts = [
        parse_chart("Dm7 | G7 | Cmaj7 | A7"),
        parse_chart("F7 | Bb7 | F7 | Cm7 F7 | Bb7 | Eb7 | F7 | D7"),
    ]
    sure, right, cost = heard_figures(charts)
    assert sure.count == 2 * 8 + 2 * 16
    assert sure.mean > 0.8
    assert right.mean > 0.85
    assert cost.mean > 0


def test_charts_without_bars_of_four_have_no_figures() -> None:
    assert heard_figures([parse_chart("Dm7 | G7", beats_per_bar=3)]) == []
