"""EnCodec (Défossez et al. 2022), the audio encoder of a MusicGen model: sound to codes and back."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import torch
from torch import Tensor
from transformers import EncodecModel, MusicgenForConditionalGeneration

from tatumflow.engine.errors import BundleError

PIECE_SECONDS: Final = 30.0
"""Length of the pieces in which long recordings are encoded and decoded: a piece takes about 1 GB."""

CONTEXT_SECONDS: Final = 1.0
"""Sound on either side of a piece that is encoded or decoded with it and cut off."""


class Codec:
    """The audio encoder of a model.

    Shapes: C channels, n samples, K codebooks of all channels, T frames.

    Attributes:
        rate: Samples a second.
        hop: Samples of a frame.
        channels: Channels of the sound.
        codebooks: Codebooks of all channels.
        codes: Codes of a codebook.
    """

    def __init__(self, model: MusicgenForConditionalGeneration) -> None:
        """Wrap a model's audio encoder.

        Raises:
            BundleError: if the audio encoder is no EnCodec, or does not fit the decoder.
        """
        if not isinstance(model.audio_encoder, EncodecModel) or model.decoder is None:
            raise BundleError("the model's audio encoder is not EnCodec; give another model")
        encoder, decoder = model.audio_encoder.config, model.decoder.config
        # The library's own types refuse what its methods take and return.
        self._encoder: Any = model.audio_encoder
        self.rate = int(encoder.sampling_rate)
        self.hop = int(encoder.hop_length)
        self.channels = int(decoder.audio_channels)
        self.codebooks = int(decoder.num_codebooks)
        self.codes = int(encoder.codebook_size)
        if encoder.audio_channels != 1 or encoder.chunk_length_s is not None:
            raise BundleError("the model's audio encoder is not a mono EnCodec without chunks; give another")
        if self.codes != decoder.vocab_size:
            raise BundleError(f"audio encoder of {self.codes} codes, decoder of {decoder.vocab_size}")

    @property
    def frame_rate(self) -> float:
        """Frames a second."""
        return self.rate / self.hop

    @property
    def device(self) -> torch.device:
        """Where the audio encoder is."""
        return next(self._encoder.parameters()).device

    @contextmanager
    def accelerated(self) -> Iterator[None]:
        """Hold the audio encoder on the GPU within the block, where there is one."""
        before = self.device
        self._encoder.to("cuda" if torch.cuda.is_available() else before)
        try:
            yield
        finally:
            self._encoder.to(before)

    @torch.inference_mode()
    def encode(self, samples: Tensor) -> Tensor:
        """Return the codes (K, T) int64 on the CPU of sound (C, n) float32; T is n / hop, rounded up.

        Each channel is encoded by itself, in pieces.
        """
        frames = -(-samples.shape[-1] // self.hop)
        pieces: list[Tensor] = []
        for start, first, last, end in self._pieces(frames):
            sound = samples[:, start * self.hop : end * self.hop].to(self.device)
            # (1, C, K / C, T) to codebooks of which left and right alternate.
            codes = self._encoder.encode(sound[:, None]).audio_codes[0]
            codes = codes.transpose(0, 1).flatten(0, 1)
            pieces.append(codes[:, first - start : last - start].cpu())
        return torch.cat(pieces, dim=1)

    @torch.inference_mode()
    def decode(self, codes: Tensor) -> Tensor:
        """Return the sound (C, T * hop) float32 on the CPU of codes (K, T), in pieces."""
        pieces: list[Tensor] = []
        for start, first, last, end in self._pieces(codes.shape[1]):
            piece = codes[:, start:end].to(self.device)
            by_channel = piece.unflatten(0, (-1, self.channels)).transpose(0, 1)
            sound = self._encoder.decode(by_channel[None], [None]).audio_values[:, 0]
            pieces.append(sound[:, (first - start) * self.hop : (last - start) * self.hop].float().cpu())
        return torch.cat(pieces, dim=1)

    def fingerprint(self) -> str:
        """Return a hash of the audio encoder's weights: equal encoders give equal codes."""
        digest = hashlib.sha256()
        for name, tensor in sorted(self._encoder.state_dict().items()):
            digest.update(f"{name} {tuple(tensor.shape)}".encode())
            digest.update(tensor.detach().float().cpu().contiguous().numpy().tobytes())
        return digest.hexdigest()

    def _pieces(self, frames: int) -> Iterator[tuple[int, int, int, int]]:
        """Yield the frames of pieces: first with context, first, end, and end with context."""
        size = max(round(PIECE_SECONDS * self.frame_rate), 1)
        context = round(CONTEXT_SECONDS * self.frame_rate)
        for first in range(0, frames, size):
            last = min(first + size, frames)
            yield max(first - context, 0), first, last, min(last + context, frames)
