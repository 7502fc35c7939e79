"""The Music Transformer: relative attention, causality, dependencies of the states, the cache."""

from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from plain_batches import plain_batch
from swing_pieces import swing_piece
from torch import Tensor

from tatumflow.engine.model.tokens import FIELD_SIZES, FIELDS, INPUT_SIZES
from tatumflow.training.config import load_config
from tatumflow.training.data.batches import Batch
from tatumflow.training.data.packing import PackedCorpus, pack
from tatumflow.training.evaluate.likelihood.nll import TorchLogits, evaluate_nll
from tatumflow.training.fit.checkpoint import open_checkpoint
from tatumflow.training.models.music_transformer.cache import TokenCache
from tatumflow.training.models.music_transformer.config import MusicTransformerConfig
from tatumflow.training.models.music_transformer.model import (
    MusicTransformer,
    RelativeAttention,
    skew,
    visible_keys,
)
from tatumflow.training.train import train

CONFIG = MusicTransformerConfig(
    hidden_dim=32, num_layers=2, num_heads=4, mlp_dim=48, max_seq_len=16, num_styles=3
)
STEPS = 12
RECIPE = Path(__file__).parents[3] / "configs" / "train" / "music-transformer.yaml"


def weighty(model: torch.nn.Module) -> torch.nn.Module:
    """Make weights large enough that every path matters."""
    torch.manual_seed(1)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.2 * torch.randn_like(parameter))
    return model.eval()


@pytest.fixture(scope="module")
def model() -> MusicTransformer:
    network = weighty(MusicTransformer(CONFIG))
    assert isinstance(network, MusicTransformer)
    return network


def random_batch(batch: int, steps: int, seed: int = 0) -> Batch:
    generator = torch.Generator().manual_seed(seed)
    fields = torch.stack(
        [torch.randint(size, (batch, steps), generator=generator) for size in INPUT_SIZES], dim=-1
    )
    role = torch.randint(2, (batch, steps), generator=generator)
    return plain_batch(fields, role, torch.randint(CONFIG.num_styles, (batch, steps), generator=generator))


def with_field(batch: Batch, step: int, field: int, value: int) -> Batch:
    fields = batch.fields.clone()
    fields[:, step, field] = value
    return batch._replace(fields=fields)


def naive_relative_attention(attention: RelativeAttention, x: Tensor) -> Tensor:
    """Relative attention by its formula, with an embedding for every pair: L * L * D numbers."""
    q, k, v = attention.project(x)
    place = torch.arange(x.shape[1])
    behind = place[:, None] - place
    window = attention.distance.shape[1]
    pairs = attention.distance[:, window - 1 - behind.clamp(0, window - 1)]
    scores = (q @ k.transpose(-1, -2) + torch.einsum("bnid,nijd->bnij", q, pairs)) / attention.head_dim**0.5
    scores[..., (behind < 0) | (behind >= window)] = float("-inf")
    return attention.out((scores.softmax(dim=-1) @ v).transpose(1, 2).flatten(2))


@torch.no_grad()
@pytest.mark.parametrize("tokens", [1, 2, 37, 64, 100, 300])
def test_skewing_is_relative_attention(tokens: int) -> None:
    torch.manual_seed(0)
    attention = weighty(RelativeAttention(CONFIG))
    assert isinstance(attention, RelativeAttention)
    x = torch.randn(2, tokens, CONFIG.hidden_dim)
    skewed = attention(x, visible_keys(tokens, tokens, CONFIG.max_tokens))
    assert torch.allclose(skewed, naive_relative_attention(attention, x), atol=1e-5)


@settings(deadline=None)
@given(keys=st.integers(1, 12), data=st.data())
def test_skewing_puts_a_distance_under_its_key(keys: int, data: st.DataObject) -> None:
    tokens = data.draw(st.integers(1, keys))
    distance = (keys - 1 - torch.arange(keys)).expand(tokens, keys)
    skewed = skew(distance)
    for i in range(tokens):
        place = keys - tokens + i
        assert skewed[i, : place + 1].tolist() == [place - j for j in range(place + 1)]


def test_a_token_sees_its_window_and_nothing_after_itself() -> None:
    seen = visible_keys(3, 8, window=4)
    assert [row.nonzero().flatten().tolist() for row in seen] == [[2, 3, 4, 5], [3, 4, 5, 6], [4, 5, 6, 7]]


@torch.no_grad()
@settings(deadline=None)
@given(
    step=st.integers(0, STEPS - 1),
    field=st.integers(0, len(FIELDS) - 1),
    value=st.integers(0, min(INPUT_SIZES) - 1),
    seed=st.integers(0, 3),
)
def test_a_later_token_never_changes_an_earlier_state(
    model: MusicTransformer, step: int, field: int, value: int, seed: int
) -> None:
    batch = random_batch(1, STEPS, seed)
    changed = with_field(batch, step, field, value)
    before, after = model(batch).flatten(1, 2), model(changed).flatten(1, 2)
    # The state of field i after step t follows token 4 t + 3 + i.
    first = max(len(FIELDS) * step + field - (len(FIELDS) - 1), 0)
    assert torch.equal(after[:, :first], before[:, :first])
    last = before.shape[1] - (len(FIELDS) - 1)
    if batch.fields[0, step, field] != value and first < last:
        assert not torch.allclose(after[:, first:last], before[:, first:last], atol=1e-4)


@torch.no_grad()
def test_a_field_is_predicted_from_the_earlier_fields_of_its_note_and_no_others(
    model: MusicTransformer,
) -> None:
    batch, step = random_batch(1, STEPS), 5
    before = model(batch)
    for changed in range(len(FIELDS)):
        value = (int(batch.fields[0, step + 1, changed]) + 1) % INPUT_SIZES[changed]
        after = model(with_field(batch, step + 1, changed, value))
        for field in range(len(FIELDS)):
            same = torch.allclose(after[0, step, field], before[0, step, field], atol=1e-4)
            assert same == (field <= changed)


@torch.no_grad()
def test_role_and_style_act_from_their_step_on(model: MusicTransformer) -> None:
    batch = random_batch(1, STEPS)
    before = model(batch).flatten(1, 2)
    role, style = batch.role.clone(), batch.style.clone()
    role[:, 8] = 1 - role[:, 8]
    style[:, 8] = (style[:, 8] + 1) % CONFIG.num_styles
    own = 4 * 8 - 3
    for after in (model(batch._replace(role=role)), model(batch._replace(style=style))):
        after = after.flatten(1, 2)
        assert torch.equal(after[:, :own], before[:, :own])
        assert not torch.allclose(after[:, own], before[:, own], atol=1e-4)


@torch.no_grad()
def test_a_state_scores_its_own_field_only(model: MusicTransformer) -> None:
    batch = random_batch(2, STEPS)
    states = model(batch)
    assert states.shape == (2, STEPS, len(FIELDS), CONFIG.hidden_dim)
    assert not states[:, -1, 1:].any()
    assert states[:, -1, 0].all()
    before = model.field_logits(states, batch)
    assert [scores.shape for scores in before] == [(2, STEPS, size) for size in FIELD_SIZES]
    for changed in range(len(FIELDS)):
        other = states.clone()
        other[:, :, changed] += 1
        after = model.field_logits(other, batch)
        assert [torch.equal(a, b) for a, b in zip(after, before, strict=True)] == [
            field != changed for field in range(len(FIELDS))
        ]


@torch.no_grad()
@pytest.mark.parametrize(
    "sizes", [[64, 64, 64], [1] * 192, [13, 1, 1, 63, 1, 50, 63]], ids=["prefill", "token by token", "mixed"]
)
def test_cached_is_uncached(model: MusicTransformer, sizes: list[int]) -> None:
    batch = random_batch(1, 48)
    whole = model(batch).flatten(1, 2)[0]
    tokens = model.embed(batch.fields, batch.role, batch.style).flatten(0, 2)
    cache = TokenCache(CONFIG)
    states = torch.cat([model.forward_cached(part, cache) for part in tokens.split(sizes)])
    known = len(FIELDS) - 1
    assert torch.allclose(states[known:], whole[:-known], atol=1e-4)


def test_a_cache_takes_no_more_than_its_window() -> None:
    with pytest.raises(ValueError, match="65 tokens at once; allowed: 1 to 64"):
        TokenCache(CONFIG).make_room(65)


def test_the_default_size_is_that_of_the_companion() -> None:
    count = sum(p.numel() for p in MusicTransformer(MusicTransformerConfig(num_styles=157)).parameters())
    assert 13_000_000 <= count <= 14_500_000


@pytest.mark.slow
def test_training_teaches_it(tmp_path: Path) -> None:
    packed = tmp_path / "packed"
    pack([swing_piece(), swing_piece(1, bars=8, split="val", name="other")], packed)
    small = {"hidden_dim": 32, "num_layers": 1, "num_heads": 2, "mlp_dim": 64, "max_seq_len": 48}
    changes = [f"model.{name}={value}" for name, value in small.items()]
    changes += [f"data.packed={packed}", "data.seq_len=48", "data.batch_size=2", "data.augment=false"]
    changes += ["data.repeat={}", "data.frames={}", "optimizer.lr=1e-2", "optimizer.warmup_steps=2"]
    changes += ["run.precision=32-true", "run.threads=1", "run.ema_decay=0", "run.val_every=12"]

    def nll(steps: int) -> float:
        config = load_config(RECIPE, [*changes, f"run.max_steps={steps}", "run.max_epochs=100"])
        result = train(config, tmp_path / str(steps))
        model = open_checkpoint(result.last).model
        figures = evaluate_nll(TorchLogits(model), PackedCorpus.open(packed), "train", seq_len=48)
        return figures.total.per_note.value

    assert nll(24) < nll(1) - 3
