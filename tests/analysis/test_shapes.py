"""Shapes of ratings: the SOS curve, normal means, divided images."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from photojury.analysis import shapes
from photojury.analysis.distributions import image_distributions
from photojury.errors import InputError


def rated(images: int, each: int, *, seed: int) -> pd.DataFrame:
    """Distribution table of binomial ratings on 1 to 5, for which the SOS parameter is 1 / 4."""
    rng = np.random.default_rng(seed)
    p = rng.uniform(0.05, 0.95, images)
    values = 1 + rng.binomial(4, np.repeat(p, each)).astype(float)
    frame = pd.DataFrame({"image_id": np.repeat([f"i{k:04d}" for k in range(images)], each), "value": values})
    return image_distributions(frame, levels=(1, 2, 3, 4, 5))


def test_binomial_ratings_have_an_sos_of_a_quarter() -> None:
    """Shifted binomial ratings in four steps have variance (x - 1)(5 - x) / 4; the interval covers it."""
    found = shapes.sos(rated(2000, 30, seed=1), scale=(1, 5))
    # A sample's mean varies by g / (4 n), which takes so much from the curve g = (x - 1)(5 - x) at it.
    assert found.a == pytest.approx(0.25 / (1 - 1 / 120), abs=0.003)
    assert found.low < found.a < found.high
    assert found.high - found.low < 0.02
    assert found.n == 2000


def test_all_at_the_ends_is_an_sos_of_one() -> None:
    """Raters who only use the worst and the best level have the largest spread there is."""
    frame = pd.DataFrame(
        {"image_id": ["a"] * 40 + ["b"] * 40, "value": [1.0, 5.0] * 20 + [1.0, 1.0, 1.0, 5.0] * 10}
    )
    table = image_distributions(frame, levels=(1, 2, 3, 4, 5))
    assert shapes.sos(table, scale=(1, 5)).a == pytest.approx(40 / 39)


def test_sos_needs_a_spread() -> None:
    """Single ratings and means off the scale have their sentences."""
    once = image_distributions(pd.DataFrame({"image_id": ["a", "b"], "value": [1.0, 2.0]}))
    with pytest.raises(InputError, match="no image has two ratings"):
        shapes.sos(once, scale=(1, 5))
    with pytest.raises(InputError, match="off the scale of 2 to 5"):
        shapes.sos(once, scale=(2, 5))


def test_normal_means_pass_and_two_heaps_do_not() -> None:
    """Moments are scipy's; Lilliefors' test keeps normal scores and refuses a mixture."""
    rng = np.random.default_rng(2)
    normal = rng.normal(3, 0.6, 400)
    found = shapes.normal_fit(pd.DataFrame({"mean": normal}))
    assert (found.mean, found.sd) == pytest.approx((normal.mean(), normal.std(ddof=1)))
    assert found.skewness == pytest.approx(stats.skew(normal, bias=False))
    assert found.p > 0.05
    heaps = np.concatenate([rng.normal(2, 0.2, 200), rng.normal(4, 0.2, 200)])
    assert shapes.normal_fit(pd.DataFrame({"score": heaps})).p < 0.01
    with pytest.raises(InputError, match="four different scores or more, not 1"):
        shapes.normal_fit(pd.DataFrame({"mean": [1.0] * 9}))


def test_means_of_few_ratings_are_held_against_rounded_normal_ones() -> None:
    """Normal scores rounded to fifths pass with their n, and fail Lilliefors' test without; a skew heap fails both."""
    rng = np.random.default_rng(5)
    rounded = pd.DataFrame({"mean": np.rint(rng.normal(3, 0.6, 1000) * 5) / 5, "n": 5})
    assert shapes.normal_fit(rounded).p > 0.05 and shapes.normal_fit(rounded).rounded
    assert shapes.normal_fit(rounded[["mean"]]).p < 0.01
    skew = pd.DataFrame({"mean": np.rint(5 * (1 + rng.gamma(2, 0.6, 1000))) / 5, "n": 5})
    assert shapes.normal_fit(skew).p == 1 / 1000
    assert not shapes.normal_fit(pd.DataFrame({"mean": rng.normal(size=50), "n": 5})).rounded


def test_bimodality_is_the_formula_on_the_ratings_themselves() -> None:
    """Sarle's coefficient from the counts equals the one from scipy's moments of the votes."""
    rng = np.random.default_rng(3)
    values = rng.choice([1.0, 2, 3, 4, 5], size=(50, 20), p=[0.3, 0.1, 0.1, 0.2, 0.3])
    frame = pd.DataFrame(
        {"image_id": np.repeat([f"i{k:02d}" for k in range(50)], 20), "value": values.ravel()}
    )
    found = shapes.bimodality(image_distributions(frame, levels=(1, 2, 3, 4, 5)))
    n = 20
    for row, votes in zip(found["bimodality"], values, strict=True):
        skew, kurtosis = stats.skew(votes, bias=False), stats.kurtosis(votes, bias=False)
        assert row == pytest.approx((skew**2 + 1) / (kurtosis + 3 * (n - 1) ** 2 / ((n - 2) * (n - 3))))


def test_divided_images_are_named_and_agreed_ones_are_not() -> None:
    """Ten at each end is divided, twenty around the middle is not, and five ratings are too few to say."""
    votes = {
        "ends": [1.0] * 10 + [5.0] * 10,
        "middle": [2.0] * 5 + [3.0] * 10 + [4.0] * 5,
        "few": [1.0, 1, 5, 5, 5],
    }
    frame = pd.DataFrame(
        [(image, vote) for image, list_ in votes.items() for vote in list_], columns=["image_id", "value"]
    )
    found = shapes.bimodality(image_distributions(frame, levels=(1, 2, 3, 4, 5))).set_index("image_id")
    assert found["divided"].to_dict() == {"ends": True, "middle": False, "few": False}
    assert found["bimodality"].to_dict()["ends"] > shapes.BIMODAL


def test_agreed_ratings_at_the_end_of_a_scale_are_not_divided() -> None:
    """Nearly everybody says 1 and some say 2: Sarle's coefficient is high, and nobody is divided."""
    votes = [1.0] * 18 + [2.0] * 2
    table = image_distributions(pd.DataFrame({"image_id": "a", "value": votes}), levels=(1, 2, 3))
    found = shapes.bimodality(table).iloc[0]
    assert found["bimodality"] > shapes.BIMODAL and not found["divided"]
