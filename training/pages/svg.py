"""Figures of matplotlib as SVG."""

import io
from typing import Any

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure


def plain(axes: Axes) -> None:
    """Leave out the frame's upper and right line, and make the labels small."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(labelsize=8)


def svg(figure: Figure) -> str:
    """Return a figure as SVG, the same for the same figures."""
    buffer = io.StringIO()
    metadata: dict[str, Any] = {"Date": None, "Creator": None}
    with rc_context({"svg.hashsalt": "tatumflow", "svg.fonttype": "path"}):
        figure.savefig(buffer, format="svg", metadata=metadata)
    return buffer.getvalue()
