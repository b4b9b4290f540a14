"""The scores without some raters, and one rater's story."""

import numpy as np
import pandas as pd
import pytest

from photojury.analysis import rater_story
from photojury.analysis.what_if import what_if
from photojury.datasets.store import Study
from photojury.errors import InputError


@pytest.fixture(scope="module")
def ratings() -> pd.DataFrame:
    """Sixty images, eight raters who see quality and one who clicks at random."""
    rng = np.random.default_rng(3)
    quality = rng.normal(size=60)
    rows = []
    for rater in range(9):
        for image in range(60):
            felt = rng.normal(0, 1.5) if rater == 8 else quality[image] + rng.normal(0, 0.5)
            value = float(np.digitize(felt, [-1.2, -0.4, 0.4, 1.2]) + 1)
            rows.append((f"r{rater}", f"i{image:02d}", value, 900 + image))
    return pd.DataFrame(rows, columns=["rater_id", "image_id", "value", "milliseconds"])


def test_without_a_rater_who_clicks_at_random(ratings: pd.DataFrame) -> None:
    """Means as pandas has them; two raters agree more, and so do the means, though fewer rate."""
    found = what_if(ratings, ["r8"], scale=(1, 5), seed=1)
    images = found.images.set_index("image_id").sort_index()
    others = ratings[ratings["rater_id"] != "r8"]
    assert np.allclose(images["before"], ratings.groupby("image_id")["value"].mean())
    assert np.allclose(images["after"], others.groupby("image_id")["value"].mean())
    assert (found.before.ratings, found.after.ratings, found.before.raters, found.after.raters) == (
        540,
        480,
        9,
        8,
    )
    assert found.after.correlation > found.before.correlation
    assert found.after.reliability > found.before.reliability
    assert found.images["change"].abs().is_monotonic_decreasing
    assert found.srcc == pytest.approx(images["before"].corr(images["after"], method="spearman"))


def test_images_that_nobody_else_rated(ratings: pd.DataFrame) -> None:
    """They are counted, not invented; and somebody must be left."""
    more = pd.concat([ratings, pd.DataFrame([("r8", "alone", 3.0, 1)], columns=ratings.columns)])
    found = what_if(more, ["r8"], scale=(1, 5), seed=1)
    assert found.lost == 1 and "alone" not in set(found.images["image_id"])
    with pytest.raises(InputError, match="no rating is left"):
        what_if(ratings, [f"r{k}" for k in range(9)], scale=(1, 5), seed=1)


def test_a_rating_beside_the_others(ratings: pd.DataFrame) -> None:
    """The mean of the others by hand; nothing where nobody else rated the image; an unknown rater is said."""
    more = pd.concat([ratings, pd.DataFrame([("r8", "alone", 3.0, 1)], columns=ratings.columns)])
    table = rater_story.answered(more, "r8").set_index("image_id")
    rest = ratings[ratings["rater_id"] != "r8"].groupby("image_id")["value"].mean()
    assert np.allclose(table.loc[rest.index, "others"], rest)
    assert np.allclose(table["residual"].dropna(), (table["value"] - table["others"]).dropna())
    assert table["n_others"]["alone"] == 0 and np.isnan(table["others"]["alone"])
    assert table.loc["i05", "seconds"] == pytest.approx(0.905)
    with pytest.raises(InputError, match="gave no rating"):
        rater_story.answered(ratings, "nobody")


def test_levels_and_drift_of_one(ratings: pd.DataFrame) -> None:
    """Shares sum to one; the chart is the one that all ratings give, computed from his images alone."""
    from photojury.analysis.raters import drift

    table = rater_story.levels(ratings, "r0")
    assert table["rater"].sum() == pytest.approx(1) and table["n"].sum() == 60
    some = ratings[(ratings["rater_id"] != "r0") | (ratings["image_id"] < "i30")]
    whole = drift(some)
    mine = whole[whole["rater_id"] == "r0"].reset_index(drop=True)
    pd.testing.assert_frame_equal(rater_story.drift(some, "r0"), mine)


def test_work_of_one(filled: Study) -> None:
    """His assignments in the order of time, with their batches; no verdict, no exclusion."""
    rater = str(filled.read("ratings")["rater_id"].iloc[0])
    found = rater_story.work(filled, rater)
    there = filled.read("assignments", {"rater_id": rater})
    assert sorted(found.assignments["assignment_id"]) == sorted(there["assignment_id"])
    assert found.assignments["submitted_at"].is_monotonic_increasing
    assert found.verdicts.empty and found.excluded == ""
