"""Phrase policies: what a mode's phrases are conditioned on."""

from dataclasses import dataclass
from typing import Final

MANNER: Final = ("rhythm", "dynamics")
"""Parts of theory that describe how a player plays. Conditioned on these alone, the decoder keeps to the key
and the motifs of its context; a harmony sampled in absolute pitch would override them."""

IN_KEY: Final = ("harmony", "melody")
"""Parts that bring out the style and leave the key where it is, if they are relative to it."""


@dataclass(frozen=True, slots=True)
class PhrasePolicy:
    """The conditions of a turn's phrases, for models with a phrase latent.

    Attributes:
        from_call: Whether the first phrase is sampled from the call's code.
        conditions_on: Parts of the sampled code that condition the decoder: "latent" and parts of theory;
            empty for the context and the style alone.
        conditions_in_key: Further parts for models whose codes are relative to the key of the moment.
        conditions_near: Further parts while a phrase follows the call, at a surprise below 0.5: the code is
            then partly the call's own.
        kept_share: Share of the call's own code that the first phrase keeps, 0 to 1; None leaves it to the
            control *surprise*.
        requests: Parts of the call's theory that every phrase shall have.
        edits_harmony: Whether the harmony of the player's chords is requested.
    """

    from_call: bool = True
    conditions_on: tuple[str, ...] = ("latent", "harmony", "melody", "rhythm", "dynamics")
    conditions_in_key: tuple[str, ...] = ()
    conditions_near: tuple[str, ...] = ()
    kept_share: float | None = None
    requests: tuple[str, ...] = ()
    edits_harmony: bool = False
