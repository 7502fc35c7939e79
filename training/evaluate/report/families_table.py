"""The figures of several models side by side, as a Markdown table."""

import json
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from tatumflow.engine.errors import SettingError
from tatumflow.training.evaluate.comparison import Figures

ROWS: Final = {
    "note_accuracy": "notes predicted right",
    "nll_per_note": "nats a note, held out",
    "perplexity": "perplexity of a token",
    "pitch_entropy": "pitch entropy (bits)",
    "pitch_class_entropy": "pitch-class entropy (bits)",
    "rhythm_diversity": "rhythm diversity (bits)",
    "groove_similarity": "groove similarity",
    "note_density": "notes a second",
    "polyphony": "notes at once",
    "chord_tones": "chord tones at changes",
    "guide_tones": "guide tones at changes",
    "passing_tones": "passing tones in 100 notes",
    "enclosures": "enclosures in 100 notes",
    "concentration": "concentration on half beats",
}
"""The figures of the table by name, with what they are called; a row that no model has is left out."""

_NONE: Final = "-"
_SIDES: Final = (("generated", "real"), ("companion", "player"))


def read_figures(path: Path) -> Figures:
    """Read a file of figures that `tatumflow evaluate --json` wrote.

    Raises:
        SettingError: if it cannot be read or is no such file.
    """
    try:
        figures = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingError(f"{path}: cannot be read ({error.strerror}); give a file of figures") from None
    except ValueError:
        figures = None
    if not isinstance(figures, dict) or "model" not in figures:
        raise SettingError(f"{path}: has no figures of a model; write them with `tatumflow evaluate --json`")
    return figures


def families_table(models: Sequence[tuple[str, Figures]]) -> str:
    """Return a Markdown table of the figures of models, a column for each, and the commands that made them.

    Values have their 95 % intervals where the file has them; what a player did beside it stands in
    parentheses. A figure that a model does not have is a dash.

    Args:
        models: The name of each file, and its figures.
    """
    names = _names(models)
    lines = [*_table(names, [figures for _, figures in models]), "", *_commands(names, models)]
    return "\n".join(lines) + "\n"


def _names(models: Sequence[tuple[str, Figures]]) -> list[str]:
    """Return the name of each model, with that of its file where two models have one name."""
    count = Counter(str(figures["model"]) for _, figures in models)
    return [
        str(figures["model"]) if count[str(figures["model"])] == 1 else f"{figures['model']} ({file})"
        for file, figures in models
    ]


def _table(names: Sequence[str], figures: Sequence[Figures]) -> Iterator[str]:
    yield f"| | {' | '.join(names)} |"
    yield "|---" * (len(names) + 1) + "|"
    for name, label in ROWS.items():
        cells = [figure_cell(_found(one, name)) for one in figures]
        if any(cell != _NONE for cell in cells):
            yield f"| {label} | {' | '.join(cells)} |"


def _commands(names: Sequence[str], models: Sequence[tuple[str, Figures]]) -> Iterator[str]:
    for name, (_, figures) in zip(names, models, strict=True):
        yield f"- {name}: `{figures.get('command', 'no command in the file')}`"


def _found(figures: Figures, name: str) -> object:
    """Return the figure of a name nearest to the top of the groups of figures; None where there is none."""
    groups = deque([figures])
    while groups:
        group = groups.popleft()
        if name in group:
            return group[name]
        groups += [value for value in group.values() if isinstance(value, dict)]
    return None


def figure_cell(figure: object) -> str:
    """Return a figure as text: its value, its interval, and what a player did; a dash for what is none."""
    if isinstance(figure, int | float):
        return f"{figure:.3f}"
    if not isinstance(figure, dict):
        return _NONE
    for own, other in _SIDES:
        if own in figure:
            real = figure_cell(figure.get(other))
            interval = figure.get(f"{own}_interval")
            shown = _value(figure[own], interval) if interval else figure_cell(figure[own])
            return shown if real == _NONE or shown == _NONE else f"{shown} (real {real.partition(' ')[0]})"
    return _value(figure.get("value"), figure.get("interval"))


def _value(value: object, interval: object) -> str:
    if not isinstance(value, int | float):
        return _NONE
    if isinstance(interval, list) and all(isinstance(bound, int | float) for bound in interval):
        return f"{value:.3f} [{interval[0]:.3f}, {interval[1]:.3f}]"
    return f"{value:.3f}"
