"""Names of styles for people: a slug such as `mccoy-tyner` as the player's name is written, McCoy Tyner."""

from typing import Final

_SUFFIXES: Final = ("jr", "sr")

_IRREGULAR: Final = {"andre-previn": "André Previn", "andy-laverne": "Andy LaVerne"}
"""Names that no rule gives."""


def player_name(slug: str) -> str:
    """Return the name of the player of a style; the empty string for the empty slug.

    Single letters are initials (`j-j-johnson`, J. J. Johnson), a word that begins with `mc` has a second
    capital (`jim-mcneely`, Jim McNeely), and `jr` is Jr.
    """
    return _IRREGULAR.get(slug) or " ".join(_word(word) for word in slug.split("-"))


def _word(word: str) -> str:
    if len(word) == 1 or word in _SUFFIXES:
        return f"{word.capitalize()}."
    if word.startswith("mc") and len(word) > len("mc"):
        return f"Mc{word[2:].capitalize()}"
    return word.capitalize()
