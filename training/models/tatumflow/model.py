"""The TatumFlow model: decoder, phrase encoder, theory encoder and latent flow, trained together.

A window is cut into phrases. Each has a latent, sampled from the encoder's posterior, and four theory
embeddings; concatenated they are its code, which is relative to the current key: the phrase is encoded as if
in C. Code and key are its condition. The companion's steps are conditioned on the current phrase, on part of
its condition, or unconditional; the human's are unconditional. The flow learns the distribution of a code
given the phrase before.

Shapes: B batch, T steps, Q phrases of a window, N notes of a phrase, L width of the phrase condition.
"""

from typing import Final, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from tatumflow.engine.midi.notes import Role
from tatumflow.engine.model.tokens import ABSENT, PITCH
from tatumflow.engine.theory.features import NUM_FEATURES, PARTS
from tatumflow.engine.theory.key import PITCH_CLASSES
from tatumflow.training.data.batches import Batch
from tatumflow.training.models.tatumflow.config import TatumFlowConfig
from tatumflow.training.models.tatumflow.decoder import TatumFlowDecoder
from tatumflow.training.models.tatumflow.flow import LatentFlow
from tatumflow.training.models.tatumflow.phrase_encoder import PhraseEncoder
from tatumflow.training.models.tatumflow.theory_encoder import (
    TheoryEncoder,
    cross_correlation,
    unexplained,
)

_STATISTICS_INNER: Final = 128

_STYLE_SIZE: Final = 0.5
"""Root mean square of a style's initial row: that of the phrase condition, which is added to it."""

_DRAW_STEPS: Final = 4
"""Euler steps of a flow sample in training."""

_MASKED: Final = 0.75
"""Share of a phrase's notes that context dropout masks."""

_COMPANION: Final = int(Role.COMPANION)
"""A plain integer: in compiled code a tensor never equals a member of an enumeration."""


class Phrases(NamedTuple):
    """The phrases of a batch, flattened: Q = B times the phrases of a window."""

    mean: Tensor
    """Mean of the posterior, (Q, Z)."""
    log_variance: Tensor
    """Its log variance, (Q, Z)."""
    theory: Tensor
    """Theory embeddings, (Q, parts, D)."""
    present: Tensor
    """Which slots hold a phrase, (Q,) bool."""
    notes: Tensor
    """Notes of each, (Q,)."""


class TatumFlow(nn.Module):
    """All parts of the model; as a `NoteModel` it is unconditional on phrases."""

    def __init__(self, config: TatumFlowConfig) -> None:
        super().__init__()
        self.config = config
        self.decoder = TatumFlowDecoder(config)
        self.encoder = PhraseEncoder(config)
        self.theory = TheoryEncoder(config)
        self.flow = LatentFlow(config)
        self.statistics = nn.Sequential(
            nn.Linear(config.latent_dim, _STATISTICS_INNER),
            nn.SiLU(),
            nn.Linear(_STATISTICS_INNER, NUM_FEATURES),
        )

    def initialize_styles(self, profiles: Tensor) -> None:
        """Initialize the rows of the style tables from profiles of the players.

        A row is the sum of two unit vectors: the player's profile under a random rotation, so that it spreads
        over all values, and noise of the player's own.

        Args:
            profiles: One row for each style, (S, F), from `styles.style_profiles`.
        """
        for table in (self.decoder.style_embedding, self.flow.style):
            rotated = profiles @ nn.init.orthogonal_(torch.empty(profiles.shape[1], table.embedding_dim))
            own = torch.randn(rotated.shape)
            rows = F.normalize(F.normalize(rotated, dim=-1) + F.normalize(own, dim=-1), dim=-1)
            rows = rows * _STYLE_SIZE * table.embedding_dim**0.5
            with torch.no_grad():
                table.weight[: len(rows)] = rows * (torch.arange(len(rows)) > 0)[:, None]

    def forward(self, batch: Batch) -> Tensor:
        """Return unconditional states (B, T, H)."""
        return self.decode(batch, self._no_condition(batch))

    def decode(self, batch: Batch, condition: Tensor, note_mask: Tensor | None = None) -> Tensor:
        """Return states (B, T, H) under the phrase condition of each step, (B, T, L).

        `note_mask` (B, T) is 0 where a step's note is masked in the input, else 1; None masks none.
        """
        return self.decoder(
            batch.fields, batch.role, batch.style, batch.chord, batch.metre, condition, note_mask
        )

    def field_logits(self, states: Tensor, batch: Batch) -> list[Tensor]:
        """Return each field's logits (B, T, size), given the true earlier fields of the note."""
        return self.decoder.field_logits(
            states, batch.target, batch.next_chord, batch.metre, batch.next_metre
        )

    def phrases(self, batch: Batch) -> Phrases:
        """Encode the phrases of a batch."""
        steps = batch.phrase_steps
        present = steps >= 0
        rows = torch.arange(len(steps), device=steps.device)[:, None, None]
        fields = batch.fields[rows, steps.clamp(min=0)]
        if self.config.metre_and_key:
            fields = in_c(fields, batch.key[..., None])
        fields = fields.flatten(0, 1)
        present = present.flatten(0, 1)
        mean, log_variance = self.encoder(fields, present)
        notes = present.sum(dim=-1)
        theory = self.theory(self._features(batch).flatten(0, 1))
        return Phrases(mean, log_variance, theory, notes > 0, notes)

    def _features(self, batch: Batch) -> Tensor:
        """Return the phrases' features (B, Q, NUM_FEATURES), relative to their keys where codes are."""
        if self.config.metre_and_key:
            return batch.features
        places = torch.arange(NUM_FEATURES, device=batch.key.device).expand(batch.features.shape).clone()
        classes = torch.arange(PITCH_CLASSES, device=batch.key.device)
        for start in range(PARTS[0].start, PARTS[0].start + 3 * PITCH_CLASSES, PITCH_CLASSES):
            places[..., start : start + PITCH_CLASSES] = (
                start + (classes - batch.key[..., None]) % PITCH_CLASSES
            )
        return batch.features.gather(-1, places)

    def by_step(self, batch: Batch, conditions: Tensor) -> Tensor:
        """Spread conditions (B, Q, L) over the companion's steps: (B, T, L), zeros elsewhere."""
        rows = torch.arange(len(conditions), device=conditions.device)[:, None]
        conditioned = (batch.phrase >= 0) & (batch.role == _COMPANION)
        return conditions[rows, batch.phrase.clamp(min=0)] * conditioned[..., None]

    def forward_with_losses(self, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        """Return states (B, T, H) under sampled conditions, and the weighted further losses by name."""
        config = self.config
        windows = len(batch.role)
        # The first windows are as random as any: a batch is in random order.
        whole, batch = (
            batch,
            Batch(*(tensor[: max(round(windows * config.phrase_share), 1)] for tensor in batch)),
        )
        phrases = self.phrases(batch)
        latent = _sampled(phrases.mean, phrases.log_variance)
        conditions = self._with_dropout(*self._partly_from_flow(batch, phrases, latent), batch)
        conditions = conditions.unflatten(0, batch.features.shape[:2])
        by_step = self.by_step(batch, conditions)
        further = windows - len(by_step)
        note_mask = F.pad(self.note_mask(batch, conditions), (0, 0, 0, further), value=1.0)
        states = self.decode(whole, F.pad(by_step, (0, 0, 0, 0, 0, further)), note_mask)
        predicted = self.theory.predict(phrases.theory)
        statistics = self.statistics(latent).float()
        features, present = self._features(batch).flatten(0, 1), phrases.present
        theory = (
            unexplained(predicted, features, present).mean()
            + unexplained(statistics, features, present).mean()
            + cross_correlation(phrases.theory, present)
        )
        return states, {
            "kl": config.kl_weight * self._kl(phrases),
            "diffusion": config.diffusion_weight * self._flow_matching(batch, phrases, latent),
            "theory": config.theory_weight * theory,
        }

    def flow_losses(self, batch: Batch) -> dict[str, Tensor]:
        """Return the weighted losses of the flow, by name; no other part gets gradients from them."""
        with torch.no_grad():
            phrases = self.phrases(batch)
            latent = _sampled(phrases.mean, phrases.log_variance)
        flow = self._flow_matching(batch, phrases, latent)
        return {"diffusion": self.config.diffusion_weight * flow}

    def posterior_states(self, batch: Batch) -> Tensor:
        """Return states (B, T, H) conditioned on the posterior mean of each of the companion's phrases."""
        phrases = self.phrases(batch)
        return self.decode(batch, self.by_step(batch, self._posterior(batch, phrases)))

    def _posterior(self, batch: Batch, phrases: Phrases) -> Tensor:
        """Return the phrases' conditions at the posterior mean, (B, Q, L)."""
        code = torch.cat([phrases.mean, phrases.theory.flatten(-2)], dim=-1)
        return self._with_key(code, batch).unflatten(0, batch.features.shape[:2])

    def _with_key(self, code: Tensor, batch: Batch, mask: Tensor | None = None) -> Tensor:
        """Return conditions (Q, L): codes (Q, code_dim) and one-hot keys, zeros where `mask` (Q, 1) is 0."""
        if not self.config.metre_and_key:
            return code
        key = F.one_hot(batch.key.flatten(), PITCH_CLASSES)
        return torch.cat([code, key if mask is None else key * mask], dim=-1)

    def _partly_from_flow(self, batch: Batch, phrases: Phrases, latent: Tensor) -> tuple[Tensor, Tensor]:
        """Return latents (Q, Z) and theory (Q, parts, D), for some phrases replaced by flow samples."""
        config = self.config
        if not config.drawn_conditions:
            return latent, phrases.theory
        code = self._flow_sample(batch, phrases)
        chosen = torch.rand(len(latent), 1, device=latent.device) < config.drawn_conditions
        sample, theory = code.split([config.latent_dim, config.code_dim - config.latent_dim], dim=-1)
        return (
            torch.where(chosen, sample.to(latent.dtype), latent),
            torch.where(chosen[..., None], theory.unflatten(-1, phrases.theory.shape[1:]), phrases.theory),
        )

    @torch.no_grad()
    def _flow_sample(self, batch: Batch, phrases: Phrases) -> Tensor:
        """Return flow samples of codes (Q, code_dim), conditioned on the phrases before and the styles."""
        config = self.config
        before = self._before(batch, phrases)
        style = F.one_hot(self._phrase_styles(batch), config.num_styles).to(before.dtype)
        requested = before.new_zeros(len(before), len(PARTS) * (config.theory_dim + 1))
        x = torch.randn(len(before), config.code_dim, device=before.device)
        for step in range(_DRAW_STEPS):
            time = x.new_full((len(x),), step / _DRAW_STEPS)
            x = x + self.flow(x, time, style, before, requested).float() / _DRAW_STEPS
        return x

    def _no_condition(self, batch: Batch) -> Tensor:
        weight = self.decoder.phrase_input.weight
        return weight.new_zeros((*batch.role.shape, self.config.phrase_dim))

    def _with_dropout(self, latent: Tensor, theory: Tensor, batch: Batch) -> Tensor:
        """Return conditions (Q, L) after condition dropout: of the latent, of theory parts, or of all."""
        config, count = self.config, len(latent)
        draw = torch.rand(count, 2 + len(PARTS), device=latent.device)
        conditional = draw[:, :1] >= config.condition_dropout
        latent = latent * (conditional & (draw[:, 1:2] >= config.latent_dropout))
        theory = theory * (conditional & (draw[:, 2:] >= config.theory_dropout))[..., None]
        return self._with_key(torch.cat([latent, theory.flatten(-2)], dim=-1), batch, conditional)

    def note_mask(self, batch: Batch, conditions: Tensor) -> Tensor:
        """Return 0 for most notes of some of the companion's phrases with a latent, else 1, (B, T).

        With every note before in its input, a decoder learns little from the latent; where notes are masked
        it has to use it (word dropout, Bowman et al. 2016, "Generating Sentences from a Continuous Space",
        section 3.1).

        Args:
            batch: The windows.
            conditions: Conditions of their phrases, (B, Q, L).
        """
        steps = batch.phrase_steps
        has_latent = conditions[..., : self.config.latent_dim].any(dim=-1)
        chosen = torch.rand(has_latent.shape, device=steps.device) < self.config.context_dropout
        masked = (has_latent & chosen)[..., None] & (torch.rand(steps.shape, device=steps.device) < _MASKED)
        windows, length = batch.role.shape
        # Places of a phrase without a note point one step beyond the window.
        places = torch.where(steps >= 0, steps, length).flatten(1)
        by_step = torch.zeros(windows, length + 1, device=steps.device)
        by_step = by_step.scatter(1, places, masked.flatten(1).to(by_step.dtype))[:, :length]
        return 1.0 - by_step * (batch.role == _COMPANION)

    def _kl(self, phrases: Phrases) -> Tensor:
        """Return the KL divergence from the unit Gaussian in nats a note, with free nats for each value.

        Free bits as in Kingma et al. 2016, "Improved Variational Inference with Inverse Autoregressive
        Flow", section 3.
        """
        variance = phrases.log_variance.exp()
        divergence = 0.5 * (phrases.mean.pow(2) + variance - 1 - phrases.log_variance)
        weight = phrases.present.float()
        per_value = (divergence * weight[:, None]).sum(dim=0) / weight.sum().clamp(min=1)
        per_note = weight.sum() / phrases.notes.sum().clamp(min=1)
        return per_value.clamp(min=self.config.free_nats).sum() * per_note

    def _flow_matching(self, batch: Batch, phrases: Phrases, latent: Tensor) -> Tensor:
        """Return the mean squared error of the velocity; the encoders get no gradient from it."""
        config = self.config
        target = torch.cat([latent, phrases.theory.flatten(-2)], dim=-1).detach()
        before = self._before(batch, phrases)
        style = self._phrase_styles(batch)
        count = config.flow_draws * len(target)
        device = target.device
        target, before, style = (
            x.repeat(config.flow_draws, *[1] * (x.dim() - 1)) for x in (target, before, style)
        )
        given = (torch.rand(count, len(PARTS), device=device) < config.theory_requested).float()
        embeddings = target[:, config.latent_dim :].unflatten(-1, (len(PARTS), config.theory_dim))
        requested = torch.cat([(embeddings * given[..., None]).flatten(-2), given], dim=-1)
        kept = torch.rand(count, 2, device=device) >= config.flow_dropout
        before = before * kept[:, :1]
        style = F.one_hot(style * kept[:, 1], config.num_styles).to(target.dtype)
        time = torch.sigmoid(torch.randn(count, device=device))
        noise = torch.randn_like(target)
        x = torch.lerp(noise, target, time[:, None])
        velocity = self.flow(x, time, style, before, requested).float()
        error = (velocity - (target - noise)).pow(2).mean(dim=-1)
        weight = phrases.present.float().repeat(config.flow_draws)
        return (error * weight).sum() / weight.sum().clamp(min=1)

    def _before(self, batch: Batch, phrases: Phrases) -> Tensor:
        """Return the code of each phrase's predecessor and a 1, zeros without one, (Q, code_dim + 1)."""
        mean = torch.cat([phrases.mean, phrases.theory.flatten(-2)], dim=-1).detach()
        mean = mean.unflatten(0, batch.previous.shape)
        rows = torch.arange(len(mean), device=mean.device)[:, None]
        exists = (batch.previous >= 0)[..., None]
        chosen = mean[rows, batch.previous.clamp(min=0)] * exists
        return torch.cat([chosen, exists.to(chosen.dtype)], dim=-1).flatten(0, 1)

    def _phrase_styles(self, batch: Batch) -> Tensor:
        """Return the style in force at each phrase's first note, (Q,) int64."""
        first = batch.phrase_steps[..., 0].clamp(min=0)
        return batch.style.gather(1, first).flatten()


def in_c(fields: Tensor, key: Tensor) -> Tensor:
    """Return input indices (..., 4) of notes transposed from their key to C, by less than an octave.

    A note that would leave the keyboard is transposed the other way; an absent one stays.

    Args:
        fields: Input indices, (..., 4) int64.
        key: Key of each note, 0 to 11, (...) int64 or broadcast to it.
    """
    pitch, size = fields[..., PITCH], ABSENT[PITCH]
    moved = pitch + (6 - key) % PITCH_CLASSES - 6
    moved = torch.where(moved < 0, moved + PITCH_CLASSES, moved)
    moved = torch.where(moved >= size, moved - PITCH_CLASSES, moved)
    pitch = torch.where(pitch < size, moved, pitch)
    return torch.cat([fields[..., :PITCH], pitch[..., None], fields[..., PITCH + 1 :]], dim=-1)


def _sampled(mean: Tensor, log_variance: Tensor) -> Tensor:
    return mean + torch.randn_like(mean) * torch.exp(0.5 * log_variance)
