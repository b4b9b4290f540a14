"""Metrics of distributions against scipy; the class of an image against fractions; tables against the numbers they are of."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import stats

from photojury.analysis import distribution_metrics as dm
from photojury.analysis import metric_tables
from photojury.errors import InputError

LEVELS = range(1, 11)


@pytest.fixture(scope="module")
def votes() -> NDArray[np.int64]:
    """Votes of 200 images on ten levels, with none at some levels."""
    rng = np.random.default_rng(7)
    return rng.multinomial(60, rng.dirichlet(np.full(10, 0.8), 200))


@pytest.fixture(scope="module")
def said(votes: NDArray[np.int64]) -> NDArray[np.float64]:
    """Predicted shares, none of them 0."""
    return np.random.default_rng(8).dirichlet(np.full(10, 2.0), len(votes))


def test_kl_is_scipy_s(votes: NDArray[np.int64], said: NDArray[np.float64]) -> None:
    """Either way round; a share of 0 that the other has is infinite, and a floor makes it finite."""
    truth = dm.shares(votes)
    assert dm.kl_divergence(truth, said) == pytest.approx(stats.entropy(truth, said, axis=1))
    back = dm.kl_divergence(truth, said, direction="predicted||truth")
    assert np.isinf(back[(votes == 0).any(axis=1)]).all() and (votes == 0).any()
    full = (votes > 0).all(axis=1)
    assert back[full] == pytest.approx(stats.entropy(said[full], truth[full], axis=1))
    floored = dm.kl_divergence(truth, said, direction="predicted||truth", floor=0.01)
    assert floored == pytest.approx(stats.entropy(said + 0.01, truth + 0.01, axis=1))
    assert dm.kl_divergence(truth, truth).tolist() == [0.0] * len(votes)


def test_emd_and_cd_loss_are_scipy_s(votes: NDArray[np.int64], said: NDArray[np.float64]) -> None:
    """EMD with r = 1, summed, is the Wasserstein distance; CDLoss is half the square of the energy distance."""
    truth, levels = dm.shares(votes), np.arange(1.0, 11.0)
    moved, loss = dm.emd(truth, said, r=1, over="sum"), dm.cd_loss(truth, said)
    for row in range(0, len(votes), 10):
        distance = stats.wasserstein_distance(levels, levels, truth[row], said[row])
        energy = stats.energy_distance(levels, levels, truth[row], said[row])
        assert moved[row] == pytest.approx(distance)
        assert loss[row] == pytest.approx(energy**2 / 2)
    assert dm.emd(truth, said, r=1) == pytest.approx(moved / 10)
    assert dm.emd(truth, said, r=2, over="sum") == pytest.approx(np.sqrt(loss))
    assert dm.emd(truth, said, r=2) == pytest.approx(np.sqrt(loss / 10))


def test_a_shift_costs_its_steps() -> None:
    """All votes k levels away: EMD with r = 1 is k, and CDLoss is k; a port without cumulative sums fails this."""
    at = np.eye(10)
    for k in range(10):
        assert dm.emd(at[:1], at[k : k + 1], r=1, over="sum")[0] == pytest.approx(k)
        assert dm.cd_loss(at[:1], at[k : k + 1])[0] == pytest.approx(k)


def test_equal_means_are_equal(votes: NDArray[np.int64]) -> None:
    """Of counts, means are the fractions that they are; one prediction for all has one mean, which correlates with nothing."""
    halves = [[1, 0, 0, 1], [0, 3, 3, 0], [7, 1, 1, 7], [5, 2, 2, 5]]
    assert dm.means(halves, [1, 2, 3, 4]).tolist() == [2.5] * 4
    constant = dm.shares(votes).mean(axis=0)
    found = metric_tables.of_distributions(votes, constant, levels=LEVELS, threshold=5, seed=1, repeats=5)
    assert found.set_index("metric")["value"][["srcc", "plcc", "krcc"]].isna().all()
    everywhere = np.tile(constant, (len(votes), 1))
    found = metric_tables.of_distributions(votes, everywhere, levels=LEVELS, threshold=5, seed=1, repeats=5)
    assert found.set_index("metric")["value"][["srcc", "plcc", "krcc"]].isna().all()


@settings(max_examples=200, deadline=None)
@given(
    counts=st.lists(st.integers(0, 60), min_size=5, max_size=5).filter(any),
    threshold=st.sampled_from(["0", "0.1", "-0.3", "1", "0.7"]),
)
def test_classes_are_decided_in_whole_numbers(counts: list[int], threshold: str) -> None:
    """Above, on and below a threshold, as exact fractions have it; levels may be negative and uneven."""
    levels = [-2, -0.7, 0, 0.1, 2]
    votes = sum(Fraction(str(level)) * count for level, count in zip(levels, counts, strict=True))
    mean = votes / sum(counts)
    limit = Fraction(threshold)
    assert dm.is_high([counts], levels, threshold=threshold).tolist() == [mean > limit]
    assert dm.is_high([counts], levels, threshold=threshold, ties="high").tolist() == [mean >= limit]
    assert dm.on_threshold([counts], levels, threshold=threshold).tolist() == [mean == limit]


def test_halves_are_halves(votes: NDArray[np.int64]) -> None:
    """They add up, differ by at most one vote, and hold each level's votes as often as a draw without replacement does."""
    first, second = dm.split_halves(votes, seed=3)
    assert ((first + second) == votes).all() and (first >= 0).all() and (second >= 0).all()
    odd = np.tile([[3, 4, 0, 2]], (20_000, 1))
    first, second = dm.split_halves(odd, seed=3)
    assert (first.sum(axis=1) == 4).all() and (second.sum(axis=1) == 5).all()
    for level, count in enumerate(odd[0]):
        seen = np.bincount(first[:, level], minlength=5) / len(odd)
        expected = stats.hypergeom(9, count, 4).pmf(np.arange(len(seen)))
        assert seen == pytest.approx(expected, abs=0.015)
    assert (dm.split_halves(odd, seed=3)[0] == first).all()


def test_a_table_of_scores() -> None:
    """Each metric is that of scipy or numpy, and its interval that of the percentile bootstrap over images."""
    rng = np.random.default_rng(1)
    truth = rng.normal(size=60)
    guess = truth + rng.normal(size=60)
    found = metric_tables.of_scores(truth, guess, seed=5, repeats=200).set_index("metric")
    assert found.loc["srcc", "value"] == pytest.approx(stats.spearmanr(truth, guess).statistic)
    assert found.loc["plcc", "value"] == pytest.approx(stats.pearsonr(truth, guess).statistic)
    assert found.loc["krcc", "value"] == pytest.approx(stats.kendalltau(truth, guess).statistic)
    assert found.loc["rmse", "value"] == pytest.approx(np.linalg.norm(truth - guess) / np.sqrt(60))
    peer = stats.bootstrap(
        (truth, guess),
        lambda x, y: stats.pearsonr(x, y).statistic,
        paired=True,
        vectorized=False,
        method="percentile",
        n_resamples=2000,
        rng=2,
    ).confidence_interval
    assert (found.loc["plcc", "low"], found.loc["plcc", "high"]) == pytest.approx(
        (peer.low, peer.high), abs=0.04
    )
    constant = metric_tables.of_scores(truth, np.ones(60), seed=5, repeats=10).set_index("metric")
    assert constant["value"].isna().tolist() == [True, True, True, False]
    assert "undefined" in str(constant.loc["srcc", "note"])


def test_a_table_of_distributions(votes: NDArray[np.int64], said: NDArray[np.float64]) -> None:
    """Values are means over images; images on the threshold are counted; counts predict as their shares do."""
    found = metric_tables.of_distributions(
        votes, said, levels=LEVELS, threshold=5, seed=1, repeats=50
    ).set_index("metric")["value"]
    levels = np.arange(1, 11)
    mean, guess = votes @ levels / votes.sum(axis=1), said @ levels
    assert found["mse"] == pytest.approx(np.mean((mean - guess) ** 2)) == pytest.approx(found["rmse"] ** 2)
    assert found["srcc"] == pytest.approx(stats.spearmanr(mean, guess).statistic)
    assert found["kl"] == pytest.approx(stats.entropy(dm.shares(votes), said, axis=1).mean())
    assert found["accuracy"] == pytest.approx(np.mean((mean > 5) == (guess > 5)))
    halves = [[5, 0, 0, 0, 0, 0, 0, 0, 5, 0], [0, 0, 0, 0, 7, 0, 0, 0, 0, 1]]
    table = metric_tables.of_distributions(halves, halves, levels=LEVELS, threshold=5, seed=1, repeats=10)
    last = table.iloc[-1]
    assert (last["metric"], last["value"]) == ("accuracy", 1.0)
    assert last["note"] == "1 images have a mean of exactly 5, and count as low"


@pytest.mark.parametrize(
    ("truth", "said", "sentence"),
    [
        ([[0.5, 0.5]], [[0.2, 0.2, 0.6]], "must match"),
        ([[0.5, 0.6]], [[0.5, 0.5]], "row 0 of truth sums to 1.1"),
        ([[0.5, 0.5]] * 3, [[0.5, 0.5]] * 2, "must match"),
        ([[1.5, -0.5]], [[0.5, 0.5]], "none below 0"),
        ([[float("nan"), 1]], [[0.5, 0.5]], "finite"),
        ([["a", "b"]], [[0.5, 0.5]], "of numbers"),
        ([0.5], [0.5], "two levels or more"),
    ],
)
def test_no_distributions(truth: list[object], said: list[object], sentence: str) -> None:
    """One sentence each."""
    with pytest.raises(InputError, match=sentence):
        dm.cd_loss(truth, said)  # type: ignore[arg-type]


def test_misuse_is_named() -> None:
    """Directions, rules, shares for counts, too few votes, levels that do not match."""
    with pytest.raises(InputError, match=r"unknown direction .*truth\|\|predicted"):
        dm.kl_divergence([[0.5, 0.5]], [[0.5, 0.5]], direction="both")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="unknown rule for ties"):
        dm.is_high([[1, 1]], [1, 2], threshold=1, ties="half")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="whole numbers of votes, not shares"):
        dm.is_high([[0.5, 0.5]], [1, 2], threshold=1)
    with pytest.raises(InputError, match="2 columns and 3 levels"):
        dm.means([[1, 1]], [1, 2, 3])
    with pytest.raises(InputError, match="image 1 has fewer than two votes"):
        dm.split_halves([[2, 1], [1, 0]], seed=1)
    with pytest.raises(InputError, match="image 1 has no votes"):
        dm.shares([[2, 1], [0, 0]])
    with pytest.raises(InputError, match="r must be at least 1"):
        dm.emd([[1, 0]], [[1, 0]], r=0)
    with pytest.raises(InputError, match="decimal fractions"):
        dm.is_high([[1, 1]], [1, 2], threshold="five")
