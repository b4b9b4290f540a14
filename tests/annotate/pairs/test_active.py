"""The active sampler and the posterior that it goes by, against scipy, statsmodels, quadrature and brute force."""

from itertools import combinations

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize, stats
from statsmodels.discrete.discrete_model import Probit
from statsmodels.miscmodels.ordinal_model import OrderedModel

from photojury.annotate.pairs import thurstone
from photojury.annotate.pairs.active import active_pairs
from photojury.annotate.pairs.designs import DesignSample
from photojury.annotate.pairs.similarity import uniform_pairs
from photojury.errors import InputError

FloatArray = npt.NDArray[np.float64]
IDS = [f"image {number:02d}" for number in range(40)]


def answers(
    images: int, count: int, *, seed: int, levels: int = 2
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], FloatArray]:
    """Random pairs of images with planted scores -1 to 1, answered through noise of deviation 1."""
    rng = np.random.default_rng(seed)
    first = rng.integers(0, images, count)
    second = (first + rng.integers(1, images, count)) % images
    scores = np.linspace(-1, 1, images)
    seen = scores[first] - scores[second] + rng.normal(size=count)
    if levels == 2:
        return first, second, np.sign(seen)
    return first, second, np.sign(seen) * ((abs(seen) > 0.4).astype(float) + (abs(seen) > 1.3)) + 0.0


def frame(first: npt.ArrayLike, second: npt.ArrayLike, values: npt.ArrayLike) -> pd.DataFrame:
    ids = np.array(IDS)
    sides = (ids[np.asarray(side, dtype=np.int64)] for side in (first, second))
    return pd.DataFrame(dict(zip(("first_id", "second_id"), sides, strict=True))).assign(
        value=np.asarray(values, dtype=np.float64)
    )


def unordered(sample: DesignSample) -> list[frozenset[int]]:
    return [frozenset(pair) for pair in zip(sample.first.tolist(), sample.second.tolist(), strict=True)]


@pytest.mark.parametrize("levels", [2, 5])
def test_the_posterior_is_the_one_that_scipy_finds(levels: int) -> None:
    """At the prior and cuts it reports, BFGS finds the same scores and finite differences the same curvature."""
    first, second, values = answers(8, 60, seed=1, levels=levels)
    post = thurstone.posterior(first, second, values, images=8)
    edges = np.array([-np.inf, *post.cuts, np.inf])
    level = values.astype(int) + 2 if levels == 5 else (values > 0).astype(int)

    def loss(scores: FloatArray) -> float:
        gap = scores[first] - scores[second]
        chance = stats.norm.cdf(edges[level + 1] - gap) - stats.norm.cdf(edges[level] - gap)
        return float(-np.log(chance).sum() - stats.norm.logpdf(scores, scale=post.prior).sum())

    found = optimize.minimize(loss, np.zeros(8), options={"gtol": 1e-7})
    # Prior and cuts settle to 1 %, so the last scores belong to values that were a little different.
    assert post.mean == pytest.approx(found.x, abs=0.02)
    step = 1e-3 * np.eye(8)
    curvature = [
        [(loss(found.x + a + b) - loss(found.x + a) - loss(found.x + b) + found.fun) / 1e-6 for b in step]
        for a in step
    ]
    assert post.covariance == pytest.approx(np.linalg.inv(curvature), rel=0.05, abs=0.01)
    assert post.prior**2 == pytest.approx((post.mean @ post.mean + np.trace(post.covariance)) / 8, rel=0.03)


def test_many_answers_give_statsmodels_estimates() -> None:
    """With 30,000 answers the prior is nothing: differences and cuts are those of probit and ordered probit."""
    for levels in (2, 5):
        first, second, values = answers(4, 30_000, seed=2, levels=levels)
        design = np.zeros((len(first), 4))
        design[np.arange(len(first)), first] += 1
        design[np.arange(len(first)), second] -= 1
        post = thurstone.posterior(first, second, values, images=4)
        against_first = post.mean[1:] - post.mean[0]
        if levels == 2:
            fit = Probit((values > 0).astype(int), design[:, 1:]).fit(disp=0)
            assert against_first == pytest.approx(fit.params, abs=0.01)
            assert post.cuts.tolist() == [0]
        else:
            ordered = OrderedModel(values.astype(int), design[:, 1:], distr="probit")
            fit = ordered.fit(method="bfgs", disp=0)
            cuts = ordered.transform_threshold_params(fit.params[3:])[1:-1]
            assert against_first == pytest.approx(fit.params[:3], abs=0.02)
            assert post.cuts == pytest.approx(cuts, abs=0.03)


@settings(max_examples=25, deadline=None)
@given(st.floats(-4, 4), st.floats(0.05, 6), st.sampled_from([(0.0,), (-0.5, 0.5), (-1.3, -0.4, 0.4, 1.3)]))
def test_information_is_what_quadrature_says(mean: float, variance: float, cuts: tuple[float, ...]) -> None:
    """Expected variance after one answer, by summing over a fine grid of differences."""
    grid = np.linspace(mean - 9 * variance**0.5, mean + 9 * variance**0.5, 4_001)
    prior = stats.norm.pdf(grid, mean, variance**0.5)
    prior /= prior.sum()
    left = 0.0
    for low, high in zip([-np.inf, *cuts], [*cuts, np.inf], strict=True):
        joint = prior * (stats.norm.cdf(high - grid) - stats.norm.cdf(low - grid))
        if joint.sum() > 1e-12:
            center = (joint @ grid) / joint.sum()
            left += joint @ (grid - center) ** 2
    share = thurstone.information(np.array([mean]), np.array([variance]), np.array(cuts))[0]
    assert variance - share * variance**2 == pytest.approx(left, rel=1e-4, abs=1e-6)


def rank_weights(post: thurstone.Posterior) -> FloatArray:
    """The matrix that turns small errors of scores into errors of expected ranks, entry by entry."""
    n = len(post.mean)
    change = np.zeros((n, n))
    for i, j in combinations(range(n), 2):
        variance = post.covariance[i, i] + post.covariance[j, j] - 2 * post.covariance[i, j]
        density = stats.norm.pdf(post.mean[i] - post.mean[j], scale=variance**0.5)
        change[[i, j], [j, i]] -= density
        change[[i, j], [i, j]] += density
    return change


def test_the_best_pair_is_brute_force_s_best() -> None:
    """Over all pairs not asked yet, the one after which conditioning lowers the squared rank error most."""
    first, second, values = answers(12, 40, seed=3)
    post = thurstone.posterior(first, second, values, images=12)
    weights = rank_weights(post)
    asked = {frozenset(pair) for pair in zip(first.tolist(), second.tolist(), strict=True)}
    gain = {}
    for i, j in combinations(range(12), 2):
        contrast = np.zeros(12)
        contrast[[i, j]] = 1, -1
        variance = contrast @ post.covariance @ contrast
        # Moments of a normal difference, given that it and noise of deviation 1 are positive, or negative.
        z = (post.mean[i] - post.mean[j]) / np.sqrt(1 + variance)
        lowered = 0.0
        for sign in (1, -1):
            shift = sign * stats.norm.pdf(z) / stats.norm.cdf(sign * z) / np.sqrt(1 + variance)
            moved = weights @ post.covariance @ contrast * shift
            lowered += stats.norm.cdf(sign * z) * moved @ moved
        if frozenset((i, j)) not in asked:
            gain[frozenset((i, j))] = lowered
    sample = active_pairs(frame(first, second, values), IDS[:12], pairs=1, seed=1)
    assert unordered(sample) == [max(gain, key=gain.__getitem__)]


def test_the_expected_error_is_that_of_the_inverse() -> None:
    """A round of three pairs, two raters each: the covariance by inverting precisions instead of updating."""
    first, second, values = answers(30, 200, seed=4, levels=5)
    sample = active_pairs(frame(first, second, values), IDS[:30], pairs=3, raters=2, seed=1)
    post = thurstone.posterior(first, second, values, images=30)
    weights = rank_weights(post)
    precision = np.linalg.inv(post.covariance)
    for i, j in zip(sample.first, sample.second, strict=True):
        contrast = np.zeros(30)
        contrast[[i, j]] = 1, -1
        variance = contrast @ post.covariance @ contrast
        share = thurstone.information(post.mean[[i]] - post.mean[[j]], np.array([variance]), post.cuts)[0]
        precision += 2 * share / (1 - share * variance) * np.outer(contrast, contrast)
    for column, covariance in (("error_before", post.covariance), ("error_after", np.linalg.inv(precision))):
        expected = np.sqrt(np.trace(weights @ covariance @ weights) / 30)
        assert sample.report.loc[0, column] == pytest.approx(expected, rel=1e-6)


def test_active_pairs_make_ranks_right_sooner() -> None:
    """Four planted studies of 30 images and 300 choices: less is missing to a correlation of 1 than by uniform."""
    missing = {"active": 0.0, "uniform": 0.0}
    for seed in range(4):
        rng = np.random.default_rng(seed)
        quality = 2 * rng.normal(size=30)
        pool = uniform_pairs(30, pairs=300, seed=seed)
        for design in missing:
            told = frame([], [], [])
            for batch in range(15):
                here = slice(20 * batch, 20 * (batch + 1))
                first, second = pool.first[here], pool.second[here]
                if design == "active" and batch:
                    sample = active_pairs(told, IDS[:30], pairs=20, seed=batch)
                    first, second = sample.first, sample.second
                values = np.sign(quality[first] - quality[second] + rng.normal(size=20))
                told = (
                    pd.concat([told, frame(first, second, values)]) if batch else frame(first, second, values)
                )
            rows = [told[name].map(IDS.index).to_numpy() for name in ("first_id", "second_id")]
            post = thurstone.posterior(rows[0], rows[1], told["value"], images=30)
            missing[design] += 1 - float(stats.spearmanr(post.mean, quality).statistic)
    assert missing["active"] < 0.75 * missing["uniform"]


@settings(max_examples=20, deadline=None)
@given(st.integers(2, 12), st.integers(0, 20), st.integers(1, 80), st.integers(0, 99))
def test_any_study_gets_different_pairs_inside_parts(images: int, told: int, pairs: int, seed: int) -> None:
    """As many pairs as there are, none twice, none across parts; old pairs only where no new one is left."""
    parts = np.where(np.arange(images) % 3 == 0, "test", "train")
    first, second, values = answers(images, told, seed=seed, levels=5)
    inside = parts[first] == parts[second]
    known = frame(first, second, values)
    sample = active_pairs(known, IDS[:images], pairs=pairs, raters=3, seed=seed, parts=parts)
    drawn = unordered(sample)
    assert len(set(drawn)) == len(drawn)
    assert (parts[sample.first] == parts[sample.second]).all()
    assert sample.report["answers"].sum() == inside.sum()
    assert sample.report["left_out"].sum() == told - inside.sum()
    asked = {frozenset(pair) for pair in zip(first[inside].tolist(), second[inside].tolist(), strict=True)}
    for row in sample.report.to_dict("records"):
        members = np.flatnonzero(parts == row["part"]).tolist()
        every = {frozenset(pair) for pair in combinations(members, 2)}
        here = set(drawn) & every
        assert len(here) == row["pairs"]
        if row["answers"]:
            assert here >= every - asked or not here & asked


def test_nothing_known_gives_a_connected_design() -> None:
    """Without answers each image comes equally often; a part without answers does too, beside one with some."""
    sample = active_pairs(frame([], [], []), IDS, pairs=40, seed=1)
    assert sample.report["chosen_by"].tolist() == ["connected"]
    assert np.bincount(np.concatenate([sample.first, sample.second])).tolist() == [2] * 40
    parts = ["a"] * 20 + ["b"] * 20
    half = active_pairs(frame([0, 1], [1, 2], [1, -1]), IDS, pairs=40, seed=1, parts=parts)
    assert half.report["chosen_by"].tolist() == ["active", "connected"]
    assert half.report["pairs"].tolist() == [20, 20]


def test_what_is_planned_counts_before_it_is_answered() -> None:
    """A second batch planned at once asks other pairs, and expects the error that the first one leaves."""
    known = frame(*answers(20, 60, seed=5))
    one = active_pairs(known, IDS[:20], pairs=10, raters=5, seed=1)
    planned = frame(one.second, one.first, np.zeros(10))[["first_id", "second_id"]]
    two = active_pairs(known, IDS[:20], pairs=10, raters=5, seed=2, asked=planned)
    assert not set(unordered(one)) & set(unordered(two))
    # The first batch came in rounds, here it counts at once: nearly the same.
    assert two.report.loc[0, "error_before"] == pytest.approx(one.report.loc[0, "error_after"], rel=0.02)


def test_one_seed_gives_one_batch() -> None:
    """The same seed and answers give the same pairs in the same order."""
    known = frame(*answers(20, 60, seed=6))
    one, same = (active_pairs(known, IDS[:20], pairs=15, seed=3) for _ in range(2))
    assert one.first.tolist() == same.first.tolist() and one.second.tolist() == same.second.tolist()


def test_broken_answers_are_named() -> None:
    """A value that is no answer, a missing column, no pairs wanted, and a part that is too large to hold."""
    with pytest.raises(InputError, match=r"row 1: value is 3\.0"):
        active_pairs(frame([0, 1], [1, 2], [1, 3]), IDS, pairs=1, seed=1)
    with pytest.raises(InputError, match="comparisons lacks the column value"):
        active_pairs(frame([0], [1], [1]).drop(columns="value"), IDS, pairs=1, seed=1)
    with pytest.raises(InputError, match="both must be at least 1"):
        active_pairs(frame([0], [1], [1]), IDS, pairs=0, seed=1)
    many = [*IDS, *map(str, range(3_000))]
    with pytest.raises(
        InputError, match=r'up to 3,000 images of a part, not 3,040; set pairing = "connected"'
    ):
        active_pairs(frame([0], [1], [1]), many, pairs=1, seed=1)
