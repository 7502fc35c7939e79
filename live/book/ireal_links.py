"""The links of iReal Pro, `irealb://` and `irealbook://`: found in text or HTML, split, unscrambled, written.

The format is public: the program's page on its chart protocol describes `irealbook://`; the fields of
`irealb://` and its scrambling are those of the open readers pianosnake/ireal-reader and drs251/pyRealParser.
"""

import html
import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote, unquote

from tatumflow.engine.errors import ChartError

LONGEST_SOURCE: Final = 1 << 24
"""Most characters that are read of a file: a playlist of 1,500 tunes has under a million."""

_SCRAMBLED: Final = "1r34LbKcu7"
_SCHEME: Final = r"(irealb(?:ook)?)://"
_LINK: Final = re.compile(rf"""(?<="){_SCHEME}([^"]*)|(?<='){_SCHEME}([^']*)|{_SCHEME}([^"\r\n]*)""")
_LINK_IN_HTML: Final = re.compile(_LINK.pattern.removesuffix(r"\r\n]*)") + r"<>\s]*)")
_HTML: Final = re.compile(r"<\s*(?:a|html|body|/\w+)\b", re.IGNORECASE)
_BLOCK: Final = 50
_FIELDS: Final = 6
_ABBREVIATIONS: Final = (("Kcl", "| x"), ("LZ", " |"), ("XyQ", "   "))


@dataclass(frozen=True)
class LinkedTune:
    """A tune of a link, its music unscrambled.

    Attributes:
        title: Its title, as a list sorts it: "Gentle Rain, The".
        composer: Its composer, the family name first where there are two names.
        style: The feel that the chart names.
        key: Its key: a minor one ends with "-".
        music: Its chart.
        tempo: Beats a minute; 0 where the link has none.
    """

    title: str
    composer: str
    style: str
    key: str
    music: str
    tempo: float = 0.0


@dataclass(frozen=True)
class Playlist:
    """The tunes of a link or of all links of a page.

    Attributes:
        tunes: In order.
        name: The name that the first link with one gives it; may be empty.
    """

    tunes: tuple[LinkedTune, ...]
    name: str = ""


def has_link(text: str) -> bool:
    """Return whether a text holds a link of iReal Pro."""
    return "irealb://" in text or "irealbook://" in text


def read_links(text: str) -> Playlist:
    """Return the tunes of every link in a text, such as an HTML page or a bare link.

    Raises:
        ChartError: if it holds no link, or none with a tune.
    """
    if len(text) > LONGEST_SOURCE:
        raise ChartError(f"the playlist has over {LONGEST_SOURCE} characters; export it in parts")
    tunes: list[LinkedTune] = []
    name = ""
    found = False
    pattern = _LINK_IN_HTML if _HTML.search(text) else _LINK
    for match in pattern.finditer(text):
        found = True
        scheme = match[1] or match[3] or match[5]
        # Only an encoded line break is a character of the music; others are the page's.
        content = re.sub(r"[\r\n]+", "", match[2] or match[4] or match[6] or "")
        fields = unquote(html.unescape(content)).split("=")
        if scheme == "irealb" and any(field.startswith(_SCRAMBLED) for field in fields):
            of_link, named = _scrambled_tunes(fields)
        else:
            of_link, named = _plain_tunes(fields)
        tunes += of_link
        name = name or named
    if not found:
        raise ChartError("holds no irealb:// or irealbook:// link; export one from iReal Pro")
    if not tunes:
        raise ChartError("its iReal Pro link holds no tune; copy the whole link, from irealb:// to its end")
    return Playlist(tuple(tunes), " ".join(name.split()))


def write_link(tunes: list[LinkedTune], name: str = "") -> str:
    """Return the scrambled link of one tune, or of several as a playlist of a name."""
    written = "===".join(
        "=".join(
            (
                _field(tune.title),
                _field(tune.composer),
                "",
                _field(tune.style),
                tune.key,
                "",
                _SCRAMBLED + scramble(tune.music),
                "",
                f"{tune.tempo:g}",
                "0",
            )
        )
        for tune in tunes
    )
    return "irealb://" + quote(f"{written}==={_field(name)}" if len(tunes) > 1 else written, safe="")


def unscramble(music: str) -> str:
    """Return music with its blocks unscrambled and its abbreviations spelled out."""
    music = _mirrored(music)
    for short, long in _ABBREVIATIONS:
        music = music.replace(short, long)
    return music


def scramble(music: str) -> str:
    """Return music as a link holds it; `unscramble` gives it back."""
    for short, long in reversed(_ABBREVIATIONS):
        music = music.replace(long, short)
    return _mirrored(music)


def _mirrored(music: str) -> str:
    """Return music with parts of each block of 50 characters mirrored; twice gives it back.

    A rest of less than two characters keeps the block before it as it is.
    """
    blocks: list[str] = []
    at = 0
    while len(music) - at > _BLOCK + 1:
        block = list(music[at : at + _BLOCK])
        for i in (*range(5), *range(10, 24)):
            block[i], block[_BLOCK - 1 - i] = block[_BLOCK - 1 - i], block[i]
        blocks.append("".join(block))
        at += _BLOCK
    return "".join(blocks) + music[at:]


def _field(text: str) -> str:
    return text.replace("=", "-")


def _scrambled_tunes(fields: list[str]) -> tuple[list[LinkedTune], str]:
    """Return the tunes of `irealb://`: each has six fields before its music and three after it."""
    places = [i for i, field in enumerate(fields) if field.startswith(_SCRAMBLED)]
    tunes: list[LinkedTune] = []
    for at in places:
        before = ["", "", "", "", "", "", *fields[max(at - _FIELDS, 0) : at]][-_FIELDS:]
        after = [*fields[at + 1 : at + 4], "", "", ""]
        title, composer, _, style, key, _ = before
        music = unscramble(fields[at].removeprefix(_SCRAMBLED))
        named = (title.strip(), composer, style.strip(), key.strip())
        tunes.append(LinkedTune(*named, music, _number(after[1])))
    rest = [field for field in fields[places[-1] + 4 :] if field.strip()]
    return tunes, rest[0] if rest else ""


def _plain_tunes(fields: list[str]) -> tuple[list[LinkedTune], str]:
    """Return the tunes of `irealbook://`: title, composer, style, key, a field without use, music."""
    tunes: list[LinkedTune] = []
    i = 0
    while i < len(fields):
        if not fields[i].strip():
            i += 1
            continue
        if i + _FIELDS > len(fields):
            return tunes, fields[i]
        title, composer, style, key, _, music = fields[i : i + _FIELDS]
        tunes.append(LinkedTune(title.strip(), composer, style.strip(), key.strip(), music))
        i += _FIELDS
    return tunes, ""


def _number(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        return 0.0
    return number if 0 < number < 1e4 else 0.0
