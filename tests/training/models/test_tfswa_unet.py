"""The separation model: shapes from configuration alone, masks, causality and streams, and what it costs."""

from pathlib import Path
from typing import Any

import pytest
import torch
from pydantic import ValidationError
from small_separator import small_separator
from torch import Tensor

from tatumflow.engine.errors import SettingError
from tatumflow.training.models.tfswa_unet.attention import LocalAttention
from tatumflow.training.models.tfswa_unet.bands import merged_parts, stacked_parts
from tatumflow.training.models.tfswa_unet.config import TfswaUnetConfig
from tatumflow.training.models.tfswa_unet.history import History
from tatumflow.training.models.tfswa_unet.model import TfswaUnet, compressed
from tatumflow.training.separation.signal import from_planes

CONFIGS = Path(__file__).parents[3] / "configs" / "train"
BINS = 33
SMALL: dict[str, Any] = {
    "rate": 8000,
    "window": 64,
    "hop": 16,
    "sub_bands": 2,
    "channels": [8, 8, 16],
    "time_strides": [2, 1],
    "freq_strides": [2, 1],
    "look_back": 3,
    "attention_window": [2, 4],
}
CAUSAL: dict[str, Any] = SMALL | {
    "causal": True,
    "kernel": [2, 3],
    "sub_bands": 4,
    "bands": [[8, 1], [8, 2], [16, 4]],
}


def model(settings: dict[str, Any], **changes: Any) -> TfswaUnet:
    return small_separator(settings | changes)


def from_pairs(pairs: Tensor) -> Tensor:
    """Return stereo pairs, (b, 2 s, f, t), as stems, (b, s, 2, f, t)."""
    return pairs.unflatten(1, (-1, 2))


def planes(frames: int = 12, batch: int = 2, seed: int = 1) -> Tensor:
    return torch.randn(batch, 4, BINS, frames, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize(
    ("stems", "count"), [("vocals", 1), ("vocals-other", 2), ("quartet", 4), ("a=b+c,d,e", 3)]
)
@pytest.mark.parametrize("settings", [SMALL, CAUSAL])
def test_stems_come_from_the_configuration_alone(settings: dict[str, Any], stems: str, count: int):
    built = model(settings, stems=stems)
    for frames in (1, 7, 12):
        with torch.no_grad():
            assert built(planes(frames)).shape == (2, 4 * count, BINS, frames)
    assert built.masks(planes()).shape == (2, 2 * count, BINS, 12)


@pytest.mark.parametrize("complex_masks", [True, False])
def test_what_comes_out_is_the_mixture_under_the_masks(complex_masks: bool):
    built, mixture = model(SMALL, complex_masks=complex_masks), planes()
    with torch.no_grad():
        stems = from_pairs(from_planes(built(mixture)))
        masks = from_pairs(built.masks(mixture))
    assert masks.imag.any() == complex_masks
    torch.testing.assert_close(stems, masks * from_planes(mixture)[:, None])


@pytest.mark.parametrize("complex_masks", [True, False])
def test_complex_numbers_and_planes_are_separated_alike(complex_masks: bool):
    built, mixture = model(SMALL, complex_masks=complex_masks), planes()
    with torch.no_grad():
        torch.testing.assert_close(
            built.separate(from_planes(mixture)), from_pairs(from_planes(built(mixture)))
        )


@pytest.mark.parametrize("stems", ["quartet", "vocals"])
def test_masks_can_be_zero_and_one(stems: str):
    built = model(SMALL, stems=stems)
    outputs = built.stems * 2
    with torch.no_grad():
        for part, head in zip(built.parts, built.head, strict=True):
            assert isinstance(head, torch.nn.Linear)
            head.weight.zero_()
            head.bias.zero_()
            head.bias.view(outputs, part.width, 2)[:2, :, 0] = 1
        masks = from_pairs(built.masks(planes()))
        silent = model(SMALL, stems="vocals")
        for head in silent.head:
            assert isinstance(head, torch.nn.Linear)
            head.weight.zero_()
            head.bias.zero_()
        assert not silent.masks(planes()).any()
    assert (masks[:, 0] == 1).all()
    assert (masks[:, 1:] == 0).all()


@pytest.mark.parametrize("settings", [SMALL, CAUSAL])
def test_stems_add_up_to_the_mixture(settings: dict[str, Any]):
    mixture = planes()
    with torch.no_grad():
        torch.testing.assert_close(
            from_pairs(from_planes(model(settings)(mixture))).sum(dim=1), from_planes(mixture)
        )
        loose = from_pairs(from_planes(model(settings, consistent=False)(mixture))).sum(dim=1)
    assert (loose - from_planes(mixture)).abs().max() > 0.1


def test_a_fresh_model_shares_the_mixture_out_evenly():
    torch.manual_seed(0)
    masks = TfswaUnet(TfswaUnetConfig.model_validate(SMALL)).masks(planes())
    assert (masks - 0.25).abs().mean() < 0.1


@pytest.mark.parametrize("blocks", [[6], [1] * 6, [3, 1, 2]])
@pytest.mark.parametrize("changes", [{}, {"complex_masks": False}, {"time_strides": [1, 2], "stems": "bass"}])
def test_a_stream_gives_what_the_whole_signal_gives(changes: dict[str, Any], blocks: list[int]):
    built, mixture = model(CAUSAL, **changes), planes(12)
    assert built.config.block == 2
    past = built.beginning(batch=2)
    found: list[Tensor] = []
    with torch.no_grad():
        for piece in mixture.split([2 * count for count in blocks], dim=-1):
            separated, past = built.step(piece, past)
            found.append(separated)
        torch.testing.assert_close(torch.cat(found, dim=-1), built(mixture), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize(("settings", "reaches"), [(CAUSAL, False), (SMALL, True)])
def test_only_a_model_that_is_not_causal_reads_later_frames(settings: dict[str, Any], reaches: bool):
    built, mixture = model(settings), planes(12)
    changed = mixture.clone()
    changed[..., 8:] = planes(4, seed=2)
    with torch.no_grad():
        before, after = built(mixture)[..., :8], built(changed)[..., :8]
    assert torch.equal(before, after) != reaches


def test_a_model_that_reads_later_frames_separates_no_stream():
    with pytest.raises(SettingError, match="cannot separate a stream; train a causal one"):
        model(SMALL).beginning()


def test_latency_is_the_transform_and_the_block():
    config = TfswaUnetConfig.model_validate(CAUSAL)
    assert config.latency == 64 + 16
    assert TfswaUnetConfig(time_strides=(1, 1)).latency == 2048


def test_how_far_a_causal_model_looks_back_is_bounded():
    config = TfswaUnetConfig.model_validate(CAUSAL | {"num_modules": 1})
    built = model(CAUSAL, num_modules=1)
    # One frame of every convolution, then look_back - 1 and twice window - 1 blocks, twice a convolution's.
    reach = 1 + 2 * (1 + 2 + 1 + 1 + 1) + 1 + config.block
    mixture = planes(2 * reach)
    changed = mixture.clone()
    changed[..., 0] += 1
    with torch.no_grad():
        difference = (built(mixture) - built(changed)).abs().amax(dim=(0, 1, 2))
    assert difference[0] > 0
    assert difference[reach + 1 :].max() == 0


@pytest.mark.parametrize("shifted", [False, True])
@pytest.mark.parametrize(("look_back", "look_ahead"), [(1, 0), (4, 0), (3, 2)])
def test_attention_is_the_plain_sum_over_all(look_back: int, look_ahead: int, shifted: bool):
    torch.manual_seed(3)
    heads, group, channels, frames, positions = 2, 4, 8, 7, 12
    attention = LocalAttention(channels, heads, group, look_back, look_ahead, shifted=shifted)
    with torch.no_grad():
        attention.distance.add_(torch.randn_like(attention.distance))
        x = torch.randn(1, frames, positions, channels)
        found = attention(x, History())[0]
        q, k, v = (part.unflatten(-1, (heads, -1)) for part in attention.qkv(x)[0].chunk(3, -1))
        shift = group // 2 if shifted else 0
        expected = torch.zeros(frames, positions, heads, channels // heads)
        for t in range(frames):
            for p in range(positions):
                seen = [
                    (s, r)
                    for s in range(max(t - look_back + 1, 0), min(t + look_ahead + 1, frames))
                    for r in range(positions)
                    if (r - shift) // group == (p - shift) // group
                ]
                for h in range(heads):
                    scores = torch.stack(
                        [
                            q[t, p, h] @ k[s, r, h] * (channels // heads) ** -0.5
                            + attention.distance[h, s - t + look_back - 1, r - p + group - 1]
                            for s, r in seen
                        ]
                    )
                    values = torch.stack([v[s, r, h] for s, r in seen])
                    expected[t, p, h] = scores.softmax(0) @ values
        torch.testing.assert_close(found, attention.out(expected.flatten(2)), atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("parts", [stacked_parts(32, 4), merged_parts([(8, 1), (8, 4), (16, 8)])])
def test_bins_become_positions_and_back(parts: tuple[Any, ...]):
    spectrum = torch.arange(2 * 3 * 5 * 32.0).view(2, 3, 5, 32)
    split = [part.split(spectrum) for part in parts]
    assert [tuple(one.shape[2:]) for one in split] == [(part.positions, 5 * part.width) for part in parts]
    back = [part.join(one.unflatten(3, (5, part.width))) for part, one in zip(parts, split, strict=True)]
    assert torch.equal(torch.cat(back, dim=-1), spectrum)


def test_stacked_bins_lie_a_sub_band_apart_and_merged_ones_are_neighbors():
    spectrum = torch.arange(32.0).view(1, 1, 1, 32)
    assert stacked_parts(32, 4)[0].split(spectrum)[0, 0, 3].tolist() == [3, 11, 19, 27]
    assert merged_parts([(8, 1), (24, 4)])[1].split(spectrum)[0, 0, 1].tolist() == [12, 13, 14, 15]


def test_compression_keeps_phases_and_raises_magnitudes():
    x = planes(3).permute(0, 3, 1, 2) * 10
    found, before = from_planes(compressed(x, 0.5).transpose(1, 2)), from_planes(x.transpose(1, 2))
    torch.testing.assert_close(found.abs(), before.abs().sqrt(), atol=1e-3, rtol=1e-3)
    torch.testing.assert_close(found.angle(), before.angle(), atol=1e-3, rtol=1e-3)
    assert compressed(torch.zeros(1, 1, 4, 2), 0.3).isfinite().all()


def test_gradient_checkpointing_changes_no_gradient():
    gradients: list[list[Tensor]] = []
    for checkpointing in (False, True):
        built = model(CAUSAL, checkpointing=checkpointing).train()
        built(planes()).abs().mean().backward()
        gradients.append([p.grad for p in built.parameters() if p.grad is not None])
    assert len(gradients[0]) == len(list(model(CAUSAL).parameters()))
    for without, with_checkpoints in zip(*gradients, strict=True):
        torch.testing.assert_close(without, with_checkpoints)


@pytest.mark.parametrize("settings", [SMALL, CAUSAL])
def test_half_precision_gives_nearly_the_same_and_learns(settings: dict[str, Any]):
    built, mixture = model(settings), planes()
    with torch.autocast("cpu", torch.bfloat16):
        half = built(mixture)
        half.abs().mean().backward()
    with torch.no_grad():
        whole = built(mixture)
    assert half.dtype == torch.float32
    assert (half - whole).abs().mean() < 0.05 * whole.abs().mean()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in built.parameters())


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"stems": "Bass"}, "is no name"),
        ({"hop": 24}, "no multiple of twice the hop"),
        ({"bands": [[16, 2]]}, "32 bins together"),
        ({"bands": [[24, 5], [8, 1]]}, "multiple of the bins of its positions"),
        ({"sub_bands": 3}, "sub_bands must divide 32"),
        ({"time_strides": [2]}, "one fewer than channels"),
        ({"freq_strides": [2, 3]}, "must divide the 16 positions"),
        ({"num_heads": 3}, "multiple of num_heads"),
        ({"attention_window": [5, 3]}, "must divide the 8 last positions"),
        ({"kernel": [2, 3]}, "kernel must be odd"),
        ({"layers": 3}, "Extra inputs"),
    ],
)
def test_what_does_not_fit_is_refused(changes: dict[str, Any], message: str):
    with pytest.raises(ValidationError, match=message):
        TfswaUnetConfig.model_validate(SMALL | changes)
