"""Agreement coefficients: published examples, other packages, and calibration by simulation."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import cohen_kappa_score
from statsmodels.stats import inter_rater

from photojury.analysis import agreement
from photojury.analysis.agreement import Scale
from photojury.errors import InputError


def long(values: np.ndarray) -> pd.DataFrame:
    """A ratings table from an images x raters matrix; NaN is not rated."""
    image, rater = np.nonzero(~np.isnan(values))
    ids = {"image_id": [f"i{k:05d}" for k in image], "rater_id": [f"r{k}" for k in rater]}
    return pd.DataFrame({**ids, "value": values[image, rater]})


# Krippendorff 2011, section E: four observers, twelve units, missing values.
KRIPPENDORFF = [
    [1, 2, 3, 3, 2, 1, 4, 1, 2, np.nan, np.nan, np.nan],
    [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, np.nan, 3],
    [np.nan, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, np.nan],
    [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, np.nan],
]


@pytest.mark.parametrize(
    ("scale", "value"), [("nominal", 0.743), ("ordinal", 0.815), ("interval", 0.849), ("ratio", 0.797)]
)
def test_alpha_of_krippendorff_s_paper(scale: Scale, value: float) -> None:
    """The paper's own table: .743, .815, .849 and .797."""
    assert agreement.alpha(long(np.array(KRIPPENDORFF).T), scale, seed=1).value == pytest.approx(
        value, abs=5e-4
    )


def test_fleiss_needs_equal_numbers() -> None:
    """Images with two and three ratings: the sentence names alpha."""
    values = np.array([[1.0, 2.0, np.nan], [1.0, 2.0, 2.0]])
    with pytest.raises(InputError, match="not 2 to 3; use Krippendorff's alpha"):
        agreement.fleiss_kappa(long(values), seed=1)


@pytest.mark.parametrize("weights", ["none", "linear", "quadratic"])
def test_cohen_is_scikit_learn_s(weights: agreement.Weights) -> None:
    """On 500 random pairs of levels from 1 to 5."""
    rng = np.random.default_rng(1)
    one = rng.integers(1, 6, 500)
    other = np.clip(one + rng.integers(-1, 2, 500), 1, 5)
    expected = cohen_kappa_score(one, other, weights=None if weights == "none" else weights)
    found = agreement.cohen_kappa(one, other, weights, seed=1)
    assert found.value == pytest.approx(expected, abs=1e-12)
    assert found.low < found.value < found.high and found.n == 500


def test_cohen_s_interval_is_the_large_sample_one() -> None:
    """The bootstrap's ends are within a tenth of a width of statsmodels' normal interval, on 2,000 pairs."""
    rng = np.random.default_rng(6)
    one = rng.integers(1, 4, 2000)
    other = np.where(rng.random(2000) < 0.6, one, rng.integers(1, 4, 2000))
    found = agreement.cohen_kappa(one, other, seed=1)
    peer = inter_rater.cohens_kappa(np.histogram2d(one, other, bins=3)[0])
    assert (found.low, found.high) == pytest.approx(
        (peer.kappa_low, peer.kappa_upp), abs=(peer.kappa_upp - peer.kappa_low) / 10
    )


def test_icc_of_unbalanced_data_finds_the_components() -> None:
    """With 2 to 9 ratings an image the components are those that were simulated."""
    rng = np.random.default_rng(2)
    values = rng.normal(0, 1.0, (4000, 1)) + rng.normal(0, 1.5, (4000, 9))
    values[np.arange(9) >= rng.integers(2, 10, 4000)[:, None]] = np.nan
    found = agreement.icc(long(values))
    assert found.between == pytest.approx(1.0, rel=0.06)
    assert found.within == pytest.approx(2.25, rel=0.03)
    assert found.single == pytest.approx(1 / 3.25, abs=0.02)


def test_icc_intervals_cover() -> None:
    """Of 400 balanced data sets 95 % intervals cover the true correlation 92 % to 98 % of the time."""
    rng = np.random.default_rng(3)
    truth, inside = 1 / 3, 0
    for _ in range(400):
        found = agreement.icc(long(rng.normal(0, 1, (40, 1)) + rng.normal(0, np.sqrt(2), (40, 5))))
        inside += found.low <= truth <= found.high
    assert 0.92 < inside / 400 < 0.98


def test_split_half_is_the_reliability() -> None:
    """With ten ratings of reliability 1 / 3 each, the mean's is 10 / 12; split halves find it."""
    rng = np.random.default_rng(4)
    values = rng.normal(0, 1, (3000, 1)) + rng.normal(0, np.sqrt(2), (3000, 10))
    found = agreement.split_half(long(values), seed=1, splits=20)
    assert found.value == pytest.approx(agreement.stepped(1 / 3, times=10), abs=0.01)
    assert found.low < 10 / 12 < found.high and found.n == 3000
    assert agreement.stepped(1 / 3, times=10) == pytest.approx(10 / 12)


def test_split_half_s_intervals_cover() -> None:
    """Of 100 studies of 60 images and 8 ratings, 95 % intervals cover the reliability 88 % to 99 % of the time."""
    rng = np.random.default_rng(7)
    truth, inside = agreement.stepped(0.4, times=8), 0
    for _ in range(100):
        values = rng.normal(0, np.sqrt(0.4), (60, 1)) + rng.normal(0, np.sqrt(0.6), (60, 8))
        found = agreement.split_half(long(values), seed=1, splits=10)
        inside += found.low <= truth <= found.high
    assert 0.88 <= inside / 100 <= 0.99


def test_chance_agrees_with_nobody() -> None:
    """Random ratings: every coefficient is within 0.03 of 0."""
    rng = np.random.default_rng(5)
    ratings = long(rng.integers(1, 6, (3000, 5)).astype(float))
    for scale in agreement.SCALES:
        table, levels = agreement.counts(ratings)
        assert abs(agreement.alpha_of_counts(table, levels, scale)) < 0.03
    assert abs(agreement.fleiss_of_counts(agreement.counts(ratings)[0])) < 0.03
    assert abs(agreement.icc(ratings).single) < 0.03


def test_nothing_to_compare_is_said() -> None:
    """One rating an image, all ratings equal, one image: a sentence or NaN, never a number."""
    once = long(np.array([[1.0], [2.0]]))
    with pytest.raises(InputError, match="no image has two ratings"):
        agreement.alpha(once, seed=1)
    with pytest.raises(InputError, match="one with two ratings or more"):
        agreement.icc(once)
    same = long(np.ones((5, 3)))
    assert np.isnan(agreement.alpha(same, seed=1).value)
    with pytest.raises(InputError, match="all ratings are equal"):
        agreement.icc(same)
    with pytest.raises(InputError, match="three images with two ratings or more, not 2"):
        agreement.split_half(long(np.array([[1.0, 2.0], [2.0, 3.0]])), seed=1)
