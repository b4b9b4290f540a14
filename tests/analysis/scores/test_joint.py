"""Stars and pairs on one scale."""

import numpy as np
import pandas as pd
import pytest
from scipy import optimize, special

from photojury.analysis.scores import joint, paired
from photojury.errors import InputError


def answers(
    images: int, stars: int, pairs: int, *, seed: int, slope: float = 1.5
) -> tuple[pd.DataFrame, pd.DataFrame, np.ndarray]:
    """`stars` ratings of each image, `pairs` five-level comparisons, and the scores that both are about."""
    rng = np.random.default_rng(seed)
    theta = rng.normal(size=images)
    theta -= theta.mean()
    rated = np.repeat(np.arange(images), stars)
    value = 1.0 + np.searchsorted([-1.0, 1.2], slope * theta[rated] + rng.logistic(size=rated.size))
    first = rng.integers(0, images, pairs)
    second = (first + rng.integers(1, images, pairs)) % images
    level = (
        np.searchsorted([-1.8, -0.5, 0.5, 1.8], theta[first] - theta[second] + rng.logistic(size=pairs)) - 2.0
    )
    name = np.array([f"i{k:05d}" for k in range(images)])
    return (
        pd.DataFrame({"image_id": name[rated], "value": value}),
        pd.DataFrame({"first_id": name[first], "second_id": name[second], "value": level}),
        theta,
    )


def test_the_scores_are_at_a_maximum() -> None:
    """At the scores the likelihood's slope, written anew, is the prior's: the same shift for every image."""
    ratings, comparisons, _ = answers(8, 20, 200, seed=1)
    found = joint.fit(ratings, comparisons)
    names = found.scores["image_id"].tolist()
    star = ratings.value.to_numpy().astype(int) - 1
    image = ratings.image_id.map(names.index).to_numpy()
    a, b = (comparisons[column].map(names.index).to_numpy() for column in ("first_id", "second_id"))
    level = comparisons.value.to_numpy().astype(int) + 2
    t = np.array([-np.inf, *found.rating_cuts, np.inf])
    c = np.array([-np.inf, *(-np.array(found.pair_cuts[::-1])), *found.pair_cuts, np.inf])

    def log_likelihood(theta: np.ndarray) -> float:
        eta, d = found.slope * theta[image], theta[a] - theta[b]
        p = special.expit(t[star + 1] - eta) - special.expit(t[star] - eta)
        q = special.expit(c[level + 1] - d) - special.expit(c[level] - d)
        return float(np.log(p).sum() + np.log(q).sum())

    at = found.scores["score"].to_numpy()
    assert log_likelihood(at) == pytest.approx(found.log_likelihood, abs=1e-6)
    slope = optimize.approx_fprime(at, log_likelihood, 1e-6)
    shifts = slope * found.spread**2 - at
    assert np.ptp(shifts) < 1e-2
    assert found.converged


def test_both_together_are_nearer_than_either() -> None:
    """Over six studies the joint scores correlate better with the truth than stars or pairs alone, every time."""
    for seed in range(6):
        ratings, comparisons, theta = answers(60, 5, 300, seed=seed)
        together = joint.fit(ratings, comparisons).scores["score"]
        pairs = paired.fit(comparisons).scores["score"]
        stars = ratings.groupby("image_id")["value"].mean()
        r = [np.corrcoef(x, theta)[0, 1] for x in (together, pairs, stars)]
        assert r[0] > max(r[1:])


def test_parameters_are_found() -> None:
    """With many answers the slope and the cuts are those that were simulated."""
    ratings, comparisons, theta = answers(300, 20, 9_000, seed=2)
    found = joint.fit(ratings, comparisons)
    assert found.slope == pytest.approx(1.5, rel=0.06)
    assert found.rating_cuts == pytest.approx((-1.0, 1.2), abs=0.1)
    assert found.pair_cuts == pytest.approx((0.5, 1.8), abs=0.05)
    assert np.corrcoef(found.scores["score"], theta)[0, 1] > 0.98


def test_intervals_cover_the_truth() -> None:
    """Of 95 % intervals 90 % to 97 % cover (640 scores, 10 ratings and 50 comparisons an image)."""
    inside: list[bool] = []
    for seed in range(8):
        ratings, comparisons, theta = answers(80, 10, 2000, seed=seed)
        scores = joint.fit(ratings, comparisons).scores
        inside += ((scores["low"] <= theta) & (theta <= scores["high"])).tolist()
    assert 0.90 < np.mean(inside) < 0.97


def test_errors_from_random_vectors_are_near_the_exact_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    """Above the dense limit within 12 % each, 1 % on average."""
    ratings, comparisons, _ = answers(400, 5, 3000, seed=3)
    exact = joint.fit(ratings, comparisons).scores["standard_error"]
    monkeypatch.setattr("photojury.analysis.scores.information.DENSE", 10)
    ratio = joint.fit(ratings, comparisons).scores["standard_error"] / exact
    assert 0.88 < ratio.min() and ratio.max() < 1.12
    assert ratio.mean() == pytest.approx(1, abs=0.01)


def test_an_image_with_one_kind_of_answer_has_a_score() -> None:
    """Rated only, or compared only: both are on the common scale, and the table says what each has."""
    ratings, comparisons, _ = answers(30, 5, 300, seed=4)
    ratings = pd.concat([ratings, pd.DataFrame({"image_id": "only rated", "value": [3.0] * 5})])
    more = pd.DataFrame(
        {"first_id": "only compared", "second_id": ["i00000", "i00001"], "value": [-2.0, -2.0]}
    )
    scores = joint.fit(ratings, pd.concat([comparisons, more])).scores.set_index("image_id")
    assert list(scores.loc["only rated", ["ratings", "comparisons"]]) == [5, 0]
    assert list(scores.loc["only compared", ["ratings", "comparisons"]]) == [0, 2]
    assert scores["score"].to_dict()["only rated"] > 0 > scores["score"].to_dict()["only compared"]


def test_what_cannot_be_fitted_is_said() -> None:
    """Equal ratings and an unknown task have their sentences."""
    ratings, comparisons, _ = answers(5, 2, 20, seed=5)
    with pytest.raises(InputError, match="all are equal, so they tell nothing"):
        joint.fit(ratings.assign(value=2.0), comparisons)
    with pytest.raises(InputError, match="unknown task 'stars'"):
        joint.fit(ratings, comparisons, task="stars")
