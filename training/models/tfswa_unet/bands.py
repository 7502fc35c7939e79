"""Band layouts: the bins of a spectrum as positions with several bins as channels.

Stacked: the spectrum is cut into equal sub-bands, which are stacked as channels (channel-wise sub-bands; Liu
et al., "Channel-wise Subband Input for Better Voice and Accompaniment Separation", 2020). Merged: neighboring
bins share a position, more of them at higher frequencies, like critical bands; most positions, and so most of
the computation, are where the notes are.

Shapes: B batch, T frames, c channels, F bins, P positions, w bins of a position.
"""

from collections.abc import Sequence
from typing import NamedTuple

from torch import Tensor


class Part(NamedTuple):
    """A run of positions of one layout.

    Attributes:
        first: Its first bin.
        positions: Number of positions.
        width: Bins of each.
        apart: Whether a position's bins lie `positions` bins apart; else they are neighbors.
    """

    first: int
    positions: int
    width: int
    apart: bool

    def split(self, x: Tensor) -> Tensor:
        """Return the part's positions, (B, T, P, c w), of a spectrum (B, T, c, F)."""
        bins = x[..., self.first : self.first + self.positions * self.width]
        if self.apart:
            return bins.unflatten(-1, (self.width, self.positions)).permute(0, 1, 4, 2, 3).flatten(3)
        return bins.unflatten(-1, (self.positions, self.width)).permute(0, 1, 3, 2, 4).flatten(3)

    def join(self, x: Tensor) -> Tensor:
        """Return the part's bins, (B, T, c, P w, ...), of its positions (B, T, P, c, w, ...)."""
        return x.movedim(2, 4 if self.apart else 3).flatten(3, 4)


def stacked_parts(bins: int, sub_bands: int) -> tuple[Part, ...]:
    """Return the layout of `bins` bins as `sub_bands` stacked sub-bands."""
    return (Part(0, bins // sub_bands, sub_bands, apart=True),)


def merged_parts(bands: Sequence[tuple[int, int]]) -> tuple[Part, ...]:
    """Return the layout of merged ranges, each given as its bins and the bins of a position."""
    parts: list[Part] = []
    first = 0
    for bins, width in bands:
        parts.append(Part(first, bins // width, width, apart=False))
        first += bins
    return tuple(parts)
