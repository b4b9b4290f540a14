"""Metrics of predictions, against scipy and scikit-learn."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from sklearn import metrics as sklearn_metrics

from photojury.analysis.metrics import (
    choose_tau,
    cross_entropy,
    entropy,
    krcc,
    levels_prediction,
    pair_prediction,
    pair_truth,
    pairwise_accuracy,
    plcc,
    roc_auc,
    roc_curve,
    share_above,
    srcc,
    srcc_interval,
)
from photojury.errors import InputError

vectors = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=3, max_size=40)


@given(vectors)
def test_correlations_equal_scipys_under_ties(pairs: list[tuple[int, int]]) -> None:
    """Spearman, Pearson and Kendall agree with scipy; constant vectors have none."""
    x, y = np.array(pairs, dtype=float).T
    if np.ptp(x) == 0 or np.ptp(y) == 0:
        assert np.isnan([srcc(x, y), plcc(x, y), krcc(x, y)]).all()
        return
    assert srcc(x, y) == pytest.approx(stats.spearmanr(x, y).statistic, abs=1e-9)
    assert plcc(x, y) == pytest.approx(stats.pearsonr(x, y).statistic, abs=1e-9)
    assert krcc(x, y) == pytest.approx(stats.kendalltau(x, y).statistic, abs=1e-9)


@given(st.lists(st.tuples(st.integers(0, 6), st.booleans()), min_size=2, max_size=40))
def test_the_area_equals_scikit_learns(rows: list[tuple[int, bool]]) -> None:
    """AUC with ties equals scikit-learn's and the trapezoids under our own curve; one class has none."""
    score, positive = np.array([s for s, _ in rows], dtype=float), np.array([p for _, p in rows])
    if positive.all() or not positive.any():
        assert np.isnan(roc_auc(score, positive))
        return
    assert roc_auc(score, positive) == pytest.approx(sklearn_metrics.roc_auc_score(positive, score))
    curve = roc_curve(score, positive)
    area = np.trapezoid(curve["true_positive_rate"], curve["false_positive_rate"])
    assert area == pytest.approx(roc_auc(score, positive))


def test_a_share_must_be_exceeded() -> None:
    """Paper 1's p_a = 0.2: two of ten is not more, three is; 0.2 as a float means one fifth."""
    assert share_above([2, 3], [10, 10], p_a=0.2).tolist() == [False, True]


def test_pair_truth_counts_whole_votes() -> None:
    """p_more - p_less must exceed p_b: a lead of 3 in 10 does not exceed 0.3, a lead of 2 in 5 does."""
    votes = [[0, 2, 3, 5, 0], [0, 1, 1, 3, 0], [3, 1, 1, 0, 0]]
    assert pair_truth(votes, p_b="0.3").tolist() == [0, 1, -1]


def test_pairwise_accuracy_by_hand() -> None:
    """Three classes over all pairs, or decided pairs only with 0 counting half."""
    truth, predicted = [1, -1, 0, 1], [1, 0, 0, -1]
    assert pairwise_accuracy(truth, predicted) == 0.5
    assert pairwise_accuracy(truth, predicted, decided_only=True) == 0.5
    assert pairwise_accuracy(truth, [0, 0, 0, 0], decided_only=True) == 0.5
    assert np.isnan(pairwise_accuracy([0], [0], decided_only=True))


@given(st.lists(st.tuples(st.sampled_from([-1, 0, 1]), st.integers(-6, 6)), min_size=1, max_size=25))
def test_the_best_tau_is_found(rows: list[tuple[int, int]]) -> None:
    """No other width of "equal" gives a better accuracy."""
    truth, gaps = np.array([t for t, _ in rows]), np.array([g for _, g in rows], dtype=float)
    best = pairwise_accuracy(truth, pair_prediction(gaps, tau=choose_tau(truth, gaps)))
    for tau in np.arange(0, 7.5, 0.5):
        assert best >= pairwise_accuracy(truth, pair_prediction(gaps, tau=float(tau))) - 1e-12


def test_levels_prediction_takes_the_heaviest_part() -> None:
    """Worse, equal and better are the masses left of, at and right of the middle; ties go to equal."""
    table = [[0.1, 0.1, 0.3, 0.2, 0.3], [0.4, 0.2, 0.2, 0.1, 0.1], [0.2, 0.2, 0.4, 0.1, 0.1]]
    assert levels_prediction(table).tolist() == [1, -1, 0]


def test_cross_entropy_closed_forms() -> None:
    """The uniform predictor costs ln k; the floor is the entropy; the gap is the Kullback-Leibler divergence."""
    target, predicted = (
        np.array([[0.2, 0.3, 0.5], [1.0, 0.0, 0.0]]),
        np.array([[0.3, 0.3, 0.4], [0.6, 0.2, 0.2]]),
    )
    assert cross_entropy(target, np.full(3, 1 / 3)) == pytest.approx(np.log(3))
    assert entropy(target) == pytest.approx(stats.entropy(target, axis=1).mean())
    gap = stats.entropy(target, predicted, axis=1).mean()
    assert cross_entropy(target, predicted) - entropy(target) == pytest.approx(gap)
    assert cross_entropy([[0.5, 0.5]], [[1.0, 0.0]]) == np.inf


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: srcc([1, 2], [1, 2, 3]), "2 and 3 values"),
        (lambda: srcc([1, np.nan], [1, 2]), "1 of 2 values are missing"),
        (lambda: roc_auc([1, 2], [0, 2]), "true and false"),
        (lambda: share_above([3], [2]), "votes <= total"),
        (lambda: pair_truth([[0.2, 0.8]], p_b="0.3"), "whole numbers"),
        (lambda: cross_entropy([[0.5, 0.4]], [[0.5, 0.5]]), "sums to 0.9, not 1"),
        (lambda: cross_entropy([[0.5, 0.5]], [[1.0]]), "must match"),
    ],
)
def test_bad_input_is_named(call: object, said: str) -> None:
    """Unequal lengths, missing values, shares for counts and rows that are no distribution."""
    assert callable(call)
    with pytest.raises(InputError, match=said):
        call()


def test_the_interval_of_a_rank_correlation_is_bonett_and_wright_s() -> None:
    """Their formula written anew for .9 of 20 pairs; nothing is claimed of 3 pairs or of a correlation of 1."""
    z, error = np.arctanh(0.9), np.sqrt((1 + 0.81 / 2) / 17)
    expected = np.tanh([z - stats.norm.ppf(0.975) * error, z + stats.norm.ppf(0.975) * error])
    assert srcc_interval(0.9, 20) == pytest.approx(tuple(expected))
    assert np.isnan([*srcc_interval(0.9, 3), *srcc_interval(1.0, 20)]).all()


def test_paper_4_s_formula_is_right_without_ties_only() -> None:
    """Without ties it is scipy's correlation; with stars it is not: 0.70 instead of 0.58 on four images."""
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(2, 40))
    assert srcc(x, y, ties="ignored") == pytest.approx(stats.spearmanr(x, y).statistic)
    stars, others = [1, 1, 2, 2], [1, 2, 2, 2]
    assert srcc(stars, others) == pytest.approx(stats.spearmanr(stars, others).statistic)
    # Ranks 1.5 1.5 3.5 3.5 and 1 3 3 3: sum of squares 0.25 + 2.25 + 0.25 + 0.25 = 3.
    assert srcc(stars, others, ties="ignored") == pytest.approx(1 - 6 * 3 / 60)
