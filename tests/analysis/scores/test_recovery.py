"""Scores when raters differ: simulated panels with a known truth."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from photojury.analysis.scores.recovery import METHODS, recover
from photojury.errors import InputError


def long(values: np.ndarray) -> pd.DataFrame:
    """A ratings table from an images x raters matrix; NaN is not rated."""
    image, rater = np.nonzero(~np.isnan(values))
    return pd.DataFrame(
        {
            "image_id": [f"i{k:05d}" for k in image],
            "rater_id": [f"r{k:03d}" for k in rater],
            "value": values[image, rater],
        }
    )


def panel(
    *, images: int, raters: int, each: int, seed: int, careless: int = 0
) -> tuple[pd.DataFrame, np.ndarray]:
    """Ratings from 1 to 5 by raters with biases and inconsistencies, `each` of them an image; and the truth."""
    rng = np.random.default_rng(seed)
    truth = rng.normal(3, 0.75, images)
    values = (
        truth[:, None]
        + rng.normal(0, 0.4, raters)
        + rng.uniform(0.4, 1.1, raters) * rng.normal(size=(images, raters))
    )
    values = np.clip(np.round(values), 1, 5)
    values[:, :careless] = rng.integers(1, 6, (images, careless))
    for row in values:
        row[rng.permutation(raters)[each:]] = np.nan
    return long(values), truth


@pytest.fixture
def sample(shared: Path) -> pd.DataFrame:
    """The sample of ITU-T P.910's reference code: 79 clips, 26 subjects."""
    return long(pd.read_csv(shared / "data/stats/itut_p910_sample_79x26.csv", header=None).to_numpy())


def test_the_prior_hardly_matters_where_raters_rated_all(sample: pd.DataFrame) -> None:
    """With 79 ratings of each subject both forms give nearly the same scores."""
    scores = [recover(sample, method).scores["score"] for method in ("p910", "p910-standard")]
    assert np.abs(scores[0] - scores[1]).max() < 0.05


def test_a_crowd_needs_the_prior() -> None:
    """At 5 ratings an image the standard form breaks down and says so; with the prior it converges, and is nearer."""
    ratings, truth = panel(images=2000, raters=80, each=5, seed=1, careless=8)
    standard, default = recover(ratings, "p910-standard"), recover(ratings)
    assert "use p910, whose prior prevents it" in standard.warnings[0]
    assert default.warnings == ()
    assert default.converged and default.iterations < 200
    mean = ratings.groupby("image_id").value.mean()
    order = [stats.spearmanr(x, truth).statistic for x in (default.scores.score, standard.scores.score, mean)]
    assert order[0] > order[1] > order[2]
    careless = default.raters.sort_values("inconsistency").rater_id.tail(8)
    assert set(careless) == {f"r{k:03d}" for k in range(8)}


def test_the_default_is_where_plain_rounds_stand_still() -> None:
    """The shortcut between rounds ends where the model's own rounds, written anew on a matrix with gaps, end."""
    ratings, _ = panel(images=300, raters=20, each=5, seed=2, careless=2)
    values = ratings.pivot(index="image_id", columns="rater_id", values="value").to_numpy()
    score = np.nanmean(values, axis=1)
    typical = np.nanmean((values - score[:, None]) ** 2)
    n = (~np.isnan(values)).sum(axis=0)
    for _ in range(600):
        bias = np.nanmean(values - score[:, None], axis=0)
        squares = np.nansum((values - score[:, None] - bias) ** 2, axis=0)
        variance = (squares + 10 * typical) / (n * (1 - 1 / 5) + 10)
        weight = np.where(np.isnan(values), 0, 1 / variance)
        score = np.nansum(weight * (values - bias), axis=1) / weight.sum(axis=1)
    found = recover(ratings)
    assert np.allclose(found.scores["score"], score + bias.mean(), rtol=0, atol=1e-6)
    assert np.allclose(found.raters["inconsistency"], np.sqrt(variance), rtol=0, atol=1e-6)
    assert found.iterations < 60


def test_intervals_cover() -> None:
    """p910's 95 % intervals, on ratings that are not rounded, cover 93 % to 97 % of 2,000 true scores."""
    rng = np.random.default_rng(4)
    truth, inside = rng.normal(size=200), []
    for _ in range(10):
        noise = rng.uniform(0.4, 1.2, 30) * rng.normal(size=(200, 30))
        values = truth[:, None] + rng.normal(0, 0.5, 30) + noise
        for row in values:
            row[rng.permutation(30)[10:]] = np.nan
        scores = recover(long(values)).scores
        # The mean level is not determined by the model: it is the raters' common bias.
        shift = (scores["score"] - truth).mean()
        inside += ((scores["low"] - shift <= truth) & (truth <= scores["high"] - shift)).tolist()
    assert 0.93 < np.mean(inside) < 0.97


def test_bias_removal_by_hand() -> None:
    """P.913: two raters one apart on three images; their mean difference goes, the scores stay."""
    found = recover(long(np.array([[1.0, 2.0], [2.0, 3.0], [3.0, 4.0]])), "p913")
    assert found.raters["bias"].tolist() == [-0.5, 0.5]
    assert found.scores["score"].tolist() == [1.5, 2.5, 3.5]
    assert found.scores["standard_error"].tolist() == [0.0, 0.0, 0.0]


def test_bt500_leaves_out_who_is_far_off_on_both_sides() -> None:
    """Of 20 raters the one who is far above and far below by turns is left out; no other is.

    Far means about 2.5 standard deviations: further off, he alone would raise an image's kurtosis above 4, where
    BT.500 allows sqrt(20) of them, which one of 20 raters cannot reach.
    """
    rng = np.random.default_rng(2)
    values = np.tile(np.linspace(20, 80, 40)[:, None], 20) + rng.uniform(-5, 5, (40, 20))
    values[:, 7] = np.linspace(20, 80, 40) + np.where(np.arange(40) % 2, 9, -9)
    found = recover(long(values), "bt500")
    assert found.raters.loc[~found.raters["used"], "rater_id"].tolist() == ["r007"]
    kept = np.delete(values, 7, axis=1)
    assert np.allclose(found.scores["score"], kept.mean(axis=1))
    assert np.allclose(found.scores["standard_error"], stats.sem(kept, axis=1))


def test_bt500_keeps_who_is_only_strict() -> None:
    """A rater who is far below on every image is lopsided, and BT.500 is not about bias."""
    rng = np.random.default_rng(2)
    values = np.tile(np.linspace(20, 80, 40)[:, None], 20) + rng.normal(0, 2, (40, 20))
    values[:, 7] -= 30
    assert recover(long(values), "bt500").raters["used"].all()


def test_both_at_once_are_one_after_the_other() -> None:
    """p913-bt500 leaves out whom bt500 leaves out once the biases are gone, and not before: a strict and careless one."""
    rng = np.random.default_rng(2)
    values = np.tile(np.linspace(20, 80, 40)[:, None], 20) + rng.uniform(-5, 5, (40, 20))
    values[:, 7] = np.linspace(20, 80, 40) + np.where(np.arange(40) % 2, 9, -9) - 8
    found = recover(long(values), "p913-bt500")
    bias = (values - values.mean(axis=1, keepdims=True)).mean(axis=0)
    again = recover(long(values - bias), "bt500")
    assert recover(long(values), "bt500").raters["used"].all()
    assert found.raters.loc[~found.raters["used"], "rater_id"].tolist() == ["r007"]
    assert found.raters["bias"].to_numpy() == pytest.approx(bias)
    assert np.allclose(found.scores["score"], again.scores["score"])


def test_z_scores_undo_each_rater_s_scale() -> None:
    """Raters who use the scale in their own linear way give equal standardised scores; their order is the truth's."""
    truth = np.array([1.0, 2.0, 4.0, 8.0])
    found = recover(long(np.column_stack([truth, 3 * truth + 1, 0.5 * truth])), "z-score")
    assert np.allclose(found.scores["standard_error"], 0)
    assert np.corrcoef(found.scores["score"], truth)[0, 1] == pytest.approx(1)


def test_a_straight_liner_has_no_z_scores() -> None:
    """A rater whose ratings are all equal is left out of z-scores, and a warning says so."""
    found = recover(long(np.array([[1.0, 2.0, 3.0], [2.0, 3.0, 3.0], [3.0, 5.0, 3.0]])), "z-score")
    assert found.raters["used"].tolist() == [True, True, False]
    assert "left out" in found.warnings[0]


@pytest.mark.parametrize("method", METHODS)
def test_order_of_rows_and_names_do_not_matter(method: str) -> None:
    """Shuffled rows give the same scores."""
    ratings, _ = panel(images=60, raters=12, each=6, seed=3)
    found = recover(ratings, method).scores
    again = recover(ratings.sample(frac=1, random_state=1), method).scores
    assert np.allclose(found["score"], again["score"], atol=1e-6)
    assert found["image_id"].tolist() == again["image_id"].tolist()


def test_what_cannot_be_recovered_is_said() -> None:
    """One rater, an unknown method and a missing column each have their sentence."""
    ratings = long(np.array([[1.0], [2.0]]))
    with pytest.raises(InputError, match="one rater only; use mos"):
        recover(ratings)
    with pytest.raises(InputError, match="unknown method 'p911'"):
        recover(ratings, "p911")
    with pytest.raises(InputError, match="lacks the column rater_id"):
        recover(ratings.drop(columns="rater_id"))
