"""Augmentation of recordings in stems: time stretch, pitch shift, gain, frequency mask, time mask, mixup.

Every change applies to the parts, whose sum is the mixture (`parts.py`): stems and mixture stay consistent.
Stretch and shift are Signalsmith Stretch, which processes all parts as the channels of one signal. The masks
are SpecAugment's (Park et al., 2019); mixup adds a second excerpt (Zhang et al., 2018), here with weights
whose squares sum to one, which keeps the level.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from tatumflow.engine.errors import SettingError, TatumFlowError
from tatumflow.engine.separation.stft import StftSettings, istft, stft
from tatumflow.training.separation.data.parts import Parts

_MASK_STFT: Final = StftSettings()
_SHARES: Final = ("stretching", "shifting", "frequency_masking", "time_masking", "mixing_up")


@dataclass(frozen=True)
class Augmentation:
    """Probability and range of each change.

    Attributes:
        stretching: Share of the excerpts whose tempo changes, 0 to 1.
        most_stretch: Largest change, as a share of the tempo, 0 to 0.5.
        shifting: Share of the excerpts whose pitch changes.
        most_semitones: Largest change, 0 to 12.
        gain_db: Standard deviation of each part's gain in decibels, 0 to 12; 0 changes none.
        swapping: Share of the parts whose sides are swapped.
        frequency_masking: Share of the excerpts without a band of frequencies.
        most_band: Its width at most, as a share of all bins.
        time_masking: Share of the excerpts with a gap.
        most_gap: Its length at most, as a share of the excerpt.
        mixing_up: Share of the excerpts to which a second is added.

    Raises:
        SettingError: if a value is outside its range.
    """

    stretching: float = 0.1
    most_stretch: float = 0.1
    shifting: float = 0.1
    most_semitones: float = 2.0
    gain_db: float = 3.0
    swapping: float = 0.5
    frequency_masking: float = 0.1
    most_band: float = 0.1
    time_masking: float = 0.1
    most_gap: float = 0.1
    mixing_up: float = 0.1

    def __post_init__(self) -> None:
        ranges = dict.fromkeys((*_SHARES, "swapping", "most_band", "most_gap"), 1.0)
        ranges |= {"most_stretch": 0.5, "most_semitones": 12.0, "gain_db": 12.0}
        for name, most in ranges.items():
            value = getattr(self, name)
            if not 0 <= value <= most:
                raise SettingError(f"augmentation {name} {value} is not from 0 to {most:g}")

    @classmethod
    def none(cls) -> "Augmentation":
        """Return the augmentation that changes nothing."""
        return cls(**dict.fromkeys((*_SHARES, "gain_db", "swapping"), 0.0))

    def draw(self, rng: np.random.Generator, rate: int) -> "DrawnAugmentation":
        """Draw the changes of one excerpt of `rate` samples a second.

        Every kind is drawn, used or not, so that seeds stay comparable.
        """
        happens = {name: rng.random() < getattr(self, name) for name in _SHARES}
        stretch = float(np.exp(rng.uniform(-1, 1) * np.log1p(self.most_stretch)))
        semitones = float(rng.uniform(-1, 1) * self.most_semitones)
        band = (float(rng.random()), float(rng.random() * self.most_band))
        gap = (float(rng.random()), float(rng.random() * self.most_gap))
        angle = float(rng.uniform(0.1, 0.4) * np.pi)
        return DrawnAugmentation(
            rate=rate,
            tempo=stretch if happens["stretching"] else 1.0,
            semitones=semitones if happens["shifting"] else 0.0,
            band=band if happens["frequency_masking"] else None,
            gap=gap if happens["time_masking"] else None,
            mixup=angle if happens["mixing_up"] else None,
            gain_db=self.gain_db,
            swapping=self.swapping,
            seed=int(rng.integers(2**32)),
        )


@dataclass(frozen=True)
class DrawnAugmentation:
    """The changes of one excerpt.

    Attributes:
        rate: Samples a second.
        tempo: Factor of its tempo.
        semitones: Its transposition.
        band: Place and width of the band left out, as shares of what is possible and of all bins; or None.
        gap: Place and length of the gap, likewise; or None.
        mixup: Angle whose cosine and sine weight the excerpt and a second; or None.
        gain_db: Standard deviation of the gains.
        swapping: Share of the parts whose sides are swapped.
        seed: Seed of the gains and swaps.
    """

    rate: int
    tempo: float
    semitones: float
    band: tuple[float, float] | None
    gap: tuple[float, float] | None
    mixup: float | None
    gain_db: float
    swapping: float
    seed: int

    def source_length(self, length: int) -> int:
        """Return the number of samples to read for an excerpt of `length` samples."""
        return int(np.ceil(length * self.tempo))

    def change(self, parts: Parts, length: int) -> Parts:
        """Return parts (p, 2, `source_length(length)`) changed, without the mixup, (p, 2, length)."""
        if self.tempo != 1 or self.semitones:
            parts = stretched(parts, self.rate, self.tempo, self.semitones)
        parts = _fitted(parts, length)
        parts = gained(parts, np.random.default_rng(self.seed), self.gain_db, self.swapping)
        if self.band is not None:
            parts = without_band(parts, *self.band)
        if self.gap is not None:
            parts = with_gap(parts, *self.gap)
        return parts

    def mix(self, parts: Parts, added: Parts) -> Parts:
        """Return the excerpt with a second of the same shape added part by part."""
        return parts if self.mixup is None else mixed_up(parts, added, self.mixup)


def stretched(parts: Parts, rate: int, tempo: float, semitones: float = 0.0) -> Parts:
    """Change tempo and pitch independently.

    Args:
        parts: Shape (p, 2, n).
        rate: Samples a second.
        tempo: Factor of the tempo, above 0; 2 makes it half as long.
        semitones: Transposition.

    Returns:
        Shape (p, 2, about n / tempo); nothing is delayed.

    Raises:
        TatumFlowError: if the library for it is missing.
    """
    try:
        from python_stretch import Signalsmith
    except ModuleNotFoundError:
        raise TatumFlowError(
            "changing tempo or pitch needs python-stretch; in TatumFlow's folder, "
            "run: pip install -e '.[separation]'"
        ) from None
    channels = parts.reshape(-1, parts.shape[-1])
    stretch = Signalsmith.Stretch()
    stretch.preset(len(channels), float(rate))
    stretch.setTimeFactor(tempo)
    stretch.setTransposeSemitones(semitones)
    out = np.asarray(stretch.process(np.ascontiguousarray(channels)), dtype=np.float32)
    return out.reshape(*parts.shape[:-1], -1)


def gained(parts: Parts, rng: np.random.Generator, gain_db: float, swapping: float) -> Parts:
    """Give each of the parts (p, 2, n) a gain of its own, and swap the sides of some.

    `gain_db` is the standard deviation of the gains in decibels, `swapping` the share of the parts to swap.
    """
    gains = 10 ** (rng.normal(0, 1, len(parts)) * gain_db / 20)
    swapped = rng.random(len(parts)) < swapping
    out = parts * gains[:, None, None].astype(np.float32)
    out[swapped] = out[swapped, ::-1]
    return out


def without_band(parts: Parts, place: float, width: float) -> Parts:
    """Leave out a band of frequencies from all parts (p, 2, n).

    Its place is a share of the possible range, its width one of all bins.
    """
    bins = round(width * _MASK_STFT.bins)
    first = round(place * (_MASK_STFT.bins - bins))
    spectra = stft(parts, _MASK_STFT)
    spectra[..., first : first + bins, :] = 0
    return istft(spectra, parts.shape[-1], _MASK_STFT)


def with_gap(parts: Parts, place: float, width: float) -> Parts:
    """Silence a stretch of time in all parts (p, 2, n).

    Its place is a share of the possible range, its width one of the excerpt.
    """
    samples = round(width * parts.shape[-1])
    first = round(place * (parts.shape[-1] - samples))
    out = parts.copy()
    out[..., first : first + samples] = 0
    return out


def mixed_up(parts: Parts, added: Parts, angle: float) -> Parts:
    """Add a second excerpt part by part, weighted by the sine of an angle, the first by its cosine."""
    return (np.cos(angle) * parts + np.sin(angle) * added).astype(np.float32)


def _fitted(parts: Parts, length: int) -> Parts:
    """Cut parts to a length, or fill them up with zeros."""
    missing = max(length - parts.shape[-1], 0)
    return np.pad(parts[..., :length], [(0, 0), (0, 0), (0, missing)])
