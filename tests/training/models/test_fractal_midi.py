"""The levels of FractalMIDI: what each reads, and that none reads what it predicts."""

from typing import Any

import numpy as np
import pytest
import torch

from tatumflow.engine.errors import SettingError
from tatumflow.engine.rolls.levels import LevelKind
from tatumflow.engine.rolls.patches import KEY, NEIGHBOURS, PLANES, TOKEN_PLANES, Order
from tatumflow.training.config import parse_config
from tatumflow.training.models.fractal_midi.config import FractalMidiConfig
from tatumflow.training.models.fractal_midi.model import FractalMidi
from tatumflow.training.rolls.data.batches import RollBatch
from tatumflow.training.rolls.fit.losses import dropped, hidden_tokens, roll_losses

KINDS: list[LevelKind] = ["mar", "ar"]


def small(kind: LevelKind = "mar", order: Order = "column", **changes: Any) -> FractalMidi:
    torch.manual_seed(0)
    sizes: dict[str, Any] = {"dims": (16, 16, 16, 16), "blocks": (2, 2, 2, 1), "heads": (2, 2, 2)}
    config = FractalMidiConfig(num_styles=3, kinds=(kind, kind, kind), order=order, **sizes, **changes)
    return FractalMidi(config)


def noise(count: int = 2, width: int = 32, seed: int = 0) -> RollBatch:
    """Return rolls whose cells are independent: silent, onset or held with 0.5, 0.3 and 0.2."""
    rng = np.random.default_rng(seed)
    state = rng.choice(3, size=(count, 128, width), p=(0.5, 0.3, 0.2)).astype(np.int8)
    return RollBatch(
        torch.from_numpy(state),
        torch.zeros(count, 128, width, dtype=torch.uint8),
        torch.zeros(count, 128, width, dtype=torch.bool),
        torch.zeros(count, 3, dtype=torch.int64),
        torch.zeros(count, 12),
        torch.zeros(count, dtype=torch.int64),
    )


@pytest.mark.parametrize("level", [0, 1, 2])
@pytest.mark.parametrize("order", ["row", "column"])
def test_an_autoregressive_level_reads_the_tokens_before_in_scan_order_alone(level: int, order: Order):
    model = small("ar", order).eval()
    rows, columns = (8, 3) if level == 0 else (4, 4)
    done = torch.rand(1, rows, columns, TOKEN_PLANES[level])
    visible = torch.zeros_like(done)
    conditions = torch.zeros(1, 3, dtype=torch.int64) if level == 0 else torch.randn(1, NEIGHBOURS, 16)
    row, column = 2, 1
    changed = done.clone()
    changed[0, row, column] += 1
    with torch.no_grad():
        before, _ = model.run(level, conditions, visible, done)
        after, _ = model.run(level, conditions, visible, changed)
    moved = (before - after).abs().amax(dim=-1).reshape(rows, columns) > 1e-6
    at = torch.arange(rows)[:, None], torch.arange(columns)[None]
    if order == "row":
        later = (at[0] > row) | ((at[0] == row) & (at[1] > column))
    else:
        later = (at[1] > column) | ((at[1] == column) & (at[0] > row))
    assert torch.equal(moved, later)


def test_an_autoregressive_level_of_rolls_reads_known_tokens_on_all_sides():
    model = small("ar").eval()
    done = torch.zeros(1, 8, 3, TOKEN_PLANES[0])
    visible = torch.zeros_like(done)
    known = visible.clone()
    known[0, 4, 2] = torch.rand(TOKEN_PLANES[0])
    ids = torch.zeros(1, 3, dtype=torch.int64)
    with torch.no_grad():
        apart = model.run(0, ids, visible, done)[0] - model.run(0, ids, known, done)[0]
    assert (apart.abs().amax(dim=-1) > 1e-6).all()


@pytest.mark.parametrize("order", ["row", "column"])
def test_no_level_reads_what_it_predicts_through_its_neighbours(
    order: Order, monkeypatch: pytest.MonkeyPatch
):
    model = small("ar", order).eval()
    logits: list[torch.Tensor] = []
    run = FractalMidi.run

    def record(self: FractalMidi, level: int, *inputs: Any) -> tuple[torch.Tensor, torch.Tensor]:
        found = run(self, level, *inputs)
        if level == 2:
            logits.append(found[1])
        return found

    monkeypatch.setattr(FractalMidi, "run", record)
    batch = noise(1)
    batch.state[:] = 1
    changed = batch._replace(state=batch.state.clone())
    # The last cell of the first patch, in either order; its neighbours' states have read it.
    changed.state[:, 15, 15] = 2
    with torch.no_grad():
        for one in (batch, changed):
            roll_losses(model, one, drop=False)
    before, after = logits
    inside = 16
    torch.testing.assert_close(before[:inside], after[:inside])
    assert (before[inside:] - after[inside:]).abs().max() > 1e-6


@pytest.mark.parametrize("kind", KINDS)
def test_the_loss_on_noise_stays_at_chance(kind: LevelKind):
    # A model that reads its target, or a neighbour's state that has read it, learns noise within these steps.
    model = small(kind, mask_deviation=0.01)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    for step in range(25):
        losses = roll_losses(model, noise(1, 16, seed=step))
        optimizer.zero_grad()
        losses.total.backward()
        optimizer.step()
    with torch.no_grad():
        states = float(roll_losses(model, noise(4, seed=1000)).means[2])
    chance = -sum(p * np.log(p) for p in (0.5, 0.3, 0.2))
    assert chance - 0.02 < states < chance + 0.05


@pytest.mark.parametrize("kind", KINDS)
def test_shuffled_targets_are_no_easier_than_true_ones(kind: LevelKind):
    """A tile of cells that repeats is learned; with the cells shuffled anew each time it is not."""
    tile = torch.from_numpy(np.random.default_rng(0).permutation([0] * 8 + [1] * 5 + [2] * 3)).reshape(4, 4)
    learned: list[float] = []
    for shuffled in (False, True):
        model = small(kind, mask_deviation=0.01)
        optimizer = torch.optim.AdamW(model.parameters(), lr=2e-2)
        value = 0.0
        for step in range(20):
            state = tile.repeat(1, 32, 4)
            if shuffled:
                cells = torch.from_numpy(np.random.default_rng(step).permutation(state.numel()))
                state = state.flatten()[cells].reshape(state.shape)
            losses = roll_losses(model, noise(1, 16)._replace(state=state))
            optimizer.zero_grad()
            losses.total.backward()
            optimizer.step()
            value = float(losses.means[2].detach())
        learned.append(value)
    true, apart = learned
    assert true < 0.6
    assert apart > 0.95


def test_a_fill_conditions_on_what_is_known():
    model = small().eval()
    batch = noise()
    known = torch.zeros_like(batch.known)
    known[..., :16] = True
    with torch.no_grad():
        torch.manual_seed(1)
        losses = roll_losses(model, batch._replace(known=known))
    # Only the second half is predicted, as far as its tokens are hidden.
    assert 0 < float(losses.steps) <= 2 * 16


def test_gradient_checkpointing_changes_no_gradient():
    gradients: list[torch.Tensor] = []
    for checkpointing in (False, True):
        model = small(checkpointing=checkpointing).train()
        torch.manual_seed(1)
        roll_losses(model, noise()).total.backward()
        gradients.append(torch.cat([p.grad.flatten() for p in model.parameters() if p.grad is not None]))
    torch.testing.assert_close(*gradients)


def test_hidden_shares_follow_the_truncated_normal():
    torch.manual_seed(0)
    unknown = torch.ones(4000, 64, dtype=torch.bool)
    unknown[:, 32:] = False
    config = FractalMidiConfig(mask_mean=0.6, mask_deviation=0.1)
    hidden = hidden_tokens(unknown, config)
    assert not hidden[:, 32:].any()
    share = hidden.sum(dim=1) / 32
    assert float(share.mean()) == pytest.approx(0.6 + 0.5 / 32, abs=0.01)
    assert float(share.std()) == pytest.approx(0.1, abs=0.01)
    assert float(share.min()) > 0


def test_conditions_are_dropped_whole_and_by_one():
    torch.manual_seed(0)
    ids = torch.ones(20_000, 3, dtype=torch.int64)
    kept, key = dropped(ids, torch.ones(20_000, 12), 0.2)
    assert float((kept.sum(dim=1) == 0).float().mean()) == pytest.approx(0.2 + 0.8 * 0.2**3, abs=0.01)
    assert float(kept.float().mean()) == pytest.approx(0.8 * 0.8, abs=0.01)
    assert set(key.sum(dim=1).tolist()) == {0.0, 12.0}
    assert float(key.mean()) == pytest.approx(0.8 * 0.8, abs=0.01)


def test_every_level_reads_the_key_of_hidden_cells():
    model = small().eval()
    for level, (rows, columns) in enumerate(((8, 3), (4, 4), (4, 4))):
        conditions = torch.zeros(1, 3, dtype=torch.int64) if level == 0 else torch.zeros(1, NEIGHBOURS, 16)
        tokens = torch.zeros(1, rows, columns, TOKEN_PLANES[level])
        keyed = tokens.clone()
        keyed[..., KEY::PLANES] = 1.0
        without, _ = model.run(level, conditions, tokens, None)
        with_key, _ = model.run(level, conditions, keyed, None)
        assert not torch.allclose(without, with_key)


def test_heads_that_do_not_divide_are_refused():
    with pytest.raises(SettingError, match="dims"):
        parse_config({"family": "fractal_midi", "model": {"dims": [30, 16, 16, 16], "heads": [4, 2, 2]}})
