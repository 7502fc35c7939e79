"""Loss and validation measure of a note model: the negative log-likelihood of each field of the next note."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812

from tatumflow.engine.model.tokens import FIELDS
from tatumflow.training.data.batches import Batch
from tatumflow.training.models import LatentModel, NoteModel


@dataclass(frozen=True)
class FieldNll:
    """Negative log-likelihoods in nats.

    Attributes:
        sums: Summed over the scored steps of a batch, one per field, (4,) float32.
        counts: Scored steps, one per field, (4,) float32.
    """

    sums: Tensor
    counts: Tensor

    @property
    def means(self) -> Tensor:
        """Mean per scored step of each field, (4,); 0 where no step was scored."""
        return self.sums / self.counts.clamp(min=1)

    def named(self) -> dict[str, Tensor]:
        """Return means by the names they are logged under.

        The NLL per note is the sum of the fields' means, per token a fourth of it.
        """
        means = self.means
        named = {f"nll_{name}": means[i] for i, name in enumerate(FIELDS)}
        named["nll_per_note"] = means.sum()
        named["nll_per_token"] = means.sum() / len(FIELDS)
        return named


def field_nll(model: NoteModel, batch: Batch, states: Tensor) -> Tensor:
    """Return each field's negative log-likelihood at every step, (4, B, T) float32; 0 where unscored."""
    nats = []
    for i, scores in enumerate(model.field_logits(states, batch)):
        nll = F.cross_entropy(scores.float().flatten(0, -2), batch.target[..., i].flatten(), reduction="none")
        nats.append(nll.unflatten(0, batch.role.shape) * batch.scored[..., i])
    return torch.stack(nats)


def field_nll_sums(model: NoteModel, batch: Batch, states: Tensor) -> Tensor:
    """Return each field's negative log-likelihood summed over the scored steps, (4,) float32."""
    return field_nll(model, batch, states).sum(dim=(1, 2))


def training_pass(model: NoteModel, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
    """Return each field's summed negative log-likelihood, and no further losses."""
    return field_nll_sums(model, batch, model(batch)), {}


def latent_training_pass(model: LatentModel, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
    """Return each field's summed negative log-likelihood under sampled conditions, and the further losses."""
    states, further = model.forward_with_losses(batch)
    return field_nll_sums(model, batch, states), further


def flow_training_pass(model: LatentModel, batch: Batch) -> tuple[None, dict[str, Tensor]]:
    """Return None for the likelihood, and the losses of the latent flow."""
    return None, model.flow_losses(batch)


def validation_pass(model: NoteModel, batch: Batch) -> dict[str, Tensor]:
    """Return each field's NLL at every step, (4, B, T), by the condition's suffix of the logged name."""
    return {"": field_nll(model, batch, model(batch))}


def latent_validation_pass(model: LatentModel, batch: Batch) -> dict[str, Tensor]:
    """Return each field's NLL at every step, (4, B, T): unconditional, and under the posterior mean."""
    return {
        **validation_pass(model, batch),
        "_posterior": field_nll(model, batch, model.posterior_states(batch)),
    }


def scored_counts(batch: Batch) -> Tensor:
    """Return the number of scored steps of a batch, (4,) float32."""
    return batch.scored.flatten(0, 1).sum(dim=0).float()
