"""The Lightning module of separation."""

from typing import Any, Final

import torch
from lightning.pytorch.loggers import TensorBoardLogger
from torch import Tensor

from tatumflow.engine.separation.stft import StftSettings
from tatumflow.training.fit.trainable import FamilyTrainer
from tatumflow.training.models.tfswa_unet.model import TfswaUnet
from tatumflow.training.separation.data.batches import SegmentBatch
from tatumflow.training.separation.fit.losses import separation_losses, spectrogram_error
from tatumflow.training.separation.fit.settings import SeparationConfig
from tatumflow.training.separation.ratios import sdr, si_sdr
from tatumflow.training.separation.signal import istft, scales, stft

_SHOWN_DB: Final = 80.0


class SeparationTrainer(FamilyTrainer):
    """Training of a separation model on excerpts.

    Args:
        config: The run.
        model_settings: The family's hyperparameters, complete.
        total_steps: Optimizer steps over which the learning rate falls.
    """

    monitor = "val/loss"

    def __init__(self, config: SeparationConfig, model_settings: dict[str, Any], total_steps: int) -> None:
        super().__init__(config, model_settings, total_steps)
        self.settings = config
        self.names = self.separator.config.stem_set.names
        self._run = torch.compile(self._separate) if config.run.compile else self._separate

    @property
    def separator(self) -> TfswaUnet:
        """The model."""
        assert isinstance(self.model, TfswaUnet)
        return self.model

    def training_step(self, batch: SegmentBatch, batch_idx: int) -> Tensor:
        """Return the loss of a batch; the losses of stems are logged too."""
        parts = at_levels(self._remixed(batch.parts), self.settings.data.level_db)
        spectra, target, parts = self._run(parts)
        transform = self.separator.config.stft
        losses = separation_losses(spectra, target, parts, self.settings.losses, transform)
        by_stem = torch.stack(list(losses.values())).sum(dim=0)
        loss = by_stem.mean()
        self.log("train/loss", loss, prog_bar=True)
        self.log_dict({f"train/loss_{name}": value.mean() for name, value in losses.items()})
        self.log_dict({f"train/{stem}": by_stem[i] for i, stem in enumerate(self.names)})
        return loss

    def validation_step(self, batch: SegmentBatch, batch_idx: int) -> None:
        """Log the error of a batch, its ratios, and their gain over the mixture's."""
        spectra, target, parts = self._run(batch.parts)
        error = spectrogram_error(spectra, target).mean(dim=0)
        found = istft(spectra, parts.shape[-1], self.separator.config.stft)
        stems, mixture = parts[:, :-1], parts.sum(dim=1, keepdim=True).expand_as(parts[:, :-1])
        self.log("val/loss", error.mean(), batch_size=len(parts), prog_bar=True)
        for name, ratio in (("si_sdr", si_sdr), ("sdr", sdr)):
            reached, before = ratio(found, stems), ratio(mixture, stems)
            for i, stem in enumerate(self.names):
                self._log_known(f"val/{name}_{stem}", reached[:, i])
                self._log_known(f"val/{name}_gain_{stem}", reached[:, i] - before[:, i])
            self._log_known(f"val/{name}", reached.flatten())
            self._log_known(f"val/{name}_gain", (reached - before).flatten())
        if batch_idx == 0:
            self._show(mixture[0, 0], found[0], stems[0])

    def _log_known(self, name: str, values: Tensor) -> None:
        """Log the mean of the values that are numbers, weighted by how many they are."""
        known = values[~values.isnan()]
        if len(known):
            self.log(name, known.mean(), batch_size=len(known))

    def _remixed(self, parts: Tensor) -> Tensor:
        """Combine stems of different excerpts, in a share of the batches."""
        if len(parts) < 2 or torch.rand(()) >= self.settings.data.remix:
            return parts
        columns = [parts[torch.randperm(len(parts)), part] for part in range(parts.shape[1])]
        return torch.stack(columns, dim=1)

    def _separate(self, parts: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return found and true stems, (B, s, 2, f, t) complex, and the parts at the model's level.

        A model that looks ahead reads an excerpt at the normalizer's level.
        """
        if not self.separator.config.causal:
            parts = parts / scales(parts.sum(dim=1))[:, None, None, None]
        transform = self.separator.config.stft
        with torch.autocast(parts.device.type, enabled=False):
            target = stft(parts[:, :-1], transform)
            mixture = target.sum(dim=1)
            if parts[:, -1].any():
                mixture = mixture + stft(parts[:, -1], transform)
        return self.separator.separate(mixture), target, parts

    def _show(self, mixture: Tensor, found: Tensor, stems: Tensor) -> None:
        """Log an excerpt to TensorBoard: mixture (2, n), found and true stems (s, 2, n)."""
        if not isinstance(self.logger, TensorBoardLogger):
            return
        rate, step = self.separator.config.rate, self.global_step
        board = self.logger.experiment
        shown = {"mixture": mixture}
        for i, stem in enumerate(self.names):
            shown |= {f"{stem}/found": found[i], f"{stem}/true": stems[i]}
        loudest = max(float(samples.abs().max()) for samples in shown.values()) or 1.0
        for name, samples in shown.items():
            one = samples.mean(dim=0).float().cpu()
            board.add_audio(name, one[None] / loudest, step, sample_rate=rate)
            board.add_image(name, spectrogram_image(one, self.separator.config.window), step)


def at_levels(parts: Tensor, level_db: tuple[float, float]) -> Tensor:
    """Change the level of each excerpt, (B, s + 1, 2, n), by decibels drawn evenly from a range."""
    least, most = level_db
    drawn = least + (most - least) * torch.rand(len(parts), device=parts.device)
    return parts * (10 ** (drawn / 20))[:, None, None, None]


def spectrogram_image(samples: Tensor, window: int) -> Tensor:
    """Return a picture of a signal, (n,), as (1, bins, frames), 0 to 1: 80 dB, low frequencies below."""
    spectrum = stft(samples, StftSettings(window, window // 2))
    levels = 20 * spectrum.abs().clamp(min=1e-8).log10()
    return ((levels - levels.max() + _SHOWN_DB) / _SHOWN_DB).clamp(0, 1).flip(0)[None]
