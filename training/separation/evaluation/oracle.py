"""The oracle of separation by masks: the ideal ratio mask."""

import numpy as np

from tatumflow.engine.separation.stft import Samples, StftSettings, istft, stft
from tatumflow.training.separation.data.parts import Parts

_SMALLEST = 1e-12


def ideal_ratio_mask(parts: Parts, transform: StftSettings) -> Samples:
    """Separate a recording by each stem's share of the power in every bin (Liutkus and Badeau, 2015).

    From parts, (s + 1, 2, n), come stems, (s, 2, n). `transform` is that of the compared model.
    """
    spectra = stft(parts, transform)
    powers = np.square(np.abs(spectra))
    masks = powers[:-1] / np.maximum(powers.sum(axis=0), _SMALLEST)
    return istft(masks * spectra.sum(axis=0), parts.shape[-1], transform)
