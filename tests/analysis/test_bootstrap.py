"""Percentile bootstrap intervals."""

import numpy as np
import pytest
from scipy import stats

from photojury.analysis.bootstrap import counted_interval, interval, percentiles
from photojury.errors import InputError


def mean(values: np.ndarray) -> float:
    return float(values.mean())


def test_interval_of_a_mean_matches_the_normal_one() -> None:
    """For 400 draws of a normal variable the limits lie near mean +- 1.96 s / sqrt(n)."""
    values = np.random.default_rng(3).normal(5, 2, 400)
    found = interval(mean, values, seed=1, repeats=4000)
    reach = 1.96 * values.std() / 20
    assert found.value == values.mean()
    assert found.low == pytest.approx(values.mean() - reach, abs=0.02)
    assert found.high == pytest.approx(values.mean() + reach, abs=0.02)


def test_percentiles_of_few_rows_are_those_of_student_s_t() -> None:
    """The interval of a normal mean from ten rows is about the t interval, not the shorter normal one."""
    values = np.random.default_rng(1).normal(size=10)
    found = interval(mean, values, seed=1, repeats=20_000)
    low, high = stats.t.interval(0.95, 9, values.mean(), stats.sem(values))
    assert found.high - found.low == pytest.approx(high - low, rel=0.06)
    assert percentiles(10**6) == pytest.approx((0.025, 0.975), abs=1e-5)


def test_rows_that_are_counted_give_the_same_interval() -> None:
    """A statistic of the different rows and their numbers has the interval of the same statistic of all rows."""
    rows = np.random.default_rng(2).integers(1, 4, (300, 2)).astype(float)
    plain = interval(lambda drawn: float((drawn[:, 0] * drawn[:, 1]).mean()), rows, seed=1, repeats=200)

    def counted(different: np.ndarray, times: np.ndarray) -> float:
        assert len(different) == 9
        return float(times @ (different[:, 0] * different[:, 1]) / times.sum())

    found = counted_interval(counted, rows, seed=1, repeats=200)
    assert (found.value, found.low, found.high) == pytest.approx((plain.value, plain.low, plain.high))
    assert (found.n, found.seed) == (300, 1)


def test_same_seed_same_interval() -> None:
    """The seed alone decides the draws."""
    values = np.arange(20.0)
    assert interval(mean, values, seed=4) == interval(mean, values, seed=4)
    assert interval(mean, values, seed=4) != interval(mean, values, seed=5)


def test_what_cannot_be_estimated_is_said() -> None:
    """One row and an undefined statistic give no interval, with the reason."""
    assert interval(mean, np.array([2.0]), seed=1).note == "one row only, so no interval"
    undefined = interval(lambda values: float("nan"), np.arange(5.0), seed=1)
    assert np.isnan(undefined.low)
    assert "undefined" in undefined.note


def test_bad_arguments_are_refused() -> None:
    """Unequal lengths, no rows, no repeats."""
    with pytest.raises(InputError, match="one length"):
        interval(lambda a, b: 0.0, np.arange(3.0), np.arange(4.0), seed=1)
    with pytest.raises(InputError, match="repeats"):
        interval(mean, np.arange(3.0), seed=1, repeats=0)
