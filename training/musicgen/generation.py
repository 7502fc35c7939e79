"""Sampling of codes from MusicGen: prefill, decode steps with a cache, classifier-free guidance."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor

from tatumflow.engine.errors import ModelFault, SettingError
from tatumflow.training.models.musicgen.delay_pattern import delayed, undelayed
from tatumflow.training.models.musicgen.model import Musicgen, TextCondition

WINDOW_SECONDS: Final = 30.0
"""Most sound that the model attends to: the length of its training examples."""

CONTEXT_SECONDS: Final = 12.0
"""Sound that is kept as context where more than a window is generated."""

_UNKNOWN: Final = -1


@dataclass(frozen=True)
class CodeSampling:
    """How codes are sampled.

    Attributes:
        temperature: Randomness, 0 to 2; 0 takes the most likely code.
        top_k: Most likely codes to sample from; 0 for all.
        guidance: Classifier-free guidance scale, 1 to 20; 1 for none.
        seed: Seed of the random generator.
    """

    temperature: float = 1.0
    top_k: int = 250
    guidance: float = 3.0
    seed: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.temperature <= 2:
            raise SettingError(f"temperature: {self.temperature:g} is out of range; allowed: 0 to 2")
        if self.top_k < 0:
            raise SettingError(f"top_k: {self.top_k} is out of range; allowed: 0 or more")
        if not 1 <= self.guidance <= 20:
            raise SettingError(f"guidance: {self.guidance:g} is out of range; allowed: 1 to 20")
        if not 0 <= self.seed < 1 << 63:
            raise SettingError(f"seed: {self.seed} is out of range; allowed: 0 to 2^63 - 1")


def generate_codes(
    model: Musicgen,
    text: str,
    frames: int,
    sampling: CodeSampling,
    prompt: Tensor | None = None,
    progress: Callable[[int], None] = lambda frames: None,
) -> Tensor:
    """Return codes (K, T0 + frames) that begin with those of a prompt.

    Sound longer than a window is generated in several, each with the end of the one before it as its context.

    Args:
        model: In evaluation mode.
        text: What to play.
        frames: New frames.
        sampling: How to sample.
        prompt: Codes to continue, (K, T0); None for none.
        progress: Called with the number of new frames after each.

    Raises:
        ModelFault: if the model's output is not finite.
    """
    codec = model.codec
    window, kept = (round(seconds * codec.frame_rate) for seconds in (WINDOW_SECONDS, CONTEXT_SECONDS))
    codes = torch.zeros(codec.codebooks, 0, dtype=torch.long) if prompt is None else prompt.long()
    end = codes.shape[1] + frames
    condition = _guided_condition(model, text, sampling.guidance)
    random = torch.Generator().manual_seed(sampling.seed)
    while (missing := end - codes.shape[1]) > 0:
        context = codes if codes.shape[1] + missing <= window else codes[:, -kept:]
        new = min(missing, window - context.shape[1])
        done = frames - missing
        codes = torch.cat(
            [
                codes,
                _window(
                    model, condition, context, new, sampling, random, lambda n, done=done: progress(done + n)
                ),
            ],
            dim=1,
        )
    return codes


def guided(logits: Tensor, scale: float) -> Tensor:
    """Return the guided logits (1, ...) from those with and without the text, (2, ...); (1, ...) stay.

    Ho and Salimans 2022, "Classifier-Free Diffusion Guidance", equation 6, with a scale that is 1 for no
    guidance.
    """
    if len(logits) == 1:
        return logits
    with_text, without_text = logits.chunk(2)
    return without_text + scale * (with_text - without_text)


@torch.inference_mode()
def _guided_condition(model: Musicgen, text: str, guidance: float) -> TextCondition:
    """Return the condition of a text, and where there is guidance, of no text after it."""
    if guidance == 1:
        return model.encode_text([text])
    return model.encode_text([text, text]).without(torch.tensor([False, True], device=model.device))


@torch.inference_mode()
def _window(
    model: Musicgen,
    condition: TextCondition,
    context: Tensor,
    new: int,
    sampling: CodeSampling,
    random: torch.Generator,
    progress: Callable[[int], None],
) -> Tensor:
    """Return `new` frames (K, new) after a context (K, T)."""
    channels, known = model.codec.channels, context.shape[1]
    unknown = torch.full((len(context), new), _UNKNOWN)
    steps = delayed(torch.cat([context, unknown], dim=1)[None], model.padding, channels)[0]
    network, cache, read = model.transformer, None, 0
    for step in range(known + 1, steps.shape[1]):
        inputs = steps[:, read:step].to(model.device).repeat(len(condition.states), 1)
        found = network(
            encoder_outputs=(condition.states,),
            attention_mask=condition.mask,
            decoder_input_ids=inputs,
            past_key_values=cache,
            use_cache=True,
        )
        cache, read = found.past_key_values, step
        logits = found.logits[:, -1].view(len(condition.states), len(steps), -1).float().cpu()
        sampled = sample(guided(logits, sampling.guidance)[0], sampling, random)
        steps[:, step] = torch.where(steps[:, step] == _UNKNOWN, sampled, steps[:, step])
        progress(min(step - known, new))
    return undelayed(steps[None], channels)[0, :, known:]


def sample(logits: Tensor, sampling: CodeSampling, random: torch.Generator) -> Tensor:
    """Return a code of each codebook, (K,), from logits (K, codes).

    Raises:
        ModelFault: if one is not finite.
    """
    if not torch.isfinite(logits).all():
        raise ModelFault("the model's output is not finite; try a lower guidance, or get the model again")
    if sampling.temperature == 0:
        return logits.argmax(dim=-1)
    if 0 < sampling.top_k < logits.shape[-1]:
        least = logits.topk(sampling.top_k, dim=-1).values[:, -1:]
        logits = logits.masked_fill(logits < least, -torch.inf)
    probabilities = torch.softmax(logits / sampling.temperature, dim=-1)
    return torch.multinomial(probabilities, 1, generator=random)[:, 0]
