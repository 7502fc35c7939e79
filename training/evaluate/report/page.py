"""Pages that need no network: a document in one file, its tables and notes."""

from collections.abc import Iterable, Sequence
from html import escape
from typing import Final

_STYLE: Final = """
body { font: 15px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color:
#222; } h1 { margin-bottom: 0; } h2 { margin-top: 2.5rem; border-bottom: 1px solid #ccc; } table {
border-collapse: collapse; margin: 1rem 0; font-variant-numeric: tabular-nums; } th, td { padding: .2rem .8rem
.2rem 0; text-align: right; } th:first-child, td:first-child { text-align: left; } th { font-weight: 600;
border-bottom: 1px solid #999; } img { max-width: 100%; } code { background: #f3f3f3; } .note { color: #555;
max-width: 46rem; } audio { height: 2rem; vertical-align: middle; }
"""


def document(title: str, body: Iterable[str]) -> str:
    """Return a page of a title and lines of HTML."""
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f"<style>{_STYLE}</style></head>\n<body>\n" + "\n".join(body) + "\n</body></html>\n"
    )


def table(heads: Iterable[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table of plain text."""
    lines = ["<tr>" + "".join(f"<th>{escape(head)}</th>" for head in heads) + "</tr>"]
    lines += ["<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows]
    return "<table>" + "\n".join(lines) + "</table>"


def note(text: str) -> str:
    """Return a paragraph that explains what follows."""
    return f'<p class="note">{escape(text)}</p>'


def sound_player(file: str) -> str:
    """Return what plays a sound file beside the page."""
    return f'<audio controls preload="none" src="{escape(file)}"></audio>'


def midi_link(file: str) -> str:
    """Return a link to a MIDI file beside the page."""
    return f'<a href="{escape(file)}">.mid</a>'
