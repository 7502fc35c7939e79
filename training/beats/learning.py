"""Training the beat network."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from torch.nn import functional

from tatumflow.engine.beats.network import BeatNetworkShape
from tatumflow.training.beats.chunks import collate, random_chunk
from tatumflow.training.beats.examples import BeatExample
from tatumflow.training.beats.module import BeatModule

DILATIONS: Final = (1, 2, 4, 8, 16, 32, 64, 128, 256)
_MEMORY: Final = 0.98
"""Decay of the moving average of the weights, each step."""


@dataclass(frozen=True)
class BeatTraining:
    """Training settings of the beat network.

    Attributes:
        causal: Whether the network reads no later frames, for live playing.
        minutes: Most minutes of training.
        steps: Most steps; the learning rate decays along the limit that is nearer.
        batch: Chunks in a batch.
        seconds: Length of a chunk.
        channels: Width of the network.
        delay: Frames of latency of a causal network, so that the notes of a beat have arrived.
        rate: Peak learning rate.
        piano: Share of the chunks from piano performances.
        seed: Seed of the training; the same seed trains the same network if `steps` end it.
    """

    causal: bool = False
    minutes: float = 10.0
    steps: int = 100_000
    batch: int = 12
    seconds: float = 40.0
    channels: int = 32
    delay: int = 2
    rate: float = 4e-3
    piano: float = 0.5
    seed: int = 0


def train_network(
    examples: Sequence[BeatExample],
    settings: BeatTraining,
    log: Callable[[str], None] = print,
    start: BeatModule | None = None,
) -> BeatModule:
    """Train a network on chunks of performances.

    Args:
        examples: Performances of the training side.
        settings: Training settings.
        log: Called with a line of progress every 25 steps.
        start: A network to start from; a random one by default.

    Returns:
        The network in evaluation mode, with averaged weights.
    """
    torch.manual_seed(settings.seed)
    random = np.random.default_rng(settings.seed)
    kinds = [[e for e in examples if e.kind == kind] for kind in ("solo", "piano")]
    shares = [
        0.0 if not kind else share
        for kind, share in zip(kinds, (1 - settings.piano, settings.piano), strict=True)
    ]
    lengths = [np.array([max(1.0, e.beats[-1] - e.beats[0]) for e in kind]) for kind in kinds]
    module = start or BeatModule(
        BeatNetworkShape(
            settings.channels, DILATIONS, settings.causal, settings.delay if settings.causal else 0
        )
    )
    module.train()
    optimizer = torch.optim.AdamW(module.parameters(), lr=settings.rate, weight_decay=0.01)
    average = {name: tensor.clone() for name, tensor in module.state_dict().items()}
    frames = int(settings.seconds * 50)
    begin, losses = time.monotonic(), []
    step, done = 0, 0.0
    while done < 1:
        chunks = []
        for _ in range(settings.batch):
            which = int(random.random() * sum(shares) >= shares[0])
            weights = lengths[which] / lengths[which].sum()
            chunks.append(random_chunk(kinds[which][random.choice(len(weights), p=weights)], frames, random))
        features, targets, weights = (torch.from_numpy(array) for array in collate(chunks))
        done = max(step / settings.steps, (time.monotonic() - begin) / (60 * settings.minutes))
        for group in optimizer.param_groups:
            group["lr"] = (
                settings.rate
                * min(1, (step + 1) / 30)
                * (0.02 + 0.98 * np.cos(np.pi / 2 * min(done, 1)) ** 2)
            )
        loss = (
            functional.binary_cross_entropy_with_logits(module(features), targets, reduction="none") * weights
        ).sum()
        loss = loss / weights.sum().clamp(min=1)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(module.parameters(), 1.0)
        optimizer.step()
        for name, tensor in module.state_dict().items():
            average[name].lerp_(tensor, 1 - _MEMORY)
        losses.append(float(loss.detach()))
        step += 1
        if step % 25 == 0:
            log(f"step {step}, {time.monotonic() - begin:.0f} s: loss {np.mean(losses[-25:]):.4f}")
    module.load_state_dict(average)
    return module.eval()
