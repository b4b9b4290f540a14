"""Mean opinion scores."""

import itertools

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from statsmodels.stats.proportion import proportion_confint

from photojury.analysis.scores.mos import mos
from photojury.errors import InputError


def ratings(*rows: tuple[str, list[float]]) -> pd.DataFrame:
    return pd.DataFrame(
        [(image, value) for image, values in rows for value in values], columns=["image_id", "value"]
    )


def test_score_and_standard_error_equal_scipys() -> None:
    """Mean, standard error and t interval are those of numpy and scipy on the raw ratings."""
    values = [1.0, 3.0, 2.0, 2.0, 3.0]
    row = mos(ratings(("a", values))).iloc[0]
    assert row["score"] == np.mean(values)
    assert row["standard_error"] == pytest.approx(stats.sem(values))
    expected = stats.t.interval(0.95, 4, np.mean(values), stats.sem(values))
    assert (row["low"], row["high"]) == pytest.approx(expected)


def test_the_binomial_interval_is_clopper_pearsons() -> None:
    """On 1..5 ten ratings are forty trials; the interval is statsmodels' beta interval put on the scale."""
    values = [1.0, 5.0, 4.0, 4.0, 2.0, 3.0, 3.0, 4.0, 5.0, 4.0]
    row = mos(ratings(("a", values)), scale=(1, 5), interval="sos-binomial").iloc[0]
    low, high = proportion_confint(sum(values) - 10, 40, method="beta")
    assert (row["low"], row["high"]) == pytest.approx((1 + 4 * low, 1 + 4 * high))


def test_divided_ratings_are_worth_fewer_trials() -> None:
    """Five 1s and five 5s vary 40 / 9 times as much as a binomial's forty trials: the interval of nine trials."""
    row = mos(ratings(("a", [1.0, 5.0] * 5)), scale=(1, 5)).iloc[0]
    low, high = proportion_confint(4.5, 9, method="beta")
    assert (row["low"], row["high"]) == pytest.approx((1 + 4 * low, 1 + 4 * high))
    calm = ratings(("a", [3.0, 3.0, 2.0, 3.0, 4.0]))
    assert mos(calm, scale=(1, 5)).equals(mos(calm, scale=(1, 5), interval="sos-binomial"))


def test_the_bootstrap_interval_is_that_of_all_samples() -> None:
    """Of 3 ratings all 27 samples can be counted: percentiles of their means; a single rating has none."""
    values = [1.0, 2.0, 5.0]
    found = mos(ratings(("a", values), ("b", [2.0]), ("c", values)), interval="bootstrap")
    means = [np.mean(sample) for sample in itertools.product(values, repeat=3)]
    low, high = np.quantile(means, [0.025, 0.975], method="inverted_cdf")
    assert found.loc[[0, 2], ["low", "high"]].to_numpy() == pytest.approx(np.array([[low, high]] * 2))
    assert found.loc[1, ["low", "high"]].isna().all()


def test_unanimous_images_keep_an_interval_within_the_scale() -> None:
    """Three times the best level: the upper limit is the best level, the lower one is below it; and it is noted."""
    best, worst = mos(ratings(("best", [3.0] * 3), ("worst", [1.0] * 3)), scale=(1, 3)).to_dict("records")
    low, high = proportion_confint(6, 6, method="beta")
    assert (best["low"], best["high"]) == pytest.approx((1 + 2 * low, 1 + 2 * high))
    assert (worst["low"], worst["high"]) == pytest.approx((1, 3 - 2 * low))
    assert "no proof of certainty" in best["note"]


@pytest.mark.parametrize("chances", [(0.2, 0.5, 0.3), (0.7, 0.25, 0.05)])
@pytest.mark.parametrize("n", [3, 5, 10])
def test_the_binomial_interval_covers(chances: tuple[float, ...], n: int) -> None:
    """Of 1,500 drawn images at least 93 % have the true mean in their interval."""
    generator = np.random.default_rng(7)
    values = generator.choice([1.0, 2.0, 3.0], (1500, n), p=chances)
    table = pd.DataFrame({"image_id": np.repeat(np.arange(1500), n).astype(str), "value": values.ravel()})
    found = mos(table, scale=(1, 3))
    truth = float(np.dot(chances, (1, 2, 3)))
    assert ((found["low"] <= truth) & (truth <= found["high"])).mean() >= 0.93


def test_one_rating_and_simulated_ones_are_marked() -> None:
    """A single rating has no standard error, and one simulated rating marks its image."""
    table = ratings(("a", [2.0]), ("b", [1.0, 2.0])).assign(simulated=[False, False, True])
    found = mos(table, scale=(1, 3))
    assert found["standard_error"].isna().tolist() == [True, False]
    assert found["note"].tolist() == ["one rating: no standard error", ""]
    assert found["simulated"].tolist() == [False, True]


def test_ratings_between_the_levels_are_refused() -> None:
    """The binomial interval needs whole steps."""
    with pytest.raises(InputError, match="whole steps"):
        mos(ratings(("a", [1.5])), scale=(1, 3))
    with pytest.raises(InputError, match="level"):
        mos(ratings(("a", [1.0])), level=1.0)
    with pytest.raises(InputError, match="unknown interval 'wald'"):
        mos(ratings(("a", [1.0])), interval="wald")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="needs the scale"):
        mos(ratings(("a", [1.0])), interval="binomial")
