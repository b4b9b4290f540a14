"""Planning formulas: published tables, and simulation."""

import numpy as np
import pytest
from scipy import stats

from photojury.analysis import planning
from photojury.errors import InputError


@pytest.mark.parametrize(
    ("p", "n"),
    [(0.55, 820), (0.60, 210), (0.65, 97), (0.70, 54), (0.77, 30), (0.81, 23), (0.85, 17), (0.89, 12)],
)
def test_votes_that_decide_a_pair(p: float, n: int) -> None:
    """Exact two-sided binomial test, 80 % power, stable from n on; .77 to .89 are paper 2's Table 2."""
    assert planning.votes_for_preference(p) == n
    assert planning.votes_for_preference(1 - p) == n


def test_power_is_scipy_s_test() -> None:
    """At n votes scipy's binomial test finds the preference in at least 80 % of cases, one vote fewer does not."""

    def power(n: int) -> float:
        finds = [stats.binomtest(k, n).pvalue <= 0.05 for k in range(n + 1)]
        return float(stats.binom.pmf(np.arange(n + 1), n, 0.7)[finds].sum())

    n = planning.votes_for_preference(0.7)
    assert power(n) >= 0.8 > power(n - 1)


@pytest.mark.parametrize(
    ("single", "target", "raters"), [(0.318, 0.8, 8.6), (0.318, 0.9, 19.3), (0.38, 0.8, 6.5)]
)
def test_raters_for_a_reliability(single: float, target: float, raters: float) -> None:
    """Spearman and Brown, the other way round."""
    assert planning.raters_for_reliability(target, single=single) == pytest.approx(raters, abs=0.05)


def test_precision_of_a_five_point_scale() -> None:
    """SOS a = .15 at the middle: standard errors and t half-widths."""
    table = planning.precision_table(scale=(1, 5)).set_index("raters")
    assert table["standard_error"].round(3).to_dict() == {
        3: 0.447,
        5: 0.346,
        10: 0.245,
        15: 0.2,
        24: 0.158,
        40: 0.122,
    }
    assert table.loc[[5, 10, 24], "half_width"].round(2).tolist() == [0.96, 0.55, 0.33]
    assert [round(planning.spread((1, 5), 3.0, sos=a), 2) for a in (0.10, 0.15, 0.25)] == [0.63, 0.77, 1.0]


def test_ratings_for_an_interval_reach_it() -> None:
    """The number found gives the width; one fewer does not."""
    n = planning.ratings_for_interval(scale=(1, 3), mean=2.0, half_width=0.2)
    width = [1.959964 * planning.spread((1, 3), 2.0) / np.sqrt(k) for k in (n - 1, n)]
    assert width[0] > 0.2 >= width[1]


@pytest.mark.parametrize(
    ("r", "share"), [(0.30, 0.55), (0.36, 0.71), (0.45, 0.84), (0.55, 0.93), (0.65, 0.98)]
)
def test_nobody_should_expect_98_percent(r: float, share: float) -> None:
    """Batches of 5 raters and 10 images: the shares of another simulation, within what two simulations differ by."""
    found = planning.consistency_power(raters=5, images=10, correlation=r, batches=2_000)
    assert found == pytest.approx(share, abs=0.05)


def test_ten_on_one_hit_cost_more_than_nine_and_one() -> None:
    """Mechanical Turk's fee: 20 %, 40 % from ten assignments a HIT on, at least a cent."""
    assert planning.cost(10, reward_cents=10, assignments_a_hit=10) == (100, 40)
    assert planning.cost(9, reward_cents=10, assignments_a_hit=9) == (90, 18)
    assert planning.cost(10, reward_cents=1) == (10, 10)
    assert planning.cost(5, reward_cents=10, fees=planning.Fees(share=0.3, least_cents=0)) == (50, 15)


def test_impossible_plans_are_refused() -> None:
    """Each with its sentence."""
    with pytest.raises(InputError, match=r"a mean of 6 is off the scale of 1 to 5"):
        planning.spread((1, 5), 6.0)
    with pytest.raises(InputError, match=r"reliabilities must lie between 0 and 1"):
        planning.raters_for_reliability(1.0, single=0.3)
    with pytest.raises(InputError, match=r"not be 0\.5"):
        planning.votes_for_preference(0.5)
    with pytest.raises(InputError, match="half_width must be above 0"):
        planning.ratings_for_interval(scale=(1, 5), mean=3.0, half_width=0.0)
    with pytest.raises(InputError, match="two raters, three images"):
        planning.consistency_power(raters=1, images=10, correlation=0.3)
