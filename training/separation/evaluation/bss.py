"""BSS Eval v4 by museval: distortion, interference and artifacts of separated stems."""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tatumflow.engine.errors import TatumFlowError
from tatumflow.engine.separation.stft import Samples
from tatumflow.training.separation.ffmpeg import without_ffmpeg

_NOISE: Final = 1e-4
"""Level of noise added to true stems, without which interference and artifacts of a stem with equal sides are
undefined. It is 80 dB below full scale, and does not change the ratio to all distortion."""

_NOISE_SEED: Final = 5_309

Windows = NDArray[np.float64]


class BssFigures(NamedTuple):
    """Ratios in decibels for each stem and second, (s, windows) each; NaN where a stem is silent."""

    sdr: Windows
    """Of the true stem to all distortion."""
    isr: Windows
    """To the error of its stereo image."""
    sir: Windows
    """To other stems."""
    sar: Windows
    """To artifacts."""

    def medians(self) -> dict[str, NDArray[np.float64]]:
        """Return the median over the windows of each, (s,), by name; NaN where there are none."""
        found: dict[str, NDArray[np.float64]] = {}
        for name, values in self._asdict().items():
            known = [row[np.isfinite(row)] for row in values]
            found[name] = np.array([np.median(row) if row.size else np.nan for row in known])
        return found


def bss_figures(found: Samples, true: Samples, rate: int) -> BssFigures:
    """Return the figures of separated stems (s, 2, n) against the true ones; a window lasts a second.

    Raises:
        TatumFlowError: if museval or ffmpeg is missing.
    """
    try:
        from museval.metrics import bss_eval
    except ModuleNotFoundError as error:
        raise TatumFlowError(
            f"measuring stems needs {error.name}; in TatumFlow's folder, run: pip install -e '.[separation]'"
        ) from None
    except RuntimeError:
        raise without_ffmpeg("measuring stems") from None
    noise = np.random.default_rng(_NOISE_SEED).standard_normal(true.shape)
    references = (true + _NOISE * noise).transpose(0, 2, 1)
    estimates = found.astype(np.float64).transpose(0, 2, 1)
    ratios = bss_eval(references, estimates, window=rate, hop=rate, compute_permutation=False)
    return BssFigures(*(np.asarray(values) for values in ratios[:4]))
