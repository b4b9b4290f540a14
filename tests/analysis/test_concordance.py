"""Agreement in complete tables: scipy, published intervals, simulated components, and tables that say nothing."""

from itertools import combinations

import numpy as np
import pytest
from scipy import stats

from photojury.analysis.concordance import concordance, icc_two_way
from photojury.errors import InputError

# Shrout and Fleiss (1979), Table 2: six targets, four judges.
TARGETS = [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]]


def test_friedman_s_test_and_mean_rho_are_scipy_s() -> None:
    """On tables with ties, of several sizes: chi-square, p, and the mean of scipy's pairwise correlations."""
    rng = np.random.default_rng(1)
    for n, m in ((3, 3), (10, 5), (40, 3), (6, 12)):
        values = rng.integers(1, 6, (n, m)).astype(float)
        found = concordance(values)
        assert (found.chi2, found.chi2_p) == pytest.approx(stats.friedmanchisquare(*values))
        rho = [stats.spearmanr(values[:, i], values[:, j]).statistic for i, j in combinations(range(m), 2)]
        assert found.mean_rho == pytest.approx(np.mean(rho))


def test_full_agreement_is_one() -> None:
    """Raters who order alike, in whatever units: W is 1 and F infinite."""
    found = concordance(np.arange(7.0)[:, None] * [1, 3, 10])
    assert (found.w, found.mean_rho, found.f_p) == pytest.approx((1, 1, 0))
    assert found.f == np.inf


def test_two_way_intervals_are_the_published_ones() -> None:
    """Shrout and Fleiss's data: the six intervals that R's psych prints, to two digits."""
    found = icc_two_way(TARGETS)
    assert found.agreement_interval == pytest.approx((0.02, 0.76), abs=5e-3)
    assert found.agreement_average_interval == pytest.approx((0.07, 0.93), abs=5e-3)
    assert found.consistency_interval == pytest.approx((0.34, 0.95), abs=5e-3)
    assert found.consistency_average_interval == pytest.approx((0.68, 0.99), abs=5e-3)


def test_two_way_correlations_find_the_components() -> None:
    """Items' variance 1, raters' 0.5, error 1.5: agreement 1 / 3, consistency 1 / 2.5; intervals cover 92 % to 98 %."""
    rng, inside = np.random.default_rng(2), np.zeros(2)
    for _ in range(300):
        values = (
            rng.normal(size=(40, 1)) + rng.normal(0, np.sqrt(0.5), 30) + rng.normal(0, np.sqrt(1.5), (40, 30))
        )
        found = icc_two_way(values)
        for number, (truth, (low, high)) in enumerate(
            [(1 / 3, found.agreement_interval), (1 / 2.5, found.consistency_interval)]
        ):
            inside[number] += low <= truth <= high
    assert (inside / 300 > 0.92).all() and (inside / 300 < 0.98).all()


def test_tables_without_anything_to_compare() -> None:
    """A gap, one rater, equal ratings: a sentence or NaN, never a number."""
    for wrong in ([[1.0], [2.0]], [[1.0, np.nan], [2.0, 3.0]]):
        with pytest.raises(InputError, match="two raters and two items or more, and every rating"):
            concordance(wrong)
    flat = concordance(np.ones((4, 3)))
    assert np.isnan([flat.w, flat.mean_rho, flat.chi2_p, flat.f_p]).all()
    with pytest.raises(InputError, match="no error part"):
        icc_two_way(np.ones((4, 3)))
    with pytest.raises(InputError, match="no error part"):
        icc_two_way([[1, 2], [2, 3], [3, 4]])
