"""Sampling: each filter against its definition, and draws against the distribution they come from."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tatumflow.engine.arrays import Floats
from tatumflow.engine.model.sampling import (
    EXCLUDED,
    Sampling,
    choose,
    choose_pitch,
    min_p,
    probabilities,
    temperature,
    top_k,
    top_p,
)

Choice = Callable[[Floats, Sampling, float], int]

quick = settings(max_examples=40, deadline=None)
EVERYTHING = Sampling(temperature=1.0, top_k=0, top_p=1.0, min_p=0.0)

some_logits = hnp.arrays(np.float32, st.integers(1, 191), elements=st.floats(-20, 20, width=32))
uniforms = st.floats(0, 1, exclude_max=True)
samplings = st.builds(
    Sampling,
    temperature=st.floats(0, 2),
    top_k=st.integers(0, 200),
    top_p=st.floats(0.01, 1),
    min_p=st.floats(0, 1),
)


def kept(logits: Floats) -> set[int]:
    return set(np.flatnonzero(logits > EXCLUDED).tolist())


@given(some_logits, st.integers(1, 200))
@quick
def test_top_k_keeps_the_likeliest(logits: Floats, k: int) -> None:
    left = kept(top_k(logits, k))
    worst = min(logits[list(left)])
    assert len(left) >= min(k, len(logits))
    assert np.count_nonzero(logits > worst) < k
    assert left == set(np.flatnonzero(logits >= worst).tolist())


@given(some_logits, st.floats(0.01, 0.999))
@quick
def test_top_p_keeps_the_smallest_sufficient_set(logits: Floats, p: float) -> None:
    left = kept(top_p(logits, p))
    share = probabilities(logits).astype(np.float64)
    worst = min(share[list(left)])
    assert share[list(left)].sum() >= p - 1e-5
    assert share[share > worst].sum() < p + 1e-5
    assert left == set(np.flatnonzero(share >= worst).tolist())


@given(some_logits, st.floats(0.001, 1))
@quick
def test_min_p_is_relative_to_the_likeliest(logits: Floats, share: float) -> None:
    left = kept(min_p(logits, share))
    relative = probabilities(logits).astype(np.float64)
    relative /= relative.max()
    for index, value in enumerate(relative):
        if abs(value - share) > 1e-4 * share:
            assert (index in left) == (value >= share)


@given(some_logits)
@quick
def test_neutral_settings_change_nothing_and_kept_logits_stay(logits: Floats) -> None:
    for same in (top_k(logits, 0), top_p(logits, 1.0), min_p(logits, 0.0), temperature(logits, 1.0)):
        np.testing.assert_array_equal(same, logits)
    for filtered in (top_k(logits, 3), top_p(logits, 0.5), min_p(logits, 0.1), temperature(logits, 0)):
        assert filtered.dtype == np.float32
        allowed = filtered > EXCLUDED
        assert allowed[logits.argmax()]
        np.testing.assert_array_equal(filtered[allowed], logits[allowed])


@given(some_logits, samplings, uniforms)
@quick
def test_choice_survives_every_filter(logits: Floats, sampling: Sampling, uniform: float) -> None:
    index = choose_pitch(logits, sampling, uniform)
    scaled = temperature(logits, sampling.temperature)
    left = min_p(top_p(top_k(scaled, sampling.top_k), sampling.top_p), sampling.min_p)
    assert index in kept(left)


@given(some_logits, samplings, uniforms)
@quick
def test_fields_other_than_pitch_are_not_filtered(logits: Floats, sampling: Sampling, uniform: float) -> None:
    open_to_all = Sampling(sampling.temperature, top_k=0, top_p=1.0, min_p=0.0)
    assert choose(logits, sampling, uniform) == choose_pitch(logits, open_to_all, uniform)


@pytest.mark.parametrize("pick", [choose, choose_pitch])
@given(some_logits, uniforms)
@quick
def test_temperature_zero_takes_the_likeliest(pick: Choice, logits: Floats, uniform: float) -> None:
    assert pick(logits, Sampling(temperature=0.0), uniform) == logits.argmax()


@pytest.mark.parametrize("pick", [choose, choose_pitch])
@given(some_logits, st.floats(0.2, 2), st.data())
@quick
def test_excluded_values_are_never_chosen(
    pick: Choice, logits: Floats, heat: float, data: st.DataObject
) -> None:
    masked = logits.copy()
    spared = data.draw(st.integers(0, len(logits) - 1))
    masked[data.draw(hnp.arrays(np.bool_, len(logits)))] = EXCLUDED
    masked[spared] = logits[spared]
    for uniform in (0.0, data.draw(uniforms), 1.0 - 2.0**-53):
        assert masked[pick(masked, Sampling(temperature=heat), uniform)] > EXCLUDED


@pytest.mark.parametrize("pick", [choose, choose_pitch])
@given(st.integers(1, 191), samplings, uniforms)
@quick
def test_where_all_is_excluded_something_is_chosen(
    pick: Choice, size: int, sampling: Sampling, uniform: float
) -> None:
    nothing = np.full(size, EXCLUDED)
    assert 0 <= pick(nothing, sampling, uniform) < size
    np.testing.assert_allclose(probabilities(nothing), 1 / size, rtol=1e-5)


def test_draws_follow_the_distribution() -> None:
    share = np.array([0.5, 0.3, 0.15, 0.05])
    logits = np.log(share).astype(np.float32)
    rng = np.random.default_rng(0)
    counts = np.bincount([choose_pitch(logits, EVERYTHING, rng.random()) for _ in range(20_000)], minlength=4)
    np.testing.assert_allclose(counts / 20_000, share, atol=0.012)
    hot = probabilities(temperature(logits, 2.0))
    np.testing.assert_allclose(hot, np.sqrt(share) / np.sqrt(share).sum(), rtol=1e-5)
