"""A rater against the mean: paper 4's arithmetic, scipy, and what pure noise gets."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from photojury.analysis.rater_agreement import (
    against_mean,
    expected_with_own,
    expected_without_own,
    noise_floor,
    pair_correlation,
)
from photojury.errors import InputError


def crowd(*, images: int, raters: int, each: int, r: float, seed: int, noise: int = 0) -> pd.DataFrame:
    """Ratings that correlate at r between raters, `each` an image, in batches of ten images."""
    rng = np.random.default_rng(seed)
    quality = rng.normal(size=images) * np.sqrt(r)
    rows = []
    for batch in range(images // 10):
        for rater in rng.choice(raters, each, replace=False):
            for image in range(batch * 10, batch * 10 + 10):
                signal = 0.0 if rater < noise else quality[image]
                scale = 1.0 if rater < noise else np.sqrt(1 - r)
                rows.append((f"i{image:05d}", f"r{rater:03d}", f"h{batch}", signal + scale * rng.normal()))
    return pd.DataFrame(rows, columns=["image_id", "rater_id", "hit_key", "value"])


@pytest.mark.parametrize(
    ("with_own", "r", "without"), [(0.6738, 0.318, 0.454), (0.7013, 0.365, 0.504), (0.7112, 0.382, 0.522)]
)
def test_what_table_6_of_paper_4_implies(with_own: float, r: float, without: float) -> None:
    """Its correlations with a mean of five that holds the rater's own vote, undone: pairs, and means without it."""
    assert pair_correlation(5, with_own) == pytest.approx(r, abs=5e-4)
    assert expected_with_own(5, pair_correlation(5, with_own)) == pytest.approx(with_own)
    assert expected_without_own(5, pair_correlation(5, with_own)) == pytest.approx(without, abs=1e-3)


def test_correlations_are_scipy_s() -> None:
    """Each rater's two figures equal scipy's Spearman correlation on his images, on rounded ratings with ties."""
    ratings = crowd(images=200, raters=12, each=5, r=0.4, seed=1)
    ratings["value"] = ratings["value"].round()
    found = against_mean(ratings).raters.set_index("rater_id")
    with_own, without_own = found["with_own"].to_dict(), found["without_own"].to_dict()
    groups = ratings.groupby("image_id")["value"]
    mean = groups.transform("mean")
    others = (groups.transform("sum") - ratings["value"]) / (groups.transform("count") - 1)
    for rater, rows in ratings.groupby("rater_id"):
        own = stats.spearmanr(rows["value"], mean[rows.index]).statistic
        assert with_own[rater] == pytest.approx(own, abs=1e-12)
        left = stats.spearmanr(rows["value"], others[rows.index])
        assert without_own[rater] == pytest.approx(left.statistic, abs=1e-12)


def test_formulas_hold_in_simulation() -> None:
    """Parallel raters at r = 0.365, five an image: both means are within 0.02 of the formulas (Pearson's, nearly)."""
    tier = against_mean(crowd(images=6000, raters=40, each=5, r=0.365, seed=2)).tiers.iloc[0]
    assert tier["with_own"] == pytest.approx(expected_with_own(5, 0.365), abs=0.02)
    assert tier["without_own"] == pytest.approx(expected_without_own(5, 0.365), abs=0.02)
    assert tier["pair_correlation"] == pytest.approx(0.365, abs=0.03)


def test_noise_gets_the_floor_with_his_own_vote_and_nothing_without() -> None:
    """The trap in the paper's column: a rater who does not look reaches a third."""
    ratings = crowd(images=8000, raters=40, each=5, r=0.365, seed=3, noise=1)
    rater = against_mean(ratings).raters.set_index("rater_id").loc["r000"]
    assert rater["with_own"] == pytest.approx(noise_floor(5, 0.365), abs=0.06)
    assert abs(rater["without_own"]) < 0.06
    assert noise_floor(5, 0.0) == pytest.approx(1 / np.sqrt(5))


def test_tiers_are_nested_and_count_batches() -> None:
    """A tier holds who did more batches; the counts are those of the batches in the table."""
    ratings = crowd(images=400, raters=10, each=5, r=0.5, seed=4)
    found = against_mean(ratings, tiers=(0, 15, 1000))
    batches = ratings.groupby("rater_id")["hit_key"].nunique()
    assert found.raters.set_index("rater_id")["batches"].to_dict() == batches.to_dict()
    assert found.tiers["raters"].tolist() == [10, int((batches > 15).sum()), 0]
    assert np.isnan(found.tiers["with_own"].iloc[2])


def test_who_has_too_few_images_or_one_answer_has_no_figure() -> None:
    """Three images, or the same rating for all: NaN, and the tiers leave them out."""
    values = {"a": [1, 2, 3, 4, 5, 6], "b": [1, 3, 2, 4, 6, 5], "flat": [2] * 6, "brief": [1, 2, 3]}
    rows = [(f"i{k}", rater, float(v)) for rater, list_ in values.items() for k, v in enumerate(list_)]
    found = against_mean(pd.DataFrame(rows, columns=["image_id", "rater_id", "value"]))
    assert found.raters.set_index("rater_id")["without_own"].isna().to_dict() == {
        "a": False,
        "b": False,
        "flat": True,
        "brief": True,
    }
    assert found.tiers["raters"].iloc[0] == 2


def test_raters_who_share_nothing_are_named() -> None:
    """One rater an image: nobody can be held against the others."""
    rows = pd.DataFrame({"image_id": ["a", "b"], "rater_id": ["x", "y"], "value": [1.0, 2.0]})
    with pytest.raises(InputError, match="no image has two raters"):
        against_mean(rows)
