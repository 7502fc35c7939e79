"""A MusicGen of a few hundred kilobytes with random weights, in a folder as transformers writes it."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
import torch
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from transformers import (
    EncodecConfig,
    EncodecFeatureExtractor,
    GenerationConfig,
    MusicgenConfig,
    MusicgenDecoderConfig,
    MusicgenForConditionalGeneration,
    MusicgenProcessor,
    PreTrainedTokenizerFast,
    T5Config,
)

RATE = 4000
HOP = 40
CODEBOOKS = 4
CODES = 64
WORDS = ("<pad>", "</s>", "<unk>", "bebop", "jazz", "solo", "blues", "ballad", "in", "f", "a", "slow", "fast")


def write_tiny_musicgen(folder: Path, seed: int = 0, channels: int = 1) -> Path:
    """Write a model with a sample rate of 4 kHz, 100 frames a second, 4 codebooks a channel of 64 codes."""
    torch.manual_seed(seed)
    config = MusicgenConfig(
        text_encoder=T5Config(
            vocab_size=len(WORDS), d_model=24, d_kv=8, d_ff=32, num_layers=1, num_heads=2, dropout_rate=0.0
        ),
        audio_encoder=EncodecConfig(
            target_bandwidths=[2.4],
            sampling_rate=RATE,
            num_filters=4,
            hidden_size=16,
            upsampling_ratios=[8, 5],
            num_lstm_layers=1,
            codebook_size=CODES,
            codebook_dim=16,
        ),
        decoder=MusicgenDecoderConfig(
            vocab_size=CODES,
            max_position_embeddings=256,
            num_hidden_layers=2,
            ffn_dim=64,
            num_attention_heads=2,
            hidden_size=32,
            dropout=0.1,
            num_codebooks=CODEBOOKS * channels,
            audio_channels=channels,
            pad_token_id=CODES,
            bos_token_id=CODES,
        ),
    )
    model: Any = MusicgenForConditionalGeneration(config)
    with torch.no_grad():
        # Untrained codebooks are all zero, and every frame would get the first code: they are drawn from what
        # the encoder makes of a noise.
        states = model.audio_encoder.encoder(torch.randn(1, 1, CODES * HOP))[0].T
        scale = states.std(dim=0)
        for level, layer in enumerate(model.audio_encoder.quantizer.layers):
            drawn = states if level == 0 else torch.randn(CODES, len(scale)) * scale
            layer.codebook.embed.copy_(drawn)
        # Weights of their usual size leave the logits of so narrow a model all alike.
        for weight in model.decoder.parameters():
            if weight.dim() > 1:
                weight.normal_(std=0.2)
    model.generation_config = GenerationConfig(
        decoder_start_token_id=CODES,
        bos_token_id=CODES,
        pad_token_id=CODES,
        guidance_scale=3.0,
        max_length=64,
    )
    model.save_pretrained(folder)
    extractor = EncodecFeatureExtractor(feature_size=channels, sampling_rate=RATE)
    MusicgenProcessor(extractor, _tokenizer()).save_pretrained(folder)
    return folder


def write_recordings(folder: Path, captions: dict[str, str], seconds: float = 3.0) -> Path:
    """Write a recording for each caption, by name: three sines and noise, and `captions.jsonl`."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(7)
    time = np.arange(round(seconds * RATE)) / RATE
    for name in captions:
        tones = sum(np.sin(2 * np.pi * pitch * time) for pitch in rng.uniform(100, 1500, 3))
        samples = 0.2 * tones + 0.05 * rng.standard_normal(len(time))
        soundfile.write(folder / name, samples.astype(np.float32), RATE, subtype="FLOAT")
    lines = [json.dumps({"file": name, "caption": caption}) for name, caption in captions.items()]
    (folder / "captions.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


def _tokenizer() -> PreTrainedTokenizerFast:
    words = Tokenizer(models.WordLevel({word: i for i, word in enumerate(WORDS)}, unk_token="<unk>"))
    words.pre_tokenizer = pre_tokenizers.Whitespace()
    words.post_processor = processors.TemplateProcessing(single="$A </s>", special_tokens=[("</s>", 1)])
    return PreTrainedTokenizerFast(
        tokenizer_object=words, pad_token="<pad>", eos_token="</s>", unk_token="<unk>"
    )
