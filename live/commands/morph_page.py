"""The HTML page of `tatumflow morph`: each place of each way as a piano roll, with its figures and sound."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from importlib.resources import files
from string import Template
from typing import Final

from tatumflow.engine.melodies.features import features_of
from tatumflow.engine.melodies.melody import STEPS_PER_BAR, Melody
from tatumflow.engine.melodies.morph import MorphStep

_TEMPLATE: Final = "morph.html"
_STEP_WIDTH: Final = 5
_PITCH_HEIGHT: Final = 2
_MARGIN: Final = 2


@dataclass(frozen=True)
class PageStep:
    """A place of a way.

    Attributes:
        name: Stem of its files.
        step: The decoded melodies.
        sound: Name of the sound file; empty for none.
        shares: Share of each player by the classifier; empty without one.
    """

    name: str
    step: MorphStep
    sound: str
    shares: Mapping[str, float]


@dataclass(frozen=True)
class PageWay:
    """A way: its name, places, joined sound file, and the players whose shares are shown."""

    name: str
    steps: Sequence[PageStep]
    sound: str
    players: Sequence[str] = ()


def morph_page(title: str, ways: Sequence[PageWay], lines: Sequence[str], silent: str) -> str:
    """Return the page.

    Args:
        title: Its title.
        ways: The ways.
        lines: Figures as lines of text.
        silent: Why there is no sound; empty where there is.
    """
    template = Template(files("tatumflow.live.commands").joinpath(_TEMPLATE).read_text(encoding="utf-8"))
    return template.substitute(
        title=escape(title),
        figures="".join(f"<p>{escape(line)}</p>\n" for line in lines),
        silent=f"<p>MIDI only: {escape(silent)}</p>" if silent else "",
        ways="\n".join(_way(way) for way in ways),
    )


def melody_svg(melodies: Sequence[Melody], lowest: int, highest: int) -> str:
    """Return a piano roll of melodies that follow each other, as SVG, of pitches from lowest to highest."""
    width = _STEP_WIDTH * sum(len(melody.events) for melody in melodies)
    height = _PITCH_HEIGHT * (highest - lowest + 1) + 2 * _MARGIN
    return (
        f'<svg width="{width}" height="{height}" role="img">'
        + "".join(_shapes(melodies, highest, height))
        + "</svg>"
    )


def _shapes(melodies: Sequence[Melody], highest: int, height: int) -> Iterator[str]:
    begin = 0
    for melody in melodies:
        for bar in range(melody.bars):
            x = _STEP_WIDTH * (begin + bar * STEPS_PER_BAR)
            yield f'<line class="bar" x1="{x}" x2="{x}" y1="0" y2="{height}"/>'
        for note in melody.notes():
            x, y = _STEP_WIDTH * (begin + note.step), _MARGIN + _PITCH_HEIGHT * (highest - note.pitch)
            yield f'<rect x="{x}" y="{y}" width="{_STEP_WIDTH * note.steps - 1}" height="{_PITCH_HEIGHT}"/>'
        begin += len(melody.events)


def _way(way: PageWay) -> str:
    pitches = [n.pitch for row in way.steps for melody in row.step.melodies for n in melody.notes()] or [60]
    heads = ["place", "melody", "", "", "notes a bar", "mean pitch", "from the first", "from the last"]
    heads += [f"share of {player}" for player in way.players]
    rows = "\n".join(_row(row, way.players, min(pitches), max(pitches)) for row in way.steps)
    return (
        f"<h2>{escape(way.name)}</h2>\n<p>{_links(way.name, way.sound)}</p>\n<table>\n<tr>"
        + "".join(f"<th>{escape(head)}</th>" for head in heads)
        + f"</tr>\n{rows}\n</table>"
    )


def _row(row: PageStep, players: Sequence[str], lowest: int, highest: int) -> str:
    step = row.step
    features = [features_of(melody) for melody in step.melodies]
    pitches = [one.mean_pitch for one in features if one.mean_pitch == one.mean_pitch]
    cells = [
        f"{step.share:.2f}",
        melody_svg(step.melodies, lowest, highest),
        *_links(row.name, row.sound).split(" | "),
        f"{sum(one.density for one in features) / len(features):.1f}",
        f"{sum(pitches) / len(pitches):.1f}" if pitches else "",
        f"{step.from_start:.0%}",
        f"{step.from_end:.0%}" if step.from_end is not None else "",
        *(f"{row.shares[player]:.0%}" if player in row.shares else "" for player in players),
    ]
    return "<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>"


def _links(name: str, sound: str) -> str:
    player = f'<audio controls preload="none" src="{escape(sound)}"></audio>' if sound else ""
    return f'{player} | <a href="{escape(name)}.mid">MIDI</a>'
