"""The delay pattern of MusicGen's codebooks.

Copet et al. 2023, section 2.2, figure 1: in one step the model predicts codebook 1 of a frame, codebook 2 of
the frame before it, and so on, so that each codebook is conditioned on the earlier ones of its frame.

Shapes: B sequences, K codebooks of all channels, T frames, S steps. The codebooks of two channels alternate,
left before right, and both channels' codebooks of a level have the same delay.
"""

import torch
from torch import Tensor


def delayed(codes: Tensor, padding: int, channels: int = 1) -> Tensor:
    """Return the steps of codes, (B, K, S) with S = T + K / channels.

    Step 0 is all padding: the model predicts step 1 from it. Codebook k of frame t lies at step
    t + 1 + k // channels, and padding fills the rest.

    Args:
        codes: Codes of frames, (B, K, T).
        padding: The padding token.
        channels: Channels of the sound.
    """
    sequences, codebooks, frames = codes.shape
    steps = codes.new_full((sequences, codebooks, frames + codebooks // channels), padding)
    for codebook in range(codebooks):
        first = 1 + codebook // channels
        steps[:, codebook, first : first + frames] = codes[:, codebook]
    return steps


def undelayed(steps: Tensor, channels: int = 1) -> Tensor:
    """Return the codes of frames, (B, K, T), from steps (B, K, S); the inverse of `delayed`."""
    codebooks = steps.shape[1]
    frames = steps.shape[2] - codebooks // channels
    rows = [steps[:, k, 1 + k // channels : 1 + k // channels + frames] for k in range(codebooks)]
    return torch.stack(rows, dim=1)
