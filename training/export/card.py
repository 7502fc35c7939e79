"""Model cards in Markdown: a table of facts, then sections of text, commands and tables."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from tatumflow.engine.model.model_folder import CorpusCredit, Metric

CARD_FILE: Final = "card.md"


def model_card(name: str, summary: str, facts: Mapping[str, str], sections: Mapping[str, str]) -> str:
    """Return a card.

    Args:
        name: Name of the model.
        summary: A sentence or two on what it does.
        facts: Rows of the table at the top.
        sections: Text in Markdown by heading, in order.
    """
    parts = [f"# {name}", summary, table(("", ""), facts.items())]
    return "\n\n".join(parts) + "\n" + "".join(section(*part) for part in sections.items())


def section(heading: str, content: str) -> str:
    """Return a section, with the empty line before it."""
    return f"\n## {heading}\n\n{content}\n"


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table in Markdown."""
    lines = (heads, ["---"] * len(heads), *rows)
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def commands(*lines: str) -> str:
    """Return commands as a block of code."""
    return "\n".join(f"    {line}" for line in lines)


def corpus_table(corpora: Sequence[CorpusCredit]) -> str:
    """Return the table of what a model was trained on, with its licences."""
    rows = [(corpus.name, corpus.licence) for corpus in corpora]
    return table(("corpus", "licence"), rows) if rows else "None stated."


def metric_table(metrics: Sequence[Metric]) -> str:
    """Return the table of measured figures, each with the command that measures it."""
    rows = [(metric.name, f"{metric.value:.6g}", f"`{metric.command}`") for metric in metrics]
    return table(("what", "value", "command"), rows) if rows else "Nothing yet."


def counted(name: str, count: int) -> str:
    """Return a count with its noun: 1 layer, 8 layers."""
    return f"{count} {name}{'' if count == 1 else 's'}"
