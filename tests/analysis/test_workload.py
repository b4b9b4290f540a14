"""Who did how much."""

import networkx as nx
import numpy as np
import pandas as pd
import pytest
from scipy import stats

from photojury.analysis.workload import lorenz, workload
from photojury.errors import InputError


def crowd(*, seed: int) -> pd.DataFrame:
    """Ratings of 300 images by 40 raters with very different diligence, in two islands."""
    rng = np.random.default_rng(seed)
    weight = rng.pareto(1.0, 20) + 0.1
    rows = []
    for image in range(300):
        island = image % 2
        for rater in rng.choice(20, 4, replace=False, p=weight / weight.sum()):
            rows.append((f"i{image:03d}", f"r{20 * island + rater:02d}", float(rng.integers(1, 6))))
    return pd.DataFrame(rows, columns=["image_id", "rater_id", "value"])


def test_every_figure_equals_a_count_by_pandas() -> None:
    """Numbers, Gini's mean difference, missing share, islands by networkx, levels by scipy's entropy."""
    ratings = crowd(seed=1)
    found = workload(ratings)
    loads = ratings["rater_id"].value_counts().to_numpy()
    assert (found.ratings, found.images, found.raters) == (1200, 300, loads.size)
    assert found.ratings_an_image == (4, 4, 4)
    assert found.ratings_a_rater == (loads.min(), np.median(loads), loads.max())
    apart = np.abs(loads[:, None] - loads).sum()
    assert found.gini == pytest.approx(apart / (2 * loads.size**2 * loads.mean()))
    assert found.missing == pytest.approx(1 - 1200 / (300 * loads.size))
    graph = nx.Graph(list(zip(ratings["image_id"], ratings["rater_id"], strict=True)))
    assert found.groups == nx.number_connected_components(graph) == 2
    entropy = stats.entropy(ratings["value"].value_counts())
    assert found.effective_levels == pytest.approx(np.exp(entropy))
    busiest = np.sort(loads)[::-1]
    assert busiest[: found.half].sum() >= 600 > busiest[: found.half - 1].sum()


def test_equal_loads_have_no_inequality() -> None:
    """All did the same: Gini 0 and a straight curve; a second rating of an image is counted as repeated."""
    rows = [(image, rater, 3.0) for image in "abc" for rater in "xy"]
    ratings = pd.DataFrame([*rows, *rows[:1]], columns=["image_id", "rater_id", "value"])
    found = workload(ratings[:6])
    assert (found.gini, found.missing, found.effective_levels) == pytest.approx((0, 0, 1))
    assert workload(ratings).repeated == 1
    curve = lorenz(np.array([5, 5, 5, 5]))
    assert np.allclose(curve["share_of_ratings"], curve["share_of_raters"])


def test_a_missing_column_is_named() -> None:
    """Without rater ids there is no load."""
    with pytest.raises(InputError, match="ratings lacks the column rater_id"):
        workload(pd.DataFrame({"image_id": ["a"], "value": [1.0]}))
