"""MusicGen for fine-tuning: a pretrained model of which LoRA adapters or the decoder are trained."""

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any, Final, Self

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812
from transformers import MusicgenForConditionalGeneration

from tatumflow.engine.errors import SettingError
from tatumflow.training.models.musicgen.codec import Codec
from tatumflow.training.models.musicgen.config import LoraSettings, MusicgenModelConfig
from tatumflow.training.models.musicgen.delay_pattern import delayed
from tatumflow.training.models.musicgen.pretrained import load_pretrained

MOST_WORDS: Final = 256
"""Most tokens of a text; more are cut off."""


@dataclass(frozen=True)
class TextCondition:
    """States of the text encoder.

    Attributes:
        states: (B, S, H), of the words and the padding after them.
        mask: (B, S) int64, 1 for words; all 0 where there is no condition.
    """

    states: Tensor
    mask: Tensor

    def without(self, dropped: Tensor) -> "TextCondition":
        """Return the condition with that of some examples left out; `dropped` is (B,) bool.

        As in generation without text, their states are zeros and masked.
        """
        kept = ~dropped
        return TextCondition(self.states * kept[:, None, None], self.mask * kept[:, None])


class Musicgen(nn.Module):
    """A MusicGen model of which a part is trained.

    Its `state_dict` holds the trained weights alone, and those of the pretrained model come from its folder.

    Attributes:
        config: What is trained.
        pretrained: Name, source and licence of the pretrained model, and its tokenizer.
        network: The model, with its adapters if it has some.
        codec: Its audio encoder.
    """

    def __init__(self, config: MusicgenModelConfig) -> None:
        """Load the pretrained model and prepare it for training.

        Raises:
            BundleError: if the pretrained model is missing or damaged.
            SettingError: if it lacks a layer that adapters are for.
        """
        super().__init__()
        self.config = config
        self.pretrained = load_pretrained(config.base, config.download)
        model = self.pretrained.model
        model.requires_grad_(False)
        self.codec = Codec(model)
        decoder: Any = model.decoder
        self._padding = int(decoder.config.pad_token_id)
        self.network: nn.Module = model
        if config.method == "lora":
            self.network = _with_adapters(model, config.lora)
        else:
            for name, part in model.named_children():
                part.requires_grad_(name in _TRAINED_PARTS)
        if config.checkpointing:
            with _renamed_methods():
                decoder.gradient_checkpointing_enable({"use_reentrant": False})
        self._trained = frozenset(name for name, weight in self.named_parameters() if weight.requires_grad)
        self.register_state_dict_post_hook(_keep_trained)
        self.register_load_state_dict_post_hook(_miss_no_frozen)
        self.train()

    @property
    def transformer(self) -> MusicgenForConditionalGeneration:
        """The model of transformers, without what adapters need around it."""
        network = self.network
        base = network.get_base_model() if isinstance(network, PeftModel) else network
        assert isinstance(base, MusicgenForConditionalGeneration)
        return base

    @property
    def padding(self) -> int:
        """The padding token of the decoder."""
        return self._padding

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return next(self.network.parameters()).device

    @property
    def trained(self) -> frozenset[str]:
        """Names of the trained weights."""
        return self._trained

    def requires_grad_(self, requires_grad: bool = True) -> Self:
        """Set whether the trained weights have gradients; the others never do."""
        for name, weight in self.named_parameters():
            weight.requires_grad_(requires_grad and name in self._trained)
        return self

    def train(self, mode: bool = True) -> Self:
        """Set training mode; the frozen encoders stay in evaluation mode, without dropout."""
        super().train(mode)
        for name, part in self.transformer.named_children():
            if name not in _TRAINED_PARTS:
                part.eval()
        return self

    @torch.no_grad()
    def encode_text(self, texts: Sequence[str]) -> TextCondition:
        """Return the condition of B texts."""
        words = self.pretrained.tokenizer(
            list(texts), padding=True, truncation=True, max_length=MOST_WORDS, return_tensors="pt"
        ).to(self.device)
        encoder: Any = self.transformer.text_encoder
        mask = words["attention_mask"]
        states = encoder(input_ids=words["input_ids"], attention_mask=mask).last_hidden_state
        return TextCondition(states, mask)

    def forward(self, steps: Tensor, condition: TextCondition) -> Tensor:
        """Return the logits (B, K, S, codes) of the step after each of delayed steps (B, K, S)."""
        sequences, codebooks, length = steps.shape
        found = self.network(
            encoder_outputs=(condition.states,),
            attention_mask=condition.mask,
            decoder_input_ids=steps.reshape(sequences * codebooks, length),
            use_cache=False,
        )
        return found.logits.view(sequences, codebooks, length, -1)

    def losses(self, codes: Tensor, condition: TextCondition) -> tuple[Tensor, Tensor]:
        """Return the cross-entropy of codes in nats, summed over frames, and the number of frames.

        Args:
            codes: (B, K, T) int64; -1 beyond the end of a sequence.
            condition: Of each sequence.

        Returns:
            Sums (B, K) float32, and counts (B, K).
        """
        steps = delayed(codes.masked_fill(codes < 0, self.padding), self.padding, self.codec.channels)
        logits, target = self(steps[..., :-1], condition), steps[..., 1:]
        target = target.masked_fill(target == self.padding, _IGNORED)
        entropy = F.cross_entropy(
            logits.float().movedim(-1, 1), target, ignore_index=_IGNORED, reduction="none"
        )
        return entropy.sum(dim=-1), (target != _IGNORED).sum(dim=-1)

    @contextmanager
    def as_pretrained(self) -> Iterator[bool]:
        """Yield whether the model is the pretrained one within the block, without its adapters."""
        network = self.network
        adapted = isinstance(network, PeftModel)
        with network.disable_adapter() if adapted else nullcontext():
            yield adapted

    def merged(self) -> MusicgenForConditionalGeneration:
        """Return the model of transformers with its adapters merged into it; this model is used up."""
        network = self.network
        merged = network.merge_and_unload() if isinstance(network, PeftModel) else network
        assert isinstance(merged, MusicgenForConditionalGeneration)
        self.network = merged
        return merged


_IGNORED: Final = -100
_TRAINED_PARTS: Final = ("decoder", "enc_to_dec_proj")


def _with_adapters(model: MusicgenForConditionalGeneration, settings: LoraSettings) -> PeftModel:
    # Names of the decoder's layers alone: the encoders may have layers of the same names.
    layers = "|".join(rf"{name}\.\d+" if name == "lm_heads" else name for name in settings.targets)
    lora = LoraConfig(
        r=settings.rank,
        lora_alpha=settings.alpha,  # pyright: ignore[reportArgumentType] (an int by its type alone)
        lora_dropout=settings.dropout,
        target_modules=rf"(?:decoder\.(?:.+\.)?)?(?:{layers})",
    )
    try:
        with _renamed_methods():
            return get_peft_model(model, lora)
    except ValueError:
        raise SettingError(
            f"model.lora.targets: the model has none of {', '.join(settings.targets)}"
        ) from None


@contextmanager
def _renamed_methods() -> Iterator[None]:
    """Silence warnings about methods that versions of transformers 5 rename; peft uses one of them."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        yield


def _keep_trained(module: nn.Module, state: dict[str, Any], prefix: str, metadata: object) -> None:
    """Remove the frozen weights from a state dict of the model or of what contains it."""
    assert isinstance(module, Musicgen)
    for name in [name for name in state if name.startswith(prefix)]:
        if name.removeprefix(prefix) not in module.trained:
            del state[name]


def _miss_no_frozen(module: nn.Module, keys: Any) -> None:  # noqa: ANN401 (torch's private named tuple)
    """Miss no frozen weights when a state dict is loaded; missing trained ones stay an error."""
    assert isinstance(module, Musicgen)
    keys.missing_keys[:] = [
        name for name in keys.missing_keys if any(name.endswith(trained) for trained in module.trained)
    ]
