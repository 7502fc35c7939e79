"""What the phrases of a turn are conditioned on; each mode has its own policy."""

from dataclasses import dataclass
from typing import Final

MANNER: Final = ("rhythm", "dynamics")
"""The parts of a drawn condition that say how a player plays. Given these alone, the decoder keeps to the key
and the motifs of its context; a drawn harmony, melody and latent take it away from them."""


@dataclass(frozen=True, slots=True)
class PhrasePolicy:
    """What the phrases of a turn are made of, when the model has a latent for them.

    Attributes:
        from_call: Whether the first phrase is drawn from the human's.
        tells: What of a drawn condition the decoder is told: "latent" and parts of theory; nothing leaves the
            phrases to what was played and the style.
        tells_near: What it is told besides while a phrase follows the call, at a surprise below a half: the
            condition is then the call's own in part, and says what to take up.
        keeps: Share of the call's own condition, 0 to 1, that the first phrase keeps; None leaves that to the
            player's *surprise*.
        asks: Parts of the call's theory that every phrase shall have.
        edits_harmony: Whether the harmony asked for is that of the player's chords.
    """

    from_call: bool = True
    tells: tuple[str, ...] = ("latent", "harmony", "melody", "rhythm", "dynamics")
    tells_near: tuple[str, ...] = ()
    keeps: float | None = None
    asks: tuple[str, ...] = ()
    edits_harmony: bool = False
