"""Figures as lines of text."""

from collections.abc import Sequence

from tatumflow.training.evaluate.comparison import Figures


def interval_line(name: str, value: float, interval: Sequence[float]) -> str:
    """Return a figure with its 95 % interval."""
    return f"{name:<34} {value:8.3f}  [{interval[0]:.3f}, {interval[1]:.3f}]"


def compared_line(name: str, figure: Figures) -> str:
    """Return a comparison of generated with real music."""
    line = interval_line(name, figure["generated"], figure["generated_interval"])
    return f"{line}; real {figure['real']:.3f}, ratio {figure['ratio']:.3f}"
