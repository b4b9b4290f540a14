"""Sudden changes of raters, and what practice does to all."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from statsmodels.formula.api import ols
from statsmodels.stats.diagnostic import breaks_cusumolsresid

from photojury.analysis.rater_course import changes, learning
from photojury.errors import InputError


def crowd(*, people: int, images: int, seed: int, shift: float = 0.0, practice: float = 0.0) -> pd.DataFrame:
    """Everybody rates every image in an order of his own; r00 rises by `shift` after the first third; noise and time
    fall with log(order) by `practice`."""
    rng = np.random.default_rng(seed)
    truth, rows = rng.normal(3, 0.7, images), []
    for person in range(people):
        for order, image in enumerate(rng.permutation(images)):
            rise = shift * (person == 0 and order >= images // 3)
            skill = (1 + order) ** -practice
            value = truth[image] + rise + 0.6 * skill * rng.normal()
            rows.append(
                (f"r{person:02d}", f"i{image:03d}", value, 4000 * skill * rng.lognormal(0, 0.3), order)
            )
    names = ["rater_id", "image_id", "value", "milliseconds", "order"]
    return pd.DataFrame(rows, columns=names).sort_values("order", kind="stable", ignore_index=True)


def residuals(ratings: pd.DataFrame) -> pd.Series:
    """Rating less the mean of the others' of that image, by pandas."""
    groups = ratings.groupby("image_id")["value"]
    n = groups.transform("size")
    return ratings["value"] - (groups.transform("sum") - ratings["value"]) / (n - 1)


def test_the_statistic_is_statsmodels_cusum() -> None:
    """Each rater's p is that of the CUSUM test on his residuals."""
    ratings = crowd(people=6, images=90, seed=1, shift=0.5)
    found = changes(ratings).set_index("rater_id")
    for rater, own in residuals(ratings).groupby(ratings["rater_id"]):
        values = own.to_numpy() - own.mean()
        _, p, _ = breaks_cusumolsresid(values, ddof=1)
        assert found.loc[rater, "p"] == pytest.approx(p)


def test_a_change_is_found_and_dated() -> None:
    """Who rises by one level after a third of his ratings is found, near there; no other is."""
    found = changes(crowd(people=12, images=120, seed=2, shift=1.0)).set_index("rater_id")
    row = found.loc["r00"]
    assert row["p_adjusted"] < 1e-4
    assert row["after"] == pytest.approx(40, abs=6)
    assert row["after_mean"] - row["before_mean"] == pytest.approx(1.0, abs=0.3)
    assert (found.drop("r00")["p_adjusted"] > 0.05).all()


def test_steady_raters_are_left_alone() -> None:
    """Of 400 steady raters at most 5 % have p <= .05: the test keeps its level, on the safe side."""
    found = changes(crowd(people=400, images=60, seed=3))
    share = (found["p"] <= 0.05).mean()
    assert 0.005 < share < 0.06


def test_brief_and_flat_raters_have_no_test() -> None:
    """Under 20 ratings there is no row; residuals that are all the same have no p."""
    ratings = crowd(people=3, images=30, seed=4)
    brief = ratings[(ratings["rater_id"] != "r02") | (ratings["order"] < 10)]
    assert changes(brief)["rater_id"].tolist() == ["r00", "r01"]
    flat = pd.DataFrame({"image_id": [f"i{k}" for k in range(25)] * 2, "value": [1.0] * 25 + [2.0] * 25})
    assert changes(flat.assign(rater_id=["x"] * 25 + ["y"] * 25))["p"].isna().all()


def test_slopes_are_a_regression_with_a_level_for_each_rater() -> None:
    """Slope and clustered error of statsmodels' dummy regression, up to its small-sample factor."""
    ratings = crowd(people=15, images=40, seed=5, practice=0.3)
    table = ratings.assign(error=residuals(ratings).abs(), time=np.log(ratings["milliseconds"]))
    table["x"] = np.log(table["order"] + 1)
    found = learning(ratings)
    for name, slope in (("error", found.error), ("time", found.time)):
        assert slope is not None
        codes = pd.factorize(table["rater_id"])[0]
        fit = ols(f"{name} ~ x + C(rater_id)", table).fit(
            cov_type="cluster", cov_kwds={"groups": codes, "use_correction": False}
        )
        assert slope.slope == pytest.approx(fit.params["x"])
        assert slope.standard_error == pytest.approx(fit.bse["x"] * np.sqrt(15 / 14))
        reach = stats.t.ppf(0.975, 14) * slope.standard_error
        assert (slope.low, slope.high) == pytest.approx((slope.slope - reach, slope.slope + reach))
    assert found.time is not None and found.time.slope == pytest.approx(-0.3, abs=0.03)
    assert found.error.slope < 0 and found.error.p < 1e-3


def test_errors_of_slopes_know_that_raters_meet_the_same_images() -> None:
    """All rate in one order, and every fourth image divides them: raters and images as statsmodels' two clusters."""
    rng = np.random.default_rng(6)
    image, rater = np.repeat(np.arange(60), 12), np.tile(np.arange(12), 60)
    spread = np.where(image % 4 == 0, 1.5, 0.3)
    ratings = pd.DataFrame({"rater_id": rater, "image_id": image, "value": 3 + spread * rng.normal(size=720)})
    table = ratings.assign(error=residuals(ratings).abs(), x=np.log(image + 1.0))
    model = ols("error ~ x + C(rater_id)", table)
    one, both = (
        model.fit(cov_type="cluster", cov_kwds={"groups": groups, "use_correction": False})
        .cov_params()
        .loc["x", "x"]
        for groups in (rater, np.column_stack([rater, image]))
    )
    assert both > one
    assert learning(ratings).error.standard_error == pytest.approx(np.sqrt(one * 12 / 11 + both - one))


def test_without_times_or_company_there_is_less_to_say() -> None:
    """No milliseconds: no slope of time. Raters who share no image: a sentence."""
    ratings = crowd(people=3, images=10, seed=6).drop(columns="milliseconds")
    assert learning(ratings).time is None
    alone = ratings[ratings["rater_id"] == "r00"]
    with pytest.raises(InputError, match="two raters or more"):
        learning(alone)
    assert changes(alone).empty
