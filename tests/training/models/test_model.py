"""The TatumFlow decoder: causality, cache, field order, saved hyperparameters."""

import pytest
import torch
from torch import Tensor

from tatumflow.engine.harmony.chords import NUM_CHORDS
from tatumflow.engine.model.metre import METRE_SIZES, NO_METRE
from tatumflow.engine.model.tokens import FIELD_SIZES, INPUT_SIZES, PITCH, TIME_SHIFT
from tatumflow.training.models.tatumflow.config import TatumFlowConfig
from tatumflow.training.models.tatumflow.decoder import Attention, FieldHead, TatumFlowDecoder
from tatumflow.training.models.tatumflow.layers import rotary_table

MASKED = -1e9
CONFIG = TatumFlowConfig(
    hidden_dim=48,
    condition_dim=8,
    num_layers=3,
    num_heads=4,
    num_kv_heads=2,
    mlp_dim=64,
    head_dim_inner=32,
    max_seq_len=64,
    num_styles=3,
    latent_dim=6,
    theory_dim=2,
)
Steps = tuple[Tensor, Tensor, Tensor, Tensor, Tensor, Tensor]


@pytest.fixture(scope="module")
def model() -> TatumFlowDecoder:
    torch.manual_seed(1)
    decoder = TatumFlowDecoder(CONFIG)
    # Weights large enough that every path matters; the initial modulation and sink are zero.
    with torch.no_grad():
        for parameter in decoder.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    return decoder.eval()


def random_steps(batch: int, steps: int, seed: int = 0) -> Steps:
    generator = torch.Generator().manual_seed(seed)
    fields = torch.stack(
        [torch.randint(size, (batch, steps), generator=generator) for size in INPUT_SIZES], dim=-1
    )
    role = torch.randint(2, (batch, steps), generator=generator)
    style = torch.randint(CONFIG.num_styles, (batch, steps), generator=generator)
    chord = torch.randint(NUM_CHORDS, (batch, steps), generator=generator)
    metre = torch.stack(
        [torch.randint(size, (batch, steps), generator=generator) for size in METRE_SIZES], dim=-1
    )
    phrase = torch.randn(batch, steps, CONFIG.phrase_dim, generator=generator)
    return fields, role, style, chord, metre, phrase


def one_hot(style: Tensor) -> Tensor:
    return torch.nn.functional.one_hot(style, CONFIG.num_styles).float()


def empty_cache(rows: int) -> tuple[Tensor, Tensor]:
    shape = (CONFIG.num_layers, CONFIG.num_kv_heads, rows, CONFIG.head_dim)
    return torch.zeros(shape), torch.zeros(shape)


@torch.no_grad()
def run_in_parts(model: TatumFlowDecoder, steps: Steps, sizes: list[int], rows: int) -> Tensor:
    """Run one stream in calls of the given sizes through a ring of `rows` cache rows.

    Every step attends to itself and the `rows` steps before it, as far as the ring still holds them.
    """
    fields, role, style, chord, metre, phrase = (tensor[0] for tensor in steps)
    key, value = empty_cache(rows)
    held = torch.full((rows,), -1)
    states, done = [], 0
    for size in sizes:
        now = torch.arange(done, done + size)
        cos, sin = rotary_table(now, CONFIG.head_dim, CONFIG.rope_base)
        past = (held[None] >= 0) & (held[None] >= now[:, None] - rows)
        own = (now[None] <= now[:, None]) & (now[None] >= now[:, None] - rows)
        mask = torch.where(torch.cat([past, own], dim=1), 0.0, MASKED)
        state, new_key, new_value = model.forward_cached(
            fields[now],
            role[now],
            one_hot(style[now]),
            chord[now],
            metre[now],
            phrase[now],
            cos,
            sin,
            mask,
            key,
            value,
        )
        kept = now[-rows:]
        key[:, :, kept % rows] = new_key[:, :, -rows:]
        value[:, :, kept % rows] = new_value[:, :, -rows:]
        held[kept % rows] = kept
        states.append(state)
        done += size
    return torch.cat(states)


@pytest.mark.parametrize("steps", [1, 127, 128, 300])
@torch.no_grad()
def test_attention_by_blocks_is_attention_by_the_kernel(model: TatumFlowDecoder, steps: int) -> None:
    attention = model.blocks[0].attention
    assert isinstance(attention, Attention)
    x = torch.randn(2, steps, CONFIG.hidden_dim, generator=torch.Generator().manual_seed(steps))
    q, k, v = attention.project(x, *rotary_table(torch.arange(steps), CONFIG.head_dim, CONFIG.rope_base))
    assert torch.allclose(attention.attend_by_blocks(q, k, v), attention.attend_by_kernel(q, k, v), atol=1e-5)


@torch.no_grad()
def test_a_later_step_never_changes_an_earlier_state(model: TatumFlowDecoder) -> None:
    fields, role, *rest = random_steps(2, 40)
    before = model(fields, role, *rest)
    for changed in (1, 17, 39):
        other = fields.clone()
        other[:, changed] = (other[:, changed] + 1) % torch.tensor(INPUT_SIZES)
        after = model(other, role, *rest)
        assert torch.equal(after[:, :changed], before[:, :changed])
        assert not torch.allclose(after[:, changed:], before[:, changed:])


@torch.no_grad()
def test_every_input_acts_from_its_step_on(model: TatumFlowDecoder) -> None:
    steps = random_steps(1, 20)
    before = model(*steps)
    changes = [
        (1, lambda role: 1 - role),
        (2, lambda style: (style + 1) % CONFIG.num_styles),
        (3, lambda chord: (chord + 1) % NUM_CHORDS),
        (4, lambda metre: (metre + 1) % torch.tensor(METRE_SIZES)),
        (5, lambda phrase: -phrase),
    ]
    for place, change in changes:
        other = [tensor.clone() for tensor in steps]
        other[place][:, 8] = change(other[place][:, 8])
        after = model(*other)
        assert torch.equal(after[:, :8], before[:, :8])
        assert not torch.allclose(after[:, 8], before[:, 8], atol=1e-4)


@pytest.mark.parametrize("sizes", [[30], [1] * 30, [7, 1, 1, 12, 9]], ids=["prefill", "step", "mixed"])
def test_cached_is_uncached(model: TatumFlowDecoder, sizes: list[int]) -> None:
    steps = random_steps(1, 30)
    with torch.no_grad():
        whole = model(*steps)[0]
    assert torch.allclose(run_in_parts(model, steps, sizes, rows=32), whole, atol=1e-4)


@pytest.mark.parametrize("rows", [5, 16])
def test_a_window_smaller_than_the_stream_is_the_same_in_any_parts(
    model: TatumFlowDecoder, rows: int
) -> None:
    steps = random_steps(1, 50)
    whole = run_in_parts(model, steps, [50], rows)
    single = run_in_parts(model, steps, [1] * 50, rows)
    assert torch.allclose(single, whole, atol=1e-4)
    with torch.no_grad():
        unlimited = model(*steps)[0]
    assert torch.allclose(whole[: rows + 1], unlimited[: rows + 1], atol=1e-4)
    assert not torch.allclose(whole[-1], unlimited[-1], atol=1e-4)


@torch.no_grad()
def test_a_blend_of_styles_lies_in_the_table(model: TatumFlowDecoder) -> None:
    fields, role, style, *condition = (tensor[0] for tensor in random_steps(1, 6))
    cos, sin = rotary_table(torch.arange(6), CONFIG.head_dim, CONFIG.rope_base)
    mask = torch.where(torch.ones(6, 6).tril() > 0, 0.0, MASKED)
    mask = torch.cat([torch.full((6, 4), MASKED), mask], dim=1)
    chord, metre, phrase = condition
    rest = (chord, metre, phrase, cos, sin, mask, *empty_cache(4))
    pure = model.forward_cached(fields, role, one_hot(style), *rest)[0]
    half = 0.5 * one_hot(style) + 0.5 * one_hot((style + 1) % CONFIG.num_styles)
    blend = model.forward_cached(fields, role, half, *rest)[0]
    assert torch.isfinite(blend).all()
    assert not torch.allclose(blend, pure, atol=1e-4)


@torch.no_grad()
def test_a_field_depends_on_the_fields_before_it_and_no_others(model: TatumFlowDecoder) -> None:
    state = torch.randn(1, CONFIG.hidden_dim)
    note = torch.tensor([[3, 40, 12, 7]])
    chord = torch.tensor([5])
    metre = (torch.tensor([[7, 1, 3]]), torch.tensor([[20, 1, 3]]))
    before = model.field_logits(state, note, chord, *metre)
    assert [scores.shape[-1] for scores in before] == list(FIELD_SIZES)
    for changed in range(4):
        other = note.clone()
        other[0, changed] += 1
        after = model.field_logits(state, other, chord, *metre)
        for field in range(4):
            assert torch.equal(after[field], before[field]) == (field <= changed)
    after = model.field_logits(state, note, chord + 1, *metre)
    assert [torch.equal(a, b) for a, b in zip(after, before, strict=True)] == [i != PITCH for i in range(4)]
    after = model.field_logits(state, note, chord, metre[0], metre[1] + 1)
    assert [torch.equal(a, b) for a, b in zip(after, before, strict=True)] == [
        i == TIME_SHIFT for i in range(4)
    ]
    after = model.field_logits(state, note, chord, metre[0] + 1, metre[1])
    assert [torch.equal(a, b) for a, b in zip(after, before, strict=True)] == [
        i != TIME_SHIFT for i in range(4)
    ]


@torch.no_grad()
def test_without_a_phase_it_does_not_matter_where_a_shift_lands(model: TatumFlowDecoder) -> None:
    state, note, chord = torch.randn(1, CONFIG.hidden_dim), torch.tensor([[3, 40, 12, 7]]), torch.tensor([5])
    free = torch.tensor([NO_METRE])
    head = model.heads[TIME_SHIFT]
    assert isinstance(head, FieldHead)
    assert head.landing is not None
    with_term = model.field_logits(state, note, chord, free, free)[TIME_SHIFT]
    kept = head.landing.bias.clone()
    head.landing.bias.add_(torch.arange(len(kept)))
    assert torch.equal(model.field_logits(state, note, chord, free, free)[TIME_SHIFT], with_term)
    head.landing.bias.copy_(kept)


@torch.no_grad()
def test_weights_trained_without_metre_first_compute_the_same() -> None:
    torch.manual_seed(0)
    decoder = TatumFlowDecoder(CONFIG)
    fields, role, style, chord, metre, phrase = random_steps(1, 12)
    free = torch.tensor(NO_METRE).expand_as(metre)
    with_metre = decoder(fields, role, style, chord, metre, phrase)
    assert torch.equal(with_metre, decoder(fields, role, style, chord, free, phrase))


def test_hyperparameters_of_older_checkpoints_are_read() -> None:
    saved = TatumFlowConfig(theory_requested=0.2).model_dump(mode="json")
    older = {name.replace("theory_requested", "theory_asked"): value for name, value in saved.items()}
    assert "theory_asked" in older
    assert TatumFlowConfig.model_validate(older) == TatumFlowConfig.model_validate(saved)
    assert TatumFlowConfig.model_validate(older).theory_requested == 0.2


def test_live_size_is_the_size_to_play_with() -> None:
    count = sum(parameter.numel() for parameter in TatumFlowDecoder(TatumFlowConfig()).parameters())
    assert 10_000_000 <= count <= 15_000_000
