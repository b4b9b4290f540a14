"""Intervals over pairs that share images; docs/calibration.md and test_calibration have their coverage."""

import numpy as np
import pytest
from scipy import stats

from photojury.analysis import pair_intervals


def test_the_variance_is_the_sum_over_pairs_that_share_an_image() -> None:
    """Counted couple by couple on a random graph; n / (n - 1) for the mean that was taken away."""
    rng = np.random.default_rng(1)
    couples = [(i, j) for i in range(12) for j in range(i)]
    chosen = rng.permutation(len(couples))[:30]
    first, second = np.array(couples)[chosen].T
    # An image's own error, so that pairs that share one are alike.
    error = rng.normal(size=12)
    parts = error[first] + error[second] + 0.1 * rng.normal(size=30)
    parts -= parts.mean()
    by_hand = sum(
        parts[p] * parts[q]
        for p in range(30)
        for q in range(30)
        if {first[p], second[p]} & {first[q], second[q]}
    )
    assert by_hand > parts @ parts
    assert pair_intervals.variance(parts, first, second) == pytest.approx(by_hand * 30 / 29)


def test_without_shared_images_a_share_has_wilson_s_interval() -> None:
    """One vote a pair and no image twice: Wilson's, but for Student's t and n - 1."""
    first, second = np.arange(0, 400, 2), np.arange(1, 400, 2)
    counted = (np.arange(200) < 130).astype(np.int64)
    found = pair_intervals.share(counted, np.ones(200), first, second)
    ends = stats.binomtest(130, 200).proportion_ci(method="wilson")
    assert (found.low, found.high) == pytest.approx((ends.low, ends.high), abs=1e-3)


def test_small_and_unanimous_shares_keep_a_width() -> None:
    """One pair whose votes differ, and a star of pairs that all agree, are no certainty."""
    one = pair_intervals.share(np.array([3]), np.array([5]), np.array([0]), np.array([1]))
    assert one.low < 0.25 and one.high > 0.85
    star = pair_intervals.share(np.ones(8), np.ones(8), np.zeros(8, dtype=np.int64), np.arange(1, 9))
    ends = stats.binomtest(4, 4).proportion_ci(method="wilson")
    assert ends.low < star.low < 0.6 and star.high == 1.0


def test_a_figure_without_spread_has_no_interval() -> None:
    """No width would claim certainty: the ends are NaN."""
    found = pair_intervals.around(1.0, np.zeros(5), np.arange(5), np.arange(5, 10))
    assert found.value == 1.0 and np.isnan([found.low, found.high]).all()
